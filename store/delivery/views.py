"""Pages of delivery: a shopper's addresses; the owner's zones, rates, places and weights."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms as fields
from .. import identity, money, stock, web
from ..db import transaction
from . import addresses, forms, places, rates

blueprint = Blueprint("delivery", __name__)


# A shopper's own addresses


@blueprint.get("/me/addresses", endpoint="addresses")
def show_addresses() -> str:
    """Where this member has things sent."""
    member = identity.signed_in()
    return render_template(
        "delivery/addresses.html", known=addresses.address_book(member.id),
        countries=_countries(), going_on=request.args.get("next", "")[:500],
    )  # fmt: skip


@blueprint.post("/me/addresses")
def add_address() -> ResponseReturnValue:
    """One more, and back to where it was asked for."""
    member, where = identity.signed_in(), forms.where()
    with transaction():
        added = addresses.add_address(member.id, where)
    going_on = request.form.get("next", "")
    if going_on:
        sign = "&" if "?" in going_on else "?"
        return redirect(identity.safe_next(f"{going_on}{sign}address={added}"), 303)
    return redirect(url_for("delivery.addresses"), 303)


@blueprint.post("/me/addresses/<number:address_id>/remove")
def remove_address(address_id: int) -> ResponseReturnValue:
    member = identity.signed_in()
    with transaction():
        addresses.remove_address(member.id, address_id)
    return redirect(url_for("delivery.addresses"), 303)


def _countries() -> list[str]:
    """The countries that the shop sends to, the first zone's first."""
    table = rates.zones(web.setting("CURRENCY"))
    return list(dict.fromkeys(zone.country for zone in table))


# What the owner decides


@blueprint.get("/owner/delivery")
@identity.needs("manage_delivery")
def decisions() -> str:
    """Zones with their rates, what places do for orders, what sourcing weighs."""
    return render_template(
        "delivery/decisions.html", zones=rates.zones(web.setting("CURRENCY")),
        spots=places.spots(), when_empty={one.id: one.when_empty for one in stock.locations()},
        weights=places.weighing(), currency=web.setting("CURRENCY"),
        plain=lambda minor: money.text(minor, web.setting("CURRENCY")),
    )  # fmt: skip


@blueprint.post("/owner/delivery/zones")
@identity.needs("manage_delivery")
def add_zone() -> ResponseReturnValue:
    name, country = fields.text("name", least=1, most=80), fields.text("country", least=2, most=2)
    prefix, point = fields.text("prefix", most=12), forms.point()
    with transaction():
        rates.add_zone(name, country, prefix, point)
    return _saved()


@blueprint.post("/owner/delivery/zones/<number:zone_id>/remove")
@identity.needs("manage_delivery")
def remove_zone(zone_id: int) -> ResponseReturnValue:
    with transaction():
        rates.remove_zone(zone_id)
    return _saved()


@blueprint.post("/owner/delivery/zones/<number:zone_id>/rates")
@identity.needs("manage_delivery")
def add_rate(zone_id: int) -> ResponseReturnValue:
    up_to_g = fields.whole("up_to_g", least=1, most=rates.HEAVIEST_G)
    price = fields.amount("price", web.setting("CURRENCY"))
    least = fields.whole("days_least", least=0, most=365)
    most = fields.whole("days_most", least=0, most=365)
    with transaction():
        rates.add_rate(zone_id, up_to_g, price, web.setting("CURRENCY"), least, most)
    return _saved()


@blueprint.post("/owner/delivery/rates/<number:rate_id>/remove")
@identity.needs("manage_delivery")
def remove_rate(rate_id: int) -> ResponseReturnValue:
    with transaction():
        rates.remove_rate(rate_id)
    return _saved()


@blueprint.post("/owner/delivery/places/<code>")
@identity.needs("manage_delivery")
def describe_place(code: str) -> ResponseReturnValue:
    place = stock.location(code)
    said = {
        "point": forms.point(), "hours": fields.text("hours", most=300),
        "buffer": fields.whole("buffer", least=0, most=10**6, default=0),
        "ships": fields.flag("ships"), "hands_over": fields.flag("hands_over"),
        "parcel_minor": forms.minor("parcel"),
        "days": fields.whole("days", least=0, most=places.MOST_DAYS, default=0),
    }  # fmt: skip
    at_zero = fields.choice("when_empty", ("", *stock.WHEN_EMPTY))
    with transaction():
        places.set_place(place.id, **said)  # type: ignore[arg-type]
        if at_zero:
            stock.set_when_empty(place.id, at_zero)
    return _saved()


@blueprint.post("/owner/delivery/weights")
@identity.needs("manage_delivery")
def set_weights() -> ResponseReturnValue:
    wanted = forms.weights()
    with transaction():
        places.set_weighing(wanted)
    return _saved()


def _saved() -> ResponseReturnValue:
    flash(gettext("Saved."), "good")
    return redirect(url_for("delivery.decisions"), 303)
