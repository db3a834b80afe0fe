"""The owner's page of the spot checks: the rules that hold, those before, and how to set them."""

from __future__ import annotations

import re

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import catalogue, clock, forms, identity, money, web
from ..db import repeatable, transaction
from ..errors import Invalid
from . import rules, spots
from .bags import Piece
from .blueprint import blueprint
from .rules import Rules

_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?\Z", re.ASCII)


@blueprint.get("/owner/exit", endpoint="rules")
@identity.needs("set_rules")
def show_rules() -> str:
    return _page({})


@blueprint.post("/owner/exit")
@identity.needs("set_rules")
def set_rules() -> ResponseReturnValue:
    """These hold for what is paid from now on; what was paid before keeps its own."""
    try:
        _set(_rules())
    except (Invalid, catalogue.ItemNotForSale) as refusal:
        said = {**request.form, "fault": refusal.message, "field": refusal.data.get("field", "")}
        said["risk_categories"] = request.form.getlist("risk_categories")
        return _page(said), refusal.status
    flash(gettext("The rules hold for what is paid from now on."), "good")
    return redirect(url_for("door.rules"), 303)


@repeatable
def _set(wanted: Rules) -> None:
    """Opener of the owner's page."""
    with transaction():
        rules.set_rules(wanted, by=identity.signed_in().id, at=clock.now())


def _page(said: dict[str, object]) -> str:
    versions = rules.versions(clock.now())
    held = versions[0].rules if versions else Rules()
    marked = spots.goods([Piece(item_id, 0, 0) for item_id in held.risk_items])
    return render_template(
        "door/rules.html", held=held, versions=versions, said=said or _as_form(held, marked),
        categories=catalogue.categories(), currency=_currency(),
        who=identity.names_of({each.set_by for each in versions}), most=rules.MOST_PIECES,
        days=rules.MOST_DAYS,
    )  # fmt: skip


def _as_form(held: Rules, marked: dict[int, object]) -> dict[str, object]:
    """The fields as they stand when nothing was typed yet."""
    percents = ("random", "trusted", "wary", "first", "amount", "risk")
    said: dict[str, object] = {name: _percent(getattr(held, f"{name}_bp")) for name in percents}
    return said | {
        "from": money.text(held.amount_minor, _currency()) if held.amount_bp else "",
        "trusted_after": held.trusted_after or "", "wary_days": held.wary_days,
        "sight_pieces": held.sight_pieces, "rescan_pieces": held.rescan_pieces,
        "risk_categories": [str(each) for each in held.risk_categories],
        "items": "\n".join(str(getattr(item, "code", "")) for item in marked.values()),
    }  # fmt: skip


def _rules() -> Rules:
    """The rules of the form. Raises Invalid, ItemNotForSale."""
    amount_bp = _bp("amount")
    return Rules(
        random_bp=_bp("random"), trusted_bp=_bp("trusted"),
        trusted_after=forms.whole("trusted_after", least=0, most=99, default=0),
        wary_bp=_bp("wary"),
        wary_days=forms.whole("wary_days", least=1, most=rules.MOST_DAYS, default=180),
        first_bp=_bp("first"), amount_bp=amount_bp,
        amount_minor=forms.amount("from", _currency(), least=1) if amount_bp else 0,
        risk_bp=_bp("risk"), risk_categories=_categories(), risk_items=_items(),
        sight_pieces=forms.whole("sight_pieces", least=0, most=rules.MOST_PIECES),
        rescan_pieces=forms.whole("rescan_pieces", least=1, most=rules.MOST_PIECES),
    )  # fmt: skip


def _bp(name: str) -> int:
    """A percentage with up to two decimals, as hundredths of a percent; nothing is 0."""
    raw = forms.text(name, most=6) or "0"
    found = _PERCENT.match(raw)
    if found is None:
        raise Invalid(f"{name} must be a percentage from 0 to 100", field=name)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _percent(rate_bp: int) -> str:
    return f"{rate_bp / 100:g}" if rate_bp else ""


def _categories() -> tuple[int, ...]:
    known = {str(one.id): one.id for one in catalogue.categories()}
    said = request.form.getlist("risk_categories")
    if any(each not in known for each in said):
        raise Invalid("There is no such category", field="risk_categories")
    return tuple(sorted({known[each] for each in said}))


def _items() -> tuple[int, ...]:
    """The items of the text, a code a line. Raises ItemNotForSale for one that nothing has."""
    found = []
    raw = request.form.get("items", "")
    if len(raw) > 20_000 or any("\ud800" <= one <= "\udfff" or one == "\x00" for one in raw):
        raise Invalid("items has characters that cannot be kept", field="items")
    for code in dict.fromkeys(raw.split()):
        item = catalogue.find_item(code[:100], base_url=web.base_url())
        if item is None:
            raise catalogue.ItemNotForSale(f"Nothing has the code {code[:60]}", field="items")
        found.append(item.id)
    return tuple(dict.fromkeys(found))


def _currency() -> str:
    return str(current_app.config["CURRENCY"])
