"""Orders: what a member buys on the web, to be collected or delivered, and where its parts are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from flask import Response, current_app
from marshmallow import ValidationError, fields, validate, validates_schema

from .. import catalogue, delivery, identity, membership, payment, sales, stock
from ..db import transaction
from ..delivery import addresses
from ..errors import Invalid, NotFound, Refusal, TooMany
from ..identity import pins
from ..payment import escrow, on_delivery
from ..sales.basket.coupon_guesses import guessed
from ..sales.orders import fulfilment
from ..sales.orders.at_the_door import NoCashOnDelivery, to_take
from . import keys
from .access import caller
from .answers import amount, answer, currency, moment
from .reading import Strict, line
from .resource import Resource
from .sale_asked import (
    MOST_LINES,
    AskedLine,
    PaymentMethodUnknown,
    PriceText,
    coupon_code,
    lines_of,
    points_to_spend,
    seen,
)
from .sale_shown import METHODS, Sale, shown_sale
from .shapes import Money, Texts

resource = Resource("orders", "Orders of the web: collected or delivered, step by step.")

WAYS = {"account": "account"} | {called: means for means, called in METHODS.items()}
"""How an order is paid, as it is called here, and in the books."""


class Address(Strict):
    name = fields.String(required=True, validate=line(120, 1))
    phone = fields.String(load_default="", validate=line(40))
    street = fields.String(required=True, validate=line(200, 1))
    city = fields.String(required=True, validate=line(120, 1))
    postcode = fields.String(load_default="", validate=line(12))
    country = fields.String(
        required=True, validate=line(2, 2), metadata={"description": "Two letters: CN."}
    )


class OrderPayment(Strict):
    method = fields.String(
        load_default="account",
        validate=validate.Length(1, 40),
        metadata={
            "description": "account; cash_on_delivery: to the courier, where the shop offers it. "
            "For `/order-payments` the provider's name.",
        },
    )
    from_account = PriceText(
        "For `/order-payments`: what the member's account pays of it; the provider is asked for "
        "the rest. Set aside until the payment ends."
    )


class OrderBody(Strict):
    location = fields.String(
        required=True,
        validate=line(32, 1),
        metadata={"description": "Where the member shops; a delivery is sold by it."},
    )
    lines = fields.List(
        fields.Nested(AskedLine), required=True, validate=validate.Length(1, MOST_LINES)
    )
    collect = fields.String(
        validate=line(32, 1),
        metadata={"description": "The location where it is collected; this or `deliver`."},
    )
    deliver = fields.Nested(Address)
    payment = fields.Nested(OrderPayment, load_default=lambda: {"method": "account"})
    coupon = coupon_code()
    points = points_to_spend()
    total = PriceText(
        "What goods, deposits and delivery cost as the buyer was shown it. More than that is "
        "refused with `price_rose`: an offer may be over."
    )
    shipping = PriceText("What delivery cost as the buyer was shown it; a rise is refused.")

    @validates_schema
    def _one_way(self, data: dict[str, Any], **more: Any) -> None:
        if ("collect" in data) == ("deliver" in data):
            raise ValidationError("Either collect or deliver.", "collect")


class ShipmentGoods(Strict):
    item = fields.String(required=True, metadata={"description": "The item's short code."})
    names = Texts(required=True)
    quantity = fields.Integer(required=True)


class ShipmentStep(Strict):
    event = fields.String(required=True)
    state = fields.String(required=True)
    note = fields.String(required=True)
    at = fields.DateTime(required=True)


class Shipment(Strict):
    id = fields.String(required=True)
    order = fields.String(required=True, metadata={"description": "The sale's id."})
    kind = fields.String(required=True, validate=validate.OneOf(["deliver", "collect", "bring"]))
    state = fields.String(required=True)
    location = fields.String(required=True, metadata={"description": "Whence it comes."})
    code = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What the shopper shows at the counter; null for deliveries "
                  "and for staff, who ask for it."},
    )  # fmt: skip
    carrier = fields.String(required=True)
    tracking = fields.String(required=True)
    to_collect = fields.Nested(
        Money,
        required=True,
        allow_none=True,
        metadata={"description": "What the courier takes for it at the door; null: nothing."},
    )
    goods = fields.List(fields.Nested(ShipmentGoods), required=True)
    steps = fields.List(fields.Nested(ShipmentStep), required=True)


class Held(Strict):
    state = fields.String(
        required=True,
        validate=validate.OneOf(["waiting", "arrived", "disputed", "released", "returned"]),
    )
    amount = fields.Nested(Money, required=True, metadata={"description": "Held just now."})
    due_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the timer releases it; null: it has not arrived."},
    )


class Order(Strict):
    sale = fields.Nested(Sale, required=True)
    due = fields.Nested(
        Money, required=True, metadata={"description": "What is still to be paid at the door."}
    )
    held = fields.Nested(
        Held,
        required=True,
        allow_none=True,
        metadata={"description": "What becomes of its money; null: it was never held."},
    )
    address = fields.Nested(Address, required=True, allow_none=True)
    shipments = fields.List(fields.Nested(Shipment), required=True)


class Cancellation(Strict):
    reason = fields.String(load_default="", validate=line(200))


@resource.offers(
    "POST",
    "/orders",
    scopes=("sales:write",),
    body=OrderBody(),
    answers=Order(),
    refuses=(
        payment.InsufficientFunds, payment.KeyReused, catalogue.ItemNotForSale, NotFound,
        sales.PriceRose, membership.CouponRefused, membership.PointsRefused,
        stock.OutOfStock, delivery.NoDelivery, addresses.TooManyAddresses,
        NoCashOnDelivery, PaymentMethodUnknown, Invalid, sales.ConfirmationNeeded,
        pins.PinMissing, pins.PinWrong, TooMany,
    ),
)  # fmt: skip
def place(body: dict[str, Any]) -> Response:
    """Order for oneself: the account is charged, or the courier is paid where the shop offers it;
    the goods are kept where they are until they go. The key is the purchase key: sent again it
    finds the same order."""
    method = body["payment"]["method"]
    if "from_account" in body["payment"]:
        raise Invalid("Only what a provider brings is paid in two parts", field="from_account")
    if method not in WAYS:
        raise PaymentMethodUnknown(f"There is no {method!r} here", methods=list(WAYS))
    confirmed = identity.confirmed(caller().member.id)
    asked, forget = read_order(body, WAYS[method])
    try:
        ordered = sales.order(replace(asked, is_confirmed=confirmed))
    except Refusal:
        forget()
        raise
    return answer(_shown(ordered.sale_id, mine=True), 201, replayed=ordered.repeated)


@resource.offers(
    "GET", "/orders/<sale_id>", scopes=("sales:read",), answers=Order(), refuses=(NotFound,)
)
def one(sale_id: str) -> Response:
    """An order and where its parts are: one's own; for staff who ship, anybody's."""
    member = caller().member
    mine = _is_of(sale_id, member.id)
    if not mine and not identity.allows(member, "ship"):
        raise NotFound("There is no such order")
    return answer(_shown(sale_id, mine=mine))


@resource.offers(
    "POST",
    "/orders/<sale_id>/cancellations",
    scopes=("sales:write",),
    body=Cancellation(),
    answers=Order(),
    refuses=(NotFound, fulfilment.TooLate, payment.KeyReused),
)
def cancel(sale_id: str, body: dict[str, Any]) -> Response:
    """Cancel what has not left yet: the goods are free for others, the money goes back. One's own
    orders; staff who ship cancel anybody's."""
    member = caller().member
    mine = _is_of(sale_id, member.id)
    if not mine and not identity.allows(member, "ship"):
        raise NotFound("There is no such order")

    def act() -> dict[str, Any]:
        fulfilment.cancel_in(sale_id, made_by=member.id, reason=body["reason"])
        return _shown(sale_id, mine=mine)

    made, replayed = keys.once(member.id, "orders.cancel", body | {"sale": sale_id}, act)
    return answer(made, 201, replayed=replayed)


def read_order(body: dict[str, Any], means: str) -> tuple[sales.Order, Callable[[], None]]:
    """The caller's order as its body says, and how to forget what was written down for it: a
    refusal leaves nothing behind, no address, either."""
    member_id, where, kept = caller().member.id, body.get("deliver"), False
    shops_at = stock.selling_location(body["location"]).id
    collects_at = stock.location(body["collect"]).id if "collect" in body else None
    lines = lines_of(body["lines"])
    coupon = membership.read_code(body.get("coupon", "")) or body.get("coupon", "")
    if coupon:
        guessed(coupon, member_id)
    address_id = None
    if where is not None:
        address_id, kept = _address(member_id, delivery.Where(**where))

    def forget() -> None:
        if kept and address_id is not None:
            with transaction():
                addresses.remove_address(member_id, address_id)

    asked = sales.Order(
        member_id, shops_at, currency(), lines, keys.key(),
        "deliver" if where is not None else "collect", int(current_app.config["PIECE_G"]),
        place_id=collects_at, address_id=address_id, shipping_seen_minor=seen(body.get("shipping")),
        means=means, coupon=coupon,
        points=body["points"], seen_total_minor=seen(body.get("total")),
    )  # fmt: skip
    return asked, forget


def shown_shipments(
    shipments: Sequence[delivery.Tracked], *, mine: bool = False
) -> list[dict[str, Any]]:
    """Shipments with what is to be taken for them at the door, as the API shows them."""
    take = to_take({each.sale_id for each in shipments if each.kind == "deliver"})
    return [_shipment(each, mine, take.get(each.id, 0)) for each in shipments]


def _shipment(found: delivery.Tracked, mine: bool, take_minor: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "order": found.sale_id,
        "kind": found.kind,
        "state": found.state,
        "location": found.location_code,
        "code": found.code if mine and found.kind == "collect" else None,
        "carrier": found.carrier,
        "tracking": found.tracking,
        "to_collect": amount(take_minor, currency()) if take_minor else None,
        "goods": [
            {"item": each.code, "names": each.names, "quantity": each.quantity}
            for each in found.goods
        ],
        "steps": [
            {"event": step.event, "state": step.state, "note": step.note, "at": moment(step.at)}
            for step in found.steps
        ],
    }


def _is_of(sale_id: str, member_id: int) -> bool:
    found = sales.receipt(sale_id, member_id)
    return found is not None


def _shown(sale_id: str, *, mine: bool) -> dict[str, Any]:
    found = sales.receipt(sale_id)
    if found is None or found.fulfilment == "taken":
        raise NotFound("There is no such order")
    where = delivery.of_order(sale_id)
    return {
        "sale": shown_sale(found),
        "due": amount(on_delivery.due_of([sale_id]).get(sale_id, 0), found.currency),
        "held": _held(sale_id),
        "address": None if where is None else vars(where),
        "shipments": shown_shipments(delivery.of_sale(sale_id), mine=mine),
    }


def _held(sale_id: str) -> dict[str, Any] | None:
    found = escrow.find(sale_id)
    if found is None:
        return None
    return {
        "state": found.state,
        "amount": amount(found.held_minor, found.currency),
        "due_at": moment(found.due_at) if found.due_at else None,
    }


def _address(member_id: int, where: delivery.Where) -> tuple[int, bool]:
    """The address in the member's book, and whether it is new there. Raises Invalid,
    TooManyAddresses."""
    before = {known.id for known in delivery.address_book(member_id)}
    with transaction():
        found = addresses.add_address(member_id, where)
    return found, found not in before
