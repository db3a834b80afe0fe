"""Pages of bad stickers: the list of a place, and what somebody has done about one of them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta, gettext

from .. import catalogue, clock, identity, stock
from .. import forms as fields
from ..db import db, repeatable, transaction
from . import bad_stickers, forms
from .blueprint import blueprint
from .models import BadSticker


@blueprint.get("/desk/labels/bad", endpoint="bad")
@identity.needs("print_labels")
def bad_list() -> str:
    """What is wrong with stickers at a place, since when, how often seen, and what can be done."""
    location = forms.place()
    ended = bool(request.args.get("ended"))
    rows = bad_stickers.bad_stickers(location.id, ended=ended)
    people = {
        one for row in rows for one in (row.BadSticker.seen_by, row.BadSticker.ended_by) if one
    }
    return render_template(
        "labels/bad.html", location=location, locations=stock.locations(), rows=rows, ended=ended,
        who=identity.names_of(list(people)), ways_out=bad_stickers.WAYS_OUT,
        many=bad_stickers.PAGE,
        ago=lambda at: format_timedelta(clock.now() - at, threshold=1.2),
    )  # fmt: skip


@blueprint.post("/desk/labels/bad/<number:bad_id>/ends")
@identity.needs("print_labels")
def end_bad(bad_id: int) -> ResponseReturnValue:
    """It was replaced (the studio prints the new one), torn off, or is right where it is."""
    how = fields.text("how", least=1, most=10)
    bad = _end(bad_id, how, identity.signed_in().id)
    place = stock.location_by_id(bad.location_id).code
    if how == "replaced" and bad.item_id:
        item = db.session.get_one(catalogue.Item, bad.item_id)
        flash(gettext("Print the new label, and put it over the old one."), "good")
        return redirect(url("labels.studio", q=item.code, at=place), 303)
    flash(gettext("Done."), "good")
    return redirect(url("labels.bad", at=place), 303)


@repeatable
def _end(bad_id: int, how: str, member_id: int) -> BadSticker:
    with transaction():
        return bad_stickers.end(bad_id, how, member_id)


@blueprint.app_template_global("count_bad_stickers")
def count_bad_stickers(location_id: int) -> int:
    return bad_stickers.count_bad(location_id)
