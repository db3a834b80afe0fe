"""Pages of points: the owner's rules, and what a member has and how it came."""

from __future__ import annotations

import re
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import catalogue, forms, identity, money, web
from ..catalogue.models import Item
from ..db import db, repeatable, transaction
from ..errors import Invalid
from . import point_ages, point_rules, points
from .blueprint import blueprint
from .point_models import BASES
from .point_rules import MOST_DAYS, MOST_PERCENT, MOST_POINTS, Factor, Wanted

PAGE = 30
ITEMS = 30
"""So many items have points of their own: as many lines has the form."""
_DAYS = {"en": "d MMM y", "zh": "y年M月d日"}
_NUMBER = re.compile(r"\d{1,15}\Z", re.ASCII)


@blueprint.app_template_global()
def has_points() -> bool:
    """Whether the shop has rules of points."""
    return point_rules.now() is not None


@blueprint.get("/owner/points", endpoint="point_rules")
@identity.needs("manage_offers")
def show_rules() -> str:
    return _page({})


@blueprint.post("/owner/points")
@identity.needs("manage_offers")
def save_rules() -> ResponseReturnValue:
    """These rules hold from now on; what was sold before keeps those of its own time."""
    try:
        _save(_wanted())
    except Invalid as refusal:
        said = {"fault": _why(refusal), "field": refusal.field}
        return _page(request.form.to_dict() | said), refusal.status
    flash(gettext("The rules hold from now on."), "good")
    return redirect(url_for("membership.point_rules"), 303)


@repeatable
def _save(wanted: Wanted) -> None:
    with transaction():
        point_rules.save(wanted, made_by=identity.signed_in().id)


def _page(said: dict[str, Any]) -> str:
    found = point_rules.versions(20)
    rules = found[0] if found else None
    form = said or (_form(rules) if rules else {"points": "1", "basis": "gross"})
    by = identity.names_of({one.made_by for one in found if one.made_by is not None})
    return render_template(
        "membership/point_rules.html", form=form, rules=rules, earlier=found, names=by,
        categories=catalogue.categories(), currency=current_app.config["CURRENCY"],
        items=_lines(form),
    )  # fmt: skip


def _form(rules: point_rules.PointRules) -> dict[str, str]:
    """What the form says of the rules that hold."""
    found = {
        "points": str(rules.points), "each": money.text(rules.each_minor, rules.currency),
        "least": money.text(rules.least_minor, rules.currency) if rules.least_minor else "",
        "basis": rules.basis, "lives_days": str(rules.lives_days or ""),
        "worth_points": str(rules.worth_points or ""),
        "worth": money.text(rules.worth_minor, rules.currency) if rules.worth_minor else "",
    }  # fmt: skip
    items = [one for one in rules.factors if one.item_id is not None]
    rows = db.session.query(Item.id, Item.code).filter(Item.id.in_([one[0] for one in items]))
    codes = {row[0]: row[1] for row in rows} if items else {}
    for at, one in enumerate(items, start=1):
        found |= {f"item-{at}": codes[one.item_id or 0], f"percent-{at}": str(one.percent)}
    return found | {
        f"category-{one.category_id}": str(one.percent)
        for one in rules.factors
        if one.category_id is not None
    }


def _lines(form: dict[str, Any]) -> list[int]:
    """The lines of items that the form shows: those that say something, and three more."""
    used = [at for at in range(1, ITEMS + 1) if form.get(f"item-{at}")]
    return list(range(1, min(ITEMS, max(used, default=0) + 3) + 1))


@blueprint.get("/me/points", endpoint="points")
def my_points() -> str:
    """What a member has, and how it came: each line leads to its sale."""
    member = identity.signed_in()
    before = request.args.get("before", "")
    number = int(before) if _NUMBER.match(before) else None
    found = points.statement(member.id, before=number, limit=PAGE + 1)
    return render_template(
        "membership/points.html", rules=point_rules.now(), balance=points.balance_of(member.id),
        entries=found[:PAGE], next_before=found[PAGE - 1].id if len(found) > PAGE else None,
        over=point_ages.next_over(member.id), day_form=_DAYS.get(web.language(), "y-MM-dd"),
    )  # fmt: skip


def _wanted() -> Wanted:
    """The rules that the form describes. Raises Invalid."""
    currency = str(current_app.config["CURRENCY"])
    least = forms.text("least", most=24)
    lives = forms.text("lives_days", most=6)
    return Wanted(
        forms.whole("points", least=0, most=MOST_POINTS),
        forms.amount("each", currency, least=1),
        currency,
        money.parse(least, currency, field="least") if least else 0,
        forms.choice("basis", BASES),
        (*_of_categories(), *_of_items()),
        *_worth(currency),
        forms.whole("lives_days", least=1, most=MOST_DAYS) if lives else None,
    )


def _worth(currency: str) -> tuple[int, int]:
    """So many points are so much money; both empty: they cannot be spent."""
    many, worth = forms.text("worth_points", most=9), forms.text("worth", most=24)
    if not many and not worth:
        return 0, 0
    return (
        forms.whole("worth_points", least=1, most=MOST_POINTS),
        forms.amount("worth", currency, least=1),
    )


def _of_categories() -> list[Factor]:
    """What is left empty, or is 100, is as usual."""
    found = []
    for one in catalogue.categories():
        name = f"category-{one.id}"
        if request.form.get(name, "").strip():
            percent = forms.whole(name, least=0, most=MOST_PERCENT)
            if percent != 100:
                found.append(Factor(None, one.id, percent))
    return found


def _of_items() -> list[Factor]:
    found = dict[int, Factor]()
    for at in range(1, ITEMS + 1):
        code = forms.text(f"item-{at}", most=64)
        if not code:
            continue
        item = catalogue.find_item(code, base_url=web.base_url())
        if item is None or item.id in found:
            raise Invalid("There is no such item, or it is named twice", field=f"item-{at}")
        percent = forms.whole(f"percent-{at}", least=0, most=MOST_PERCENT)
        found[item.id] = Factor(item.id, None, percent)
    return list(found.values())


def _why(refusal: Invalid) -> str:
    """What is wrong with the form, in the visitor's language."""
    field = (refusal.field or "").split("-")[0]
    says: dict[str, str] = {
        "points": gettext("Points are whole numbers from 0 to %(most)d.", most=MOST_POINTS),
        "each": gettext("Say for each how much money, above zero."),
        "least": gettext("This amount is not one that can be."),
        "worth_points": gettext("So many points are so much money: say both, or neither."),
        "worth": gettext("So many points are so much money: say both, or neither."),
        "lives_days": gettext("Points live 1 to %(most)d days, or for ever.", most=MOST_DAYS),
        "item": gettext("There is no such item, or it is named twice."),
        "category": gettext("A share is a whole number from 0 to %(most)d.", most=MOST_PERCENT),
        "percent": gettext("A share is a whole number from 0 to %(most)d.", most=MOST_PERCENT),
    }
    return str(says.get(field, gettext("Please look at what you have written.")))
