"""Refunds: a whole sale goes back, made by staff."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from .. import identity, payment, sales
from ..errors import Forbidden, NotFound
from . import keys
from .access import caller
from .answers import amount, answer, moment
from .reading import Strict, line
from .sales import resource
from .shapes import Money

__all__ = ["resource"]


class RefundBody(Strict):
    reason = fields.String(load_default="", validate=line(200))


class Refund(Strict):
    id = fields.String(required=True)
    sale = fields.String(required=True)
    total = fields.Nested(Money, required=True)
    tax = fields.Nested(Money, required=True)
    reason = fields.String(required=True)
    created_at = fields.DateTime(required=True)


@resource.offers(
    "POST",
    "/sales/<sale_id>/refunds",
    scopes=("sales:write",),
    body=RefundBody(),
    answers=Refund(),
    refuses=(NotFound, sales.NotRefundable, payment.KeyReused),
)
def refund(sale_id: str, body: dict[str, Any]) -> Response:
    """Give back the whole sale, for staff: the money to the account, the goods to the shelf."""
    member = caller().member
    if not identity.allows(member, "refund"):
        raise Forbidden("Refunds are made by staff", permission="refund")

    def give_back() -> dict[str, Any]:
        refund_id = sales.give_back(sale_id, made_by=member.id, reason=body["reason"])
        sale = sales.receipt(sale_id)
        assert sale is not None and sale.refunded_at is not None
        return {
            "id": refund_id, "sale": sale.id, "total": amount(sale.total_minor, sale.currency),
            "tax": amount(sale.tax_minor, sale.currency), "reason": body["reason"],
            "created_at": moment(sale.refunded_at),
        }  # fmt: skip

    asked = body | {"sale": sale_id}
    made, replayed = keys.once(member.id, "sales.refunds", asked, give_back)
    return answer(made, 201, replayed=replayed)
