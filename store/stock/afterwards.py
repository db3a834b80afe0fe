"""Afterwards: what was done at a shelf and is told only later, held against what happened since.

It is booked as of its own time, as what other systems tell is (`books`). A count says what was
there at its moment, so what moved since then stands beside it; a newer count has the last word.
Goods that came or went before a count were seen by it: a person says whether they are booked.
"""

from __future__ import annotations

from datetime import datetime

from ..errors import Refusal
from . import books

__all__ = ["CountOvertaken", "CountedSince", "book_at", "refuse_counted"]


class CountedSince(Refusal):
    """The shelf was counted after this was done, so the count has most likely seen it; the page
    asks. `data`: counted_at."""

    code = "counted_since"
    status = 409
    title = "It was counted after this was done"


class CountOvertaken(Refusal):
    """A count that is told late and does not hold any more: a newer one was made, or fewer are
    there by now than it would take off. `data`: left."""

    code = "count_overtaken"
    status = 409
    title = "This count does not hold any more"


def refuse_counted(item_id: int, location_id: int, at: datetime | None) -> None:
    """Joiner: see to it that nobody has counted this shelf since. Raises CountedSince."""
    if at is None:
        return
    place = (item_id, location_id)
    counted_at = books.lock_levels([place], at)[place].counted_at
    if counted_at is not None and counted_at > at:
        raise CountedSince(counted_at=counted_at.isoformat(timespec="seconds"))


def book_at(item_id: int, location_id: int, at: datetime) -> int:
    """Joiner: what the book says was there at a moment. Raises CountOvertaken where somebody has
    counted since."""
    place = (item_id, location_id)
    known = books.lock_levels([place], at)[place]
    if known.counted_at is not None and known.counted_at > at:
        raise CountOvertaken("It was counted again since", left=known.on_hand)
    return known.on_hand - books.moved_after(place, at)
