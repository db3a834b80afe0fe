"""The line of writers: over processes, too, each has its turn, and a dead one holds nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import TimeoutError

from store import writers
from tests.live import ROOT

BUSY = """
import os, sys, time
from io import FileIO
from sqlalchemy import create_engine
from store import writers

if sys.argv[2] == "unfair":  # Everybody comes next in a line of their own.
    opened = writers._Line._open
    writers._Line._open = lambda line: (
        FileIO(f"{line._database}-{os.getpid()}", "ab"), opened(line)[1]
    )
engine = create_engine("sqlite:///" + sys.argv[1])
print("began", flush=True)
while True:
    with writers.turn(engine):
        time.sleep(0.02)
"""


def busy(database: Path, manner: str) -> subprocess.Popen[str]:
    """A process that takes the writer's place again the moment it has given it up."""
    child = subprocess.Popen(
        [sys.executable, "-c", BUSY, str(database), manner],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None and child.stdout.readline() == "began\n"
    time.sleep(0.1)
    return child


def turns(database: Path, seconds: float) -> int:
    """How often this process gets a turn beside a busy one."""
    engine, found, end = create_engine(f"sqlite:///{database}"), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with writers.turn(engine):
                found += 1
        except TimeoutError:
            pass
    return found


def test_a_busy_process_lets_others_have_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the place of who comes next (the negative control), one is nearly shut out."""
    monkeypatch.setattr(writers, "_PATIENCE_S", 2.0)
    counts = {}
    for manner in ("fair", "unfair"):
        child = busy(tmp_path / manner, manner)
        try:
            counts[manner] = turns(tmp_path / manner, 1.5)
        finally:
            child.kill()
            child.wait()
    print(counts)
    assert counts["fair"] >= 5
    assert counts["unfair"] < counts["fair"]


def test_who_was_killed_in_its_turn_holds_nobody_up(tmp_path: Path) -> None:
    child = busy(tmp_path / "shop", "fair")
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    began = time.monotonic()
    assert turns(tmp_path / "shop", 0.05) > 0
    assert time.monotonic() - began < 5


def test_who_holds_it_for_ever_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_PATIENCE_S", 0.3)
    child = busy(tmp_path / "shop", "fair")
    os.kill(child.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError), writers.turn(create_engine(f"sqlite:///{tmp_path}/shop")):
            pytest.fail("the place is taken")
    finally:
        child.kill()
        child.wait()


def test_a_place_without_files_is_a_line_of_threads_only(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/missing/shop")
    with writers.turn(engine):
        pass
    with writers.turn(create_engine("sqlite://")):
        pass
