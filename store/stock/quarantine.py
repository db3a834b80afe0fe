"""Quarantine: returned goods that nobody may buy until somebody has decided about them.

They lie at a place beside the shop that took them back. Whoever looks at them sells them again,
scraps them, or sends them back to the supplier; each is a movement that says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select, tuple_

from .. import catalogue, logbook
from ..db import connection, in_transaction
from ..errors import Invalid, NotFound, Refusal
from . import batches
from .changes import move
from .locations import location_by_id
from .models import Level, Location, Movement
from .wants import WITHOUT_BATCH, Want
from .write_offs import write_off

__all__ = ["DECISIONS", "Came", "Lying", "QuarantineChanged", "decide", "lying"]

DECISIONS = ("resell", "scrap", "send_back")
_WHY = {"scrap": "damaged", "send_back": "sent_back"}
MOST_TOLD = 5
"""So many of the times that goods came in are told of each."""


class QuarantineChanged(Refusal):
    """Another number lies there than the page has shown: somebody has decided meanwhile. `data`:
    left."""

    code = "quarantine_changed"
    status = 409
    title = "Somebody has decided about this meanwhile"


class Came(NamedTuple):
    """So many came in, of which sale, and what was said of them."""

    quantity: int
    reason: str
    note: str
    sale_id: str | None
    member_id: int | None
    at: datetime


class Lying(NamedTuple):
    """So many of an item, or of one of its batches, lie in a quarantine. `batch_id` is None where
    the item is not tracked by batch, WITHOUT_BATCH for those of none. `beside` is the code of the
    shop that the quarantine belongs to."""

    item_id: int
    code: str
    names: dict[str, str]
    picture: str | None
    place_id: int
    place_code: str
    place_name: str
    batch_id: int | None
    batch: str
    expires_on: date | None
    blocked: bool
    quantity: int
    came: tuple[Came, ...] = ()

    @property
    def beside(self) -> str:
        return self.place_code.removesuffix("-Q")


def lying() -> list[Lying]:
    """Everything that waits for a decision, by place and item, in three statements."""
    item = catalogue.Item
    query = (
        select(
            item.id, item.code, item.names, item.picture, item.tracks_batches, Location.id,
            Location.code, Location.name, Level.on_hand,
        )
        .join(Level, Level.item_id == item.id)
        .join(Location, Location.id == Level.location_id)
        .where(Location.kind == "quarantine", Level.on_hand > 0)
        .order_by(Location.code, item.code)
    )  # fmt: skip
    rows = connection().execute(query).all()
    places = [(row[0], row[5]) for row in rows]
    of_batches: dict[tuple[int, int], list[batches.InBatch]] = {}
    for one in batches.in_batches(places):
        of_batches.setdefault((one.item_id, one.location_id), []).append(one)
    came = _came(places)
    return [
        one for row in rows for one in _split(row, of_batches.get((row[0], row[5]), ()), came)
    ]  # fmt: skip


def _split(
    row: Any, of_batches: Iterable[batches.InBatch], came: dict[tuple[int, int, int], list[Came]]
) -> list[Lying]:
    item, code, names, picture, tracked, place, place_code, place_name, rest = row
    head = (item, code, names, picture, place, place_code, place_name)
    found = []
    for one in of_batches:
        told = tuple(came.get((item, place, one.batch_id), ()))
        batch = (one.batch_id, one.code, one.expires_on, one.blocked)
        found.append(Lying(*head, *batch, one.on_hand, told))
        rest -= one.on_hand
    if rest:
        told = tuple(came.get((item, place, WITHOUT_BATCH), ()))
        found.append(Lying(*head, WITHOUT_BATCH if tracked else None, "", None, False, rest, told))
    return found


def _came(places: list[tuple[int, int]]) -> dict[tuple[int, int, int], list[Came]]:
    query = (
        select(
            Movement.item_id, Movement.location_id, Movement.batch_id, Movement.quantity,
            Movement.reason, Movement.note, Movement.sale_id, Movement.member_id, Movement.at,
        )
        .where(tuple_(Movement.item_id, Movement.location_id).in_(places), Movement.quantity > 0)
        .order_by(Movement.id.desc())
    )  # fmt: skip
    found: dict[tuple[int, int, int], list[Came]] = {}
    rows = connection().execute(query).all() if places else ()
    for row in rows:
        lot = found.setdefault((row[0], row[1], row[2] or WITHOUT_BATCH), [])
        if len(lot) < MOST_TOLD:
            lot.append(Came(*row[3:]))
    return found


def decide(
    item_id: int,
    place_id: int,
    quantity: int,
    decision: str,
    *,
    batch_id: int | None,
    seen: int,
    to_id: int,
    member_id: int,
    note: str = "",
) -> None:
    """Joiner: so many are for sale again at `to_id`, are scrapped, or go back to the supplier.
    `seen` is how many the page has shown, so that a second tap decides nothing. Refusals, in order:
    NotFound, Invalid, QuarantineChanged, BatchRecalled, BatchExpired."""
    if location_by_id(place_id).kind != "quarantine":
        raise NotFound("There is no such quarantine")
    if decision not in DECISIONS:
        raise Invalid("It is sold again, scrapped or sent back", field="decision")
    in_transaction()
    on_hand = batches.lock_levels({(item_id, place_id)}).get((item_id, place_id), 0)
    known = {one.batch_id: one for one in batches.in_batches([(item_id, place_id)])}
    batch = known.get(batch_id or WITHOUT_BATCH)
    left = batch.on_hand if batch else on_hand - sum(one.on_hand for one in known.values())
    if (batch_id and batch is None) or left != seen:
        raise QuarantineChanged(left=left if batch or not batch_id else 0)
    if not 1 <= quantity <= left:
        raise Invalid(f"A quantity is 1 to {left}", field="quantity")
    logbook.note("quarantine.decided", item_id, place_id=place_id,
                 after={"decision": decision, "quantity": quantity, "to": to_id})  # fmt: skip
    if decision == "resell":
        if batch is not None:
            batches.refuse_blocked(item_id, batch.code, batch.expires_on)
        want = Want(item_id, place_id, quantity, None, member_id, batch_id)
        move([want], to_id, f"{decision}: {note}"[:200] if note else decision)
        return
    write_off(item_id, place_id, quantity, _WHY[decision], member_id=member_id, note=note,
              batch_id=batch_id)  # fmt: skip
