"""What a caller says of a buy, and whom and what they mean by it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from .. import catalogue, identity, money, sales
from ..errors import Invalid, NotFound
from ..identity import member_cards
from . import items
from .answers import currency
from .reading import Exactly, Strict, line
from .shapes import whole

MEANS = ("account", "cash", "card")
MOST_LINES = 200
MOST_POSITIONS = 999_999
MOST_PIECES = 9_999
LONGEST_CODE = 2_000
CARD = "card:"


class PaymentMethodUnknown(Invalid):
    """This way of paying is not offered. `data`: field, methods."""

    code = "payment_method_unknown"
    title = "There is no such way of paying here"


class MemberNotFound(NotFound):
    """Nobody has an account under this e-mail address, phone number or id."""

    code = "member_not_found"
    title = "Nobody is known by this"


def PriceText(said: str) -> fields.String:  # noqa: N802 - It is used as a field.
    """An amount as a buyer was shown it."""
    pattern = r"^[0-9]{1,15}(\.[0-9]{1,4})?$"
    return fields.String(
        validate=Exactly(pattern, error="Not an amount like 12.50."), metadata={"description": said}
    )


class AskedLine(Strict):
    item = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST_CODE),
        metadata={"description": "A GTIN, SKU or short code, or whatever a scanner read."},
    )
    quantity = whole(1, MOST_PIECES, required=True)
    price = PriceText(
        "The price of one as the buyer was shown it, without a deposit. A rise is refused with "
        "`price_rose`, a drop is passed on."
    )


class AskedPayment(Strict):
    method = fields.String(
        required=True, validate=validate.Length(1, 40), metadata={"enum": list(MEANS)}
    )


def InBundle() -> fields.String:  # noqa: N802 - It is used as a field.
    """An item out of the bundle on a line of a sale."""
    return fields.String(
        validate=validate.Length(1, LONGEST_CODE),
        metadata={"description": "Of a bundle: only this of it, by its code. It gives back its "
                  "share of what was paid."},
    )  # fmt: skip


def coupon_code() -> fields.String:
    return fields.String(
        validate=validate.Length(1, 64),
        metadata={
            "description": "A coupon's code. One that takes nothing off these goods is refused "
            "with `coupon_refused`."
        },
    )


def points_to_spend() -> fields.Integer:
    return fields.Integer(
        load_default=0,
        validate=validate.Range(0, 10**12),
        metadata={
            "description": "At most so many of the member's points are spent, as far as they "
            "take something off. More than they have are refused with `points_refused`."
        },
    )


class SaleBody(Strict):
    location = fields.String(required=True, validate=line(32, 1))
    lines = fields.List(
        fields.Nested(AskedLine), required=True, validate=validate.Length(1, MOST_LINES)
    )
    payment = fields.Nested(AskedPayment, required=True)
    member = fields.String(
        validate=line(254, 1),
        metadata={
            "description": "For tokens with the scope `till`: who buys, by e-mail address, "
            "phone number or id. Without it the member of the token buys, or, where cash or a "
            "card was taken, somebody whom the till does not know."
        },
    )
    coupon = coupon_code()
    points = points_to_spend()
    age_checked = fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={
            "description": "For tokens with the scope `till`: whoever takes it along was looked at "
            "and is old enough for every item of it. Without it a till's sale of something with a "
            "least age is refused with `age_not_checked`."
        },
    )  # fmt: skip
    total = PriceText(
        "What all of it costs as the buyer was shown it. More than that is refused with "
        "`price_rose`: an offer may be over."
    )


def find_member(named: str) -> int:
    """Who is named by e-mail address, phone number, id, or a card as `card:NUMBER`. Raises
    MemberNotFound."""
    if named.startswith(CARD):
        found = member_cards.held_by(named.removeprefix(CARD))
    else:
        found = identity.find(named)
    if found is None and named.isascii() and named.isdigit() and len(named) <= 15:
        try:
            found = identity.by_id(int(named))
        except NotFound:
            found = None
    if found is None or found.disabled_at is not None:
        raise MemberNotFound("Nobody is known by this e-mail address, phone number, id or card")
    return found.id


def lines_of(asked: list[dict[str, Any]]) -> tuple[sales.Line, ...]:
    known: dict[str, int] = {}
    for line_ in asked:
        if line_["item"] not in known:
            known[line_["item"]] = find_item(line_["item"])
    return tuple(
        sales.Line(
            known[line_["item"]],
            line_["quantity"],
            seen(line_.get("price")),
            without_deposit=True,
        )
        for line_ in asked
    )


def find_item(code: str) -> int:
    try:
        return items.find(code).id
    except items.CodeFault as fault:
        # In a sale a code that cannot be right is one that nothing has.
        raise catalogue.ItemNotForSale(fault.message, item=code[:80]) from fault


def seen(price: str | None) -> int | None:
    return None if price is None else money.parse(price, currency(), field="price")
