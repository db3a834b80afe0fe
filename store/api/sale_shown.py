"""A sale as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import url_for
from marshmallow import fields, validate

from .. import sales, web
from ..payment import on_delivery
from ..sales.returns import warranties
from .answers import amount, moment
from .reading import Strict
from .shapes import Money, Texts

METHODS = {on_delivery.MEANS: "cash_on_delivery"}
"""What means of paying are called here, where it is another name than in the books."""
STATES = ("due", "paid", "part_refunded", "refunded", "cancelled")


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
