"""Couriers: who took cash at the door, and how it comes in. What a courier took is booked on the
courier with the step that says that a parcel has arrived; the cash is counted by somebody of the
staff, and a difference is booked with a name and a reason, never silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select, update

from ... import (
    clock,
    ids,
    logbook,
    money,
    payment,
)
from ...db import (
    connection,
    in_transaction,
    insert_new,
    repeatable,
    transaction,
)
from ...errors import Invalid, NotFound, Refusal
from ...payment import escrow
from ...payment.on_delivery import (
    count_in,
    due_of,
    forgo_due,
    take_at_door,
)
from ..models import TRANSITIONS, Sale, SaleLine
from ..refunds.refunds import NotRefundable
from .courier_models import Courier, CourierHandIn, CourierTaking
from .receiving import left_to_hold

__all__ = [
    "CashChanged", "Count", "Counted", "Owed", "counted", "forgo", "hand_in", "owed",
    "paid_at_door",
]  # fmt: skip

LATEST = 20


class CashChanged(Refusal):
    """The courier has another amount by now than the page said. `data`: expected_minor, now_minor,
    currency."""

    code = "courier_cash_changed"
    status = 409
    title = "The courier has another amount by now"


def paid_at_door(
    sale: Sale, shipment_id: str, amount_minor: int, courier: str, *, made_by: int
) -> None:
    """Joiner: a parcel has arrived, and the courier has what was due for it. Raises Invalid (no
    name)."""
    name = courier.strip()
    if not 1 <= len(name) <= 60:
        raise Invalid("Say who took the cash", field="courier")
    due = due_of([sale.id]).get(sale.id, 0)
    if not 0 < amount_minor <= due:
        return
    own = in_transaction().connection()
    courier_id = _courier(name)
    row = {"shipment_id": shipment_id, "sale_id": sale.id, "courier_id": courier_id,
           "amount_minor": amount_minor, "currency": sale.currency, "hand_in_id": None,
           "made_by": made_by, "at": clock.now()}  # fmt: skip
    own.execute(insert(CourierTaking), [row])
    take_at_door(sale.id, courier_id, amount_minor, sale.currency)
    if sale.member_id is not None:
        held = min(amount_minor, left_to_hold(sale))
        escrow.hold(sale.id, sale.member_id, held, sale.currency)
    event = "pay_part" if amount_minor < due else "pay_kept" if _some_back(sale.id) else "pay_rest"
    state = TRANSITIONS[sale.state, event]
    moved = own.execute(
        update(Sale).where(Sale.id == sale.id, Sale.state == sale.state).values(state=state)
    )
    if moved.rowcount != 1:
        raise NotRefundable(state=sale.state)


def forgo(sale: Sale) -> None:
    """Joiner: nothing of the order comes to the door any more, and a coin may be left of what was
    due, where shares of a bundle were rounded: the shop forgoes it."""
    left = due_of([sale.id]).get(sale.id, 0)
    if left:
        forgo_due(sale.id, left, sale.currency)
        in_transaction().execute(
            update(Sale)
            .where(Sale.id == sale.id, Sale.state == "due")
            .values(state=TRANSITIONS["due", "refund_due"])
        )


def _some_back(sale_id: str) -> bool:
    query = select(func.sum(SaleLine.quantity_refunded)).where(SaleLine.sale_id == sale_id)
    return bool(in_transaction().scalar(query))


def _courier(name: str) -> int:
    session = in_transaction()
    query = select(Courier.id).where(Courier.name == name)
    found = session.scalar(query)
    if found is None:
        session.connection().execute(insert_new(Courier), [{"name": name}])
        found = session.scalar(query)
    return int(found or 0)


@dataclass(frozen=True)
class Count:
    """A courier's cash as it was counted. `expected_minor` is what the page said that it should
    be; `key` is made by the page: sent twice it is one count."""

    courier_id: int
    location_id: int
    expected_minor: int
    counted_minor: int
    currency: str
    key: str
    reason: str = ""


@repeatable
def hand_in(asked: Count, *, made_by: int) -> str:
    """Opener: the cash of a courier comes in; answers the count's id. Raises Invalid (amounts; no
    reason for a difference), KeyReused, NotFound, CashChanged."""
    if not 0 <= asked.counted_minor <= money.LARGEST_MINOR:
        raise Invalid("Say how much was counted", field="counted")
    reason = asked.reason.strip()
    if asked.counted_minor != asked.expected_minor and not reason:
        raise Invalid("Say why it is not what it should be", field="reason")
    with transaction() as session:
        courier = session.scalar(
            select(Courier).where(Courier.id == asked.courier_id).with_for_update()
        )
        if courier is None:
            raise NotFound("There is no such courier")
        earlier = _earlier(asked, made_by)
        if earlier is not None:
            return earlier
        taken = _open(asked.courier_id, asked.currency)
        now_minor = sum(amount for _, amount in taken)
        if not taken or now_minor != asked.expected_minor:
            raise CashChanged(expected_minor=asked.expected_minor, now_minor=now_minor,
                              currency=asked.currency)  # fmt: skip
        return _write(asked, reason, taken, made_by)


def _earlier(asked: Count, made_by: int) -> str | None:
    query = select(CourierHandIn).where(
        CourierHandIn.counted_by == made_by, CourierHandIn.key == asked.key
    )
    found = in_transaction().scalar(query)
    if found is None:
        return None
    said = (asked.courier_id, asked.counted_minor, asked.expected_minor)
    if (found.courier_id, found.counted_minor, found.expected_minor) != said:
        raise payment.KeyReused("This page was sent before, with another count")
    return found.id


def _open(courier_id: int, currency: str) -> list[tuple[str, int]]:
    """What the courier took and has not handed in, as (shipment, amount)."""
    query = (
        select(CourierTaking.shipment_id, CourierTaking.amount_minor)
        .where(CourierTaking.courier_id == courier_id, CourierTaking.hand_in_id.is_(None))
        .where(CourierTaking.currency == currency)
        .order_by(CourierTaking.shipment_id)
    )
    return [(row[0], row[1]) for row in in_transaction().execute(query)]


def _write(asked: Count, reason: str, taken: Sequence[tuple[str, int]], made_by: int) -> str:
    own, id_ = in_transaction().connection(), ids.new()
    row = {"id": id_, "key": asked.key, "courier_id": asked.courier_id,
           "location_id": asked.location_id, "currency": asked.currency,
           "expected_minor": asked.expected_minor, "counted_minor": asked.counted_minor,
           "reason": reason[:200], "counted_by": made_by, "at": clock.now()}  # fmt: skip
    own.execute(insert(CourierHandIn), [row])
    moved = own.execute(
        update(CourierTaking)
        .where(CourierTaking.shipment_id.in_([shipment for shipment, _ in taken]))
        .where(CourierTaking.hand_in_id.is_(None))
        .values(hand_in_id=id_)
    )
    if moved.rowcount != len(taken):
        raise CashChanged(expected_minor=asked.expected_minor, now_minor=0, currency=asked.currency)
    note = f"{id_} {made_by}: {reason}" if reason else id_
    count_in(asked.courier_id, asked.expected_minor, asked.counted_minor, asked.currency, note)
    logbook.note("courier.counted", asked.courier_id, place_id=asked.location_id,
                 after={"expected_minor": asked.expected_minor,
                        "counted_minor": asked.counted_minor})  # fmt: skip
    return id_


class Owed(NamedTuple):
    """Cash that a courier has and has not handed in."""

    courier_id: int
    name: str
    currency: str
    amount_minor: int
    many: int
    since: datetime


def owed() -> list[Owed]:
    """Who has how much of the shop's cash, the longest first."""
    since = func.min(CourierTaking.at)
    query = (
        select(
            Courier.id, Courier.name, CourierTaking.currency,
            func.sum(CourierTaking.amount_minor), func.count(), since,
        )
        .join(CourierTaking, CourierTaking.courier_id == Courier.id)
        .where(CourierTaking.hand_in_id.is_(None))
        .group_by(Courier.id, Courier.name, CourierTaking.currency)
        .order_by(since, Courier.id)
    )  # fmt: skip
    return [
        Owed(row[0], row[1], row[2], int(row[3]), row[4], row[5])
        for row in connection().execute(query)
    ]


class Counted(NamedTuple):
    """A count that was booked."""

    name: str
    currency: str
    expected_minor: int
    counted_minor: int
    reason: str
    counted_by: int
    at: datetime


def counted() -> list[Counted]:
    """The newest counts of couriers' cash."""
    made = CourierHandIn
    query = (
        select(
            Courier.name, made.currency, made.expected_minor, made.counted_minor, made.reason,
            made.counted_by, made.at,
        )
        .join(Courier, Courier.id == made.courier_id)
        .order_by(made.at.desc(), made.id.desc())
        .limit(LATEST)
    )  # fmt: skip
    return [Counted(*row) for row in connection().execute(query)]
