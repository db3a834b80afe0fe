"""Movements read back: what happened to a shelf, newest first, and whether it just happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from .. import catalogue
from ..db import connection, in_transaction
from ..errors import Refusal
from .models import Level, Movement

PAGE = 40


class ReceivedJustNow(Refusal):
    """The same was received since the page was made: most likely a second tap. `data`: item,
    quantity."""

    code = "received_just_now"
    status = 409
    title = "This was received a moment ago"


class Moved(NamedTuple):
    """A movement as people read it. `names` maps languages to the item's name."""

    id: int
    item_id: int
    item_code: str
    names: dict[str, str]
    location_id: int
    quantity: int
    reason: str
    sale_id: str | None
    note: str
    member_id: int | None
    at: datetime


class Low(NamedTuple):
    """An item of which few are left at a location."""

    item_code: str
    names: dict[str, str]
    picture: str | None
    on_hand: int
    shelf: str


def movements(
    location_id: int,
    *,
    item_id: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Moved]:
    """The newest movements at a location, of one item or of all, before an id."""
    item = catalogue.Item
    query = (
        select(
            Movement.id, Movement.item_id, item.code, item.names, Movement.location_id,
            Movement.quantity, Movement.reason, Movement.sale_id, Movement.note,
            Movement.member_id, Movement.at,
        )
        .join(item, item.id == Movement.item_id)
        .where(Movement.location_id == location_id)
        .order_by(Movement.id.desc())
        .limit(limit)
    )  # fmt: skip
    if item_id is not None:
        query = query.where(Movement.item_id == item_id)
    if before is not None:
        query = query.where(Movement.id < before)
    return [Moved(*row) for row in connection().execute(query)]


def running_low(location_id: int, most: int, limit: int = 12) -> Sequence[Low]:
    """Items for sale of which at most so many are left, the emptiest first."""
    item = catalogue.Item
    query = (
        select(item.code, item.names, item.picture, Level.on_hand, Level.shelf)
        .join(item, item.id == Level.item_id)
        .where(Level.location_id == location_id, Level.on_hand <= most, item.archived_at.is_(None))
        .order_by(Level.on_hand, item.id)
        .limit(limit)
    )
    return [Low(*row) for row in connection().execute(query)]


def newest_id() -> int:
    """The id of the newest movement: what a page has seen."""
    return int(connection().execute(select(func.max(Movement.id))).scalar() or 0)


def refuse_repeated(
    item_id: int, location_id: int, quantity: int, member_id: int, seen: int
) -> None:
    """Joiner: refuse goods that this member has received since the page with `seen` was made. The
    level is locked first, so that of two taps one waits for the other."""
    session = in_transaction()
    place = (Level.item_id == item_id, Level.location_id == location_id)
    session.execute(select(Level.on_hand).where(*place).with_for_update())
    same = select(Movement.id).where(
        Movement.item_id == item_id,
        Movement.location_id == location_id,
        Movement.id > seen,
        Movement.reason == "received",
        Movement.quantity == quantity,
        Movement.member_id == member_id,
    )
    if session.scalar(same.limit(1)) is not None:
        raise ReceivedJustNow(quantity=quantity)
