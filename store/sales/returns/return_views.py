"""Pages for a shopper who brings something back: what, why and how; then a code to show."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ... import (
    catalogue,
    identity,
    ids,
    web,
)
from ... import forms as fields
from ...errors import Invalid, NotFound
from ...labels import qr
from .. import forms
from ..basket import basket
from ..receipts.receipts import Receipt, receipt
from ..shown_views import blueprint, shown_receipt
from . import returnable
from .return_models import REASONS, WAYS
from .returns import Wish, cancel, declare


@blueprint.get("/sales/<sale_id>/returns")
def returns(sale_id: str) -> str:
    """What of this receipt may come back, and the returns that there are."""
    sale = _mine(sale_id)
    return render_template(
        "sales/returns.html", sale=shown_receipt(sale), key=ids.new(), ways=WAYS,
        lines=shown_lines(sale),
        known=returnable.of_sale(sale.id), basket_count=basket.pieces(forms.holder()),
    )  # fmt: skip


@blueprint.post("/sales/<sale_id>/returns")
def declare_return(sale_id: str) -> ResponseReturnValue:
    """These units come back this way; the answer is the page with the code."""
    member, parts = identity.signed_in(), forms.parts()
    if not parts:
        raise Invalid("Say what comes back", field="quantity")
    wish = Wish(
        sale_id, parts, fields.choice("way", WAYS), fields.text("reason", most=200),
        forms.purchase_key(), fields.text("address", most=300),
        forms.to_account(), fields.choice("why", ("", *REASONS), ""),
    )  # fmt: skip
    made = declare(member.id, wish)
    return redirect(url_for("sales.one_return", sale_id=sale_id, return_id=made), 303)


@blueprint.get("/sales/<sale_id>/returns/<return_id>")
def one_return(sale_id: str, return_id: str) -> str:
    """A return with its code, and what became of it."""
    sale, found = _mine(sale_id), returnable.one(return_id)
    if found is None or found.sale_id != sale.id:
        raise NotFound("There is no such return")
    address = f"{web.base_url()}{url_for('sales.hand_ins')}?code={found.code}"
    return render_template(
        "sales/return.html", sale=shown_receipt(sale), known=found,
        picture=Markup(qr.svg(qr.matrix(address))) if found.is_open else None,  # noqa: S704
        basket_count=basket.pieces(forms.holder()),
    )  # fmt: skip


@blueprint.post("/sales/<sale_id>/returns/<return_id>/cancellation")
def cancel_return(sale_id: str, return_id: str) -> ResponseReturnValue:
    """What has not arrived stays with the shopper after all."""
    cancel(return_id, identity.signed_in().id)
    return redirect(url_for("sales.one_return", sale_id=sale_id, return_id=return_id), 303)


def shown_lines(sale: Receipt) -> list[dict[str, Any]]:
    """The lines of a sale as the pages of returns show them."""
    bundles = {line.position: web.in_language(line.names) for line in sale.lines}
    return [_shown(line, bundles) for line in returnable.returnable(sale)]


def _shown(found: returnable.Returnable, bundles: dict[int, str]) -> dict[str, Any]:
    line = found.line
    return {
        "position": line.position, "name": web.in_language(line.names), "picture": line.picture,
        "code": line.item_code, "quantity": line.quantity, "left": found.left,
        "unit_minor": line.unit_minor, "days": found.rule.days, "opened": found.rule.opened,
        "until": found.until, "why_not": found.why_not,
        "of": bundles.get(line.of_position or 0, ""),
        "inside": [
            {"item_id": part.item_id, "name": web.in_language(part.names), "left": part.left,
             "why_not": part.why_not}
            for part in found.inside
            if part.left
        ],
    }  # fmt: skip


def receipt_rules(sale: Receipt) -> dict[str, Any]:
    """What a receipt says about returns: until when the goods are taken back, and the names of
    those that are not or only unopened. One statement."""
    rules = catalogue.rules_at([line.item_id for line in sale.lines], sale.created_at)
    days = [rules[line.item_id].days for line in sale.lines if rules[line.item_id].days]
    return {
        "until": sale.created_at + timedelta(days=min(days)) if days else None,
        "differ": len(set(days)) > 1,
        "never": [web.in_language(line.names) for line in sale.lines
                  if not rules[line.item_id].days],
        "unopened": [web.in_language(line.names) for line in sale.lines
                     if rules[line.item_id].days and not rules[line.item_id].opened],
        "warranties": _warranties(sale, rules),
    }  # fmt: skip


def _warranties(sale: Receipt, rules: dict[int, catalogue.Rule]) -> list[tuple[date, list[str]]]:
    """Until when which goods of a receipt have a guarantee, the longest first: those that were not
    given back; deposits and delivery are no goods."""
    found: dict[date, list[str]] = {}
    for line in sale.lines:
        is_kept = line.quantity > line.quantity_refunded + line.quantity_opened
        if not is_kept or line.kind not in ("goods", "part"):
            continue
        months = rules[line.item_id].warranty_months
        if day := catalogue.warranty_until(sale.created_at, months):
            found.setdefault(day, []).append(web.in_language(line.names))
    return sorted(found.items(), reverse=True)


def _mine(sale_id: str) -> Receipt:
    found = receipt(sale_id, identity.signed_in().id)
    if found is None:
        raise NotFound("There is no such receipt")
    return found
