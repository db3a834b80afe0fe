"""The first steps of an owner: what there is to do, how far it is, and the settings as pages.

Settings stay what they are, lines of `instance/store.toml`; a page writes them there, and the shop
opens anew with them. What the environment sets is shown and cannot be changed here.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms, identity, logbook, settings, stock
from ..db import transaction
from ..errors import Forbidden, Invalid, NotFound
from ..payment.gateways.offered import set_up
from ..reports.customers.firsts import firsts
from . import rule_views as rules
from .blueprint import blueprint
from .fields import Field
from .forms import GROUPS, ZONES, words

__all__ = ["blueprint"]


class Step(NamedTuple):
    name: str
    is_done: bool


class CurrencyFixed(Forbidden):
    """The shop has prices or money in its currency already."""

    code = "currency_fixed"
    title = "The currency stands once there are prices or money in it"


@blueprint.get("/owner/start")
@identity.needs("connect_systems")
def start() -> str:
    """What is to be done, in an order that works; each step can be done again."""
    has, config = firsts(), current_app.config
    staffed = identity.others_who_may("print_labels", identity.signed_in().id)
    steps = [
        Step("shop", config["SHOP_NAME"] != _default("SHOP_NAME") or "SHOP_NAME" in _kept()),
        Step("places", any(place.address for place in stock.locations())),
        Step("items", has.items),
        Step("labels", has.labels),
        Step("purchase", has.sales),
        Step("payments", bool(set_up(config))),
        Step("mail", bool(config["SMTP_HOST"])),
        Step("staff", staffed),
    ]
    more = [(group, rules.title(group)) for group in rules.RULES]
    return render_template("opening/start.html", steps=steps, rules=more)


@blueprint.get("/owner/start/<group>", endpoint="settings")
@identity.needs("connect_systems")
def show(group: str) -> str:
    return _page(group)


@blueprint.post("/owner/start/<group>", endpoint="set_settings")
@identity.needs("connect_systems")
def save(group: str) -> ResponseReturnValue:
    """Write a group of settings, and open the shop anew with them."""
    if group not in GROUPS:
        raise NotFound("There is no such step")
    changes = _changes(group)
    # The public address stands on labels: whoever changes it takes shoppers elsewhere.
    if group != "shop" or "BASE_URL" in changes:
        identity.refuse_stale_sign_in()
    if not changes:
        flash(gettext("Nothing was different."), "info")
        return redirect(url_for("opening.start"), 303)
    _write(group, changes)
    again = current_app.config.get("OPEN_AGAIN")
    if again:
        again()
        flash(gettext("Saved. The shop opens anew with it, which takes a few seconds."), "good")
    else:
        flash(gettext("Saved. It holds from the next start of the shop."), "good")
    return redirect(url_for("opening.start"), 303)


def _changes(group: str) -> dict[str, str | bool | int]:
    """What the form says and is not so already. Raises Invalid, CurrencyFixed."""
    changes: dict[str, str | bool | int] = {}
    for field in GROUPS[group]:
        if not settings.from_environment(field.name):
            value = field.read(field.name)
            if value is not None and value != _value(field):
                changes[field.name] = value
    if "CURRENCY" in changes and not _may_change_currency():
        raise CurrencyFixed(field="CURRENCY")
    return changes


def _write(group: str, changes: dict[str, str | bool | int]) -> None:
    """Into the file and into the log; of a key the log says only that it was set."""
    fields = [field for field in GROUPS[group] if field.name in changes]
    is_key = {field.name: field.kind == "key" for field in fields}
    before = {field.name: not is_key[field.name] and _value(field) for field in fields}
    after = {name: is_key[name] or value for name, value in changes.items()}
    try:
        with transaction():
            logbook.note("settings.changed", group, before=before, after=after)
            if "SHOP_NAME" in changes:
                _rename_only_place(str(before["SHOP_NAME"]), str(changes["SHOP_NAME"]))
            settings.write(_instance(), changes)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _rename_only_place(old: str, new: str) -> None:
    """Joiner: a shop's first place is called as the shop was; it goes along while it is the only
    one and nobody has named it."""
    places = stock.locations()
    if len(places) == 1 and places[0].name == old:
        stock.describe_location(places[0].id, new, places[0].address)


@blueprint.get("/owner/places", endpoint="places")
@identity.needs("connect_systems")
def show_places() -> str:
    return render_template("opening/places.html", places=stock.locations())


@blueprint.post("/owner/places", endpoint="add_place")
@identity.needs("connect_systems")
def add_place() -> ResponseReturnValue:
    with transaction():
        stock.add_location(
            forms.text("code", least=1, most=32), forms.text("name", least=1, most=120),
            forms.choice("kind", stock.SELLING, "shop"), forms.text("address", most=200),
        )  # fmt: skip
    flash(gettext("The place is there."), "good")
    return redirect(url_for("opening.places"), 303)


@blueprint.post("/owner/places/<number:place_id>", endpoint="describe_place")
@identity.needs("connect_systems")
def describe_place(place_id: int) -> ResponseReturnValue:
    with transaction():
        stock.describe_location(
            place_id, forms.text("name", least=1, most=120), forms.text("address", most=200)
        )
    flash(gettext("Saved."), "good")
    return redirect(url_for("opening.places"), 303)


def _page(group: str) -> str:
    if group not in GROUPS:
        raise NotFound("There is no such step")
    shown = [
        (field, *words(field.name), _value(field), settings.from_environment(field.name))
        for field in GROUPS[group]
    ]
    return render_template(
        "opening/settings.html", group=group, fields=shown,
        is_fresh=group == "shop" or identity.signed_in_anew(),
        currency_stands=group == "shop" and not _may_change_currency(),
        zones=ZONES, title=rules.title(group) if group in rules.RULES else "",
    )  # fmt: skip


def _value(field: Field) -> str | bool | int:
    """What holds from the next start; of a key only whether there is one."""
    value = current_app.config[field.name]
    if not settings.from_environment(field.name):
        value = _kept().get(field.name, value)
    return bool(value) if field.kind == "key" else value


def _may_change_currency() -> bool:
    has = firsts()
    return not (has.items or has.sales or has.money)


def _instance() -> Path:
    return Path(current_app.config["INSTANCE"])


def _kept() -> dict[str, str | bool | int]:
    return settings.kept(_instance())


def _default(name: str) -> object:
    return next(one.default for one in settings.SETTINGS if one.name == name)
