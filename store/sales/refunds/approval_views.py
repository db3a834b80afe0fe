"""Pages of refunds that wait for a second person."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import forms as fields
from ... import identity, money, web
from .. import forms
from ..receipts.receipts import Receipt, receipt
from ..shown_views import blueprint, shown_receipt
from . import approvals, refund_limits
from .approval_models import RefundRequest


@blueprint.app_template_global()
def refund_limit() -> dict[str, Any]:
    """What pages of refunds say of the limit: how much, whether somebody else could approve, and
    how many refunds wait."""
    limit = refund_limits.of_shop(forms.currency())
    return {
        "minor": limit, "waiting": approvals.many_waiting(),
        "alone": bool(limit)
        and not identity.others_who_may("refund", identity.signed_in().id),
    }  # fmt: skip


@blueprint.get("/desk/refunds")
@identity.needs("refund")
def refund_requests() -> str:
    """What waits for a second person, and what was decided last."""
    found, decided = approvals.waiting(), approvals.decided_lately()
    sales = {one.sale_id: receipt(one.sale_id) for one in [*found, *decided]}
    people = {one.asked_by for one in [*found, *decided]}
    people |= {one.decided_by for one in decided if one.decided_by is not None}
    people |= {sale.member_id for sale in sales.values() if sale and sale.member_id is not None}
    return render_template(
        "sales/refund_requests.html", waiting=found, decided=decided, sales=sales,
        who=identity.names_of(people), me=identity.signed_in().id,
        currency=forms.currency(),
        units={one.id: _units(one, sales[one.sale_id]) for one in found},
    )  # fmt: skip


@blueprint.post("/desk/refunds/<request_id>/approvals")
@identity.needs("refund")
def approve_refund(request_id: str) -> ResponseReturnValue:
    """Another person gives it back."""
    member = identity.signed_in()
    approvals.approve(request_id, decided_by=member.id, reason=fields.text("reason", most=200))
    flash(gettext("Approved: the money is given back."), "good")
    return redirect(url_for("sales.refund_requests"), 303)


@blueprint.post("/desk/refunds/<request_id>/refusals")
@identity.needs("refund")
def refuse_refund(request_id: str) -> ResponseReturnValue:
    """Another person says no, and why."""
    reason = fields.text("reason", most=200)
    approvals.refuse(request_id, decided_by=identity.signed_in().id, reason=reason)
    flash(gettext("Refused: nothing was given back."), "good")
    return redirect(url_for("sales.refund_requests"), 303)


@blueprint.post("/desk/refunds/<request_id>/withdrawals")
@identity.needs("refund")
def withdraw_refund(request_id: str) -> ResponseReturnValue:
    """Whoever asked does not want it any more."""
    approvals.withdraw(request_id, asked_by=identity.signed_in().id)
    flash(gettext("Withdrawn: nothing was given back."), "good")
    return redirect(url_for("sales.refund_requests"), 303)


def told(needed: refund_limits.ApprovalNeeded) -> ResponseReturnValue:
    """What staff see instead of a refund: it waits. What was not written down is refused."""
    if "request" not in needed.data:
        raise needed
    amount = money.show(needed.data["limit_minor"], needed.data["currency"], web.language())
    flash(
        gettext("Nothing was given back yet: above %(amount)s a colleague approves it here.",
                amount=amount),
        "warn",
    )  # fmt: skip
    return redirect(url_for("sales.refund_requests"), 303)


def _units(one: RefundRequest, sale: Receipt | None) -> list[tuple[str, int, str]]:
    """Names, how many, and what becomes of them; empty for all that is left of the sale."""
    shown = shown_receipt(sale) if sale else {"lines": [], "of_bundles": []}
    names = {line["position"]: line["name"] for line in shown["lines"] + shown["of_bundles"]}

    def name(position: int, item_id: int | None) -> str:
        known = str(names.get(position, ""))
        return known if item_id is None else gettext("of %(bundle)s", bundle=known)

    hand_in = one.asked["hand_in"]
    if hand_in is not None:
        return [(name(at, item), many, what) for at, many, what, item in hand_in["decisions"]]
    asked = approvals.parts_of(one) or ()
    return [(name(part.position, part.item_id), part.quantity, "") for part in asked]
