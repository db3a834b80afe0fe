"""Returns: units of a sale on their way back, and staff who take them in."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import catalogue, identity, payment, sales, stock
from ..errors import Forbidden, Invalid, NotFound
from ..sales.refunds import approvals
from ..sales.refunds.refund_limits import ApprovalNeeded
from ..sales.returns import hand_ins, returnable, returns
from ..sales.returns.return_models import REASONS, WAYS
from . import keys
from .access import caller
from .answers import amount, answer, moment
from .reading import Strict, line
from .refunds import Destination, RefundUnits, part_of
from .resource import Resource
from .sale_asked import MOST_LINES
from .shapes import Money, Nothing

resource = Resource("returns", "Goods on their way back: declared, taken in, paid back.")


_WHY = {"description": "What reports count it by; empty where nothing was said."}


class ReturnBody(Strict):
    lines = fields.List(
        fields.Nested(RefundUnits), required=True, validate=validate.Length(1, MOST_LINES)
    )
    way = fields.String(required=True, validate=validate.OneOf(WAYS))
    why = fields.String(load_default="", validate=validate.OneOf(("", *REASONS)), metadata=_WHY)
    reason = fields.String(load_default="", validate=line(200))
    address = fields.String(
        load_default="",
        validate=line(300),
        metadata={"description": "Where it is picked up; must be said with `pick_up`."},
    )
    to = Destination()


class ReturnLine(Strict):
    position = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    received = fields.Integer(required=True)


class Return(Strict):
    id = fields.String(required=True)
    sale = fields.String(required=True)
    code = fields.String(
        required=True, metadata={"description": "What is shown at a shop or written on a parcel."}
    )
    way = fields.String(required=True, validate=validate.OneOf(WAYS))
    state = fields.String(
        required=True,
        validate=validate.OneOf(["declared", "part_received", "received", "cancelled"]),
    )
    why = fields.String(required=True, metadata=_WHY)
    reason = fields.String(required=True)
    to = fields.String(required=True, validate=validate.OneOf(["source", "account"]))
    lines = fields.List(fields.Nested(ReturnLine), required=True)
    created_at = fields.DateTime(required=True)


class DecidedUnits(RefundUnits):
    decision = fields.String(required=True, validate=validate.OneOf(hand_ins.DECISIONS))


class HandInBody(Strict):
    location = fields.String(required=True, validate=line(32, 1))
    decisions = fields.List(
        fields.Nested(DecidedUnits), required=True, validate=validate.Length(1, MOST_LINES)
    )
    id = fields.String(
        validate=line(20, 1),
        metadata={"description": "The return that was declared; without it, one is opened here."},
    )
    why = fields.String(load_default="", validate=validate.OneOf(("", *REASONS)), metadata=_WHY)
    note = fields.String(load_default="", validate=line(200))
    to = Destination()
    although = fields.String(
        validate=line(200, 1),
        metadata={"description": "Why it is taken back although the rules say no."},
    )


class HandIn(Strict):
    id = fields.String(required=True, metadata={"description": "The return's id."})
    refund = fields.String(required=True)
    total = fields.Nested(Money, required=True, metadata={"description": "What went back."})


@resource.offers(
    "POST",
    "/sales/<sale_id>/returns",
    scopes=("sales:write",),
    body=ReturnBody(),
    answers=Return(),
    refuses=(
        NotFound, Invalid, sales.NotRefundable, sales.OnItsWay, returns.NotReturnable,
        returns.ReturnTooLate, sales.NotSoManyLeft, catalogue.ItemNotForSale, payment.KeyReused,
    ),
)  # fmt: skip
def declare(sale_id: str, body: dict[str, Any]) -> Response:
    """Say what of one's own sale comes back; the answer has the code to show. No money moves until
    the goods are there."""
    member = caller().member

    def act() -> dict[str, Any]:
        parts = [part_of(units) for units in body["lines"]]
        wish = returns.Wish(sale_id, parts, body["way"], body["reason"], keys.key(),
                            body["address"], body["to"] == "account", body["why"])  # fmt: skip
        return _shown(returns.declare_own(member.id, wish), member)

    asked = body | {"sale": sale_id}
    made, replayed = keys.once(member.id, "returns", asked, act)
    return answer(made, 201, replayed=replayed)


@resource.offers(
    "GET", "/returns/<return_id>", scopes=("sales:read",), answers=Return(), refuses=(NotFound,)
)
def one(return_id: str) -> Response:
    """A return: one's own; for staff, anybody's."""
    return answer(_shown(return_id, caller().member))


@resource.offers(
    "POST",
    "/returns/<return_id>/cancellations",
    scopes=("sales:write",),
    body=Nothing(),
    answers=Return(),
    refuses=(NotFound, returns.ReturnOver, payment.KeyReused),
)
def cancel(return_id: str, body: dict[str, Any]) -> Response:
    """What has not arrived is not coming back after all."""
    member = caller().member
    _shown(return_id, member)

    def act() -> dict[str, Any]:
        returns.cancel_in(return_id, None if identity.allows(member, "refund") else member.id)
        return _shown(return_id, member)

    made, replayed = keys.once(member.id, "returns.cancel", {"return": return_id}, act)
    return answer(made, 201, replayed=replayed)


@resource.offers(
    "POST",
    "/sales/<sale_id>/hand-ins",
    scopes=("sales:write",),
    body=HandInBody(),
    answers=HandIn(),
    refuses=(
        NotFound, Invalid, sales.NotRefundable, sales.OnItsWay, returns.NotReturnable,
        returns.ReturnTooLate, returns.ReturnOver, sales.NotSoManyLeft, catalogue.ItemNotForSale,
        payment.KeyReused, ApprovalNeeded, approvals.RefundWaits, approvals.RequestOver,
    ),
)  # fmt: skip
def hand_in(sale_id: str, body: dict[str, Any]) -> Response:
    """Units are here, for staff: each for sale again at this location, in quarantine, or scrapped;
    exactly what was paid for them goes back to where it came from. Above the shop's limit it
    waits for a colleague, with the goods in your hands."""
    member = caller().member
    if not identity.allows(member, "refund"):
        raise Forbidden("Goods are taken back by staff", permission="refund")
    here = stock.selling_location(body["location"])
    although = body.get("although")
    asked = hand_ins.HandIn(
        sale_id, here.id, member.id, [_decision(each) for each in body["decisions"]],
        keys.key(), note=body["note"], return_id=body.get("id"),
        override=returns.Override(member.id, although) if although else None,
        to_account=body["to"] == "account", why=body["why"],
    )  # fmt: skip

    def act() -> dict[str, Any]:
        received = hand_ins.take_in(asked)
        sale = sales.receipt(sale_id)
        assert sale is not None
        return {
            "id": received.return_id, "refund": received.refund_id,
            "total": amount(received.total_minor, sale.currency),
        }  # fmt: skip

    with approvals.asking(approvals.handed_in(asked)):
        made, replayed = keys.once(member.id, "hand-ins", body | {"sale": sale_id}, act)
    return answer(made, 201, replayed=replayed)


def _decision(units: dict[str, Any]) -> hand_ins.Decision:
    position, many, item_id = part_of(units)
    return hand_ins.Decision(position, many, units["decision"], item_id)


def _shown(return_id: str, member: identity.Visitor) -> dict[str, Any]:
    found = returnable.one(return_id)
    if found is None or (found.member_id != member.id and not identity.allows(member, "refund")):
        raise NotFound("There is no such return")
    return {
        "id": found.id, "sale": found.sale_id, "code": found.number, "way": found.way,
        "state": found.state, "why": found.why, "reason": found.reason,
        "created_at": moment(found.created_at),
        "to": "account" if found.to_account else "source",
        "lines": [
            {"position": each.position, "quantity": each.quantity, "received": each.received}
            for each in found.lines
        ],
    }  # fmt: skip
