"""The board: when each of those who look at it comes back.

A viewer's connection is not held: an event is answered at once, and says after how many
milliseconds the browser shall ask again. The moments are given out one after another, so that a
process answers no more than so many a second, however many look: each of them only sees it later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["SLOTS_A_SECOND", "SOONEST_S", "Turns", "event"]

SOONEST_S = 2.0
SLOTS_A_SECOND = 20
LATEST_S = 30.0


class Turns:
    """Gives out moments to come back at. `clock` is a steady one, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock, self._last = clock, threading.Lock(), 0.0

    def next_s(self) -> float:
        """In how many seconds to come back: soon where few look, later where many do."""
        with self._lock:
            now = self._clock()
            turn = max(now + SOONEST_S, self._last + 1 / SLOTS_A_SECOND)
            self._last = turn = min(turn, now + LATEST_S)
            return turn - now


def event(html: str, mark: str, seen: str, in_s: float) -> str:
    """One answer of the stream (HTML standard, server-sent events): the board, unless the viewer
    has `seen` the one with this mark, and when to come back."""
    lines = [f"retry: {round(in_s * 1000)}"]
    if seen != mark:
        lines += [f"id: {mark}", *(f"data: {line}" for line in html.splitlines())]
    else:
        lines += [": nothing new"]
    return "\n".join(lines) + "\n\n"
