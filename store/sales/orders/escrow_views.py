"""Pages of money that is held for orders: the shopper's word on it, and the owner's decisions."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import forms as fields
from ... import identity, web
from ...errors import Invalid
from ...payment import escrow
from .. import forms
from ..receipts.receipts import Receipt, receipt
from ..shown_views import blueprint
from . import receiving

DECISIONS = ("release", "refund")
MOST_LINES = 200


@blueprint.app_template_global()
def held_money(sale_id: str) -> dict[str, Any] | None:
    """What the page of an order says of its money; None where none was ever held."""
    found = escrow.find(sale_id)
    if found is None:
        return None
    return {"it": found, "said": escrow.complaint(sale_id)}


@blueprint.post("/sales/<sale_id>/received", endpoint="received")
def say_received(sale_id: str) -> ResponseReturnValue:
    """I have it, and it is as it should be."""
    receiving.received(sale_id, identity.signed_in().id)
    flash(gettext("Thank you. The shop has its money now."), "good")
    return redirect(url_for("sales.receipt", sale_id=sale_id), 303)


@blueprint.post("/sales/<sale_id>/complaints", endpoint="complain")
def say_wrong(sale_id: str) -> ResponseReturnValue:
    """Something is wrong with it."""
    member = identity.signed_in()
    lines = [_position(value) for value in request.form.getlist("line")[:MOST_LINES]]
    reason = fields.text("reason", least=1, most=300)
    receiving.complain(sale_id, member.id, reason, lines)
    flash(gettext("The shop looks at it. Your money is held until it has decided."), "good")
    return redirect(url_for("sales.receipt", sale_id=sale_id), 303)


@blueprint.get("/owner/held", endpoint="held")
@identity.needs("manage_delivery")
def show_held() -> str:
    """What is held, since when, and until when; what must be decided comes first."""
    found, decided = escrow.waiting(), escrow.decided_lately()
    people = {one.member_id for one, _ in [*found, *decided]}
    sales = {one.sale_id: receipt(one.sale_id) for one, said in found if said is not None}
    return render_template(
        "sales/held.html", held=found, decided=decided, who=identity.names_of(people),
        lines={sale_id: _lines(sale) for sale_id, sale in sales.items() if sale is not None},
        total_minor=escrow.total_held(forms.currency()), currency=forms.currency(),
        days=escrow.days(),
    )  # fmt: skip


@blueprint.post("/owner/held/<sale_id>/decisions")
@identity.needs("manage_delivery")
def decide_complaint(sale_id: str) -> ResponseReturnValue:
    """Release the money, or give back what these units cost, or all of it; with a note."""
    decision = fields.choice("decision", (*DECISIONS, "refund_all"))
    note = fields.text("note", least=1, most=200)
    parts = forms.parts() if decision == "refund" else None
    if decision == "refund" and not parts:
        raise Invalid("Say how many of which line are given back", field="quantity")
    receiving.decide(
        sale_id, "release" if decision == "release" else "refund",
        made_by=identity.signed_in().id, note=note, parts=parts,
    )  # fmt: skip
    flash(gettext("Decided. The shopper sees it with the order."), "good")
    return redirect(url_for("sales.held"), 303)


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Invalid("The sale has no such line", field="line")
    return int(text)


def _lines(sale: Receipt) -> list[dict[str, Any]]:
    """What can be given back of an order: goods, and the delivery."""
    return [
        {"position": line.position, "name": web.in_language(line.names), "kept": line.kept}
        for line in sale.lines
        if line.kind in ("goods", "shipping") and line.kept
    ]
