"""How the pages of sales show a sale, and the blueprint that they are registered on."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_babel import gettext

from .. import web
from .receipts import Receipt

blueprint = Blueprint("sales", __name__)


@blueprint.app_template_global()
def means_name(means: str) -> str:
    """How a sale was paid, in the visitor's language."""
    names: dict[str, str] = {
        "account": gettext("Shop account"),
        "cash": gettext("Cash"),
        "card": gettext("Card"),
        "delivery": gettext("On delivery"),
        "simulated": gettext("Practice money"),
        "stripe": gettext("Card online (Stripe)"),
        "alipay": gettext("Alipay"),
        "wechat": gettext("WeChat Pay"),
        "paypal": "PayPal",
    }
    return names.get(means, means)


def shown_receipt(found: Receipt) -> dict[str, Any]:
    """A receipt as the templates take it: names in the visitor's language."""
    return {
        "id": found.id, "number": found.number, "state": found.state, "channel": found.channel,
        "currency": found.currency, "total_minor": found.total_minor,
        "tax_minor": found.tax_minor, "paid_at": found.created_at,
        "refunded_minor": found.refunded_minor, "kept_pieces": found.kept_pieces,
        "refunds": [
            {"id": refund.id, "total_minor": refund.total_minor, "reason": refund.reason,
             "at": refund.created_at, "pieces": sum(many for _, many in refund.units)}
            for refund in found.refunds
        ],
        "location_id": found.location_id, "location_name": found.location_name,
        "means": means_name(found.means), "by": found.means, "sold_by": found.sold_by,
        "member_id": found.member_id, "pieces": found.pieces, "fulfilment": found.fulfilment,
        "lines": [
            {
                "position": line.position, "name": web.in_language(line.names),
                "quantity": line.quantity, "kept": line.kept,
                "unit_minor": line.unit_minor, "total_minor": line.total_minor,
                "picture": line.picture, "kind": line.kind,
            }
            for line in found.lines
        ],
    }  # fmt: skip
