"""Sales: buying, for oneself or at a till, and what was bought."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response
from marshmallow import fields

from .. import catalogue, identity, membership, payment, sales, stock
from ..errors import Invalid, NotFound, TooMany
from ..identity import pins
from ..sales.basket.coupon_guesses import guessed
from ..sales.returns import warranties
from . import keys
from .access import Caller, ScopeMissing, caller
from .answers import answer, currency, following
from .reading import Strict
from .resource import Resource
from .sale_asked import (
    MEANS,
    MemberNotFound,
    PaymentMethodUnknown,
    SaleBody,
    find_member,
    lines_of,
    seen,
)
from .sale_shown import Sale, shown_sale
from .shapes import Cursor, Page, next_link

resource = Resource("sales", "Sales in a member's name: made, listed, given back.")


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
