"""Sellers under one roof, as owners see them: what they are owed, and their settlements."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import catalogue, clock
from ..errors import NotFound
from ..sellers import figures
from .answers import amount, answer, currency, following, moment
from .reading import QueryWhole, Strict, line
from .resource import Resource
from .shapes import A_PAGE, MOST_A_PAGE, Cursor, Money, Texts, next_link

resource = Resource("sellers", "Sellers under one roof, and what is settled with them.")


class ShownContract(Strict):
    commission = fields.String(
        required=True, metadata={"description": "Percent of each line.", "example": "25.00"}
    )
    line_fee = fields.Nested(Money, required=True)
    fee = fields.String(
        required=True,
        metadata={"description": "Percent of payments by card or gateway that the seller bears."},
    )
    calendar = fields.String(
        required=True, metadata={"description": "days, weekly or monthly.", "example": "days"}
    )
    calendar_day = fields.Integer(required=True)


class ShownSeller(Strict):
    code = fields.String(required=True)
    names = Texts(required=True)
    active = fields.Boolean(required=True)
    items = fields.Integer(required=True, metadata={"description": "Items for sale of theirs."})
    contract = fields.Nested(ShownContract, required=True, allow_none=True)
    owed = fields.Nested(
        Money, required=True, metadata={"description": "Theirs, and in no payout yet."}
    )
    to_be_paid_out = fields.Nested(Money, required=True)


class Sellers(Strict):
    sellers = fields.List(fields.Nested(ShownSeller), required=True)


class ShownPayout(Strict):
    amount = fields.Nested(Money, required=True)
    state = fields.String(required=True, metadata={"description": "due or paid."})
    reference = fields.String(required=True, metadata={"description": "The bank's."})


class ShownSettlement(Strict):
    id = fields.String(required=True)
    seller = fields.String(required=True, metadata={"description": "The seller's code."})
    number = fields.Integer(required=True)
    until = fields.DateTime(required=True, metadata={"description": "What was sold before this."})
    state = fields.String(required=True, metadata={"description": "gathering or closed."})
    entries = fields.Integer(required=True)
    sold = fields.Nested(Money, required=True)
    returned = fields.Nested(Money, required=True)
    commission = fields.Nested(Money, required=True)
    fees = fields.Nested(Money, required=True)
    share = fields.Nested(Money, required=True)
    carried = fields.Nested(
        Money, required=True, metadata={"description": "From the one before; 0 or less."}
    )
    payout = fields.Nested(ShownPayout, required=True, allow_none=True)


class Settlements(Strict):
    settlements = fields.List(fields.Nested(ShownSettlement), required=True)
    next = next_link()


class Wanted(Strict):
    """Which settlements a list has; `cursor` is the id of one."""

    seller = fields.String(validate=line(20, 1), metadata={"description": "A seller's code."})
    cursor = Cursor(r"^[0-9A-HJKMNP-TV-Z]{20}$")
    limit = QueryWhole(load_default=A_PAGE, validate=validate.Range(1, MOST_A_PAGE))


@resource.offers("GET", "/sellers", scopes=("reports:read",), answers=Sellers())
def sellers() -> Response:
    """All sellers by code."""
    now, money = clock.now(), currency()
    return answer({
        "sellers": [_seller(one, money) for one in figures.list_sellers(now, now, money)]
    })  # fmt: skip


@resource.offers(
    "GET", "/settlements", scopes=("reports:read",), query=Wanted(), answers=Settlements(),
    refuses=(NotFound,),
)  # fmt: skip
def settlements(query: dict[str, Any]) -> Response:
    """Settlements, the newest first."""
    seller_id = catalogue.seller_with(query["seller"]).id if "seller" in query else None
    limit = query["limit"]
    found = figures.settlements(seller_id, before=query.get("cursor", ""), limit=limit + 1)
    shown = found[:limit]
    return answer({
        "settlements": [_settlement(one) for one in shown],
        "next": following(shown[-1].settlement.id) if len(found) > limit else None,
    })  # fmt: skip


@resource.offers(
    "GET", "/settlements/<settlement_id>", scopes=("reports:read",), answers=ShownSettlement(),
    refuses=(NotFound,),
)  # fmt: skip
def settlement(settlement_id: str) -> Response:
    """One settlement."""
    return answer(_settlement(figures.settlement(settlement_id)))


def _seller(one: figures.Listed, money: str) -> dict[str, Any]:
    terms = one.contract
    return {
        "code": one.seller.code, "names": one.seller.names,
        "active": one.seller.archived_at is None, "items": one.items,
        "contract": None if terms is None else {
            "commission": _percent(terms.commission_bp),
            "line_fee": amount(terms.line_fee_minor, money), "fee": _percent(terms.fee_bp),
            "calendar": terms.calendar, "calendar_day": terms.calendar_day,
        },
        "owed": amount(one.owed_minor, money),
        "to_be_paid_out": amount(one.due_minor, money),
    }  # fmt: skip


def _settlement(found: figures.Settled) -> dict[str, Any]:
    one, payout = found.settlement, found.payout
    return {
        "id": one.id, "seller": found.seller.code, "number": one.number,
        "until": moment(one.until), "state": one.state, "entries": one.entries,
        "sold": amount(one.total_minor, one.currency),
        "returned": amount(one.returned_minor, one.currency),
        "commission": amount(one.commission_minor, one.currency),
        "fees": amount(one.fee_minor, one.currency),
        "share": amount(one.share_minor, one.currency),
        "carried": amount(one.carried_minor, one.currency),
        "payout": None if payout is None else {
            "amount": amount(payout.amount_minor, payout.currency), "state": payout.state,
            "reference": payout.reference,
        },
    }  # fmt: skip


def _percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02}"
