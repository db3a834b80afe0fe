"""At the door: orders that are paid to the courier in cash: who may, and what is due for which
parcel.

The first parcel that is still to come is paid with what the delivery costs, each other one with
its goods alone; the last one with whatever is left. So nothing is asked for twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select

from ... import (
    clock,
    delivery,
    money,
    web,
)
from ...db import connection, db
from ...delivery import queue
from ...delivery.states import LEFT, WAITING
from ...errors import Refusal
from ...payment.on_delivery import MEANS, due_of
from ..models import Sale, SaleLine
from ..opening import Part
from .order_goods import worth

__all__ = [
    "Due", "NoCashOnDelivery", "due_sales", "most_minor", "refuse", "to_take",
    "unpaid_shipping", "why_not",
]  # fmt: skip

REMEMBERED = timedelta(days=90)
"""A parcel that came back counts against its shopper for so long."""
PAGE = 100


class NoCashOnDelivery(Refusal):
    """This order cannot be paid to the courier. `data`: why ("off", "collected", "too_large",
    "unpaid"), most_minor, currency."""

    code = "no_cash_on_delivery"
    status = 409
    title = "This order cannot be paid to the courier"


def most_minor(currency: str) -> int:
    """The largest order that may be paid to the courier; 0 where the owner wants none."""
    return money.parse(web.setting("CASH_ON_DELIVERY"), currency)


def refuse(member_id: int, fulfilment: str, total_minor: int, currency: str) -> None:
    """Raises NoCashOnDelivery."""
    why = why_not(member_id, fulfilment, total_minor, currency)
    if why:
        raise NoCashOnDelivery(why=why, most_minor=most_minor(currency), currency=currency)


def why_not(member_id: int, fulfilment: str, total_minor: int, currency: str) -> str:
    """Why a member's order cannot be paid to the courier: "off", "collected", "too_large",
    "unpaid" (others are not paid yet, or came back unpaid); empty where it can."""
    most = most_minor(currency)
    if not most:
        return "off"
    if fulfilment != "deliver":
        return "collected"
    if total_minor > most:
        return "too_large"
    return "unpaid" if _unpaid(member_id) >= int(web.setting("CASH_ON_DELIVERY_OPEN")) else ""


def _unpaid(member_id: int) -> int:
    """How many orders of a member are to be paid at the door, or came back from it lately."""
    since = clock.now() - REMEMBERED
    query = select(Sale.id, Sale.state).where(
        Sale.member_id == member_id, Sale.means == MEANS,
        or_(Sale.state == "due", Sale.created_at > since),
    )  # fmt: skip
    states = {row[0]: row[1] for row in connection().execute(query)}
    back = queue.came_back(states)
    return sum(state == "due" or sale in back for sale, state in states.items())


def to_take(sale_ids: Collection[str]) -> dict[str, int]:
    """What the courier takes for which shipment, in minor units, of these sales; only of what is
    still to come and still to be paid."""
    query = select(Sale).where(Sale.id.in_(sale_ids), Sale.state == "due").order_by(Sale.id)
    due = list(db.session.scalars(query)) if sale_ids else []
    left, found = due_of([sale.id for sale in due]), dict[str, int]()
    for sale in due:
        found |= _by_parcel(sale, left.get(sale.id, 0))
    return found


def _by_parcel(sale: Sale, due_minor: int) -> dict[str, int]:
    parcels = [
        (shipment, worth(sale, goods))
        for shipment, goods in sorted(queue.goods_in(sale.id, (*WAITING, *_OUT)).items())
        if goods
    ]
    others = sum(amount for _, amount in parcels[1:])
    return {
        shipment: max(0, due_minor - others) if at == 0 else min(amount, due_minor)
        for at, (shipment, amount) in enumerate(parcels)
    }


def unpaid_shipping(sale: Sale, goods: Mapping[int, int]) -> list[Part]:
    """The lines of what the delivery costs, where nobody has paid them yet: more is due than these
    goods, the last ones of the order."""
    query = select(SaleLine.position, SaleLine.total_minor).where(
        SaleLine.sale_id == sale.id, SaleLine.kind == "shipping", SaleLine.quantity_refunded == 0
    )
    left = due_of([sale.id]).get(sale.id, 0) - worth(sale, goods)
    return [Part(row[0], 1) for row in connection().execute(query) if row[1] <= left]


_OUT = tuple(state for state in LEFT if state in ("shipped", "failed"))


class Due(NamedTuple):
    """An order that is still to be paid at the door."""

    sale_id: str
    member_id: int
    created_at: datetime
    currency: str
    due_minor: int
    states: tuple[str, ...]


def due_sales() -> list[Due]:
    """Orders that are still to be paid, the oldest first; at most 100."""
    query = (
        select(Sale.id, Sale.member_id, Sale.created_at, Sale.currency)
        .where(Sale.state == "due")
        .order_by(Sale.created_at)
        .limit(PAGE)
    )
    rows = connection().execute(query).all()
    left = due_of([row.id for row in rows])
    parcels = delivery.of_sales([row.id for row in rows])
    return [
        Due(
            row.id,
            row.member_id or 0,
            row.created_at,
            row.currency,
            left.get(row.id, 0),
            tuple(each.state for each in parcels.get(row.id, ())),
        )
        for row in rows
    ]
