"""What the items of an order or a delivery cost: said and seen by who may see costs."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import identity
from ..catalogue.costs import cost_text, costs_of, parse_cost
from ..db import transaction
from ..errors import Invalid
from . import slip_costs, slips
from .blueprint import blueprint
from .slip_views import any_slip, page_of
from .work_models import Slip


@blueprint.post("/desk/slips/<number:slip_id>/costs")
@identity.needs("see_costs")
def say_costs(slip_id: int) -> ResponseReturnValue:
    """Each field is of one item; one that is empty says nothing of it. All of them or none."""
    slip, currency = any_slip(slip_id), current_app.config["CURRENCY"]
    said: dict[int, int | None] = {}
    for name, text in request.form.items():
        number = name.removeprefix("cost_")
        if number == name or not (number.isascii() and number.isdigit() and len(number) < 16):
            continue
        said[int(number)] = parse_cost(text, currency, field=name) if text.strip() else None
    unknown = said.keys() - slips.goods(list(said)).keys()
    if unknown:
        raise Invalid("There is no such item", field=f"cost_{min(unknown)}")
    with transaction():
        for item_id, cost in sorted(said.items()):
            slip_costs.say_cost(slip_id, item_id, cost)
    flash(gettext("Kept. They count when the delivery is booked."), "good")
    return redirect(page_of(slip), 303)


def shown_costs(slip: Slip, item_ids: list[int]) -> dict[str, Any]:
    """What the page of an order or a delivery shows of costs, to who may see them."""
    if not identity.allows(identity.current(), "see_costs"):
        return {}
    usual = costs_of(item_ids, current_app.config["CURRENCY"])
    return {"priced": slip_costs.costs_of_slip(slip), "usual": usual, "cost_text": cost_text}
