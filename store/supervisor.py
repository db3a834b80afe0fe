"""The supervisor: keeps a set of child processes alive, and leaves none behind.

Children are forks of a parent that has loaded the shop already, so a killed one is back within
hundredths of a second. Each holds the reading end of a pipe whose writing end only the parent has:
when the parent dies, however it dies, the pipe ends and so do they.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

__all__ = ["AGAIN", "Role", "ask_again", "supervise"]

log = logging.getLogger(__name__)

GRACE_S = 10.0
"""How long a child may finish what it is doing before it is killed."""

AGAIN = -1
"""What `supervise` answers when the shop is to be opened anew, with other settings."""

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ALL = (*_STOPPING, signal.SIGCHLD, signal.SIGUSR1)


@dataclass
class Role:
    """One child: its name in the log, and what it does until its process is asked to end.

    `run` gets a function to call with what must happen on SIGTERM.
    """

    name: str
    run: Callable[[Callable[[Callable[[], None]], None]], None]
    pid: int = 0
    start_at: float = 0.0
    failures: int = 0


def ask_again() -> None:
    """In a child: let all children end what they do, and open the shop anew."""
    os.kill(os.getppid(), signal.SIGUSR1)


def supervise(roles: Sequence[Role], ports: Sequence[socket.socket]) -> int:
    """Run every role until this process is told to stop; the exit status is 0 when all ended well.
    The ports are closed as soon as the end begins, so that nobody new comes in. Where the shop is
    opened anew the answer is AGAIN, and who comes meanwhile waits at the open ports.

    A child that was killed is replaced at once. One that ends by itself has a fault of its own,
    so it is tried again at growing distances.
    """
    stop = _Stop()
    alive, held = os.pipe()
    with _signals_wake(stop) as wakes:
        while not stop.asked and not stop.again:
            _reap(roles)
            for role in roles:
                if not role.pid and role.start_at <= time.monotonic():
                    role.pid = _fork(role, alive, held)
            due = [role.start_at - time.monotonic() for role in roles if not role.pid]
            wakes(max(0.0, min(due, default=60.0)))
        for port in ports if stop.asked else ():
            port.close()
        ended = _end(roles, stop, wakes)
        return ended if stop.asked else AGAIN


class _Stop:
    """How often the parent was asked to stop: the second time it does not wait. And whether it is
    to begin again."""

    asked = 0
    again = False

    def __call__(self, number: int, frame: object) -> None:
        if number == signal.SIGUSR1:
            self.again = True
        else:
            self.asked += 1


@contextlib.contextmanager
def _signals_wake(stop: _Stop) -> Iterator[Callable[[float], None]]:
    """Give a function that sleeps so many seconds or until the next signal, whichever is first."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = {number: signal.signal(number, stop) for number in _STOPPING}
    before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, stop)
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)

        def sleep(seconds: float) -> None:
            if selector.select(seconds):
                with contextlib.suppress(BlockingIOError):
                    os.read(reader, 4096)

        yield sleep
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)
    os.close(reader)
    os.close(writer)


def _reap(roles: Sequence[Role]) -> None:
    for role in roles:
        if not role.pid:
            continue
        pid, status = os.waitpid(role.pid, os.WNOHANG)
        if not pid:
            continue
        code = os.waitstatus_to_exitcode(status)
        role.pid = 0
        if code < 0:
            role.failures = 0
            role.start_at = time.monotonic()
            log.warning("%s (%d) was killed by signal %d; starting another", role.name, pid, -code)
        else:
            role.failures += 1
            wait = min(0.25 * 2**role.failures, 15.0)
            role.start_at = time.monotonic() + wait
            log.error("%s (%d) ended with %d; again in %.1f s", role.name, pid, code, wait)


def _fork(role: Role, alive: int, held: int) -> int:
    # Between the fork and the child's own handlers a signal would run the parent's in the child.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be(role, alive, held)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ALL)
    return pid


def _be(role: Role, alive: int, held: int) -> NoReturn:
    """The child's whole life. It never returns into the parent's code."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        os.close(held)
        # Out of the terminal's group: Ctrl-C reaches the parent, who asks each child once.
        os.setpgid(0, 0)
        for number in _ALL:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()

        def when_asked(stop: Callable[[], None]) -> None:
            signal.signal(signal.SIGTERM, lambda number, frame: stop())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ALL)

        role.run(when_asked)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_with_parent(alive: int) -> None:
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def _end(roles: Sequence[Role], stop: _Stop, wakes: Callable[[float], None]) -> int:
    """Ask every child to end, wait, and kill what does not."""
    left = {role.pid for role in roles if role.pid}
    for pid in left:
        os.kill(pid, signal.SIGTERM)
    deadline, forced = time.monotonic() + GRACE_S, False
    while left:
        if not forced and (time.monotonic() > deadline or stop.asked > 1):
            forced = True
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        left -= {pid for pid in left if os.waitpid(pid, os.WNOHANG)[0]}
        if left:
            wakes(0.2)
    return int(forced)
