"""The board: what one viewer after the other is told of it, and when each of them comes back.

An answer is an event and the moment after which the browser shall ask again. The moments are given
out one after another, so that a process answers no more than so many a second, however many look:
each of them only sees it later.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["EVENTS", "SLOTS_A_SECOND", "SOONEST_S", "Part", "Turns", "event", "part"]

EVENTS = "text/event-stream"
SOONEST_S = 2.0
SLOTS_A_SECOND = 20
LATEST_S = 30.0


class Part(NamedTuple):
    """The board as all see it who see the same: its mark, and what it is made of, ready to send."""

    mark: str
    html: str
    page: bytes
    event: bytes


class Turns:
    """Gives out moments to come back at. `clock` is a steady one, in seconds. With `together_s`
    those whose moments are that close come back at one: to wake up for each of them takes longer
    than to answer."""

    def __init__(
        self, clock: Callable[[], float], slots_a_second: int = SLOTS_A_SECOND,
        together_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._clock, self._lock, self._last = clock, threading.Lock(), 0.0
        self._between_s, self._together_s = 1 / slots_a_second, together_s

    def next_s(self) -> float:
        """In how many seconds to come back: soon where few look, later where many do."""
        with self._lock:
            now = self._clock()
            turn = max(now + SOONEST_S, self._last + self._between_s)
            self._last = turn = min(turn, now + LATEST_S)
            if self._together_s:
                turn = math.ceil(turn / self._together_s) * self._together_s
            return turn - now


def part(html: str) -> Part:
    """Make it ready, once for all who see it."""
    mark = hashlib.sha256(html.encode()).hexdigest()[:24]
    lines = [f"id: {mark}", *(f"data: {line}" for line in html.splitlines())]
    return Part(mark, html, html.encode(), ("\n".join(lines) + "\n\n").encode())


def event(board: Part, seen: str, in_s: float) -> bytes:
    """One answer of the stream (HTML standard, server-sent events): the board, unless the viewer
    has `seen` the one with this mark, and when to come back."""
    retry = b"retry: %d\n" % round(in_s * 1000)
    return retry + (b": nothing new\n\n" if seen == board.mark else board.event)
