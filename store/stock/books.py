"""Books that other systems keep: what they say is held against what we know, and then booked.

Their entries have times of their own, so a level is locked first, and its movements since then are
looked at before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, insert, select, update

from ..db import in_transaction, insert_new
from . import batches
from .models import Level, Movement
from .wants import Want

Place = tuple[int, int]
"""An item's id and a location's."""


@dataclass
class Known:
    """A level as it is, under lock: when it last moved, and when it was last counted, as far back
    as was asked for."""

    on_hand: int
    moved_at: datetime | None = None
    counted_at: datetime | None = None


class Posting(NamedTuple):
    """A movement to write, at the time that its sender gave it."""

    item_id: int
    location_id: int
    quantity: int
    reason: str
    at: datetime
    note: str = ""
    member_id: int | None = None
    batch_id: int | None = None
    """WITHOUT_BATCH: of those of none. Where nothing is said, what goes is split by batch."""


def lock_levels(places: Iterable[Place], since: datetime) -> dict[Place, Known]:
    """Joiner: these levels, locked in order of item and location, opened where they are new, with
    what happened to them at `since` or later."""
    session = in_transaction()
    wanted = sorted(set(places))
    if not wanted:
        return {}
    session.connection().execute(
        insert_new(Level),
        [
            {"item_id": item, "location_id": place, "on_hand": 0, "shelf": ""}
            for item, place in wanted
        ],
    )
    items, locations = {item for item, _ in wanted}, {place for _, place in wanted}
    mine = (Level.item_id.in_(items), Level.location_id.in_(locations))
    rows = session.execute(
        select(Level.item_id, Level.location_id, Level.on_hand)
        .where(*mine)
        .order_by(Level.item_id, Level.location_id)
        .with_for_update()
    )
    known = {(row[0], row[1]): Known(row[2]) for row in rows if (row[0], row[1]) in set(wanted)}
    counted = case((Movement.reason == "counted", Movement.at))
    moved = session.execute(
        select(
            Movement.item_id, Movement.location_id, func.max(Movement.at), func.max(counted)
        )
        .where(
            Movement.item_id.in_(items), Movement.location_id.in_(locations), Movement.at >= since
        )
        .group_by(Movement.item_id, Movement.location_id)
    )  # fmt: skip
    for item, place, moved_at, counted_at in moved:
        if (item, place) in known:
            known[item, place].moved_at = moved_at
            known[item, place].counted_at = counted_at
    return known


def moved_after(place: Place, at: datetime, batch_id: int | None = None) -> int:
    """Joiner: by how much the level, or what is there of a batch, has changed since a moment. Lock
    it first."""
    query = select(func.coalesce(func.sum(Movement.quantity), 0)).where(
        Movement.item_id == place[0], Movement.location_id == place[1], Movement.at > at
    )
    if batch_id is not None:
        query = query.where(Movement.batch_id == batch_id)
    return int(in_transaction().scalar(query) or 0)


def of_batches(place: Place) -> dict[int | None, int]:
    """Joiner: what is there of each batch, and (None) of none. Lock the level first."""
    query = (
        select(Movement.batch_id, func.sum(Movement.quantity))
        .where(Movement.item_id == place[0], Movement.location_id == place[1])
        .group_by(Movement.batch_id)
    )
    return {row[0]: int(row[1]) for row in in_transaction().execute(query)}


def booked(place: Place, notes: Sequence[str]) -> dict[int | None, int]:
    """Joiner: what was booked at a place with these notes in all, by batch."""
    query = (
        select(Movement.batch_id, func.sum(Movement.quantity))
        .where(
            Movement.item_id == place[0], Movement.location_id == place[1],
            Movement.note.in_(notes), Movement.sale_id.is_(None),
        )
        .group_by(Movement.batch_id)
    )  # fmt: skip
    return {row[0]: int(row[1]) for row in in_transaction().execute(query) if row[1]}


def post(postings: Sequence[Posting]) -> None:
    """Joiner: write these movements and change their levels, which are locked."""
    session = in_transaction()
    if not postings:
        return
    going = {one.item_id for one in postings if one.quantity < 0 and one.batch_id is None}
    tracked = batches.tracked(going)
    rows, split = list[dict[str, Any]](), list[dict[str, Any]]()
    for one in postings:
        row = one._asdict() | {"sale_id": None, "batch_id": one.batch_id or None}
        by_batch = one.item_id in tracked and one.quantity < 0 and one.batch_id is None
        (split if by_batch else rows).append(row)
    if rows:
        session.connection().execute(insert(Movement), rows)
    for row in split:
        _post_by_batch(row)
    changes: dict[Place, int] = {}
    for one in postings:
        place = (one.item_id, one.location_id)
        changes[place] = changes.get(place, 0) + one.quantity
    for (item, location), change in sorted(changes.items()):
        session.execute(
            update(Level)
            .where(Level.item_id == item, Level.location_id == location)
            .values(on_hand=Level.on_hand + change)
        )


def _post_by_batch(row: dict[str, Any]) -> None:
    """What goes of a tracked item is of those that nobody can buy first, then of the oldest."""
    going = Want(row["item_id"], row["location_id"], -row["quantity"])
    for part in batches.allot([going], blocked="first"):
        less = row | {"quantity": -part.quantity, "batch_id": part.batch_id}
        in_transaction().connection().execute(insert(Movement), [less])
