"""Pages of the till on which money goes into a member's account, or out of it."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import forms as fields
from ... import (
    identity,
    ids,
    money,
    payment,
    stock,
)
from ...errors import Forbidden, Invalid, NotFound
from ...identity import member_codes
from .. import forms
from ..paying.member_code_views import code_was_shown, from_code, shown_here
from ..shown_views import blueprint
from ..staff import known, member_numbered, place_here
from . import pay_ins
from .till_refusal_views import CodeNeeded

__all__ = ["blueprint"]


@blueprint.get("/desk/till/pay-ins", endpoint="pay_ins")
@identity.needs("sell")
def page() -> ResponseReturnValue:
    """Whose account, and how much. Changes nothing."""
    who = request.args.get("who", "").strip()[:1000]
    if not who:
        return _page()
    if found := known(who[:254]):
        return redirect(url_for("sales.pay_ins", member=found.id), 303)
    if not member_codes.is_code(who):
        flash(gettext("Nobody is known by this."), "warn")
        return redirect(url_for("sales.pay_ins"), 303)
    of_code: dict[str, Any] = dict(from_code(who))
    return redirect(url_for("sales.pay_ins", **of_code), 303)


@blueprint.post("/desk/till/pay-ins", endpoint="pay_in")
@identity.needs("sell")
def pay() -> ResponseReturnValue:
    """Book what was given. Money goes out only where the member's own code was scanned, and by who
    may refund."""
    member = member_numbered(request.form.get("member", ""))
    if member is None:
        raise NotFound("There is no such member any more")
    out = fields.flag("out")
    if out and not identity.allows(identity.signed_in(), "refund"):
        raise Forbidden(permission="refund")
    if out and not code_was_shown(member.id):
        raise CodeNeeded()
    typed = request.form.get("amount", "").strip()[:20]
    try:
        minor = money.parse(typed, forms.currency())
        if minor <= 0:
            raise Invalid("More than nothing", field="amount", most_minor=_most())
        mine = pay_ins.pay(
            pay_ins.Paid(
                member.id, place_here().id, forms.currency(), -minor if out else minor,
                fields.text("means", least=1, most=16), forms.purchase_key(),
                identity.signed_in().id, _most(),
            )
        )  # fmt: skip
    except Invalid as refusal:
        return _page(typed, refusal), refusal.status
    except payment.InsufficientFunds:
        flash(gettext("The account holds less than that. Nothing was given out."), "bad")
        return redirect(url_for("sales.pay_ins", member=member.id, shown=shown_here()), 303)
    return redirect(url_for("sales.pay_in_slip", pay_in_id=mine), 303)


@blueprint.get("/desk/till/pay-ins/<pay_in_id>", endpoint="pay_in_slip")
@identity.needs("sell")
def slip(pay_in_id: str) -> str:
    """What was booked, to be handed over on paper."""
    found = pay_ins.find(pay_in_id)
    names = identity.names_of([found.member_id, found.made_by])
    return render_template(
        "sales/pay_in_slip.html", paid=found, buyer=names.get(found.member_id, ""),
        seller=names.get(found.made_by, ""), place=stock.location_by_id(found.location_id),
    )  # fmt: skip


def _page(typed: str = "", refusal: Invalid | None = None) -> str:
    member = member_numbered(request.values.get("member", ""))
    shown = shown_here() if member and code_was_shown(member.id) else ""
    held = payment.balance_of(member.id, forms.currency()) if member and shown else None
    return render_template(
        "sales/pay_ins.html", member=member, shown=shown, balance_minor=held, key=ids.new(),
        currency=forms.currency(), place=place_here(), typed=typed, refused=refusal,
        most_minor=_most(), may_pay_out=identity.allows(identity.signed_in(), "refund"),
    )  # fmt: skip


def _most() -> int:
    return money.parse(current_app.config["TOP_UP_LIMIT"], forms.currency())
