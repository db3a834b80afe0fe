"""Fulfilment: what happens to an order on its way: the steps of its shipments, goods that are not
there after all, cancelling. Here stock and money meet again.

Whoever changes an order locks its sale first and its shipments then, so that no two wait for each
other crosswise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypedDict, Unpack

from sqlalchemy import func, select

from ... import (
    catalogue,
    clock,
    delivery,
    logbook,
    outbox,
    stock,
)
from ...db import repeatable, transaction
from ...delivery import Shipment, queue, shipments
from ...delivery.states import LEFT, UNDER_WAY, WAITING
from ...errors import NotFound, Refusal
from ...payment import paybacks
from ...prepared import Many, Prepared, one_of
from ..models import SaleLine
from ..refunds.refunds import held, pay_back
from . import (
    at_the_door,
    couriers,
    order_ages,
    receiving,
)
from .order_goods import positions_of

__all__ = [
    "Replaced", "TooLate", "cancel", "cancel_in", "hand_over", "hand_over_in", "mend", "short",
    "step", "step_in", "too_young",
]  # fmt: skip


class Replaced(NamedTuple):
    """How many pieces come from elsewhere, and of how many the price goes back."""

    elsewhere: int
    paid_back: int


class TooLate(Refusal):
    """Everything of the order has left, or ended; nothing can be cancelled."""

    code = "too_late_to_cancel"
    status = 409
    title = "It is too late to cancel this"


class Said(TypedDict, total=False):
    """What is said with a step."""

    carrier: str
    tracking: str
    note: str
    courier: str
    age_checked: int


@repeatable
def step(
    shipment_id: str,
    event: str,
    *,
    made_by: int,
    **said: Unpack[Said],
) -> str:
    """Opener: one step of a shipment; answers its new state. What comes back after a failed
    delivery is for sale again, and its price is paid back (what the delivery cost is not).
    Cancelling pays the goods back. What is paid at the door is with the courier (by name, else the
    carrier) when it is delivered. What is not for everybody is delivered when somebody
    has looked. Raises NotFound, BadStep, Invalid, OutOfStock, AgeNotChecked."""
    with transaction():
        return step_in(shipment_id, event, made_by=made_by, **said)


def step_in(
    shipment_id: str,
    event: str,
    *,
    made_by: int,
    carrier: str = "",
    tracking: str = "",
    note: str = "",
    courier: str = "",
    age_checked: int = 0,
) -> str:
    """Joiner: the same, for the API, which writes something of its own beside it."""
    shipment = _locked(shipment_id)
    goods = delivery.goods_of(shipment.id)
    due = at_the_door.to_take([shipment.sale_id]) if event == "deliver" else {}
    order_ages.look(shipment, goods, event, age_checked, made_by)
    state = delivery.advance(
        shipment, event, made_by=made_by, carrier=carrier, tracking=tracking, note=note
    )
    if due.get(shipment.id):
        sale, who = held(shipment.sale_id), courier or shipment.carrier
        assert sale is not None
        couriers.paid_at_door(sale, shipment.id, due[shipment.id], who, made_by=made_by)
    if event in ("put_back", "cancel"):
        _pay_back(shipment.sale_id, goods, made_by, note, clock.now())
    receiving.moved_on(shipment.sale_id)
    return state


@repeatable
def hand_over(location_id: int, code: str, *, made_by: int, age_checked: int = 0) -> str:
    """Opener: hand over what waits at a location under the shopper's code; answers the shipment's
    id. Raises WrongCode, OutOfStock, AgeNotChecked."""
    with transaction():
        return hand_over_in(location_id, code, made_by=made_by, age_checked=age_checked)


def hand_over_in(location_id: int, code: str, *, made_by: int, age_checked: int = 0) -> str:
    """Joiner: the same, for the API."""
    shipment = _locked(delivery.by_code(location_id, code))
    goods = delivery.goods_of(shipment.id)
    order_ages.look(shipment, goods, "hand_over", age_checked, made_by)
    delivery.advance(shipment, "hand_over", made_by=made_by)
    receiving.moved_on(shipment.sale_id)
    return shipment.id


@repeatable
def too_young(location_id: int, code: str, least_age: int, *, made_by: int) -> str:
    """Opener: who fetches it is not old enough for some of it: that stays, its money goes back, and
    the rest is handed over next. Raises WrongCode, Invalid."""
    with transaction():
        shipment = _locked(delivery.by_code(location_id, code))
        goods = delivery.goods_of(shipment.id)
        stays, sale_id = order_ages.not_for(shipment.sale_id, goods, least_age), shipment.sale_id
        off = delivery.take_off(shipment, stays, made_by=made_by, note="", event="too_young")
        order_ages.refused(shipment, least_age, made_by)
        _pay_back(sale_id, off, made_by, order_ages.REASON, clock.now())
        receiving.moved_on(sale_id)
        return shipment.id


@repeatable
def short(
    shipment_id: str, missing: Mapping[int, int], *, made_by: int, pieces: int | None = None
) -> Replaced:
    """Opener: the picker did not find so many of these items. They come from elsewhere, or, where
    nobody has them, their price goes back; the shelf is to be counted, and nobody is promised them
    before. With `pieces` only while so many are on it: a form that comes twice is done once.
    Raises NotFound, Invalid, BadStep."""
    with transaction():
        shipment = _locked(shipment_id)
        if pieces is not None and sum(delivery.goods_of(shipment_id).values()) != pieces:
            raise delivery.BadStep(state=shipment.state, event="short")
        replaced = _replace(shipment, missing, made_by, "short")
        # Nobody else is promised what was not found, until it is counted.
        stock.miss(missing, shipment.location_id)
        for item in sorted(missing):
            stock.open_task("count", shipment.location_id, item, member_id=made_by)
        return replaced


@repeatable
def cancel(
    sale_id: str, *, made_by: int, member_id: int | None = None, reason: str = "",
    to_account: bool = False,
) -> None:  # fmt: skip
    """Opener: cancel what has not left yet: the goods are free for others, the money goes back;
    that of the delivery, too, where nothing has left. With `member_id` only that member's own
    order. Raises NotFound, TooLate."""
    with transaction():
        cancel_in(sale_id, made_by=made_by, member_id=member_id, reason=reason,
                  to_account=to_account)  # fmt: skip


def cancel_in(
    sale_id: str, *, made_by: int, member_id: int | None = None, reason: str = "",
    to_account: bool = False,
) -> None:  # fmt: skip
    """Joiner: the same, for the API."""
    sale = held(sale_id)
    if sale is None or (member_id is not None and sale.member_id != member_id):
        raise NotFound("There is no such order")
    waiting = [one for one in queue.locked_of_sale(sale_id) if one.state in WAITING]
    if not waiting:
        raise TooLate()
    goods: dict[int, int] = {}
    for shipment in waiting:
        for item, many in delivery.goods_of(shipment.id).items():
            goods[item] = goods.get(item, 0) + many
        delivery.advance(shipment, "cancel", made_by=made_by, note=reason)
    _pay_back(sale_id, goods, made_by, reason, clock.now(), to_account=to_account)
    receiving.moved_on(sale_id)
    logbook.note("order.cancelled", sale_id, place_id=sale.location_id, after={"items": goods})


# Of a bundle its parts left the shelf.
_sold = Prepared(
    lambda dialect: (
        select(func.coalesce(catalogue.BundlePart.item_id, SaleLine.item_id).label("item_id"))
        .select_from(SaleLine)
        .outerjoin(catalogue.BundlePart, catalogue.BundlePart.bundle_id == SaleLine.item_id)
        .where(one_of(SaleLine.sale_id, "sales", dialect), SaleLine.kind == "goods")
        .distinct()
    )
)


@outbox.handles("sale.paid")
def mend(batch: Sequence[outbox.Event]) -> None:
    """Joiner, called by the outbox: item in hand wins. Where these sales took from the shelf what
    was kept for orders, the newest orders that still wait there get it from elsewhere at once, or
    their money back."""
    sold = _sold.all(sales=Many(event.subject for event in batch))
    items = {row[0] for row in sold}
    for item, place in sorted(overbooked(queue.places_waiting_for(items))):
        _mend_place(item, place)


def overbooked(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of these (item, location) pairs those where more is kept than there is."""
    wanted = set(places)
    if not wanted:
        return []
    free = stock.available({item for item, _ in wanted}, {place for _, place in wanted})
    return [place for place in wanted if place in free and free[place].available < 0]


def _mend_place(item: int, place: int) -> None:
    """Joiner: take orders off an item at a place, the newest first, until what is kept is there.
    What is picked already lies in a box and is left to it."""
    for shipment_id in queue.open_at(item, place):
        shipment = _locked(shipment_id)
        level = stock.available([item], [place])[item, place]
        has = delivery.goods_of(shipment_id).get(item, 0)
        if level.available >= 0:
            return
        if paybacks.disputed(shipment.sale_id):
            continue  # Its money is the provider's for now, and none of it can go back.
        if shipment.state == "open" and has:
            _replace(shipment, {item: min(has, -level.available)}, None, "eaten")


def _replace(
    shipment: Shipment, missing: Mapping[int, int], made_by: int | None, event: str
) -> Replaced:
    """Joiner: goods that are not there go off the shipment. They are sent from elsewhere, or
    brought from elsewhere to where they are collected; only what nobody has is paid back."""
    at, kind, target = clock.now(), "deliver", None
    off = delivery.take_off(shipment, missing, made_by=made_by, note="", event=event)
    if shipment.kind != "deliver":
        kind, target = "bring", shipment.target_id or shipment.location_id
    able = delivery.candidates(off, kind, but=frozenset({shipment.location_id, target or 0}))
    to = _zone_of(shipment.sale_id) if target is None else _point_of(target)
    plan = delivery.source(off, able, to, delivery.weighing())
    if plan.parcels:
        delivery.open_shipments(
            shipment.sale_id, shipment.member_id, kind, plan.parcels, at,
            target_id=target, event="instead",
        )  # fmt: skip
    if plan.missing:
        shipments.note(shipment, "paid_back", made_by)
        by = shipment.member_id if made_by is None else made_by
        _pay_back(shipment.sale_id, plan.missing, by, "", at)
        receiving.moved_on(shipment.sale_id)
    lost = sum(plan.missing.values())
    return Replaced(sum(off.values()) - lost, lost)


def _point_of(location_id: int) -> delivery.Point | None:
    found = delivery.spot(location_id)
    return found.point if found else None


def _zone_of(sale_id: str) -> delivery.Point | None:
    """Where an order goes, as far as the table of zones knows."""
    where, sale = delivery.of_order(sale_id), held(sale_id)
    if where is None or sale is None:
        return None
    try:
        table = delivery.zones(sale.currency)
        return delivery.quote(where.country, where.postcode, 1, table).point
    except delivery.NoDelivery:
        return None


def _pay_back(
    sale_id: str, goods: Mapping[int, int], made_by: int, reason: str, at: datetime,
    to_account: bool = False,
) -> None:  # fmt: skip
    """Joiner: the price of goods that will not come. Where nothing of the order has left or will
    leave, everything that is not paid back yet goes back, what the delivery costs included; of
    what nobody has paid yet, also where it came back from the door."""
    states, sale = queue.states_of(sale_id), held(sale_id)
    nothing_comes = not states & {*WAITING, *LEFT, UNDER_WAY}
    if "put_back" in states and (sale is None or sale.state != "due"):
        nothing_comes = False
    parts = None if nothing_comes else positions_of(sale_id, goods)
    if parts and sale is not None and sale.state == "due" and not states & _COMING:
        # What is left to be paid is the delivery, and nobody comes to the door for it any more.
        parts += at_the_door.unpaid_shipping(sale, goods)
    if parts is None or parts:
        pay_back(sale_id, made_by=made_by, reason=reason, parts=parts, at=at, on_its_way=True,
                 to_account=to_account, waits=False)  # fmt: skip
    if sale is not None and sale.state == "due" and not states & _COMING:
        couriers.forgo(sale)


_COMING = {*WAITING, UNDER_WAY, "shipped", "failed"}


def _locked(shipment_id: str) -> Shipment:
    """Joiner: a shipment, and before it its sale, ours until the commit. Raises NotFound."""
    sale_id = queue.sale_of(shipment_id)
    if sale_id is None or held(sale_id) is None:
        raise NotFound("There is no such shipment")
    return delivery.locked(shipment_id)
