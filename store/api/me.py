"""Me: the member whose token it is, and every posting of their account."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import identity, payment
from .access import caller
from .answers import amount, answer, currency, following, moment
from .reading import Strict
from .resource import Resource
from .shapes import Money, Page, next_link

resource = Resource("me", "The member of the token, their balance and their statement.")


class Me(Strict):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(["shopper", "staff", "owner"]))
    language = fields.String(required=True, allow_none=True)
    scopes = fields.List(fields.String(), required=True)
    balance = fields.Nested(Money, required=True)


class Transfer(Strict):
    id = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    reason = fields.String(required=True, metadata={"description": "charge, refund, top_up, …"})
    change = fields.Nested(Money, required=True)
    balance = fields.Nested(Money, required=True)
    sale = fields.String(required=True, allow_none=True)


class Transfers(Strict):
    transfers = fields.List(fields.Nested(Transfer), required=True)
    next = next_link()


@resource.offers("GET", "/me", scopes=("account:read",), answers=Me())
def me() -> Response:
    """Who this token speaks for, what it may do, and what the account holds."""
    member, scopes = caller()
    return answer({
        "id": member.id,
        "name": identity.names_of([member.id]).get(member.id, ""),
        "role": member.role,
        "language": member.language,
        "scopes": sorted(scopes),
        "balance": amount(payment.balance_of(member.id, currency()), currency()),
    })  # fmt: skip


@resource.offers(
    "GET", "/me/transfers", scopes=("account:read",), query=Page(), answers=Transfers()
)
def transfers(query: dict[str, Any]) -> Response:
    """Everything that changed the account, newest first, with the balance after it."""
    limit = query["limit"]
    found = payment.statement(
        caller().member.id,
        currency(),
        before=int(query.get("cursor", 0)) or None,
        limit=limit + 1,
    )
    shown = found[:limit]
    return answer({
        "transfers": [
            {
                "id": posting.id,
                "at": moment(posting.at),
                "reason": posting.reason,
                "change": amount(posting.amount_minor, currency()),
                "balance": amount(posting.balance_minor, currency()),
                "sale": posting.sale_id,
            }
            for posting in shown
        ],
        "next": following(shown[-1].id) if len(found) > limit else None,
    })  # fmt: skip
