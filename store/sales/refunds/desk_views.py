"""Pages for staff: sales, one sale, and giving its money back."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import Select, func, select

from ... import forms as fields
from ... import identity, ids, logbook
from ...db import db, repeatable, transaction
from ...errors import NotFound
from ...payment.on_delivery import due_of
from .. import forms
from ..models import Refund
from ..opening import NotSoManyLeft
from ..receipts.receipts import Receipt, receipt, receipts
from ..rounding import tendered
from ..shown_views import blueprint, shown_receipt
from .approval_views import told
from .approvals import Wanted, asking
from .refund_limits import ApprovalNeeded
from .refunds import give_back, held

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
        key=ids.new(), refunds=db.session.scalar(_refunds_of(found.id)),
        due_minor=due_of([found.id])[found.id] if found.state == "due" else 0,
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
            _refund(wanted, fields.whole("refunds", least=-1, most=10**9, default=-1))
    except ApprovalNeeded as needed:
        return told(needed)
    flash(gettext("Refunded. The goods are for sale again."), "good")
    return redirect(url_for("sales.desk_sale", sale_id=sale_id), 303)


@repeatable
def _refund(wanted: Wanted, refunds: int) -> None:
    """Opener: give back what is wanted, if the sale has as many refunds as when its page was made:
    a form that comes twice gives back once. Raises NotSoManyLeft beside what `refund` raises."""
    with transaction() as session:
        if refunds >= 0:
            held(wanted.sale_id)
            if session.scalar(_refunds_of(wanted.sale_id)) != refunds:
                raise NotSoManyLeft("Some of this sale went back since its page was opened")
        give_back(wanted.sale_id, made_by=wanted.asked_by, reason=wanted.reason,
                  parts=wanted.parts, to_account=wanted.to_account)  # fmt: skip


def _refunds_of(sale_id: str) -> Select[int]:
    return select(func.count()).select_from(Refund).where(Refund.sale_id == sale_id)


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
