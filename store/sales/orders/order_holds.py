"""Holds of orders: what is kept for a web order while its shopper pays a provider, and how the
order stands once the money is there.

The goods are kept at the places that shall send them; prices, deposits and what delivery costs
stand as they were shown. Money that comes when the goods are kept no longer finds them wherever
they are by then, else it goes back.
"""

from __future__ import annotations

from typing import Any

from ... import (
    catalogue,
    clock,
    delivery,
    membership,
    payment,
    stock,
)
from ...db import in_transaction
from ...errors import Unavailable
from ...payment.asides import Part
from ...payment.models import Attempt
from ..buying import Bought, Line
from ..goods import Parts, deposited
from ..models import Hold
from .order_goods import pieces_of
from .ordering import (
    SHIPPING_CODE,
    Offer,
    Order,
    check,
    offer,
    out_of_stock,
)
from .orders import (
    Overtaken,
    earlier,
    refuse_part,
    write,
)

__all__ = ["bought", "keep", "shipping_of", "weigh"]


def weigh(asked: Order) -> Offer:
    """Joiner: what the order is now, all of it there, and the account's part too. Raises what
    `orders.order` raises but NoCashOnDelivery."""
    check(asked)
    found = offer(asked)
    if found.plan.missing:
        raise out_of_stock(found)
    if asked.account_minor:
        accounts = payment.accounts([asked.member_id], asked.currency)
        refuse_part(asked, found.total_minor, accounts)
    return found


def keep(mine: Attempt, asked: Order, found: Offer) -> None:
    """Joiner: write down what the attempt is for, and keep its goods where they are until the
    attempt's time is up. Raises Overtaken where somebody was faster."""
    parts = found.parts
    lines = [
        {"quantity": line.quantity, "label": line.label_id, "quote": list(quote),
         "parts": [list(part) for part in parts.get(quote.item_id, ())]}
        for line, quote in zip(asked.lines, found.quotes)
    ]  # fmt: skip
    parcels = [[one.location_id, sorted(one.goods.items())] for one in found.plan.parcels]
    order = {
        "contents": asked.contents, "shop": asked.location_id, "fulfilment": asked.fulfilment,
        "place": asked.place_id, "address": asked.address_id, "piece_g": asked.piece_g,
        "where": vars(found.where) if found.where else None,
        "shipping": list(vars(found.shipping).values()) if found.shipping else None,
        "parcels": parcels, "coupon": asked.coupon, "points": asked.points,
    }  # fmt: skip
    in_transaction().add(
        Hold(attempt_id=mine.id, location_id=asked.sold_at, key=asked.key, channel="web",
             lines=lines, order=order)
    )  # fmt: skip
    in_transaction().flush()
    off = [each for quote in found.quotes for each in quote.off]
    if off and not membership.use(off, asked.member_id, attempt_id=mine.id):
        raise Overtaken
    wants = [
        stock.Want(item, one.location_id, many)
        for one in found.plan.parcels
        for item, many in sorted(one.goods.items())
    ]
    try:
        stock.reserve(wants, mine.id, mine.ends_at, clock.now())
    except stock.OutOfStock as refusal:
        raise Overtaken from refusal


def bought(
    mine: Attempt, held: Hold, quotes: list[catalogue.Quote], parts: Parts, own: Part | None
) -> Bought:
    """Joiner: the money of this hold is there, so the order stands, at the prices that were held.
    Raises KeyReused, ItemNotForSale, OutOfStock, InsufficientFunds and ConfirmationNeeded (the
    account's part), Unavailable where somebody was faster."""
    said = held.order or {}
    asked = Order(
        mine.member_id or 0, said["shop"], mine.currency,
        tuple(Line(quote.item_id, line["quantity"], label_id=line["label"])
              for line, quote in zip(held.lines, quotes)),
        held.key, said["fulfilment"], said["piece_g"], place_id=said["place"],
        address_id=said["address"], means=mine.gateway, attempt_id=mine.id,
        is_confirmed=bool(own and own.is_confirmed), account_minor=own.amount_minor if own else 0,
        coupon=said.get("coupon", ""), points=said.get("points", 0),
    )  # fmt: skip
    before = earlier(asked)
    if before is not None:
        return before
    found = _stands(asked, said, quotes, parts)
    if found.plan.missing:
        raise out_of_stock(found)
    try:
        return Bought(write(asked, found, clock.now()), repeated=False)
    except (Overtaken, stock.OutOfStock) as error:
        raise Unavailable("Somebody was faster; please try again") from error


def _stands(
    asked: Order, said: dict[str, Any], quotes: list[catalogue.Quote], parts: Parts
) -> Offer:
    """The offer as it was held; from other places where the goods are not kept any more."""
    shipping = _quoted(said["shipping"])
    where = delivery.Where(**said["where"]) if said["where"] else None
    goods = [(quote, line.quantity) for quote, line in zip(quotes, asked.lines)]
    pieces = pieces_of(asked.wanted) if parts else asked.wanted
    parcels = [
        delivery.Parcel(place, dict(map(tuple, goods)), None, 0, 0)
        for place, goods in said["parcels"]
    ]
    plan = delivery.Plan(parcels)
    if not _there(parcels) or not _the_same(parcels, pieces):
        able = delivery.candidates(pieces, asked.fulfilment)
        if asked.fulfilment == "collect":
            able = [one for one in able if one.location_id == asked.place_id]
        to = shipping.point if shipping else None
        plan = delivery.source(pieces, able, to, delivery.weighing())
    return Offer(
        tuple(quotes), plan, shipping, where,
        sum(quote.taxed(many).total_minor for quote, many in goods),
        tuple(deposited(goods, parts, asked.currency)), parts, pieces,
    )  # fmt: skip


def _quoted(values: list[Any] | None) -> delivery.Quoted | None:
    if values is None:
        return None
    zone, price, least, most, point = values
    return delivery.Quoted(zone, price, least, most, delivery.Point(*point) if point else None)


def _there(parcels: list[delivery.Parcel]) -> bool:
    """Joiner: whether these goods are free where they were kept, now that they are let go."""
    items = {item for parcel in parcels for item in parcel.goods}
    free = stock.available(items, {parcel.location_id for parcel in parcels})
    return all(
        (item, parcel.location_id) in free and free[item, parcel.location_id].available >= many
        for parcel in parcels
        for item, many in parcel.goods.items()
    )


def _the_same(parcels: list[delivery.Parcel], pieces: dict[int, int]) -> bool:
    """A bundle may have other parts by now."""
    kept: dict[int, int] = {}
    for parcel in parcels:
        for item, many in parcel.goods.items():
            kept[item] = kept.get(item, 0) + many
    return kept == pieces


def shipping_of(held: Hold) -> tuple[dict[str, str], int] | None:
    """What delivery is called and costs in this hold, if it costs anything."""
    shipping = _quoted((held.order or {}).get("shipping"))
    if shipping is None or not shipping.price_minor:
        return None
    found = catalogue.find_item(SHIPPING_CODE)
    return (found.names if found else {"en": "Delivery", "zh": "配送"}), shipping.price_minor
