"""Changes of levels for work that moves goods both ways: signed, guarded, with a movement each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from .. import catalogue, clock
from ..db import in_transaction, insert_new
from ..errors import Invalid
from . import batches
from .levels import record
from .models import Level
from .wants import LARGEST, OutOfStock, Want

__all__ = ["change", "lock_levels", "move"]


def change(wants: Sequence[Want], reason: str, note: str = "", at: datetime | None = None) -> None:
    """Joiner: levels change by these signed quantities, or did `at` another moment; what goes of an
    item that is tracked by batch is of those that nobody can buy first, then of the oldest. Raises
    OutOfStock (`data`: item, left, asked) where one would fall below zero, Invalid where one would
    hold more than 10^9."""
    wants = [want for want in wants if want.quantity]
    going = [want._replace(quantity=-want.quantity) for want in wants if want.quantity < 0]
    parts = [part._replace(quantity=-part.quantity)
             for part in batches.allot(going, blocked="first")]  # fmt: skip
    _change_levels(wants)
    record([want for want in wants if want.quantity > 0] + parts, reason, at or clock.now(), note)


def move(wants: Sequence[Want], target_id: int, note: str = "") -> None:
    """Joiner: these go to another place, in the batches that they are of. Raises OutOfStock,
    Invalid."""
    wants = [want for want in wants if want.quantity]
    lock_levels(
        [(want.item_id, place) for want in wants for place in (want.location_id, target_id)]
    )
    parts = batches.allot(wants, blocked="last")
    out = [part._replace(quantity=-part.quantity) for part in parts]
    into = [part._replace(location_id=target_id) for part in parts]
    _change_levels(out + into)
    record(out + into, "moved", clock.now(), note)


def _change_levels(wants: Sequence[Want]) -> None:
    summed: dict[tuple[int, int], int] = {}
    for want in wants:
        place = (want.item_id, want.location_id)
        summed[place] = summed.get(place, 0) + want.quantity
    lock_levels(list(summed))
    session = in_transaction()
    for (item_id, location_id), quantity in sorted(summed.items()):
        changed = session.connection().execute(
            update(Level)
            .where(
                Level.item_id == item_id, Level.location_id == location_id,
                Level.on_hand + quantity >= 0, Level.on_hand + quantity <= LARGEST,
            )
            .values(on_hand=Level.on_hand + quantity)
        )  # fmt: skip
        if not changed.rowcount:
            _refuse(item_id, location_id, quantity)


def lock_levels(places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Joiner: what is on hand at these (item, location) pairs, which no other transaction changes
    until the end of this one. Locked in order of item and location."""
    session = in_transaction()
    if places:
        rows = [
            {"item_id": item, "location_id": place, "on_hand": 0, "shelf": ""}
            for item, place in sorted(set(places))
        ]
        session.connection().execute(insert_new(Level), rows)
    found = {}
    for item, place in sorted(set(places)):
        where = (Level.item_id == item, Level.location_id == place)
        query = select(Level.on_hand).where(*where).with_for_update()
        found[item, place] = session.connection().execute(query).scalar_one()
    return found


def _refuse(item_id: int, location_id: int, quantity: int) -> None:
    session = in_transaction()
    if quantity > 0:
        raise Invalid(f"No shelf holds more than {LARGEST}", field="quantity")
    where = (Level.item_id == item_id, Level.location_id == location_id)
    left = session.connection().execute(select(Level.on_hand).where(*where)).scalar_one()
    item = session.get_one(catalogue.Item, item_id)
    name = next(iter(item.names.values()), item.code)
    raise OutOfStock(
        f"{name}: {left} are left there, {-quantity} asked for",
        item=item.code, left=left, asked=-quantity,
    )  # fmt: skip
