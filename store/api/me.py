"""Me: the member whose token it is, and every posting of their account."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import identity, payment
from ..errors import Invalid
from ..membership import points, tiers
from ..payment import statements
from .access import caller
from .answers import amount, answer, currency, following, moment
from .reading import Strict
from .resource import Resource
from .shapes import Cursor, Money, Page, Texts, next_link

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


class TransfersPage(Page):
    """The cursor says what the account held there, signed: nothing is added up again for it. One
    that is only the number of a transfer was given out before there were those."""

    cursor = Cursor(r"^[1-9][0-9]{0,14}(\.[0-9]{1,16}\.[0-9A-Z]{16})?$")


class Transfers(Strict):
    transfers = fields.List(fields.Nested(Transfer), required=True)
    next = next_link()


class PointEntry(Strict):
    id = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    kind = fields.String(required=True, metadata={"description": "earned, taken_back, spent, …"})
    points = fields.Integer(required=True, metadata={"description": "Below zero: they went."})
    sale = fields.String(required=True, allow_none=True)
    expires_at = fields.DateTime(required=True, allow_none=True)


class Tier(Strict):
    names = Texts(required=True, metadata={"description": "By language; empty below the first."})
    free_delivery = fields.Boolean(
        required=True, metadata={"description": "Orders are delivered for nothing."}
    )
    next_names = Texts(required=True, metadata={"description": "Of the next tier, if any."})
    missing = fields.Nested(
        Money, required=True, allow_none=True,
        metadata={"description": "How much more the next tier takes, where tiers go by spending."},
    )  # fmt: skip
    missing_points = fields.Integer(required=True, allow_none=True)


class Points(Strict):
    points = fields.Integer(
        required=True,
        metadata={"description": "What the member has; below zero, the next ones make up for it."},
    )
    tier = fields.Nested(
        Tier, required=True, allow_none=True, metadata={"description": "Null without tiers."}
    )
    entries = fields.List(fields.Nested(PointEntry), required=True)
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
    "GET", "/me/transfers", scopes=("account:read",), query=TransfersPage(), answers=Transfers(),
    refuses=(Invalid,),
)  # fmt: skip
def transfers(query: dict[str, Any]) -> Response:
    """Everything that changed the account, newest first, with the balance after it."""
    limit, member_id = query["limit"], caller().member.id
    before, held = _cursor(query.get("cursor", ""), member_id)
    found = payment.statement(
        member_id, currency(), before=before, limit=limit + 1, held_minor=held
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
        "next": following(_next(found[limit - 1 :], member_id)) if len(found) > limit else None,
    })  # fmt: skip


def _cursor(text: str, member_id: int) -> tuple[int | None, int | None]:
    """Before which transfer the page begins, and what the account held then, if that is said.
    Raises Invalid where we have not signed it."""
    if text.isdigit() or not text:
        return int(text or 0) or None, None
    mark = statements.mark_of(text, member_id, currency())
    if mark is None:
        raise Invalid("Was not made by this shop.", field="cursor")
    return mark


def _next(last_two: list[statements.Posting], member_id: int) -> str:
    mark = statements.Mark(last_two[0].id, last_two[1].balance_minor)
    return statements.text_of(mark, member_id, currency())


@resource.offers("GET", "/me/points", scopes=("account:read",), query=Page(), answers=Points())
def my_points(query: dict[str, Any]) -> Response:
    """What the member has in points, and how they came and went, newest first."""
    limit, member_id = query["limit"], caller().member.id
    before = int(query.get("cursor", 0)) or None
    found = points.statement(member_id, before=before, limit=limit + 1)
    shown = found[:limit]
    return answer({
        "points": points.balance_of(member_id).points,
        "tier": _tier(member_id),
        "entries": [
            {
                "id": one.id, "at": moment(one.at), "kind": one.kind, "points": one.points,
                "sale": one.sale_id,
                "expires_at": moment(one.expires_at) if one.expires_at else None,
            }
            for one in shown
        ],
        "next": following(shown[-1].id) if len(found) > limit else None,
    })  # fmt: skip


def _tier(member_id: int) -> dict[str, Any] | None:
    plan = tiers.now()
    if plan is None:
        return None
    mine = tiers.standing_of(member_id, plan)
    is_money = plan.basis == "spending"
    return {
        "names": mine.tier.names if mine.tier else {},
        "free_delivery": bool(mine.plan.free_delivery([one.key for one in mine.reached])),
        "next_names": mine.following.names if mine.following else {},
        "missing": amount(mine.missing, plan.currency) if is_money else None,
        "missing_points": None if is_money else mine.missing,
    }  # fmt: skip
