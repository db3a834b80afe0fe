"""The one use that a pass has: the row that is taken, once and for all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from .. import identity, stock
from ..db import connection, in_transaction, insert_new
from .models import ExitCheck, PassUse

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Check:
    """Who checks, where, when; `key` names this check, so that its repetition is recognised.

    `seen_at` is when the pass was scanned, where that was before `at`: on the staff's own camera
    a person reads the page before they press the button. `although_old` is their decision.
    """

    staff_id: int
    location_id: int
    at: datetime
    key: str
    seen_at: datetime | None = None
    although_old: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """When, by whom and where a pass was used."""

    at: datetime
    by: str
    place: str


def used(sale_id: str) -> Use | None:
    """The use of a sale's pass, or None while it has not left the shop."""
    query = (
        select(PassUse.used_at, PassUse.staff_id, stock.Location.name)
        .join(stock.Location, stock.Location.id == PassUse.location_id)
        .where(PassUse.sale_id == sale_id)
    )
    row = connection().execute(query).first()
    if row is None:
        return None
    return Use(row[0], identity.names_of([row[1]]).get(row[1], ""), row[2])


def take(sale_id: str, asked: Check) -> bool:
    """Joiner: claim the one row that a sale has here: of many at once, the table lets one
    through."""
    row = {
        "sale_id": sale_id,
        "location_id": asked.location_id,
        "staff_id": asked.staff_id,
        "key": asked.key,
        "used_at": asked.at,
    }
    claim = insert_new(PassUse).returning(PassUse.sale_id)
    return in_transaction().connection().execute(claim, row).first() is not None


def note(sale_id: str | None, asked: Check, outcome: str) -> None:
    """Joiner: write down what came of a scan."""
    in_transaction().add(
        ExitCheck(
            sale_id=sale_id,
            location_id=asked.location_id,
            staff_id=asked.staff_id,
            outcome=outcome,
            at=asked.at,
        )
    )
