"""Taking from the shelf and putting on it: guarded statements, with a movement beside each.

A level and its movement are written in one transaction, so that on hand is the sum of the
movements at every moment; the table's own CHECK stands behind the guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ScalarSelect,
    bindparam,
    func,
    insert,
    select,
    update,
)

from .. import catalogue, clock, logbook
from ..db import connection, in_transaction, insert_new
from ..errors import Invalid
from ..prepared import Many, Prepared, one_of
from . import afterwards, batch_codes, batches, missing
from .models import Level, Movement
from .tasks import open_task
from .wants import LARGEST as LARGEST
from .wants import OutOfStock as OutOfStock
from .wants import Want as Want
from .wants import by_part, by_place


def _change(dialect: str, sign: int) -> Any:
    """Level + sign × quantity at a place; taking is guarded: no row changes where too few are."""
    where = [Level.item_id == bindparam("item"), Level.location_id == bindparam("location")]
    if sign < 0:
        where.append(Level.on_hand >= bindparam("quantity", type_=BigInteger()))
    change = bindparam("quantity", type_=BigInteger()) * sign
    return update(Level).where(*where).values(on_hand=Level.on_hand + change)


_take = Prepared(lambda dialect: _change(dialect, -1))
_put = Prepared(lambda dialect: _change(dialect, 1))
_levels = Prepared(
    lambda dialect: select(Level.item_id, Level.location_id, Level.on_hand).where(
        one_of(Level.item_id, "items", dialect), one_of(Level.location_id, "places", dialect)
    )
)
_record = Prepared(
    lambda dialect: insert(Movement),
    (
        "item_id", "location_id", "quantity", "reason", "sale_id", "batch_id", "member_id",
        "note", "at",
    ),
)  # fmt: skip


def level_of(item_id: Any, location_id: Any) -> ScalarSelect[int]:
    """An expression for other rooms' queries: how many of the item are on hand at the location;
    NULL where it was never there."""
    where = (Level.item_id == item_id, Level.location_id == location_id)
    return select(Level.on_hand).where(*where).correlate_except(Level).scalar_subquery()


def on_hand(item_id: int, location_id: int) -> int:
    return levels([(item_id, location_id)]).get((item_id, location_id), 0)


def levels(places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """On hand for (item, location) pairs, in one statement; a pair that never was is left out."""
    if not places:
        return {}
    wanted = set(places)
    found = _levels.all(
        items=Many(sorted({place[0] for place in wanted})),
        places=Many(sorted({place[1] for place in wanted})),
    )
    return {(row[0], row[1]): row[2] for row in found if (row[0], row[1]) in wanted}


def take(wants: Sequence[Want], at: datetime) -> bool:
    """Joiner: take all of them from the shelves for sales, or answer False and the caller rolls
    back: with several buys in one transaction only the caller knows whose refusal it is.

    The movements go first and the levels last, summed by place and in order of item and location:
    a level is the row most fought over, is held the shortest so, and no two transactions wait for
    each other crosswise. Of what is tracked by batch, `batches.allot` says first which ones.
    """
    record([want._replace(quantity=-want.quantity) for want in wants], "sold", at)
    rows = by_place(wants)
    return not rows or _take.run(rows) == len(rows)


def find(wants: Sequence[Want], at: datetime, note: str = "") -> None:
    """Joiner: a shopper holds what the book does not have. It is booked as found, and somebody
    shall count there."""
    open_levels({(want.item_id, want.location_id) for want in wants})
    record(wants, "found", at, note)
    _put.run(by_place(wants))
    for want in wants:
        open_task("count", want.location_id, want.item_id, note)


def put_back(wants: Sequence[Want], at: datetime, note: str = "") -> None:
    """Joiner: the opposite of take; a returned item is for sale again where it is handed in, in the
    batch that it was sold from; of a bundle its parts."""
    if not wants:
        return
    wants = by_part(wants, catalogue.parts_of({want.item_id for want in wants}))
    wants = batches.returning(wants)
    open_levels({(want.item_id, want.location_id) for want in wants})
    record(wants, "returned", at, note)
    _put.run(by_place(wants))


def scrap(wants: Sequence[Want], at: datetime, note: str = "") -> None:
    """Joiner: returned units that are fit for nothing: they come back and are written off at once,
    so that no shelf ever holds them."""
    if not wants:
        return
    wants = by_part(wants, catalogue.parts_of({want.item_id for want in wants}))
    wants = batches.returning(wants)
    record(wants, "returned", at, note)
    gone = [want._replace(quantity=-want.quantity, sale_id=None) for want in wants]
    record(gone, "written_off", at, note)


def receive(
    item_id: int,
    location_id: int,
    quantity: int,
    *,
    member_id: int | None = None,
    note: str = "",
    batch_id: int | None = None,
    at: datetime | None = None,
) -> int:
    """Joiner: goods come in, of a batch where one is said, or came in `at` another moment; answers
    what is on hand now. Raises Invalid unless 1 to 10^9, or for a batch of another item;
    ItemRetired."""
    want = Want(item_id, location_id, quantity, None, member_id, batch_id)
    if batch_id is not None and batch_codes.item_of(batch_id) != item_id:
        raise Invalid("This batch is of another item", field="batch")
    catalogue.refuse_retired(item_id)
    _bring_in([want], location_id, note, at)
    left = on_hand(item_id, location_id)
    logbook.note("goods.received", item_id, place_id=location_id,
                 before={"on_hand": left - quantity}, after={"on_hand": left})  # fmt: skip
    return left


def receive_many(
    rows: Iterable[tuple[int, int]],
    location_id: int,
    *,
    member_id: int | None = None,
    note: str = "",
) -> None:
    """Joiner: many items come in at once, (item, quantity) each. Raises Invalid."""
    wants = [Want(item, location_id, quantity, None, member_id) for item, quantity in rows]
    _bring_in(wants, location_id, note)


def _bring_in(
    wants: Sequence[Want], location_id: int, note: str, at: datetime | None = None
) -> None:
    for want in wants:
        if not 1 <= want.quantity <= LARGEST:
            raise Invalid(f"A quantity is 1 to {LARGEST}", field="quantity")
    if not wants:
        return
    if catalogue.parts_of({want.item_id for want in wants}):
        raise Invalid("A bundle has no stock of its own: its parts have", field="code")
    open_levels({(want.item_id, want.location_id) for want in wants})
    record(wants, "received", at or clock.now(), note)
    _put.run(by_place(wants))
    full = select(Level.item_id).where(Level.location_id == location_id, Level.on_hand > LARGEST)
    if in_transaction().execute(full.limit(1)).first():
        raise Invalid(f"No shelf holds more than {LARGEST}", field="quantity")


def count_to(
    item_id: int,
    location_id: int,
    counted: int,
    *,
    member_id: int | None,
    note: str = "",
    at: datetime | None = None,
) -> int:
    """Joiner: what was counted becomes the level, or what it was `at` another moment; the
    difference is a movement. Answers the difference. Raises Invalid, CountOvertaken."""
    if not 0 <= counted <= LARGEST:
        raise Invalid(f"A count is 0 to {LARGEST}", field="quantity")
    session = in_transaction()
    if catalogue.parts_of([item_id]):
        raise Invalid("A bundle has no stock of its own: its parts have", field="code")
    open_levels({(item_id, location_id)})
    place = (Level.item_id == item_id, Level.location_id == location_id)
    # The row is locked before it is read, so that a sale meanwhile is neither lost nor doubled.
    now = session.scalar(select(Level.on_hand).where(*place).with_for_update()) or 0
    before = afterwards.book_at(item_id, location_id, at) if at else now
    missing.counted([item_id], location_id)
    difference = counted - before
    if now + difference < 0:
        raise afterwards.CountOvertaken(f"{now} are left, {-difference} would go", left=now)
    if difference:
        change = Want(item_id, location_id, difference, None, member_id)
        changes = [change] if difference > 0 else _less(change)
        record(changes, "counted", at or clock.now(), note)
        session.execute(update(Level).where(*place).values(on_hand=Level.on_hand + difference))
    # That the book was right is worth knowing, too.
    logbook.note("stock.counted", item_id, place_id=location_id,
                 after={"book": before, "counted": counted})  # fmt: skip
    return difference


def _less(change: Want) -> list[Want]:
    """A negative want, split by batch: what was not found is of the oldest."""
    parts = batches.allot([change._replace(quantity=-change.quantity)], blocked="first")
    return [part._replace(quantity=-part.quantity) for part in parts]


def transfer(
    item_id: int,
    quantity: int,
    source_id: int,
    target_id: int,
    *,
    member_id: int | None = None,
    note: str = "",
) -> None:
    """Joiner: so many of an item go from one location to another. Raises Invalid, OutOfStock."""
    if not 1 <= quantity <= LARGEST or source_id == target_id:
        raise Invalid(f"A transfer is 1 to {LARGEST} pieces, to another place", field="quantity")
    open_levels({(item_id, target_id)})
    going = _going(Want(item_id, source_id, quantity, None, member_id), target_id)
    out = {"item": item_id, "location": source_id, "quantity": quantity}
    into = out | {"location": target_id}
    # Both rows are locked in order of location, so that two transfers crosswise cannot wait for
    # each other; the guard of the first decides, whichever of the two comes first.
    for row in sorted((out, into), key=lambda row: row["location"]):
        changed = (_take if row is out else _put).run([row])
        if row is out and not changed:
            left = on_hand(item_id, source_id)
            raise OutOfStock(f"{left} are left there, {quantity} asked for", left=left)
    at = clock.now()
    record([part._replace(quantity=-part.quantity) for part in going], "moved", at, note)
    record([part._replace(location_id=target_id) for part in going], "moved", at, note)
    logbook.note("goods.moved", item_id, place_id=source_id,
                 after={"quantity": quantity, "to": target_id})  # fmt: skip


def _going(want: Want, target_id: int) -> list[Want]:
    """From which batches a transfer goes. Both levels are locked before, in the order in which
    they are changed."""
    if not batches.tracked([want.item_id]):
        return [want]
    batches.lock_levels({(want.item_id, want.location_id), (want.item_id, target_id)})
    return batches.allot([want], blocked="last")


def record(wants: Sequence[Want], reason: str, at: datetime, note: str = "") -> None:
    """Joiner: movements for these wants; a positive quantity comes in, a negative goes out."""
    in_transaction()
    if wants:
        _record.run(
            [
                {"item_id": want.item_id, "location_id": want.location_id,
                 "quantity": want.quantity, "reason": reason, "sale_id": want.sale_id,
                 "batch_id": want.batch_id, "member_id": want.member_id, "note": note, "at": at}
                for want in wants
            ]
        )  # fmt: skip


def open_levels(places: set[tuple[int, int]]) -> None:
    """Joiner: make the level rows that do not exist yet, without minding who else does."""
    in_transaction().connection().execute(
        insert_new(Level),
        [
            {"item_id": item, "location_id": place, "on_hand": 0, "shelf": ""}
            for item, place in sorted(places)
        ],
    )


def total_on_hand(item_ids: Sequence[int]) -> dict[int, int]:
    """On hand over all locations, for lists on the desk."""
    query = (
        select(Level.item_id, func.sum(Level.on_hand))
        .where(Level.item_id.in_(item_ids))
        .group_by(Level.item_id)
    )
    return {row[0]: int(row[1]) for row in connection().execute(query)}
