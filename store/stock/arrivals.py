"""Arrivals: which batches came of a transfer, held against those that left.

A pack that names its batch is of that batch, whatever the book thought when it left; what names
none is of those that left and were not named. The levels are locked by who asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from ..db import in_transaction
from .batch_codes import open_batch
from .batches import in_batches, tracked
from .changes import change
from .levels import Want
from .models import Movement
from .slips import Scanned, by_item
from .wants import WITHOUT_BATCH

__all__ = ["Arrival", "arrived", "in_order", "name_batches"]

Parts = dict[int | None, int]
"""How many of each batch; None is of none."""


@dataclass
class Arrival:
    """What a transfer comes to, all of it in transit: those that are of another batch than the book
    said (a signed pair each), those that nobody sent, those that arrive, and those that do not."""

    renamed: list[Want] = field(default_factory=list)
    found: list[Want] = field(default_factory=list)
    coming: list[Want] = field(default_factory=list)
    missing: list[Want] = field(default_factory=list)


def in_order(lines: Sequence[Scanned]) -> list[tuple[Scanned, int | None]]:
    """Joiner: lines with the batch that each names, those that name one first."""
    of_batches = tracked(by_item(lines))
    ordered = sorted(lines, key=lambda one: (one.item_id, not one.batch, one.batch))
    return [
        (one, open_batch(one.item_id, one.batch, one.expires_on)
         if one.batch and one.item_id in of_batches else None)
        for one in ordered
    ]  # fmt: skip


def name_batches(wants: Sequence[Want], note: str) -> None:
    """Joiner: of a batch that is named and not in the book, those are that stood there without
    one."""
    named = [want for want in wants if want.batch_id]
    there: dict[Any, int] = {
        (one.item_id, one.location_id, one.batch_id): one.on_hand
        for one in in_batches({(want.item_id, want.location_id) for want in named})
    }
    for want in named:
        lacking = want.quantity - there.get((want.item_id, want.location_id, want.batch_id), 0)
        many = min(lacking, _without(want.item_id, want.location_id))
        if many > 0:
            less = want._replace(quantity=-many, batch_id=WITHOUT_BATCH)
            change([less, want._replace(quantity=many)], "counted", note)


def arrived(
    item_ids: Iterable[int],
    lines: Sequence[tuple[Scanned, int | None]],
    transit_id: int,
    note: str,
    member_id: int,
) -> Arrival:
    """Joiner: what came of these items, and of those that were scanned, of all that left under this
    note."""
    came: dict[int, Parts] = {item: {} for item in item_ids}
    left = _under_way(came, transit_id, note)
    for one, batch in lines:
        parts = came.setdefault(one.item_id, {})
        parts[batch] = parts.get(batch, 0) + one.quantity
    of_batches, told = tracked(came), Arrival()
    for item, parts in sorted(came.items()):
        _tell(told, Want(item, transit_id, 0, None, member_id), left.get(item, {}), parts,
              WITHOUT_BATCH if item in of_batches else None)  # fmt: skip
    return told


def _tell(told: Arrival, want: Want, left: Parts, came: Parts, of_none: int | None) -> None:
    """What of one item left and came, batch by batch. `of_none` takes those of no batch."""
    arriving: Parts = {}
    named = {batch: many for batch, many in came.items() if batch is not None}
    for batch, wanted in named.items():
        arriving[batch] = _from(left, batch, wanted)
    for batch, wanted in named.items():
        extra = wanted - arriving[batch]
        # First those of no batch, then those that are most likely another's.
        for other in sorted(left, key=lambda each: each is not None):
            many = _from(left, other, extra)
            extra -= many
            arriving[batch] += many
            if many:
                told.renamed.append(want._replace(quantity=-many, batch_id=other or of_none))
                told.renamed.append(want._replace(quantity=many, batch_id=batch))
        if extra:
            arriving[batch] += extra
            told.found.append(want._replace(quantity=extra, batch_id=batch))
    unnamed = came.get(None, 0)
    for each in list(left):
        many = _from(left, each, unnamed)
        unnamed -= many
        arriving[each] = arriving.get(each, 0) + many
    if unnamed:
        arriving[None] = arriving.get(None, 0) + unnamed
        told.found.append(want._replace(quantity=unnamed))
    told.coming += [
        want._replace(quantity=many, batch_id=each or of_none)
        for each, many in arriving.items() if many
    ]  # fmt: skip
    told.missing += [
        want._replace(quantity=many, batch_id=each or of_none)
        for each, many in left.items() if many
    ]  # fmt: skip


def _from(left: Parts, batch: int | None, most: int) -> int:
    many = min(left.get(batch, 0), most)
    if many > 0:
        left[batch] -= many
    return max(many, 0)


def _under_way(item_ids: Collection[int], transit_id: int, note: str) -> dict[int, Parts]:
    """What of these went into transit under this note, the batches in the order in which they
    left."""
    query = (
        select(Movement.item_id, Movement.batch_id, func.sum(Movement.quantity))
        .where(
            Movement.item_id.in_(list(item_ids)), Movement.location_id == transit_id,
            Movement.note == note, Movement.reason == "moved",
            Movement.quantity > 0,
        )
        .group_by(Movement.item_id, Movement.batch_id)
        .order_by(func.min(Movement.id))
    )  # fmt: skip
    found: dict[int, Parts] = {}
    for item, batch, many in in_transaction().execute(query):
        found.setdefault(item, {})[batch] = int(many)
    return found


def _without(item_id: int, location_id: int) -> int:
    """How many are there of no batch."""
    query = select(func.coalesce(func.sum(Movement.quantity), 0)).where(
        Movement.item_id == item_id, Movement.location_id == location_id,
        Movement.batch_id.is_(None),
    )  # fmt: skip
    return int(in_transaction().scalar(query) or 0)
