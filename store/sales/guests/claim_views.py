"""Pages of what was bought without an account: what a member would take over, and doing it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from ... import forms as fields
from ... import identity, ids
from ...errors import Invalid
from .. import forms
from ..receipts.receipts import receipts_of
from ..shown_views import blueprint, shown_receipt
from . import claims, guest_views, guests


@blueprint.get("/me/claims", endpoint="claims")
def show() -> str:
    """What would come into this member's name, and why."""
    member = identity.signed_in()
    proven = identity.is_proven(member.id)
    found = claims.claimable(member.id, guest_views.device(), _linked()) if proven else {}
    return render_template(
        "sales/claims.html", proven=proven, how=found, linked=_linked(), k=guest_views.said(),
        sales=[shown_receipt(sale) for sale in receipts_of(found)],
    )  # fmt: skip


@blueprint.post("/me/claims", endpoint="claim")
def take() -> ResponseReturnValue:
    """What was shown, and is still nobody's, is this member's."""
    member = identity.signed_in()
    shown = request.form.getlist("sale")
    if not 1 <= len(shown) <= claims.AT_ONCE:
        raise Invalid("Say which purchases", field="sale")
    taken = claims.claim(member.id, shown, guest_views.device(), _linked())
    flash(
        ngettext("%(num)d purchase is in your account now.",
                 "%(num)d purchases are in your account now.", len(taken)),
        "good" if taken else "warn",
    )  # fmt: skip
    return redirect(url_for("sales.history"), 303)


def _linked() -> str | None:
    """The sale whose link the member has, if it is that sale's."""
    if request.method == "POST":
        sale_id, said = fields.text("linked", most=20), fields.text("k", most=32)
    else:
        sale_id, said = request.args.get("sale", "")[:20], guest_views.said()
    fits = bool(said) and ids.same(said, guests.link_key(forms.key(), sale_id))
    return sale_id if fits else None


@blueprint.app_template_global()
def to_claim() -> int:
    """How many purchases the signed-in member could take over."""
    member = identity.current()
    if member is None:
        return 0
    return len(claims.claimable(member.id, guest_views.device()))
