"""Sales: buying, for oneself or at a till, and what was bought."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, url_for
from marshmallow import fields, validate

from .. import catalogue, identity, membership, money, payment, sales, stock, web
from ..errors import Invalid, NotFound, TooMany
from ..identity import member_cards, pins
from ..payment import on_delivery
from ..sales import warranties
from ..sales.coupon_guesses import guessed
from . import items, keys
from .access import Caller, ScopeMissing, caller
from .answers import amount, answer, currency, following, moment
from .reading import Exactly, Strict, line
from .resource import Resource
from .shapes import Cursor, Money, Page, Texts, next_link, whole

resource = Resource("sales", "Sales in a member's name: made, listed, given back.")

MEANS = ("account", "cash", "card")
METHODS = {on_delivery.MEANS: "cash_on_delivery"}
"""What means of paying are called here, where it is another name than in the books."""
STATES = ("due", "paid", "part_refunded", "refunded", "cancelled")
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


class ShownPayment(Strict):
    method = fields.String(
        required=True,
        metadata={"description": "account, cash, card, cash_on_delivery, or a provider's name."},
    )
    from_account = fields.Nested(
        Money,
        required=True,
        metadata={"description": "What of the total the member's account paid."},
    )
    rounding = fields.Nested(
        Money,
        required=True,
        metadata={"description": "What was paid in cash above the total, as coins can pay it; "
                  "below zero: less."},
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


class Off(Strict):
    offer = fields.Dict(
        required=True, keys=fields.String(), values=fields.String(),
        metadata={"description": "What the offer was called, by language."},
    )  # fmt: skip
    amount = fields.Nested(Money, required=True)


class SaleLine(Strict):
    position = fields.Integer(required=True)
    item = fields.String(required=True, metadata={"description": "The item's short code."})
    kind = fields.String(
        required=True,
        validate=validate.OneOf(["goods", "shipping", "deposit", "part"]),
        metadata={
            "description": "shipping: what the delivery of an order cost. deposit: what is paid "
            "back with the units of the line at `of`, or for an empty. part: what is in the "
            "bundle at `of`, of which something came back alone; it is in that line's total."
        },
    )
    of = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Of a deposit: the position of the line that it came with."},
    )
    names = Texts(required=True)
    quantity = fields.Integer(required=True)
    refunded = fields.Integer(required=True, metadata={"description": "Units given back."})
    least_age = fields.Integer(
        required=True, metadata={"description": "In years, as it was then; 0: for everybody."}
    )
    price = fields.Nested(Money, required=True)
    off = fields.List(
        fields.Nested(Off),
        required=True,
        metadata={"description": "What offers and a coupon took off this line."},
    )
    total = fields.Nested(Money, required=True, metadata={"description": "With the tax."})
    tax = fields.Nested(Money, required=True)
    tax_rate = fields.String(required=True, metadata={"description": "Percent."})
    tax_included = fields.Boolean(
        required=True, metadata={"description": "false: the tax came on top of the price."}
    )
    guaranteed_until = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last day of its guarantee; null: it has none, or is no good "
                  "that was kept."},
    )  # fmt: skip


class TaxLine(Strict):
    rate = fields.String(required=True, metadata={"description": "Percent."})
    net = fields.Nested(Money, required=True)
    tax = fields.Nested(Money, required=True)
    total = fields.Nested(Money, required=True)


class Sale(Strict):
    id = fields.String(required=True)
    number = fields.String(required=True, metadata={"description": "The id as people read it."})
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={"description": "due: to be paid to the courier; cancelled: it will not be."},
    )
    channel = fields.String(required=True, validate=validate.OneOf(sales.CHANNELS))
    fulfilment = fields.String(
        required=True,
        validate=validate.OneOf(sales.FULFILMENTS),
        metadata={"description": "taken: off the shelf at once; else an order of the web."},
    )
    member = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: sold to nobody known."}
    )
    location = fields.String(required=True)
    payment = fields.Nested(ShownPayment, required=True)
    total = fields.Nested(Money, required=True)
    tax = fields.Nested(Money, required=True)
    tax_lines = fields.List(
        fields.Nested(TaxLine),
        required=True,
        metadata={"description": "By rate, the highest first; they add up to `total` and `tax`."},
    )
    refunded = fields.Nested(
        Money, required=True, metadata={"description": "What went back so far."}
    )
    lines = fields.List(fields.Nested(SaleLine), required=True)
    receipt = fields.String(required=True, metadata={"description": "The receipt's page."})
    created_at = fields.DateTime(required=True)
    refunded_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "When money went back last."}
    )


class Sales(Strict):
    sales = fields.List(fields.Nested(Sale), required=True)
    next = next_link()


class Chosen(Page):
    cursor = Cursor(r"^[0-9A-Z]{20}$")
    all = fields.Boolean(
        load_default=False, truthy={"true"}, falsy={"false"},
        metadata={"description": "Everybody's, not only one's own; needs `reports:read`."},
    )  # fmt: skip


@resource.offers(
    "POST",
    "/sales",
    scopes=("sales:write", "till"),
    body=SaleBody(),
    answers=Sale(),
    refuses=(
        payment.InsufficientFunds, payment.KeyReused, catalogue.ItemNotForSale, NotFound,
        MemberNotFound, sales.PriceRose, sales.AgeNotChecked, membership.CouponRefused,
        membership.PointsRefused, stock.OutOfStock,
        PaymentMethodUnknown, Invalid, sales.ConfirmationNeeded, pins.PinMissing, pins.PinWrong,
        TooMany,
    ),
)  # fmt: skip
def sell(body: dict[str, Any]) -> Response:
    """Buy: money moves, stock moves, and the sale stands in the member's name (a till that takes
    cash or a card may leave the member out), or nothing happens.
    The key is the purchase key: sent again it finds the same sale."""
    method = body["payment"]["method"]
    if method not in MEANS:
        raise PaymentMethodUnknown(f"There is no {method!r} here", methods=list(MEANS))
    mine = caller()
    place = stock.selling_location(body["location"])
    if "member" in body or method != "account":
        buyer_id, key = _at_till(mine, body.get("member"))
        channel, sold_by = "till", mine.member.id
    elif "sales:write" in mine.scopes:
        buyer_id, key, channel, sold_by = mine.member.id, keys.key(), "web", None
    else:
        raise ScopeMissing("A till says who buys: send member", scopes=["sales:write"])
    lines = lines_of(body["lines"])
    coupon = membership.read_code(body.get("coupon", "")) or body.get("coupon", "")
    if coupon and sold_by is None:
        guessed(coupon, mine.member.id)
    bought = sales.buy(
        sales.Buy(
            buyer_id,
            place.id,
            currency(),
            lines,
            key,
            channel,
            sold_by,
            means=method,
            is_confirmed=buyer_id is not None and identity.confirmed(buyer_id),
            coupon=coupon,
            points=body["points"],
            seen_total_minor=seen(body.get("total")),
            age_checked=catalogue.OLDEST if body["age_checked"] else 0,
        )
    )
    made = sales.receipt(bought.sale_id)
    assert made is not None
    return answer(shown_sale(made), 201, replayed=bought.repeated)


@resource.offers("GET", "/sales", scopes=("sales:read",), query=Chosen(), answers=Sales())
def listed(query: dict[str, Any]) -> Response:
    """Sales, newest first: one's own; with `all`, everybody's."""
    mine, limit = caller(), query["limit"]
    if query["all"] and "reports:read" not in mine.scopes:
        raise ScopeMissing("Everybody's sales need reports:read", scopes=["reports:read"])
    found = sales.receipts(
        member_id=None if query["all"] else mine.member.id,
        before=query.get("cursor"),
        limit=limit + 1,
    )
    shown = found[:limit]
    guarantees = warranties.of_lines([sale.id for sale in shown])
    return answer({
        "sales": [shown_sale(sale, guarantees.get(sale.id, {})) for sale in shown],
        "next": following(shown[-1].id) if len(found) > limit else None,
    })  # fmt: skip


@resource.offers(
    "GET", "/sales/<sale_id>", scopes=("sales:read",), answers=Sale(), refuses=(NotFound,)
)
def one(sale_id: str) -> Response:
    """A sale: one's own; for staff, anybody's. Not yours looks like not there."""
    member = caller().member
    anybody = identity.allows(member, "refund")
    found = sales.receipt(sale_id, None if anybody else member.id)
    if found is None:
        raise NotFound("There is no such sale")
    return answer(shown_sale(found))


def _at_till(mine: Caller, named: str | None) -> tuple[int | None, str]:
    """The member who buys, if any, and the purchase key. Raises ScopeMissing, MemberNotFound.

    A till's keys are kept apart from the shopper's own: if the two met, a till that says the number
    of a sale that the shopper had made elsewhere would be told that it is paid.
    """
    if "till" not in mine.scopes:
        raise ScopeMissing("To sell at a till needs the scope till", scopes=["till"])
    key = hashlib.sha256(f"till:{mine.member.id}:{keys.key()}".encode()).hexdigest()
    return None if named is None else find_member(named), key


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


def shown_sale(sale: sales.Receipt, guarantees: Mapping[int, date] | None = None) -> dict[str, Any]:
    """`guarantees` are the last days of those of its lines, where they were read already."""
    of = sale.currency
    if guarantees is None:
        guarantees = warranties.of_lines([sale.id]).get(sale.id, {})
    return {
        "id": sale.id,
        "number": sale.number,
        "state": sale.state,
        "channel": sale.channel,
        "fulfilment": sale.fulfilment,
        "member": sale.member_id,
        "location": sale.location_code,
        "payment": {
            "method": METHODS.get(sale.means, sale.means),
            "from_account": amount(
                sale.total_minor if sale.means == "account" else sale.account_minor, of
            ),
            "rounding": amount(sale.rounding_minor, of),
        },
        "total": amount(sale.total_minor, of),
        "tax": amount(sale.tax_minor, of),
        "tax_lines": [
            {
                "rate": percent(each.rate_bp),
                "net": amount(each.net_minor, of),
                "tax": amount(each.tax_minor, of),
                "total": amount(each.total_minor, of),
            }
            for each in sale.taxes
        ],
        "refunded": amount(sale.refunded_minor, of),
        "lines": [
            {
                "position": each.position,
                "item": each.item_code,
                "kind": each.kind,
                "of": each.of_position,
                "names": each.names,
                "quantity": each.quantity,
                "least_age": each.least_age,
                "refunded": each.quantity_refunded,
                "price": amount(each.unit_minor, of),
                "off": [{"offer": names, "amount": amount(minor, of)} for names, minor in each.off],
                "total": amount(each.total_minor, of),
                "tax": amount(each.tax_minor, of),
                "tax_rate": percent(each.tax_rate_bp),
                "tax_included": not each.on_top,
                "guaranteed_until": day.isoformat()
                if (day := guarantees.get(each.position))
                else None,
            }
            for each in sale.lines
        ],
        "receipt": web.base_url() + url_for("sales.receipt", sale_id=sale.id),
        "created_at": moment(sale.created_at),
        "refunded_at": moment(sale.refunded_at) if sale.refunded_at else None,
    }


def percent(rate_bp: int) -> str:
    return f"{rate_bp // 100}.{rate_bp % 100:02}"
