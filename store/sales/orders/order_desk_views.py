"""The desk's pages for orders: what is to be picked, packed, sent and handed over at a place."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from ... import (
    delivery,
    identity,
    logbook,
    stock,
    web,
)
from ... import forms as fields
from ...delivery.states import TRANSITIONS
from ...delivery.tracking import Tracked
from ...errors import NotFound
from .. import forms
from ..ages.ages import AgeNotChecked, born_by, today
from ..shown_views import blueprint
from . import at_the_door, fulfilment, order_ages

PLACE_COOKIE = "place"
"""Where the staff of this browser stand; the desk's start page sets it."""
SECTIONS = (("open",), ("picked",), ("packed",), ("under_way",), ("shipped", "failed"))
EVENTS = tuple(sorted({event for kind in TRANSITIONS.values() for _, event in kind}))


@blueprint.get("/desk/orders")
@identity.needs("ship")
def desk_orders() -> str:
    """What waits at this place, in the order in which it has waited."""
    place = _here()
    found = delivery.waiting(place.id, [state for part in SECTIONS for state in part])
    return render_template(
        "sales/desk_orders.html", place=place, places=stock.locations(),
        parts=[[one for one in found if one.state in part] for part in SECTIONS],
        who=identity.names_of({one.member_id for one in found}), currency=forms.currency(),
        to_take=at_the_door.to_take({one.sale_id for one in found if one.kind == "deliver"}),
    )  # fmt: skip


@blueprint.get("/desk/orders/<shipment_id>")
@identity.needs("ship")
def desk_order(shipment_id: str) -> str:
    """One shipment: its pick list by shelf, and the next step."""
    found = delivery.one(shipment_id)
    if found is None:
        raise NotFound("There is no such shipment")
    logbook.seen(found.member_id, "order")
    makers = {step.made_by for step in found.steps if step.made_by}
    return render_template(
        "sales/desk_order.html", shipment=found, where=delivery.of_order(found.sale_id),
        who=identity.names_of({found.member_id, *makers}),
        events=[event for state, event in TRANSITIONS[found.kind] if state == found.state],
        to_take=at_the_door.to_take([found.sale_id]).get(found.id, 0), currency=forms.currency(),
        code=request.args.get("code", "")[:20], **_age(found),
    )  # fmt: skip


@blueprint.post("/desk/orders/<shipment_id>/steps")
@identity.needs("ship")
def take_step(shipment_id: str) -> ResponseReturnValue:
    member = identity.signed_in()
    try:
        fulfilment.step(
            shipment_id, fields.choice("event", EVENTS), made_by=member.id,
            carrier=fields.text("carrier", most=60), tracking=fields.text("tracking", most=80),
            note=fields.text("note", most=200), courier=fields.text("courier", most=60),
            age_checked=forms.age_checked(),
        )  # fmt: skip
    except AgeNotChecked:
        words = gettext("Has whoever brought it looked at an ID? If not, it was not delivered.")
        flash(words, "warn")
    return redirect(url_for("sales.desk_order", shipment_id=shipment_id), 303)


@blueprint.post("/desk/orders/<shipment_id>/short")
@identity.needs("ship")
def pick_short(shipment_id: str) -> ResponseReturnValue:
    """Some of it is not on the shelf: it comes from elsewhere, or the money goes back."""
    member, found = identity.signed_in(), delivery.one(shipment_id)
    if found is None:
        raise NotFound("There is no such shipment")
    missing = {
        goods.item_id: many
        for goods in found.goods
        if (many := fields.whole(f"missing-{goods.item_id}", least=0, most=10**6, default=0))
    }
    seen = fields.whole("pieces", least=-1, most=10**9, default=-1)
    replaced = fulfilment.short(
        shipment_id, missing, made_by=member.id, pieces=seen if seen >= 0 else None
    )
    flash(_replaced(replaced), "good")
    return redirect(url_for("sales.desk_order", shipment_id=shipment_id), 303)


@blueprint.post("/desk/orders/hand-over")
@identity.needs("ship")
def hand_over() -> ResponseReturnValue:
    """By the code that the shopper shows."""
    member, place = identity.signed_in(), stock.location(fields.text("at", least=1, most=32))
    code = fields.text("code", least=1, most=20)
    if fields.choice("age", ("", "yes", "no")) == "no":
        least = forms.age_checked()
        shipment_id = fulfilment.too_young(place.id, code, least, made_by=member.id)
        flash(gettext("It stays here, and its money went back. Hand over the rest."), "good")
        return redirect(url_for("sales.desk_order", shipment_id=shipment_id, code=code), 303)
    try:
        shipment_id = fulfilment.hand_over(
            place.id, code, made_by=member.id, age_checked=forms.age_checked()
        )  # fmt: skip
    except AgeNotChecked as asked:
        # The code is right: the question stands on the order's page, with it.
        shipment_id = str(asked.data["shipment"])
        flash(gettext("Look at an ID first."), "warn")
        return redirect(url_for("sales.desk_order", shipment_id=shipment_id, code=code), 303)
    flash(gettext("Handed over."), "good")
    return redirect(url_for("sales.desk_order", shipment_id=shipment_id), 303)


def _age(found: Tracked) -> dict[str, Any]:
    """From which age what is in a shipment is, and who is old enough for it today."""
    goods = {each.item_id: each.quantity for each in found.goods if each.quantity}
    least = order_ages.needed(found.sale_id, goods)
    return {"least_age": least, "born_by": born_by(least, today()) if least else None}


def _replaced(replaced: fulfilment.Replaced) -> str:
    """What becomes of what was not there."""
    said = []
    if replaced.elsewhere:
        said.append(
            ngettext("%(num)d piece comes from elsewhere.", "%(num)d pieces come from elsewhere.",
                     replaced.elsewhere)
        )  # fmt: skip
    if replaced.paid_back:
        said.append(
            ngettext("Nobody has %(num)d piece: its price goes back.",
                     "Nobody has %(num)d pieces: their price goes back.", replaced.paid_back)
        )  # fmt: skip
    return " ".join([*said, gettext("Please count the shelf.")])


def _here() -> stock.Location:
    """The place that the address names, else where this browser's staff stand, else the first."""
    for code in (request.args.get("at"), web.cookie(PLACE_COOKIE)):
        if code:
            try:
                return stock.location(code)
            except NotFound:
                continue
    return stock.location(stock.MAIN)
