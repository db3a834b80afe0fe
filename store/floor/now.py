"""Now: how much of what is where in the shop at this moment, read for all who look at once.

Reading is one statement over all places, and what takes longer is read seldom. However many look,
a process reads no more often than once a second: one asks, all others get what was answered last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import union_all

from .. import clock
from ..delivery import counting as delivery_counting
from ..door import counting as door_counting
from ..labels import choosing
from ..prepared import Prepared
from ..sales import counting as sales_counting
from ..sales.counting import EVERYWHERE
from ..stock import counting as stock_counting

__all__ = ["Counted", "Kept", "Seldom", "Watch", "at_place", "counted"]

FRESH_S = 1.0
RARE_S = 3.0
LATEST_S = 30.0
SHARE = 100
"""What takes long is read again after so many times as long as it took: a hundredth of the time."""
SOLD_OUT_FOR = timedelta(days=7)
"""What sold out longer ago is a matter for whoever orders goods."""
MOST_SOLD_OUT = 100

T = TypeVar("T")
Counts = Mapping[tuple[str, int], "Counted"]


@dataclass(frozen=True, slots=True)
class Counted:
    """So many, and since when the first of them; None where nobody knows."""

    many: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Seldom:
    """Of one place: what is sold out, and how many labels say something old."""

    sold_out: Sequence[stock_counting.SoldOut]
    reprint: int


def counted() -> Counts:
    """Everything that waits, by what it is and its place (EVERYWHERE for what is the whole
    shop's), in one statement."""
    return {(row[0], row[1]): Counted(int(row[2]), row[3]) for row in _counted.all() if row[2]}


# Kept: making a statement of fourteen took longer than running it.
_counted = Prepared(
    lambda dialect: union_all(
        *stock_counting.counts(), *delivery_counting.counts(), *sales_counting.counts(),
        *door_counting.counts(),
    )
)  # fmt: skip


def _sold_out(location_id: int) -> Sequence[stock_counting.SoldOut]:
    return stock_counting.sold_out(location_id, clock.now() - SOLD_OUT_FOR, MOST_SOLD_OUT)


def _to_reprint(location_id: int, currency: str) -> int:
    return choosing.count(choosing.Choice(location_id, currency, "changed"))


def at_place(counts: Counts, rare: Seldom, location_id: int) -> dict[str, Counted]:
    """What concerns one place, by what it is."""
    found = {what: one for (what, place), one in counts.items()
             if place in (location_id, EVERYWHERE)}  # fmt: skip
    if rare.sold_out:
        found["sold_out"] = Counted(len(rare.sold_out), min(each.at for each in rare.sold_out))
    if rare.reprint:
        found["reprint"] = Counted(rare.reprint, None)
    return found


class Kept(Generic[T]):
    """An answer that holds for a while. When it is over, whoever comes first asks anew, and all
    others get the old one meanwhile; only the very first answer is waited for."""

    def __init__(self, ask: Callable[[], T], fresh_s: float, latest_s: float = 0.0) -> None:
        self._ask, self._fresh_s, self._latest_s = ask, fresh_s, max(fresh_s, latest_s)
        self._lock = threading.Lock()
        self._known: tuple[T] | None = None
        self._until = 0.0

    def get(self) -> T:
        if self._known is not None and time.monotonic() < self._until:
            return self._known[0]
        if not self._lock.acquire(blocking=self._known is None):
            assert self._known is not None
            return self._known[0]
        try:
            if self._known is None or time.monotonic() >= self._until:
                began = time.monotonic()
                self._known = (self._ask(),)
                now = time.monotonic()
                wanted_s = max(self._fresh_s, SHARE * (now - began))
                self._until = now + min(wanted_s, self._latest_s)
            return self._known[0]
        finally:
            self._lock.release()


_Rare = tuple[Kept[Sequence[stock_counting.SoldOut]], Kept[int]]
"""Each for itself: what is sold out takes a tenth of the time, and is news sooner."""


@dataclass
class Watch:
    """What one process knows of the shop, for all who look at it."""

    currency: str
    _fast: Kept[Counts] = field(default_factory=lambda: Kept(counted, FRESH_S))
    _rare: dict[int, _Rare] = field(default_factory=dict)

    def at(self, location_id: int) -> tuple[dict[str, Counted], Seldom]:
        """What concerns a place, as of a moment ago."""
        rare = self.seldom(location_id)
        return at_place(self._fast.get(), rare, location_id), rare

    def seldom(self, location_id: int) -> Seldom:
        kept = self._rare.get(location_id)
        if kept is None:
            kept = self._rare.setdefault(
                location_id,
                (
                    Kept(lambda: _sold_out(location_id), RARE_S, LATEST_S),
                    Kept(lambda: _to_reprint(location_id, self.currency), RARE_S, LATEST_S),
                ),
            )
        sold_out, reprint = kept
        return Seldom(sold_out.get(), reprint.get())
