"""Pages for staff: sales, one sale, and giving its money back."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms as fields
from .. import identity, ids, logbook
from ..errors import NotFound
from ..payment.on_delivery import due_of
from . import forms
from .approval_views import told
from .approvals import Wanted, asking
from .receipts import Receipt, receipt, receipts
from .refund_limits import ApprovalNeeded
from .refunds import refund as give_back
from .rounding import tendered
from .shown_views import blueprint, shown_receipt

PAGE = 50


@blueprint.get("/desk/sales")
@identity.needs("refund")
def desk_sales() -> str:
    """The newest sales; `q` finds one by the end of its receipt's number."""
    query = request.args.get("q", "")[:30]
    before = request.args.get("before", "")[:20]
    found = receipts(before=before or None, contains=query, limit=PAGE + 1)
    return render_template(
        "sales/desk_sales.html", sales=_with_names(found[:PAGE]), query=query,
        next_before=found[PAGE - 1].id if len(found) > PAGE else None,
    )  # fmt: skip


@blueprint.get("/desk/sales/<sale_id>")
@identity.needs("refund")
def desk_sale(sale_id: str) -> str:
    found = receipt(sale_id)
    if found is None:
        raise NotFound("There is no such sale")
    logbook.seen(found.member_id, "sale")
    return render_template(
        "sales/desk_sale.html", sale=_with_names([found])[0], tendered=tendered(found),
        key=ids.new(), due_minor=due_of([found.id])[found.id] if found.state == "due" else 0,
    )  # fmt: skip


@blueprint.post("/desk/sales/<sale_id>/refunds")
@identity.needs("refund")
def refund(sale_id: str) -> ResponseReturnValue:
    """So many units of each line go back, everything where the form names none: the money to where
    it came from or to the account, the goods to the shelf. Above the limit it waits."""
    wanted = Wanted(
        sale_id[:20], identity.signed_in().id, fields.text("key", most=64) or ids.new(),
        fields.text("reason", most=200), forms.parts(), forms.to_account(),
    )  # fmt: skip
    try:
        with asking(wanted):
            give_back(sale_id, made_by=wanted.asked_by, reason=wanted.reason, parts=wanted.parts,
                      to_account=wanted.to_account)  # fmt: skip
    except ApprovalNeeded as needed:
        return told(needed)
    flash(gettext("Refunded. The goods are for sale again."), "good")
    return redirect(url_for("sales.desk_sale", sale_id=sale_id), 303)


def _with_names(found: list[Receipt]) -> list[dict[str, object]]:
    people = {person for sale in found for person in (sale.member_id, sale.sold_by) if person}
    names = identity.names_of(people)
    if not identity.allows(identity.current(), "see_people"):
        own = {sale.sold_by for sale in found}
        names = {who: name for who, name in names.items() if who in own}
    return [
        shown_receipt(sale)
        | {"who": names.get(sale.member_id or 0, ""), "seller": names.get(sale.sold_by or 0, "")}
        for sale in found
    ]
