"""Pages of walk-throughs: those that go on, the walk itself with the answer to each scan, and the
list of what is wrong."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, g, redirect, render_template, request
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import catalogue, identity, ids, stock, web
from .. import forms as fields
from ..db import db, repeatable, transaction
from ..errors import NotFound
from . import forms, walks
from .blueprint import blueprint
from .judging import Shop
from .models import Label
from .walk_models import Walk

MOST_SHOWN = 500


@blueprint.get("/desk/walks", endpoint="walks")
@identity.needs("print_labels")
def walk_list() -> str:
    """Walks that go on here, for everybody to join, and those that are over."""
    place = _here()
    going, over = walks.listed(place.id, ended=False), walks.listed(place.id, ended=True)
    people = {one.opened_by for one in (*going, *over)}
    return render_template(
        "labels/walks.html", place=place, places=stock.locations(), going=going, over=over,
        key=ids.new(), who=identity.names_of(list(people)),
        wrong=walks.tally(one.id for one in (*going, *over)),
    )  # fmt: skip


@blueprint.post("/desk/walks")
@identity.needs("print_labels")
def begin_walk() -> ResponseReturnValue:
    place = stock.selling_location(fields.text("at", least=1, most=32))
    walk_id = _begin(place.id, identity.signed_in().id, fields.text("key", least=8, most=64))
    return redirect(url("labels.walk", walk_id=walk_id), 303)


@repeatable
def _begin(location_id: int, member_id: int, key: str) -> int:
    with transaction():
        return walks.begin(location_id, member_id, key)


@blueprint.get("/desk/walks/<number:walk_id>")
@identity.needs("print_labels")
def walk(walk_id: int) -> str:
    """Walking; with ?result=1, and when it is over, the list of what is wrong."""
    found = walks.find(walk_id)
    if found.ended_at is None and not request.args.get("result"):
        return _walking(found, request.args.get("shelf", "")[:40].strip())
    rows = walks.result(walk_id)[: MOST_SHOWN + 1]
    people = {found.opened_by, found.ended_by}
    return render_template(
        "labels/walk_result.html", walk=found, place=stock.location_by_id(found.location_id),
        rows=rows[:MOST_SHOWN], is_more=len(rows) > MOST_SHOWN,
        shelves=walks.shelves_of(walk_id), many=len(walks.to_print(walk_id)),
        who=identity.names_of([one for one in people if one]),
    )  # fmt: skip


@blueprint.post("/desk/walks/<number:walk_id>/scans")
@identity.needs("print_labels")
def scan_for_walk(walk_id: int) -> str:
    """The answer stands on the walk's page; a request that is repeated gets the same one."""
    text, shelf = fields.scanned("code"), fields.text("shelf", most=40)
    key = fields.text("key", least=8, most=64)
    found = _scan(walk_id, text, shelf, key, identity.signed_in().id)
    return _walking(walks.find(walk_id), found.shelf, found, text)


@repeatable
def _scan(walk_id: int, text: str, shelf: str, key: str, member_id: int) -> walks.Found:
    shop = Shop(web.base_url(), forms.secret_key(), _currency())
    with transaction():
        return walks.scan(walk_id, text, shelf, key, member_id, shop)


@blueprint.post("/desk/walks/<number:walk_id>/shelves")
@identity.needs("print_labels")
def close_walk_shelf(walk_id: int) -> ResponseReturnValue:
    """This shelf is done: what was not seen is missing."""
    shelf = fields.text("shelf", least=1, most=40)
    missing = _close(walk_id, shelf, identity.signed_in().id)
    if missing:
        said = ngettext(
            "Shelf %(shelf)s: %(num)d label is missing.",
            "Shelf %(shelf)s: %(num)d labels are missing.",
            missing,
            shelf=shelf,
        )
        flash(said, "warn")
    else:
        flash(gettext("Shelf %(shelf)s: every label was seen.", shelf=shelf), "good")
    return redirect(url("labels.walk", walk_id=walk_id), 303)


@repeatable
def _close(walk_id: int, shelf: str, member_id: int) -> int:
    with transaction():
        return walks.close_shelf(walk_id, shelf, _currency(), member_id)


@blueprint.post("/desk/walks/<number:walk_id>/empties")
@identity.needs("print_labels")
def empty_on_walk(walk_id: int) -> ResponseReturnValue:
    """Nothing stands behind the label: somebody shall fill the shelf, or look for the goods."""
    item = db.session.get(catalogue.Item, fields.whole("item", least=1, most=10**15))
    if item is None:
        raise catalogue.ItemNotForSale("There is no such item")
    kind = _empty(walk_id, item.id, identity.signed_in().id)
    said = (
        gettext("A task asks to refill it from the warehouse.") if kind == walks.REFILL
        else gettext("A task asks to look at the shelf.")
    )  # fmt: skip
    flash(said, "good")
    shelf = fields.text("shelf", most=40)
    return redirect(url("labels.walk", walk_id=walk_id, shelf=shelf or None), 303)


@repeatable
def _empty(walk_id: int, item_id: int, member_id: int) -> str:
    with transaction():
        return walks.shelf_is_empty(walk_id, item_id, member_id)


@blueprint.post("/desk/walks/<number:walk_id>/ends")
@identity.needs("print_labels")
def end_walk(walk_id: int) -> ResponseReturnValue:
    _end(walk_id, identity.signed_in().id)
    return redirect(url("labels.walk", walk_id=walk_id), 303)


@repeatable
def _end(walk_id: int, member_id: int) -> None:
    with transaction():
        walks.end(walk_id, member_id)


def _walking(walk_: Walk, shelf: str, found: walks.Found | None = None, text: str = "") -> str:
    g.more_script = " 'wasm-unsafe-eval'"
    place = stock.location_by_id(walk_.location_id)
    shelves = walks.shelves_of(walk_.id)
    return render_template(
        "labels/walk.html", walk=walk_, place=place, shelf=shelf, found=found, text=text,
        names=stock.shelf_names(place.id), shelves=shelves, key=ids.new(), again=ids.new(),
        seen=len(walks.seen_on(walk_.id, shelf)), **_facts(found, place.id),
    )  # fmt: skip


def _facts(found: walks.Found | None, location_id: int) -> dict[str, Any]:
    """The item and the label of an answer, and the price of now."""
    if found is None or found.item_id is None:
        return {"item": None, "label": None, "price_minor": None}
    price = catalogue.quote([found.item_id], location_id, _currency()).get(found.item_id)
    label = db.session.get(Label, found.label_id) if found.label_id else None
    return {
        "item": db.session.get(catalogue.Item, found.item_id), "label": label,
        "price_minor": price, "currency": _currency(),
        "home_place": stock.location_by_id(label.location_id).name if label else "",
    }  # fmt: skip


def _currency() -> str:
    return str(current_app.config["CURRENCY"])


def _here() -> stock.Location:
    """The place that the address names, else where this browser's staff stand, else the first."""
    try:
        return stock.location(request.args.get("at") or web.cookie("place") or stock.MAIN)
    except NotFound:
        return stock.location(stock.MAIN)  # Renamed or removed since.
