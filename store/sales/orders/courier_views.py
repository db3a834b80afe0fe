"""The page of couriers' cash: who has how much, counting it in, and what is still to be paid."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import forms as fields
from ... import identity, ids, money
from .. import forms
from ..shown_views import blueprint
from ..staff import place_here
from . import at_the_door
from .couriers import (
    Count,
    counted,
    hand_in,
    owed,
)


@blueprint.get("/desk/couriers", endpoint="couriers")
@identity.needs("ship")
def show_couriers() -> str:
    """Cash that couriers have, orders to be paid at the door, and the last counts."""
    due, made = at_the_door.due_sales(), counted()
    people = {one.member_id for one in due} | {one.counted_by for one in made}
    return render_template(
        "sales/couriers.html", owed=owed(), due=due, counted=made, key=ids.new(),
        who=identity.names_of(people), place=place_here(),
        plain=lambda minor, currency: money.text(minor, currency),
    )  # fmt: skip


@blueprint.post("/desk/couriers/<number:courier_id>/hand-ins")
@identity.needs("ship")
def count_courier(courier_id: int) -> ResponseReturnValue:
    """The cash of a courier is counted and in the till."""
    currency = forms.currency()
    asked = Count(
        courier_id, place_here().id,
        fields.whole("expected", least=1, most=money.LARGEST_MINOR),
        fields.amount("counted", currency), currency, forms.purchase_key(),
        fields.text("reason", most=160),
    )  # fmt: skip
    hand_in(asked, made_by=identity.signed_in().id)
    flash(gettext("Counted and in the till."), "good")
    return redirect(url_for("sales.couriers"), 303)
