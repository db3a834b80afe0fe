"""Writers: the line in which those stand who want to write to a SQLite file.

SQLite lets who waits for the writer's place sleep and look again at growing distances, so that
under load some wait until their time is over. Here the threads of a process stand in a line, and
the processes (web, outbox, commands) in another. PostgreSQL needs none of this.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError

__all__ = ["turn"]

_PATIENCE_S = 15.0
_LOOK_AGAIN_S = 0.0005


@contextmanager
def turn(engine: Engine) -> Iterator[None]:
    """Hold the writer's place of this database. Raises TimeoutError after 15 s."""
    if engine.dialect.name != "sqlite":
        yield
        return
    line = _lines.get(engine) or _lines.setdefault(engine, _Line(engine.url.database or ""))
    deadline = time.monotonic() + _PATIENCE_S
    if not line.threads.acquire(timeout=_PATIENCE_S):
        raise TimeoutError("too many wait to write")
    try:
        with line.before_other_processes(deadline):
            yield
    finally:
        line.threads.release()


class _Line:
    """A lock for the threads of this process, and two locked files for the processes. Who holds
    `next` is the only one that waits for `writer`, so that a busy process cannot overtake another
    again and again. The system lets go of both when a process dies."""

    def __init__(self, database: str) -> None:
        self.threads = threading.Lock()
        self._database = database
        self._opened_by = 0
        self._files: tuple[FileIO, FileIO] | None = None

    @contextmanager
    def before_other_processes(self, deadline: float) -> Iterator[None]:
        if self._opened_by != os.getpid():  # The child of a fork would share its parent's place.
            self._files, self._opened_by = self._open(), os.getpid()
        if self._files is None:
            yield
            return
        coming, writer = self._files
        _lock(coming, deadline)
        try:
            _lock(writer, deadline)
        finally:
            fcntl.flock(coming, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(writer, fcntl.LOCK_UN)

    def _open(self) -> tuple[FileIO, FileIO] | None:
        if self._database in ("", ":memory:"):
            return None
        try:
            return FileIO(f"{self._database}-next", "ab"), FileIO(f"{self._database}-writer", "ab")
        except OSError:
            # A full or read-only disk: SQLite's own waiting serves, and says what is wrong.
            return None


_lines: WeakKeyDictionary[Engine, _Line] = WeakKeyDictionary()


def _lock(file: FileIO, deadline: float) -> None:
    """Take a file's lock; looks often instead of sleeping in the system, so that it can give up."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("too many wait to write") from None
            time.sleep(_LOOK_AGAIN_S)
