"""The page of markdowns: the rules, and what to mark down on the shelf today."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import catalogue, identity
from ... import forms as fields
from ...catalogue import markdowns
from ...db import repeatable, transaction
from .. import forms
from ..shelf.shelf import named
from ..shown_views import blueprint
from ..staff import place_here
from .marked import near_list


@blueprint.get("/desk/markdowns", endpoint="markdowns")
@identity.needs("edit_items")
def show_markdowns() -> str:
    """What is near its date here, and the rules, which only the owner sets. Changes nothing."""
    place = place_here()
    near = near_list(place.id)
    items = sorted({each.item_id for each in near})
    return render_template(
        "sales/markdowns.html", place=place, near=near, items=named(items),
        prices=catalogue.quotes(items, place.id, forms.currency()) if items else {},
        reduced=markdowns.reduced_minor, rules=markdowns.markdowns_in_force(),
        categories=catalogue.categories(), most=markdowns.LONGEST_DAYS, currency=forms.currency(),
        may_set=identity.allows(identity.current(), "set_rules"),
    )  # fmt: skip


@blueprint.post("/desk/markdowns")
@identity.needs("set_rules")
def set_markdown() -> ResponseReturnValue:
    """From now on this rule, for an item by its code, for a category, or for everything."""
    code = fields.scanned("code", least=0)
    item_id = forms.item_id(code) if code else None
    category_id = (
        None if code else fields.whole("category", least=0, most=10**15, default=0) or None
    )
    if category_id is not None and category_id not in {one.id for one in catalogue.categories()}:
        raise catalogue.ItemNotForSale("There is no such category")
    _set(
        fields.whole("days", least=0, most=markdowns.LONGEST_DAYS),
        fields.whole("percent", least=0, most=100), item_id, category_id,
    )  # fmt: skip
    flash(gettext("The rule holds from now on."), "good")
    return redirect(url_for("sales.markdowns"), 303)


@repeatable
def _set(days: int, percent: int, item_id: int | None, category_id: int | None) -> None:
    """Opener of the desk."""
    with transaction():
        markdowns.set_markdown(
            days, percent, item_id=item_id, category_id=category_id,
            made_by=identity.signed_in().id,
        )  # fmt: skip
