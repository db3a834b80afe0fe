"""Backup and restore of a shop on SQLite: a copy counts only once the audit has passed on it.

Copying the file while the shop runs misses the newest sales and nobody notices; VACUUM INTO writes
one consistent snapshot. A PostgreSQL shop uses the server's own tools (docs/shopkeepers.md).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy.engine import make_url

from .errors import Refusal

__all__ = ["back_up", "restore"]


class BackupRefused(Refusal):
    code = "backup_refused"
    status = 409
    title = "This copy is not made"


Check = Callable[[str], list[str]]
"""Audits a database by its address; answers what is wrong, in sentences."""


def back_up(app: Flask, target: Path, check: Check) -> Path:
    """Write a checked copy of the running shop's database to `target`, which appears only when it
    is whole: made under another name, audited, flushed, renamed. Raises BackupRefused."""
    source = _file_of(app, "pg_dump --format=custom --file=FILE --dbname={url}")
    if not source.exists():
        raise BackupRefused("There is no database yet: nothing to back up")
    if target.exists() and target.is_dir():
        raise BackupRefused(f"{target} is a folder; name a file")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        connection = sqlite3.connect(source, timeout=30)
        try:
            connection.execute("VACUUM INTO ?", (str(partial),))
        finally:
            connection.close()
        _refuse_unless_sound(partial, check)
        _flush(partial)
        partial.replace(target)
        _flush(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise BackupRefused(f"The copy could not be written: {error}") from error
    finally:
        _clear(partial)
    return target


def restore(app: Flask, copy: Path, check: Check, *, force: bool = False) -> Path:
    """Put a checked copy in the place of the shop's database. Refuses a copy that fails the audit,
    and a shop that holds data unless `force`: then its database is kept beside the new one.
    The shop must not be running. Raises BackupRefused."""
    target = _file_of(
        app,
        "pg_restore --clean --if-exists --exit-on-error --single-transaction --dbname={url} FILE",
    )
    if not copy.is_file():
        raise BackupRefused(f"There is no file {copy}")
    partial = target.with_name(f".{target.name}.{os.getpid()}.restoring")
    try:
        shutil.copyfile(copy, partial)
        _refuse_unless_sound(partial, check)
        _flush(partial)
        if target.exists():
            if not force:
                raise BackupRefused(
                    f"{target} exists; stop the shop and say --force to set it aside"
                )
            _set_aside(target)
        partial.replace(target)
        _flush(target.parent)
    except OSError as error:
        raise BackupRefused(f"The copy could not be put in place: {error}") from error
    finally:
        _clear(partial)
    return target


def _clear(partial: Path) -> None:
    """A file that was not put in place, and what SQLite keeps beside it (it leaves its journal
    where the disk was full)."""
    for beside in ("", "-wal", "-shm", "-journal"):
        Path(f"{partial}{beside}").unlink(missing_ok=True)


def _file_of(app: Flask, instead: str) -> Path:
    """The shop's one file. Raises BackupRefused on PostgreSQL, with the command to use instead."""
    url = app.config["DATABASE_URL"]
    if not url.startswith("sqlite:///"):
        theirs = make_url(url)._replace(drivername="postgresql", password=None)
        command = instead.format(url=theirs.render_as_string())
        raise BackupRefused(
            f"This shop is on PostgreSQL, which has tools of its own: {command} "
            "(docs/shopkeepers.md says more); then run flask audit"
        )
    return Path(url.removeprefix("sqlite:///"))


def _refuse_unless_sound(file: Path, check: Check) -> None:
    connection = sqlite3.connect(file)
    try:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"The copy is not a database: {error}") from error
    finally:
        connection.close()
    faults = [said] if said != "ok" else check(f"sqlite:///{file}")
    if faults:
        raise BackupRefused("The copy fails the audit: " + "; ".join(faults[:5]))


def _set_aside(target: Path) -> None:
    """The old database stays, its write-ahead log folded in first. It gets a second name, so that
    the shop is never without a database, whenever this is cut short."""
    connection = sqlite3.connect(target, timeout=5)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:
        pass  # It may be the broken database that is being replaced.
    finally:
        connection.close()
    number = 1
    while target.with_name(f"{target.name}.before-{number}").exists():
        number += 1
    aside = target.with_name(f"{target.name}.before-{number}")
    for ending in ("-wal", "-shm"):
        part = Path(f"{target}{ending}")
        if part.exists():
            part.rename(f"{aside}{ending}")
    try:
        os.link(target, aside)
    except OSError:
        target.rename(aside)  # A file system without second names.


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
