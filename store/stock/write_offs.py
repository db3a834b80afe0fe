"""Writing off: goods that are gone without a sale, and why; the owner sees each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select

from .. import catalogue, clock, ids, logbook
from ..db import connection, in_transaction, insert_new
from ..errors import Invalid
from .changes import change
from .levels import LARGEST, Want
from .models import Location
from .work_models import WriteOff

__all__ = ["REASONS", "Gone", "lost_on_the_way", "sums", "write_off", "write_offs"]

REASONS = ("damaged", "expired", "theft", "own_use", "recalled", "in_transit", "sent_back")
CHOICES = REASONS[:4]
"""Those that staff choose from; the others are said by what happened."""


class Gone(NamedTuple):
    """A write-off as people read it."""

    id: int
    item_id: int
    item_code: str
    names: dict[str, str]
    location_name: str
    quantity: int
    why: str
    note: str
    member_id: int | None
    at: datetime


def write_off(
    item_id: int,
    location_id: int,
    quantity: int,
    why: str,
    *,
    member_id: int | None,
    note: str = "",
    key: str = "",
    batch_id: int | None = None,
    at: datetime | None = None,
) -> bool:
    """Joiner: so many are gone, of a batch where one is said, or went `at` another moment. With a
    key that is known nothing more happens; answers whether it was new. Raises Invalid,
    OutOfStock."""
    if not 1 <= quantity <= LARGEST:
        raise Invalid(f"A quantity is 1 to {LARGEST}", field="quantity")
    if why not in REASONS:
        raise Invalid(f"why is one of {', '.join(REASONS)}", field="why")
    row = {"key": key or ids.new(), "item_id": item_id, "location_id": location_id,
           "quantity": quantity, "why": why, "note": note[:200], "member_id": member_id,
           "at": at or clock.now()}  # fmt: skip
    new = insert_new(WriteOff).values(row).returning(WriteOff.id)
    if in_transaction().connection().execute(new).first() is None:
        return False
    change(
        [Want(item_id, location_id, -quantity, None, member_id, batch_id)],
        "written_off", f"{why}: {note}"[:200] if note else why, at,
    )  # fmt: skip
    logbook.note("goods.written_off", item_id, place_id=location_id,
                 after={"quantity": quantity, "why": why})  # fmt: skip
    return True


def lost_on_the_way(slip_id: int, missing: Sequence[Want]) -> None:
    """Joiner: what did not arrive of a transfer."""
    for want in missing:
        write_off(
            want.item_id, want.location_id, want.quantity, "in_transit",
            member_id=want.member_id, note=f"#{slip_id}", batch_id=want.batch_id,
        )  # fmt: skip


def write_offs(
    *, location_id: int | None = None, why: str = "", before: int | None = None, limit: int = 60
) -> list[Gone]:
    """The newest first; of a place or of all, for one reason or for all."""
    item = catalogue.Item
    query: Any = (
        select(
            WriteOff.id, WriteOff.item_id, item.code, item.names, Location.name,
            WriteOff.quantity, WriteOff.why, WriteOff.note, WriteOff.member_id, WriteOff.at,
        )
        .join(item, item.id == WriteOff.item_id)
        .join(Location, Location.id == WriteOff.location_id)
        .where(*_which(location_id, why))
        .order_by(WriteOff.id.desc())
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        query = query.where(WriteOff.id < before)
    return [Gone(*row) for row in connection().execute(query)]


def sums(since: datetime) -> dict[str, int]:
    """How many pieces were written off since a moment, by reason."""
    query = (
        select(WriteOff.why, func.sum(WriteOff.quantity))
        .where(WriteOff.at >= since)
        .group_by(WriteOff.why)
        .order_by(func.sum(WriteOff.quantity).desc())
    )
    return {row[0]: int(row[1]) for row in connection().execute(query)}


def _which(location_id: int | None, why: str) -> list[ColumnElement[bool]]:
    found: list[Any] = []
    if location_id is not None:
        found.append(WriteOff.location_id == location_id)
    if why:
        found.append(WriteOff.why == why)
    return found
