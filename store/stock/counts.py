"""Counting a shelf by scanning, while sales go on.

The count is blind: nobody who counts sees the book's figure. Each entry keeps what the book said
at its moment, so that a sale before it or after it is no difference. An item whose book changed
between two entries must be counted again, and so must one that was counted elsewhere since.
Approving makes each difference a movement, once.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select

from .. import catalogue, logbook
from ..db import connection, in_transaction
from ..errors import Refusal
from . import missing
from .changes import change, lock_levels
from .levels import Want
from .models import Level, Movement
from .slips import NothingScanned, Scanned, Slip, claim, scanned, settle
from .tasks import close_tasks

__all__ = ["CountAgain", "approve", "not_counted", "shelf_names"]


class CountAgain(Refusal):
    """Items moved while they were counted, were counted by others since, or have fewer on hand by
    now than would be taken off. `data`: items (codes)."""

    code = "count_again"
    status = 409
    title = "Some items must be counted again"


class NotCounted(NamedTuple):
    """An item that the book has on the shelf and nobody has counted; the figure stays hidden."""

    item_id: int
    code: str
    names: dict[str, str]
    picture: str | None


def not_counted(slip: Slip, limit: int = 60) -> list[NotCounted]:
    """What should stand on the slip's shelf and was not counted; nothing where no shelf is named,
    because then nobody knows what belongs to it."""
    if not slip.title:
        return []
    item = catalogue.Item
    counted = [one.item_id for one in scanned(slip.id)]
    query = (
        select(item.id, item.code, item.names, item.picture)
        .join(Level, Level.item_id == item.id)
        .where(
            Level.location_id == slip.location_id,
            func.lower(Level.shelf) == slip.title.lower(),
            Level.on_hand > 0,
            item.id.not_in(counted),
        )
        .order_by(item.id)
        .limit(limit)
    )
    return [NotCounted(*row) for row in connection().execute(query)]


def shelf_names(location_id: int, limit: int = 200) -> list[str]:
    """The shelves of a place that hold something by the book, for a choice."""
    query = (
        select(Level.shelf)
        .where(Level.location_id == location_id, Level.shelf != "")
        .distinct()
        .order_by(Level.shelf)
        .limit(limit)
    )
    return list(connection().scalars(query))


def approve(slip_id: int, member_id: int) -> dict[int, int]:
    """Joiner: the differences become movements; answers them by item. Raises NotFound, SlipClosed,
    NothingScanned, CountAgain."""
    slip = claim(slip_id, "count", member_id)
    counted = scanned(slip_id)
    if not counted:
        raise NothingScanned("Nothing was counted", field="code")
    # Locked before they are looked at, so that two counts of one item cannot both be right.
    left = lock_levels([(one.item_id, slip.location_id) for one in counted])
    again = [
        one.item_id
        for one in counted
        if one.moved
        or left[one.item_id, slip.location_id] + one.difference < 0
        or _counted_since(one, slip.location_id)
    ]
    if again:
        raise CountAgain("Count these again", items=_codes(again))
    settle(slip_id, sorted((one.item_id, one.book or 0, one.quantity) for one in counted))
    wants = [Want(one.item_id, slip.location_id, one.difference, None, member_id)
             for one in counted]  # fmt: skip
    change(wants, "counted", f"#{slip.id} {slip.title} {slip.note}".strip()[:200])
    items = [one.item_id for one in counted]
    missing.counted(items, slip.location_id)
    close_tasks(("count", "shelf_empty", "oversold"), slip.location_id, items, member_id)
    logbook.note(
        "count.approved", slip_id, place_id=slip.location_id,
        before={"items": {one.item_id: one.book or 0 for one in counted}},
        after={"items": {one.item_id: one.quantity for one in counted}},
    )  # fmt: skip
    return {one.item_id: one.difference for one in counted}


def _counted_since(one: Scanned, location_id: int) -> bool:
    query = select(Movement.id).where(
        Movement.item_id == one.item_id,
        Movement.location_id == location_id,
        Movement.reason == "counted",
        Movement.at > one.last_at,
    )
    return in_transaction().connection().execute(query.limit(1)).first() is not None


def _codes(item_ids: list[int]) -> list[str]:
    item = catalogue.Item
    query = select(item.code).where(item.id.in_(item_ids)).order_by(item.id)
    return list(in_transaction().scalars(query))
