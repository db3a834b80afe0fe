"""Pages of a member's limits: what leaves the account without a PIN, and the PIN."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import identity, money, web
from ..db import transaction
from ..errors import Invalid
from ..identity import confirm_views, pins
from . import ledger
from .blueprint import blueprint


@blueprint.get("/me/limits")
def limits() -> str:
    """The member's limits beside the shop's, and whether there is a PIN. Changes nothing."""
    return _page()


@blueprint.post("/me/limits")
def set_limits() -> ResponseReturnValue:
    """Other limits. Lower ones are taken at once; higher ones, or none, need the PIN or a sign-in
    of the last minutes: whoever finds a phone must not lift them."""
    member = identity.signed_in()
    try:
        buy, day = _amount("buy"), _amount("day")
    except Invalid as refusal:
        return _page(refusal), refusal.status
    known = _known(member.id)
    rises = _is_higher(buy, known.most_buy_minor) or _is_higher(day, known.most_day_minor)
    if rises and not confirm_views.confirmed_or_fresh(member.id):
        raise pins.SignInAgain()
    with transaction():
        ledger.set_limits(member.id, _currency(), buy, day)
    flash(gettext("Your limits hold from now on."), "good")
    return redirect(url_for("payment.limits"), 303)


@blueprint.post("/me/pin")
def set_pin() -> ResponseReturnValue:
    member = identity.signed_in()
    try:
        pins.set_pin(
            member.id, request.form.get("new_pin", "").strip()[:20], confirm_views.signed_in_anew
        )
    except Invalid as refusal:
        return _page(refusal), refusal.status
    flash(gettext("Your PIN is set."), "good")
    return redirect(url_for("payment.limits"), 303)


def _page(refused: Invalid | None = None) -> str:
    member = identity.signed_in()
    known, currency = _known(member.id), _currency()
    return render_template(
        "payment/limits.html", currency=currency, refused=refused,
        buy=_text(known.most_buy_minor), day=_text(known.most_day_minor),
        shop_buy_minor=money.parse(web.setting("BUY_LIMIT"), currency),
        shop_day_minor=money.parse(web.setting("DAY_LIMIT"), currency),
        has_pin=pins.has_pin(member.id), is_fresh=confirm_views.signed_in_anew(),
    )  # fmt: skip


def _known(member_id: int) -> ledger.Balance:
    return ledger.accounts([member_id], _currency()).of_members.get(member_id, ledger.Balance(0, 0))


def _amount(name: str) -> int | None:
    """A limit as it was typed; empty is none. Raises Invalid."""
    said = request.form.get(name, "").strip()
    if not said:
        return None
    amount = money.parse(said, _currency(), field=name)
    if amount < 1:
        raise Invalid("A limit is more than nothing", field=name)
    return amount


def _is_higher(wanted: int | None, known: int | None) -> bool:
    return known is not None and (wanted is None or wanted > known)


def _text(minor: int | None) -> str:
    return "" if minor is None else money.text(minor, _currency())


def _currency() -> str:
    return web.setting("CURRENCY")
