"""Reservations: what is kept for a sale until it is shipped or handed over, let go, or over.

A place's level is locked before what is kept there is summed, so that of two orders for the last
unit one waits for the other. Sweeping only tidies: what is over counts for nothing already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, tuple_, update

from .. import catalogue, clock
from ..db import connection, db, in_transaction, repeatable, transaction
from ..errors import Invalid, Refusal
from .availability import Held, Place, available, held_query, is_live
from .batches import allot, in_batches, lock_levels
from .changes import move
from .levels import take
from .missing import LONGEST, NOT_FOUND
from .models import Reservation
from .wants import LARGEST, OutOfStock, Want


class ReservationEnded(Refusal):
    """What should be taken is kept no longer, or was never kept. `data`: sale."""

    code = "reservation_ended"
    status = 409
    title = "This is no longer kept"


def reserve(
    wants: Sequence[Want], sale_id: str, ends_at: datetime | None, at: datetime
) -> list[int]:
    """Joiner: keep all of these for a sale until `ends_at`, or nothing; answers the reservations'
    ids, in the order of the wants. Two wants of one item at one place are counted together.
    Refusals: Invalid (no wants, quantities, an end that is over), OutOfStock 409."""
    if not wants or not all(1 <= want.quantity <= LARGEST for want in wants):
        raise Invalid(f"A quantity is 1 to {LARGEST}", field="quantity")
    if ends_at is not None and ends_at <= at:
        raise Invalid("A reservation ends later than it begins", field="ends_at")
    asked: dict[Place, int] = {}
    for want in wants:
        place = (want.item_id, want.location_id)
        asked[place] = asked.get(place, 0) + want.quantity
    on_hand = lock_levels(asked)
    # Read after the locks were won: who had them before has committed what it kept.
    kept = _kept(asked, at)
    for batch in in_batches(asked):
        if batch.blocked:
            on_hand[batch.item_id, batch.location_id] -= batch.on_hand
    for place, quantity in asked.items():
        left = on_hand.get(place, 0) - kept.get(place, 0)
        if left < quantity:
            raise _out_of_stock(place[0], max(left, 0), quantity)
    rows = [
        {"item_id": want.item_id, "location_id": want.location_id, "quantity": want.quantity,
         "sale_id": sale_id, "made_at": at, "ends_at": ends_at, "ended_at": None, "how": None}
        for want in wants
    ]  # fmt: skip
    return _insert(rows)


def miss(quantities: Mapping[int, int], location_id: int) -> None:
    """Joiner: so many of these items were not found at a place. Nothing is taken of what is
    promised to others: at most what is available is kept back, until it is counted."""
    lock_levels([(item, location_id) for item in quantities])
    figures, now = available(quantities, [location_id]), clock.now()
    for item, many in sorted(quantities.items()):
        known = figures.get((item, location_id))
        many = min(many, known.available if known else 0)
        if many > 0:
            reserve([Want(item, location_id, many)], NOT_FOUND, now + LONGEST, now)


def release(sale_id: str, at: datetime, ids: Collection[int] | None = None) -> int:
    """Joiner: keep these reservations of a sale (None: all) no longer; answers how many were live
    until now. The opposite of reserve."""
    return _end(sale_id, [held.id for held in _live_of(sale_id, at, ids)], at, "released")


def take_reserved(
    sale_id: str,
    at: datetime,
    ids: Collection[int] | None = None,
    *,
    quantities: dict[int, int] | None = None,
    member_id: int | None = None,
) -> list[Held]:
    """Joiner: goods that are kept for a sale (of these reservations; None: all) leave the shelf
    for it, and are kept no longer. `quantities` says by id where it is less than what is kept; the
    rest stays kept. Answers what was taken. Refusals: ReservationEnded 409 where one of them has
    ended, Invalid, OutOfStock 409 where a shopper at the shelf was faster."""
    taken = _parts_of(sale_id, at, ids, quantities)
    if _end(sale_id, [held.id for held in taken], at, "taken") != len(taken):
        raise ReservationEnded(sale=sale_id)
    wants = [
        Want(held.item_id, held.location_id, held.quantity, sale_id, member_id) for held in taken
    ]
    if not take(allot(wants), at):
        raise _short_of(wants)
    return taken


def carry(
    sale_id: str,
    at: datetime,
    ids: Collection[int],
    target_id: int,
    *,
    quantities: dict[int, int] | None = None,
    member_id: int | None = None,
    note: str = "",
) -> None:
    """Joiner: goods that are kept for a sale go to another place, and are kept for it there; whose
    they are is not decided anew on the way. Refusals as of take_reserved."""
    carried = _parts_of(sale_id, at, ids, quantities)
    wants = [
        Want(held.item_id, held.location_id, held.quantity, None, member_id) for held in carried
    ]
    move(wants, target_id, note)
    mine = Reservation.id.in_([held.id for held in carried])
    in_transaction().execute(update(Reservation).where(mine).values(location_id=target_id))


@repeatable
def sweep() -> int:
    """Opener: write down the end of reservations whose time is up; answers how many. They count
    for nothing already."""
    at = clock.now()
    over = (Reservation.ended_at.is_(None), Reservation.ends_at <= at)
    any_over = connection().execute(select(Reservation.id).where(*over).limit(1)).first()
    db.session.rollback()
    if any_over is None:
        return 0  # Who has nothing to do must not take the writer's place.
    with transaction() as session:
        found = select(Reservation.id).where(*over).order_by(Reservation.id)
        ids = session.scalars(found.with_for_update(skip_locked=True)).all()
        ended = update(Reservation).where(Reservation.id.in_(ids))
        session.execute(ended.values(ended_at=at, how="expired"))
        return len(ids)


def _kept(places: Collection[Place], at: datetime) -> dict[Place, int]:
    where = tuple_(Reservation.item_id, Reservation.location_id).in_(sorted(places))
    query = (
        select(Reservation.item_id, Reservation.location_id, func.sum(Reservation.quantity))
        .where(where, is_live(at))
        .group_by(Reservation.item_id, Reservation.location_id)
    )
    return {(row[0], row[1]): int(row[2]) for row in in_transaction().execute(query)}


def _live_of(sale_id: str, at: datetime, ids: Collection[int] | None) -> list[Held]:
    """Joiner: the live reservations of a sale, ours until the commit."""
    query = held_query().where(Reservation.sale_id == sale_id, is_live(at)).with_for_update()
    if ids is not None:
        query = query.where(Reservation.id.in_(set(ids)))
    return [Held(*row) for row in in_transaction().execute(query)]


def _parts_of(
    sale_id: str, at: datetime, ids: Collection[int] | None, quantities: dict[int, int] | None
) -> list[Held]:
    live = _live_of(sale_id, at, ids)
    if not live or (ids is not None and len(live) != len(set(ids))):
        raise ReservationEnded(sale=sale_id)
    return [_part(held, (quantities or {}).get(held.id, held.quantity)) for held in live]


def _part(held: Held, quantity: int) -> Held:
    """Joiner: so many of what is kept; the rest becomes a reservation of its own."""
    if not 1 <= quantity <= held.quantity:
        raise Invalid(f"A quantity is 1 to {held.quantity}", field="quantity")
    if quantity == held.quantity:
        return held
    session = in_transaction()
    mine = Reservation.id == held.id
    rest = {**held._asdict(), "quantity": held.quantity - quantity, "ended_at": None, "how": None}
    rest["made_at"] = session.scalar(select(Reservation.made_at).where(mine))
    del rest["id"]
    session.execute(update(Reservation).where(mine).values(quantity=quantity))
    _insert([rest])
    return held._replace(quantity=quantity)


def _insert(rows: list[dict[str, Any]]) -> list[int]:
    new = insert(Reservation).returning(Reservation.id, sort_by_parameter_order=True)
    return list(in_transaction().connection().execute(new, rows).scalars())


def _end(sale_id: str, ids: Sequence[int], at: datetime, how: str) -> int:
    """Joiner: end those that are live still; answers how many were."""
    if not ids:
        return 0
    mine = (Reservation.sale_id == sale_id, Reservation.id.in_(ids), is_live(at))
    ended = update(Reservation).where(*mine).values(ended_at=at, how=how)
    return int(in_transaction().connection().execute(ended).rowcount)


def _short_of(wants: Sequence[Want]) -> OutOfStock:
    """What to say where the levels did not have all of these."""
    asked: dict[Place, int] = {}
    for want in wants:
        place = (want.item_id, want.location_id)
        asked[place] = asked.get(place, 0) + want.quantity
    # The movements are written by now, the levels are not changed where they had too few.
    on_hand = lock_levels(asked)
    place = next((one for one in asked if on_hand.get(one, 0) < asked[one]), next(iter(asked)))
    return _out_of_stock(place[0], on_hand.get(place, 0), asked[place])


def _out_of_stock(item_id: int, left: int, asked: int) -> OutOfStock:
    item = catalogue.Item
    code = in_transaction().scalar(select(item.code).where(item.id == item_id))
    return OutOfStock(
        f"{left} of {code} left, {asked} asked for", item=code, left=left, asked=asked
    )
