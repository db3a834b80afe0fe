"""The blueprint of payment, its views are in several files; and what its pages call a provider."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import gettext

blueprint = Blueprint("payment", __name__)


@blueprint.app_template_global()
def gateway_name(gateway: str) -> str:
    """A provider's name, in the visitor's language."""
    names: dict[str, str] = {
        "simulated": gettext("Practice money"),
        "stripe": "Stripe",
        "alipay": gettext("Alipay"),
        "wechat": gettext("WeChat Pay"),
        "paypal": "PayPal",
        "unionpay": gettext("UnionPay"),
        "bank": gettext("Bank transfer"),
    }
    return names.get(gateway, gateway)
