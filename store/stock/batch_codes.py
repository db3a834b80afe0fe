"""Batches by what stands on the pack: made when their goods come in, looked up, called back."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import bindparam, func, select, update

from .. import catalogue, clock, logbook
from ..db import Moment, connection, in_transaction, insert_new
from ..errors import Invalid, NotFound, Refusal
from .batches import tracked
from .models import Batch, Movement

# What GS1 allows in a batch number, AI (10): character set 82, figure 7.11-1 of the General
# Specifications.
_SIGNS = set("!\"%&'()*+,-./:;<=>?_") | {chr(c) for c in range(48, 123) if chr(c).isalnum()}


class BatchDiffers(Refusal):
    """This batch is known with another last day. `data`: batch, expires_on (ISO)."""

    code = "batch_differs"
    status = 409
    title = "This batch has another date"


class BatchNeeded(Refusal):
    """The item is tracked by batch, and goods of it come in without one. `data`: item (code)."""

    code = "batch_needed"
    status = 409
    title = "Say which batch it is"


class Known(NamedTuple):
    """A batch by its id, with its last day where one is known."""

    id: int
    expires_on: date | None


def open_batch(item_id: int, code: str, expires_on: date | None = None) -> int:
    """Joiner: the id of an item's batch, made where it is new; a date that it lacks is added.
    Raises Invalid (code, an item that is not tracked by batch), BatchDiffers."""
    code = read_code(code)
    if not tracked([item_id]):
        raise Invalid("This item is not tracked by batch", field="batch")
    session = in_transaction()
    new = {"item_id": item_id, "code": code, "expires_on": expires_on, "made_at": clock.now()}
    session.connection().execute(insert_new(Batch), [new])
    batch = session.execute(
        select(Batch.id, Batch.expires_on).where(Batch.item_id == item_id, Batch.code == code)
    ).one()
    if expires_on and batch.expires_on is None:
        session.execute(update(Batch).where(Batch.id == batch.id).values(expires_on=expires_on))
    elif expires_on and batch.expires_on != expires_on:
        raise batch_differs(code, batch.expires_on)
    return int(batch.id)


def batch_differs(code: str, known: date) -> BatchDiffers:
    """The refusal of another last day."""
    return BatchDiffers(
        f"Batch {code} is known with {known}", batch=code, expires_on=known.isoformat()
    )


def batch_needed(item_id: int) -> BatchNeeded:
    """The refusal of goods without a batch."""
    code = connection().execute(select(catalogue.Item.code).where(catalogue.Item.id == item_id))
    item = str(code.scalar())
    return BatchNeeded(f"{item} is tracked by batch: say which one", item=item)


def read_code(text: str) -> str:
    """A batch as it stands on a pack. Raises Invalid."""
    code = text.strip()
    if not 1 <= len(code) <= 20 or not set(code) <= _SIGNS:
        raise Invalid("A batch has 1 to 20 letters, digits or signs", field="batch")
    return code


def find_batch(item_id: int, code: str) -> Known | None:
    """An item's batch of this code."""
    query = select(Batch.id, Batch.expires_on).where(Batch.item_id == item_id, Batch.code == code)
    row = connection().execute(query).first()
    return Known(*row) if row else None


def call_back(batch_id: int, *, member_id: int | None, back: bool = False) -> None:
    """Joiner: from now on nobody buys of this batch; `back` lifts that. Raises NotFound."""
    at = None if back else func.coalesce(Batch.recalled_at, bindparam("at", clock.now(), Moment()))
    changed = update(Batch).where(Batch.id == batch_id)
    changed = changed.values(recalled_at=at, recalled_by=member_id)
    if not in_transaction().execute(changed).rowcount:  # type: ignore[attr-defined]
        raise NotFound("There is no such batch")
    logbook.note("batch.sold_again" if back else "batch.called_back", batch_id)


def called_back() -> dict[int, list[str]]:
    """The batches that were called back, by item: what a till without a network must know."""
    query = select(Batch.item_id, Batch.code).where(Batch.recalled_at.is_not(None))
    found: dict[int, list[str]] = {}
    for item, code in connection().execute(query.order_by(Batch.id)):
        found.setdefault(item, []).append(code)
    return found


def item_of(batch_id: int) -> int | None:
    """The item that a batch is of; None where there is no such batch."""
    return connection().execute(select(Batch.item_id).where(Batch.id == batch_id)).scalar()


def pieces_of(batch_id: int) -> int:
    """How many of a batch are anywhere in the shop's places."""
    query = select(func.coalesce(func.sum(Movement.quantity), 0))
    return int(connection().execute(query.where(Movement.batch_id == batch_id)).scalar() or 0)
