"""The page of return rules: for how long each category and item is taken back, and guaranteed."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import catalogue, identity
from ... import forms as fields
from ...catalogue import return_rules as rules
from ...db import transaction
from .. import forms
from ..shown_views import blueprint


@blueprint.get("/desk/return-rules")
@identity.needs("edit_items")
def return_rules() -> str:
    return render_template(
        "sales/return_rules.html", shop=catalogue.rule_of(None), most=rules.LONGEST_DAYS,
        most_months=rules.LONGEST_MONTHS, rules=catalogue.rules_in_force(),
        categories=catalogue.categories(),
    )  # fmt: skip


@blueprint.post("/desk/return-rules")
@identity.needs("edit_items")
def set_return_rule() -> ResponseReturnValue:
    """From now on this rule, for an item by its code or for a category."""
    code, category_id = fields.scanned("code", least=0), None
    item_id = forms.item_id(code) if code else None
    if item_id is None:
        category_id = fields.whole("category", least=1, most=10**15)
        if category_id not in {one.id for one in catalogue.categories()}:
            raise catalogue.ItemNotForSale("There is no such category")
    days = fields.whole("days", least=0, most=rules.LONGEST_DAYS)
    months = fields.whole("warranty", least=0, most=rules.LONGEST_MONTHS, default=0)
    with transaction():
        catalogue.set_return_rule(
            days, fields.flag("opened"), item_id=item_id, category_id=category_id,
            warranty_months=months, made_by=identity.signed_in().id,
        )  # fmt: skip
    flash(gettext("The rule holds for what is sold from now on."), "good")
    return redirect(url_for("sales.return_rules"), 303)
