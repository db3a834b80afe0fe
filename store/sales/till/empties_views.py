"""Pages of deposits: empties that come back alone, and the kinds of deposit with what is owed."""

from __future__ import annotations

import re
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import (
    catalogue,
    identity,
    ids,
    money,
    payment,
    web,
)
from ... import forms as fields
from ...catalogue.figures import read_rate
from ...db import repeatable, transaction
from ...errors import Invalid, Refusal
from .. import forms
from ..rounding import in_cash
from ..shown_views import blueprint
from ..staff import known, member_numbered, place_here
from .empties import (
    MOST,
    Returned,
    owed,
    take_back,
)


@blueprint.get("/desk/empties", endpoint="empties")
@identity.needs("sell")
def show_empties() -> ResponseReturnValue:
    """Which empties came back, and to whom their deposit goes. Changes nothing."""
    who, code = (request.args.get(name, "").strip()[:254] for name in ("who", "code"))
    found = known(who) if who else None
    if found is not None:
        return redirect(_address(found.id, asked()), 303)
    if who:
        flash(gettext("Nobody is known by this."), "warn")
    kinds, counts = catalogue.deposits(forms.currency()), asked()
    if code:
        kind = _kind(code)
        if kind is None:
            flash(gettext("No deposit comes back for “%(code)s”.", code=code[:40]), "warn")
        else:
            name = f"empties-{kind.item_id}"
            counts[name] = min(counts.get(name, 0) + 1, MOST)
            return redirect(_address(_member_id(), counts), 303)
    member = member_numbered(request.args.get("member", ""))
    return render_template(
        "sales/empties.html", kinds=kinds, counts=counts, who=who, member=member,
        place=place_here(), currency=forms.currency(), key=ids.new(), most=MOST,
        total_minor=amount(counts, kinds),
        cash_minor=in_cash(amount(counts, kinds), forms.currency()),
        balance_minor=payment.balance_of(member.id, forms.currency()) if member else None,
    )  # fmt: skip


@blueprint.post("/desk/empties")
@identity.needs("sell")
def take_empties() -> ResponseReturnValue:
    member, key = member_numbered(request.form.get("member", "")), forms.purchase_key()
    _, paid = take_back(
        Returned(
            place_here().id, forms.currency(), quantities(), key, identity.signed_in().id,
            member.id if member else None, fields.text("means", least=1, most=16),
        )
    )  # fmt: skip
    in_coins = request.form["means"] == "cash"
    paid = in_cash(paid, forms.currency()) if in_coins else paid
    shown = money.show(paid, forms.currency(), web.language())
    if not in_coins:
        flash(gettext("%(amount)s went to the account.", amount=shown), "good")
    else:
        flash(gettext("Give %(amount)s in cash.", amount=shown), "good")
    return redirect(url_for("sales.empties"), 303)


@blueprint.get("/desk/deposits", endpoint="deposits")
@identity.needs("edit_items")
def show_deposits() -> ResponseReturnValue:
    """The kinds of deposit: how many were sold and came back, and what is owed."""
    return _deposits({}, {})


@blueprint.post("/desk/deposits")
@identity.needs("edit_items")
def add_deposit() -> ResponseReturnValue:
    said = request.form.to_dict()
    try:
        names = {code: said.get(f"name_{code}", "") for code in web.LANGUAGES}
        minor = money.parse(said.get("amount", "").strip(), forms.currency(), field="amount")
        rate = read_rate(said.get("tax_rate", "").strip() or "0")
        _add(names, minor, rate)
    except Refusal as refusal:
        if not isinstance(refusal, Invalid):
            raise
        return _deposits(said, {refusal.data.get("field", "amount"): True}), refusal.status
    flash(gettext("Items can carry it now: choose it on the item's page."), "good")
    return redirect(url_for("sales.deposits"), 303)


def _deposits(said: dict[str, str], faults: dict[str, bool]) -> str:
    return render_template(
        "sales/deposits.html", kinds=owed(forms.currency()), said=said, faults=faults,
        currency=forms.currency(),
    )  # fmt: skip


@repeatable
def _add(names: dict[str, str], amount_minor: int, rate_bp: int) -> None:
    """Opener of the desk."""
    with transaction():
        catalogue.add_deposit(names, amount_minor, current_app.config["CURRENCY"], rate_bp)


def _kind(code: str) -> catalogue.Deposit | None:
    """The deposit that comes back for what was scanned: the item that carried it, or the kind."""
    try:
        item = catalogue.find_item(code, base_url=web.base_url())
    except Refusal:
        return None
    return catalogue.deposit_of(item, forms.currency()) if item else None


def _address(member_id: int | None, counts: dict[str, int]) -> str:
    kept: dict[str, Any] = dict(counts)
    return url_for("sales.empties", member=member_id, **kept)


def _member_id() -> int | None:
    member = member_numbered(request.args.get("member", ""))
    return member.id if member else None


_NUMBER = re.compile(r"[0-9]{1,15}\Z", re.ASCII)


def asked() -> dict[str, int]:
    """The fields of empties that the address or the form has: `empties-<kind>` with how many."""
    found = {}
    for name, text in request.values.items():
        number = name.removeprefix("empties-")
        if name == number or not (_NUMBER.match(number) and _NUMBER.match(text)):
            continue
        if 0 < int(text) <= MOST:
            found[name] = int(text)
    return found


def quantities() -> dict[int, int]:
    """Empties by kind."""
    return {int(name.removeprefix("empties-")): many for name, many in asked().items()}


def amount(counts: dict[str, int], kinds: list[catalogue.Deposit]) -> int:
    """What these empties are worth."""
    return sum(each.amount_minor * counts.get(f"empties-{each.item_id}", 0) for each in kinds)
