"""Refunds: a whole sale goes back, or some units of it, made by staff."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import catalogue, identity, payment, sales
from ..errors import Forbidden, Invalid, NotFound
from ..payment.paybacks import PaymentDisputed
from ..sales.refunds import approvals
from ..sales.refunds.refund_limits import ApprovalNeeded
from . import keys
from .access import caller
from .answers import amount, answer, moment
from .reading import Strict, line
from .sale_asked import MOST_LINES, MOST_PIECES, MOST_POSITIONS, InBundle, find_item
from .sales import resource
from .shapes import Money, whole

__all__ = ["Destination", "part_of", "resource"]


class RefundUnits(Strict):
    position = whole(1, MOST_POSITIONS, required=True)
    quantity = whole(1, MOST_PIECES, required=True)
    item = InBundle()


def part_of(units: dict[str, Any]) -> sales.Part:
    """Units as the request says them. Raises ItemNotForSale."""
    item_id = find_item(units["item"]) if "item" in units else None
    return sales.Part(units["position"], units["quantity"], item_id)


def Destination() -> fields.String:  # noqa: N802 - It is used as a field.
    """Where money goes."""
    return fields.String(
        load_default="source",
        validate=validate.OneOf(["source", "account"]),
        metadata={"description": "Where the money goes: back to where it came from (what that "
                  "cannot take back any more, to the account), or all of it to the member's "
                  "account."},
    )  # fmt: skip


class RefundBody(Strict):
    reason = fields.String(load_default="", validate=line(200))
    lines = fields.List(
        fields.Nested(RefundUnits),
        validate=validate.Length(1, MOST_LINES),
        metadata={"description": "Which units go back, by line; without it, all that are left."},
    )
    to = Destination()


class RefundLine(Strict):
    position = fields.Integer(required=True)
    quantity = fields.Integer(required=True)


class Refund(Strict):
    id = fields.String(required=True)
    sale = fields.String(required=True)
    total = fields.Nested(Money, required=True)
    tax = fields.Nested(Money, required=True)
    to_account = fields.Nested(
        Money,
        required=True,
        metadata={"description": "What of it went to the account though other means had paid."},
    )
    rounding = fields.Nested(
        Money,
        required=True,
        metadata={"description": "What is given in cash above the rest; below zero: less."},
    )
    reason = fields.String(required=True)
    lines = fields.List(fields.Nested(RefundLine), required=True)
    created_at = fields.DateTime(required=True)


@resource.offers(
    "POST",
    "/sales/<sale_id>/refunds",
    scopes=("sales:write",),
    body=RefundBody(),
    answers=Refund(),
    refuses=(
        NotFound,
        sales.NotRefundable,
        sales.OnItsWay,
        sales.NotSoManyLeft,
        Invalid,
        catalogue.ItemNotForSale,
        payment.KeyReused,
        PaymentDisputed,
        ApprovalNeeded,
        approvals.RefundWaits,
        approvals.RequestOver,
    ),
)
def refund(sale_id: str, body: dict[str, Any]) -> Response:
    """Give back the whole sale or some units of it, for staff: the money to where it came from,
    the goods to the shelf. Above the shop's limit nothing goes back: it waits for a colleague."""
    member = caller().member
    if not identity.allows(member, "refund"):
        raise Forbidden("Refunds are made by staff", permission="refund")

    parts = [part_of(units) for units in body["lines"]] if "lines" in body else None

    def give_back() -> dict[str, Any]:
        refund_id = sales.give_back(sale_id, made_by=member.id, reason=body["reason"], parts=parts,
                                     to_account=body["to"] == "account")  # fmt: skip
        sale = sales.receipt(sale_id)
        assert sale is not None
        made = next(each for each in sale.refunds if each.id == refund_id)
        return {
            "id": refund_id, "sale": sale.id, "total": amount(made.total_minor, sale.currency),
            "tax": amount(made.tax_minor, sale.currency),
            "to_account": amount(made.account_minor, sale.currency),
            "rounding": amount(made.rounding_minor, sale.currency), "reason": made.reason,
            "lines": [{"position": unit[0], "quantity": unit[1]} for unit in made.units],
            "created_at": moment(made.created_at),
        }  # fmt: skip

    asked = body | {"sale": sale_id}
    wanted = approvals.Wanted(sale_id[:20], member.id, keys.key(), body["reason"], parts,
                              body["to"] == "account")  # fmt: skip
    with approvals.asking(wanted):
        made, replayed = keys.once(member.id, "sales.refunds", asked, give_back)
    return answer(made, 201, replayed=replayed)
