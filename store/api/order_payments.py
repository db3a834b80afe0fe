"""Payments of orders: an order that a provider brings the money for. The goods are kept meanwhile;
the order stands in the moment in which the money is known to be there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, current_app
from marshmallow import fields, validate

from .. import catalogue, delivery, identity, membership, payment, sales, stock, web
from ..delivery import addresses
from ..errors import Invalid, NotFound, Refusal, TooMany
from ..identity import pins
from ..payment import asides, asking, paybacks
from ..payment.calls import GatewayAway
from ..payment.gateways import Gateway
from ..payment.gateways.bank import NAME as BANK
from ..payment.gateways.offered import set_up
from ..payment.models import OPEN, STATES, Attempt
from ..sales.orders.held import paid_by
from ..sales.paying import paying
from ..sales.paying.paying import AlreadyPaid
from .access import caller
from .answers import amount, answer, moment
from .orders import OrderBody, read_order
from .reading import Strict
from .resource import Resource
from .sale_asked import PaymentMethodUnknown, seen
from .shapes import Money, Nothing

resource = Resource("order_payments", "Orders that are paid through a provider.")


class Payment(Strict):
    id = fields.String(required=True)
    method = fields.String(required=True, metadata={"description": "The provider's name."})
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    amount = fields.Nested(Money, required=True)
    from_account = fields.Nested(
        Money,
        required=True,
        metadata={"description": "What the account pays beside it; set aside meanwhile."},
    )
    next_url = fields.String(
        required=True,
        metadata={"description": "Where the shopper goes to pay; empty: nowhere (any more)."},
    )
    code = fields.String(
        required=True, metadata={"description": "What the shopper's app scans instead, or empty."}
    )
    kept_until = fields.DateTime(
        required=True, metadata={"description": "Goods and prices stand so long."}
    )
    order = fields.String(
        required=True, allow_none=True, metadata={"description": "The order's id, once it stands."}
    )
    sent_back = fields.Nested(
        Money,
        required=True,
        metadata={"description": "What came and found nothing to pay for, or was given back."},
    )


@resource.offers(
    "POST",
    "/order-payments",
    scopes=("sales:write",),
    body=OrderBody(),
    answers=Payment(),
    refuses=(
        payment.KeyReused, catalogue.ItemNotForSale, NotFound, sales.PriceRose,
        membership.CouponRefused, membership.PointsRefused,
        stock.OutOfStock,
        delivery.NoDelivery, addresses.TooManyAddresses, PaymentMethodUnknown, AlreadyPaid,
        GatewayAway, Invalid, payment.InsufficientFunds, sales.AccountSuffices,
        sales.ConfirmationNeeded, pins.PinMissing, pins.PinWrong, TooMany,
    ),
)  # fmt: skip
def start(body: dict[str, Any]) -> Response:
    """Keep the goods for oneself and ask a provider for the money. The key is the purchase key:
    sent again it finds the same payment, or the next one where the first came to nothing."""
    gateway = _gateway(body["payment"]["method"])
    confirmed = identity.confirmed(caller().member.id)
    asked, forget = read_order(body, gateway.name)
    part = seen(body["payment"].get("from_account")) or 0
    asked = replace(asked, account_minor=part, is_confirmed=confirmed)
    try:
        started = paying.pay(
            paying.Paying(
                asked, gateway, minutes=current_app.config["HOLD_MINUTES"],
                subject=current_app.config["SHOP_NAME"], base_url=web.base_url(),
            )
        )  # fmt: skip
    except AlreadyPaid as refusal:
        paid = paid_by(refusal.data["sale"], asked)
        if paid is None:
            raise
        return answer(_shown(_mine(paid)), 201, replayed=True)
    except Refusal:
        forget()
        raise
    return answer(_shown(_mine(started)), 201)


@resource.offers(
    "GET",
    "/order-payments/<payment_id>",
    scopes=("sales:read",),
    answers=Payment(),
    refuses=(NotFound,),
)
def one(payment_id: str) -> Response:
    """A payment of one's own."""
    return answer(_shown(_mine(payment_id)))


@resource.offers(
    "POST",
    "/order-payments/<payment_id>/checks",
    scopes=("sales:write",),
    body=Nothing(),
    answers=Payment(),
    refuses=(NotFound,),
)
def check(payment_id: str, body: dict[str, Any]) -> Response:
    """Ask the provider now: the shopper is back from its page."""
    mine = _mine(payment_id)
    asking.ask_about(mine, _gateway(mine.gateway))
    return answer(_shown(_mine(payment_id)), 201)


@resource.offers(
    "POST",
    "/order-payments/<payment_id>/cancellations",
    scopes=("sales:write",),
    body=Nothing(),
    answers=Payment(),
    refuses=(NotFound,),
)
def cancel(payment_id: str, body: dict[str, Any]) -> Response:
    """Nobody pays it any more, and its goods are free. What was paid meanwhile still counts."""
    mine = _mine(payment_id)
    asking.abandon(mine, _gateway(mine.gateway))
    return answer(_shown(_mine(payment_id)), 201)


def _gateway(name: str) -> Gateway:
    """Raises PaymentMethodUnknown."""
    known = {name: one for name, one in set_up(current_app.config).items() if name != BANK}
    if name not in known:
        raise PaymentMethodUnknown(f"There is no {name!r} here", methods=list(known))
    return known[name]


def _mine(payment_id: str) -> Attempt:
    return paying.find(payment_id[:20], caller().member.id)


def _shown(mine: Attempt) -> dict[str, Any]:
    waits = mine.state in OPEN
    part = asides.of(mine.id)
    back = sum(each.amount_minor for each in paybacks.of_attempt(mine.id))
    return {
        "id": mine.id,
        "method": mine.gateway,
        "state": mine.state,
        "amount": amount(mine.amount_minor, mine.currency),
        "from_account": amount(part.amount_minor if part else 0, mine.currency),
        "next_url": mine.next_url if waits else "",
        "code": mine.code if waits else "",
        "kept_until": moment(mine.ends_at),
        "order": mine.sale_id,
        "sent_back": amount(back, mine.currency),
    }
