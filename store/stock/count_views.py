"""Pages of counts: a blind count of a shelf by scanning, its result, and approving it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import forms, identity, ids
from ..db import transaction
from . import counts, slips
from . import forms as asked
from .blueprint import blueprint
from .locations import locations
from .slip_views import shown
from .work_models import Slip


@blueprint.get("/desk/counts")
@identity.needs("receive_stock")
def shelf_counts() -> str:
    """Counts that go on here, for everybody to join, and those that were approved lately."""
    place = asked.here()
    here = (Slip.location_id == place.id) & (Slip.kind == "count")
    going, done = slips.listed(here, ended=False), slips.listed(here, ended=True, limit=20)
    people = {one.opened_by for one in going} | {one.ended_by for one in done}
    return render_template(
        "stock/counts.html", place=place, places=locations(), going=going, done=done,
        shelves=counts.shelf_names(place.id), key=ids.new(),
        who=identity.names_of({one for one in people if one}),
    )  # fmt: skip


@blueprint.post("/desk/counts")
@identity.needs("receive_stock")
def open_count() -> ResponseReturnValue:
    member, place = identity.signed_in(), asked.place()
    with transaction():
        slip_id = slips.open_slip(
            "count", place.id, member.id, key=forms.text("key", least=8, most=64),
            title=forms.text("shelf", most=40), note=forms.text("note", most=200),
        )  # fmt: skip
    return redirect(url_for("stock.shelf_count", slip_id=slip_id), 303)


@blueprint.get("/desk/counts/<number:slip_id>")
@identity.needs("receive_stock")
def shelf_count(slip_id: int) -> str:
    """Counting: without the book's figures; with ?result=1 the differences, before approving."""
    slip = slips.find(slip_id, "count")
    facts = shown(slip)
    if slip.ended_at is not None or request.args.get("result"):
        found = slips.scanned(slip_id)
        lines = slips.shown_lines(slip_id) or [
            (one.item_id, one.book or 0, one.quantity) for one in found
        ]
        return render_template(
            "stock/count_result.html", **facts, result=lines,
            again={one.item_id for one in found if one.moved and slip.ended_at is None},
            lacking=counts.not_counted(slip) if slip.ended_at is None else [],
        )  # fmt: skip
    return render_template("stock/count.html", **facts, lacking=counts.not_counted(slip))


@blueprint.post("/desk/counts/<number:slip_id>/approvals")
@identity.needs("receive_stock")
def approve_count(slip_id: int) -> ResponseReturnValue:
    with transaction():
        changes = counts.approve(slip_id, identity.signed_in().id)
    off = sum(1 for change in changes.values() if change)
    if off:
        said = ngettext("Approved. %(num)d level was put right.",
                        "Approved. %(num)d levels were put right.", off)  # fmt: skip
    else:
        said = gettext("Approved. The book was right.")
    flash(said, "good")
    return redirect(url_for("stock.shelf_count", slip_id=slip_id), 303)
