"""Processor time of other processes: unlike the clock, it is robust against what else runs on the
machine."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from tests.live import LiveServer

__all__ = ["Spent", "Times", "spent"]


def spent(pids: Iterable[int]) -> float:
    """Seconds of processor time (user and system) that these processes have taken until now."""
    # clock_getcpuclockid(3) for a process, as Linux has it. /proc counts in ticks of 10 ms, in
    # which short work does not show at all.
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


@dataclass(frozen=True)
class Spent:
    """What the processes of one server took."""

    pages_s: float
    outbox_s: float


class Times:
    """The processes of one server: those that answer pages, and the one behind the outbox. They are
    born in this order."""

    def __init__(self, server: LiveServer, pages: int) -> None:
        found = sorted(server.children(pages + 1))
        self._pages, self._outbox = found[:pages], found[pages : pages + 1]
        self._before = self._now()

    def lap(self) -> Spent:
        """What they took since the last time of asking."""
        now = self._now()
        before, self._before = self._before, now
        return Spent(now.pages_s - before.pages_s, now.outbox_s - before.outbox_s)

    def _now(self) -> Spent:
        return Spent(spent(self._pages), spent(self._outbox))
