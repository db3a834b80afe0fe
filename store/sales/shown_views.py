"""How the pages of sales show a sale, and the blueprint that they are registered on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask import Blueprint
from flask_babel import format_date, gettext

from .. import catalogue, membership, money, web
from ..payment import paybacks
from .receipts.receipts import Receipt, ReceiptLine

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
        "unionpay": gettext("UnionPay"),
        "bank": gettext("Bank transfer"),
    }
    return names.get(means, means)


def _shown_line(line: ReceiptLine) -> dict[str, Any]:
    return {
        "position": line.position, "name": web.in_language(line.names), "quantity": line.quantity,
        "kept": line.kept, "back": line.quantity_refunded, "unit_minor": line.unit_minor,
        "total_minor": line.total_minor, "priced_minor": line.priced_minor,
        "picture": line.picture, "kind": line.kind, "off": shown_off(line.off),
    }  # fmt: skip


def shown_off(off: Iterable[tuple[dict[str, str], int]]) -> list[tuple[str, int]]:
    """What was taken off a line, in the visitor's language."""
    return [(web.in_language(names), amount) for names, amount in off]


@blueprint.app_template_global()
def full_date(day: date) -> str:
    """A date in full, in the visitor's language."""
    return str(format_date(day, gettext("d MMMM y")))


@blueprint.app_template_global()
def full_month(first: date) -> str:
    """A month with its year, by its first day."""
    return str(format_date(first, "LLLL y" if web.language() == "en" else "y年M月", rebase=False))


@blueprint.app_template_global()
def why_not(data: Mapping[str, Any]) -> str:
    """Why a coupon takes nothing off, for the shopper."""
    why = data.get("why", "")
    if why == "too_little":
        least = money.show(data["least_minor"], data["currency"], web.language())
        return str(gettext("This coupon holds for goods of %(amount)s or more.", amount=least))
    says: dict[str, str] = {
        "unknown": gettext("There is no such coupon."),
        "over": gettext("This coupon is over."),
        "not_yet": gettext("This coupon does not hold yet."),
        "used_up": gettext("This coupon has been used."),
        "used_by_you": gettext("You have used this coupon."),
        "not_yours": gettext("This coupon is another member’s own."),
        "not_here": gettext("This coupon does not hold here."),
        "not_now": gettext("This coupon does not hold at this time."),
        "members": gettext("This coupon is for members. Please sign in."),
        "first": gettext("This coupon is for a first purchase."),
        "tier": gettext("This coupon is for members of a higher tier."),
    }
    return str(says.get(why, gettext("This coupon does not hold for this.")))


@blueprint.app_template_global()
def offers_in_force() -> bool:
    """Whether any offer is open, or was lately: a till without a network knows of none."""
    return membership.any_open()


def contents_of(found: Receipt) -> dict[int, list[tuple[str, int, int]]]:
    """What is in the bundles of a sale, by the line's position: names, how many pieces, how many of
    them were given back out of it."""
    bundles = {line.item_id for line in found.lines if line.is_bundle}
    if not bundles:
        return {}
    back: dict[tuple[int | None, int], int] = {}
    for line in found.lines:
        if line.kind == "part":
            key = (line.of_position, line.item_id)
            back[key] = back.get(key, 0) + line.quantity_refunded
    parts = catalogue.parts_of(bundles)
    return {
        line.position: [
            (web.in_language(part.names), part.quantity * line.quantity,
             back.get((line.position, part.item_id), 0))
            for part in parts.get(line.item_id, ())
        ]
        for line in found.lines
        if line.is_bundle
    }  # fmt: skip


def shown_receipt(found: Receipt) -> dict[str, Any]:
    """A receipt as the templates take it: names in the visitor's language."""
    return {
        "id": found.id, "number": found.number, "state": found.state, "channel": found.channel,
        "currency": found.currency, "total_minor": found.total_minor,
        "tax_minor": found.tax_minor, "on_top_minor": found.on_top_minor,
        "taxes": found.taxes, "paid_at": found.created_at,
        "refunded_minor": found.refunded_minor, "kept_pieces": found.kept_pieces,
        "least_age": found.least_age,
        "refunds": [
            {"id": refund.id, "total_minor": refund.total_minor, "reason": refund.reason,
             "account_minor": refund.account_minor, "rounding_minor": refund.rounding_minor,
             "given_minor": refund.given_minor, "at": refund.created_at,
             "pieces": sum(unit[1] for unit in refund.units)}
            for refund in found.refunds
        ],
        "location_id": found.location_id, "location_name": found.location_name,
        "means": means_name(found.means), "by": found.means,
        "paid": [(means_name(means), minor) for means, minor in found.paid],
        "source_takes_back": not paybacks.too_old(found.means, found.created_at),
        "sold_by": found.sold_by, "member_id": found.member_id, "pieces": found.pieces,
        "fulfilment": found.fulfilment,
        "lines": [_shown_line(line) for line in found.lines if line.kind != "part"],
        "of_bundles": [_shown_line(line) for line in found.lines if line.kind == "part"],
        "contents": contents_of(found),
    }  # fmt: skip
