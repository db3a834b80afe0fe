"""The owner's page of segments: who they are in words, how many, before and after it is kept."""

from __future__ import annotations

import time
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import catalogue, identity, money, stock, web
from .. import forms as fields
from ..db import repeatable, transaction
from ..errors import Invalid
from ..reports.customers.segments import Segment
from . import forms, saved
from .blueprint import blueprint

__all__ = ["words"]

COUNTED_WITHIN_S = 0.5
"""A page counts segments for so long; the others when they are asked for."""


@blueprint.get("/owner/segments", endpoint="segments")
@identity.needs("run_campaigns")
def list_segments() -> str:
    return _page({})


@blueprint.post("/owner/segments/preview", endpoint="preview_segment")
@identity.needs("run_campaigns")
def preview() -> ResponseReturnValue:
    """How many they are. Nothing is kept."""
    try:
        wanted = forms.segment()
    except Invalid as refusal:
        return _page(_said(refusal)), refusal.status
    return _page(_said(None), (wanted, saved.count(wanted)))


@blueprint.post("/owner/segments", endpoint="add_segment")
@identity.needs("run_campaigns")
def add() -> ResponseReturnValue:
    """Keep the segment under a name."""
    try:
        _save()
    except Invalid as refusal:
        return _page(_said(refusal)), refusal.status
    flash(gettext("The segment is kept."), "good")
    return redirect(url_for("campaigns.segments"), 303)


@blueprint.post("/owner/segments/<number:segment_id>/end", endpoint="end_segment")
@identity.needs("run_campaigns")
def end(segment_id: int) -> ResponseReturnValue:
    saved.known(segment_id)
    with transaction():
        saved.end(segment_id)
    flash(gettext("It is put away."), "good")
    return redirect(url_for("campaigns.segments"), 303)


@repeatable
def _save() -> None:
    wanted, name = forms.segment(), fields.text("name", least=1, most=60)
    with transaction():
        saved.save(name, wanted, made_by=identity.signed_in().id)


def _said(refusal: Invalid | None) -> dict[str, Any]:
    said: dict[str, Any] = dict(request.form.to_dict())
    if refusal is not None:
        said |= {"fault": forms.why(refusal), "field": refusal.field}
    return said


def _page(said: dict[str, Any], tried: tuple[Segment, saved.Counted] | None = None) -> str:
    found = saved.listed()
    return render_template(
        "campaigns/segments.html", said=said, found=found,
        words={one.id: words(one.segment) for one in found},
        counts=_counts(found),
        tried=tried[1] if tried else None, tried_words=words(tried[0]) if tried else "",
        categories=catalogue.categories(), currency=current_app.config["CURRENCY"],
        places=[one for one in stock.locations() if one.kind in stock.SELLING],
    )  # fmt: skip


def _counts(found: list[saved.Kept]) -> dict[int, saved.Counted]:
    """How many there are in those that can be counted at once, and in the one that is asked for."""
    asked, began = request.args.get("count", ""), time.monotonic()
    counts = {}
    for one in found:
        if str(one.id) == asked or time.monotonic() - began < COUNTED_WITHIN_S:
            counts[one.id] = saved.count(one.segment)
    return counts


def words(one: Segment) -> str:
    """What is true of the members of a segment, as a sentence of several parts."""
    found = [*_times(one), *_where(one)]
    if one.days is not None:
        found.append(ngettext("in the last day", "in the last %(num)d days", one.days))
    if one.quiet_days is not None:
        found.append(ngettext("nothing for a day", "nothing for %(num)d days", one.quiet_days))
    if one.left_days is not None:
        found.append(
            ngettext("something left in the basket in the last day",
                     "something left in the basket in the last %(num)d days", one.left_days)
        )  # fmt: skip
    return str(gettext(", ")).join(found)


def _times(one: Segment) -> list[str]:
    found = []
    if one.least_times is not None:
        found.append(
            ngettext("bought at least once", "bought %(num)d times or more", one.least_times)
        )
    if one.most_times is not None:
        found.append(
            ngettext("bought once at most", "bought %(num)d times at most", one.most_times)
        )
    if not found and one.of_purchases:
        found.append(gettext("bought"))
    if one.least_minor is not None:
        least = money.show(one.least_minor, one.currency, web.language())
        found.append(gettext("for %(amount)s or more", amount=least))
    if one.most_minor is not None:
        most = money.show(one.most_minor, one.currency, web.language())
        found.append(gettext("for %(amount)s at most", amount=most))
    return found


def _where(one: Segment) -> list[str]:
    found = []
    if one.category_id is not None:
        names = {each.id: each.names for each in catalogue.categories()}
        goods = web.in_language(names.get(one.category_id))
        found.append(gettext("something of “%(category)s”", category=goods))
    if one.location_id is not None:
        places = {each.id: each.name for each in stock.locations()}
        found.append(gettext("at %(place)s", place=places.get(one.location_id, "")))
    ways = {"shelf": gettext("at the shelf"), "till": gettext("at the till"),
            "web": gettext("web orders")}  # fmt: skip
    if one.channel is not None:
        found.append(ways[one.channel])
    return found
