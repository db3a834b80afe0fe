"""Batches: goods that were made together; the first to expire leaves first, and what is expired or
recalled is sold to nobody.

How many of a batch are where is the sum of its movements, and never written down beside them.
What came in without a batch, or was counted so, is the rest, and leaves last. Only items that are
tracked by batch pay for any of this. The row of the level is the lock: who takes from batches holds
it before he sums them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    bindparam,
    cast,
    func,
    or_,
    select,
    tuple_,
)

from .. import catalogue, clock, web
from ..db import connection, in_transaction
from ..errors import Refusal
from .models import Batch, Level, Movement
from .wants import WITHOUT_BATCH, OutOfStock, Want

Place = tuple[int, int]
"""An item and a location."""
Blocked = Literal["never", "first", "last"]


class BatchExpired(Refusal):
    """Its last day is over; it is sold to nobody. `data`: item, batch, expires_on (ISO)."""

    code = "batch_expired"
    status = 409
    title = "This is past its date"


class BatchRecalled(Refusal):
    """Its maker or the shop has called it back. `data`: item, batch."""

    code = "batch_recalled"
    status = 409
    title = "This was called back"


class InBatch(NamedTuple):
    """So many of a batch at a place. `blocked`: expired or recalled, sold to nobody."""

    batch_id: int
    item_id: int
    location_id: int
    code: str
    expires_on: date | None
    recalled: bool
    blocked: bool
    on_hand: int


def today() -> date:
    """The shop's own day: a batch is sold on its last day until midnight there."""
    return clock.day_of(clock.now(), web.setting("TIME_ZONE"))


TODAY = "batches_today"
"""The name under which a kept statement can be given the day, where no shop is open."""

_today = bindparam(TODAY, type_=Date(), callable_=today)


def tracked(item_ids: Collection[int]) -> set[int]:
    """Which of these items are tracked by batch."""
    item = catalogue.Item
    query = select(item.id).where(item.id.in_(set(item_ids)), item.tracks_batches)
    return set(connection().execute(query).scalars())


def tracked_at(location_id: int) -> set[int]:
    """The items at a place of which something came in with a batch."""
    query = select(Movement.item_id).where(
        Movement.location_id == location_id, Movement.batch_id.is_not(None)
    )
    return set(connection().execute(query.distinct()).scalars())


def in_batches(places: Collection[Place], day: date | None = None) -> list[InBatch]:
    """What there is of each batch at these places, the first to expire first; `blocked` is as of
    a day, today if none is said."""
    on_hand = func.sum(Movement.quantity)
    blocked = or_(Batch.recalled_at.is_not(None), func.coalesce(Batch.expires_on < _today, False))
    query = (
        select(
            Batch.id, Batch.item_id, Movement.location_id, Batch.code, Batch.expires_on,
            Batch.recalled_at.is_not(None).label("recalled"), blocked.label("blocked"), on_hand,
        )
        .join(Movement, Movement.batch_id == Batch.id)
        .where(tuple_(Batch.item_id, Movement.location_id).in_(sorted(places)))
        .group_by(Batch.id, Movement.location_id)
        .having(on_hand != 0)
        .order_by(Batch.expires_on.is_(None), Batch.expires_on, Batch.id)
    )  # fmt: skip
    said = {TODAY: day} if day else {}
    rows = connection().execute(query, said).all() if places else ()
    return [InBatch(*row[:5], bool(row[5]), bool(row[6]), int(row[7])) for row in rows]


def blocked_expression(item_id: Any, location_id: Any) -> ColumnElement[int]:
    """An expression for other queries: how many at a place are of expired or recalled batches."""
    over = or_(Batch.recalled_at.is_not(None), Batch.expires_on < _today)
    return (
        select(cast(func.coalesce(func.sum(Movement.quantity), 0), BigInteger))
        .join(Batch, Batch.id == Movement.batch_id)
        .where(Batch.item_id == item_id, Movement.location_id == location_id, over)
        .correlate_except(Batch, Movement)
        .scalar_subquery()
    )


def refuse_blocked(item_id: int, code: str | None, expires_on: date | None) -> None:
    """Refuse what a pack says of itself: past its date, or of a batch that was called back.
    Raises BatchRecalled, BatchExpired."""
    batch = None
    if code:
        query = select(Batch.expires_on, Batch.recalled_at).where(
            Batch.item_id == item_id, Batch.code == code
        )
        batch = connection().execute(query).first()
    if batch is not None and batch.recalled_at is not None:
        raise BatchRecalled(item=item_id, batch=code)
    last = min((day for day in (expires_on, batch and batch.expires_on) if day), default=None)
    if last is not None and last < today():
        raise BatchExpired(item=item_id, batch=code or "", expires_on=last.isoformat())


def allot(
    wants: Sequence[Want], *, blocked: Blocked = "never", day: date | None = None
) -> list[Want]:
    """Joiner: from which batches these are taken, the first to expire first: the same wants, those
    of tracked items split by batch. `blocked` says when the turn is of a batch that is expired (on
    a day, today if none is said) or recalled. A want with a batch is of that one (WITHOUT_BATCH: of
    none). The levels of all of them are ours until the commit. Raises OutOfStock."""
    of_batches = tracked({want.item_id for want in wants})
    if not of_batches:
        return list(wants)
    places = {(want.item_id, want.location_id) for want in wants}
    left = _Left(lock_levels(places), in_batches(places, day), blocked)
    return [
        part
        for want in wants
        for part in (left.split(want) if want.item_id in of_batches else [want])
    ]


def lock_levels(places: Collection[Place]) -> dict[Place, int]:
    """Joiner: on hand at these places, whose rows are ours until the commit. Locked in order, as
    every sale locks them, so that no two wait for each other crosswise."""
    query = (
        select(Level.item_id, Level.location_id, Level.on_hand)
        .where(tuple_(Level.item_id, Level.location_id).in_(sorted(places)))
        .order_by(Level.item_id, Level.location_id)
        .with_for_update()
    )
    return {(row[0], row[1]): row[2] for row in in_transaction().execute(query)}


def returning(wants: Sequence[Want]) -> list[Want]:
    """What comes back of a sale, by the batches that it was sold from; the rest has none."""
    sales = {want.sale_id for want in wants if want.sale_id}
    out = func.sum(Movement.quantity)
    query = (
        select(Movement.sale_id, Movement.item_id, Movement.batch_id, -out)
        .where(
            Movement.sale_id.in_(sales),
            Movement.batch_id.is_not(None),
            Movement.reason.in_(("sold", "returned")),
        )
        .group_by(Movement.sale_id, Movement.item_id, Movement.batch_id)
        .having(out < 0)
        .order_by(Movement.batch_id)
    )
    sold = [list(row) for row in in_transaction().execute(query)] if sales else []
    if not sold:
        return list(wants)
    return [part for want in wants for part in _back(want, sold)]


class _Left:
    """What is left at these places while one want after the other is split."""

    def __init__(
        self, on_hand: dict[Place, int], batches: Iterable[InBatch], blocked: Blocked
    ) -> None:
        self._batches: dict[Place, list[list[int]]] = {}
        self._without = dict(on_hand)
        for one in sorted(batches, key=lambda one: one.blocked is (blocked == "last")):
            place = (one.item_id, one.location_id)
            self._without[place] = self._without.get(place, 0) - one.on_hand
            if not (one.blocked and blocked == "never"):
                self._batches.setdefault(place, []).append([one.batch_id, one.on_hand])

    def split(self, want: Want) -> list[Want]:
        place = (want.item_id, want.location_id)
        stacks = self._batches.get(place, [])
        if want.batch_id is not None:
            stacks = [stack for stack in stacks if stack[0] == want.batch_id]
        parts, missing = [], want.quantity
        for stack in stacks:
            part = min(stack[1], missing)
            if part > 0:
                stack[1] -= part
                missing -= part
                parts.append(want._replace(quantity=part, batch_id=stack[0]))
        of_none = want.batch_id in (None, WITHOUT_BATCH)
        rest = self._without.get(place, 0) if of_none else 0
        if missing > max(rest, 0):
            item = catalogue.Item
            code = in_transaction().scalar(select(item.code).where(item.id == want.item_id))
            left = want.quantity - missing + max(rest, 0)
            raise OutOfStock(
                f"{left} of {code} may leave this place, {want.quantity} asked for",
                item=code, left=left, asked=want.quantity,
            )  # fmt: skip
        if missing:
            self._without[place] -= missing
            parts.append(want._replace(quantity=missing, batch_id=None))
        return parts


def _back(want: Want, sold: list[list[Any]]) -> list[Want]:
    parts, missing = [], want.quantity
    for row in sold:
        part = min(row[3], missing)
        if part > 0 and (row[0], row[1]) == (want.sale_id, want.item_id):
            row[3] -= part
            missing -= part
            parts.append(want._replace(quantity=part, batch_id=row[2]))
    return [*parts, want._replace(quantity=missing)] if missing else parts
