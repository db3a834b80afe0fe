"""The shop's program, loaded once: each server of a test is a fork of a process that has imported
everything, as the shop's own workers are. Loading it anew takes two seconds and more each time.

The nursery is one process for each process of pytest. It takes one JSON line for each wish and
answers with one; it ends when its input does, and its servers with it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from store import serving

__all__ = ["Born", "bear"]

ROOT = Path(__file__).resolve().parents[1]
MODULE = serving.__name__


class Born:
    """A process of the nursery, with what subprocess.Popen has for it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _ask(pid=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit status, below zero for a signal; raises TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(MODULE, timeout)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def bear(arguments: Sequence[str], environment: dict[str, str], output: Path) -> Born:
    """`python -m store.serving ARGUMENTS` with this environment; what it says goes to a file."""
    pid = _ask(arguments=list(arguments), environment=environment, output=str(output))
    assert pid is not None
    return Born(pid)


@functools.cache
def _nursery() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.nursery"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _ask(**wish: Any) -> int | None:
    process = _nursery()
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(wish) + "\n")
    process.stdin.flush()
    answer: int | None = json.loads(process.stdout.readline())
    return answer


# In the nursery.


def _main() -> None:
    answers = sys.stdout
    # Ctrl-C is for the tests, which close what they opened.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    alive: set[int] = set()
    for line in iter(sys.stdin.readline, ""):
        wish = json.loads(line)
        answer = _state(wish["pid"], alive) if "pid" in wish else _fork(wish, alive)
        answers.write(f"{json.dumps(answer)}\n")
        answers.flush()
    # Whoever asked is gone, however it went: its servers go, too.
    for pid in alive:
        os.kill(pid, signal.SIGTERM)


def _state(pid: int, alive: set[int]) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    alive.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _fork(wish: dict[str, Any], alive: set[int]) -> int:
    pid = os.fork()
    if pid == 0:
        _be(wish["arguments"], wish["environment"], wish["output"])
    alive.add(pid)
    return pid


def _be(arguments: list[str], environment: dict[str, str], output: str) -> NoReturn:
    code: object = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing, said = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT)
        for there, here in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(there, here)
        os.environ.clear()
        os.environ.update(environment)
        # What the shop looks at when it opens itself anew.
        sys.orig_argv = [sys.executable, "-m", MODULE, *arguments]
        sys.argv = [MODULE, *arguments]
        code = serving.main(arguments)
    except SystemExit as ended:
        code = ended.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _main()
