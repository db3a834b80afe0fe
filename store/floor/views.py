"""Pages of the floor: what waits for staff, and the live board."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta, gettext

from .. import clock, identity, stock
from ..db import repeatable, transaction
from ..errors import Forbidden, NotFound
from ..stock.forms import here
from . import anything_views, board_views, now, work
from .blueprint import blueprint
from .board_views import lane, watch

__all__ = ["anything_views", "blueprint", "board_views", "lane"]


@blueprint.get("/desk/waiting", endpoint="work")
@identity.needs("desk")
def waiting() -> str:
    """What waits at this place for whoever looks, by their rights, the most urgent first."""
    place, member = here(), identity.signed_in()
    found = now.at_place(now.counted(), watch().seldom(place.id), place.id)
    listed = [
        each for each in work.listed(found, work.kept_by(place.id))
        if identity.allows(member, each.kind.right)
    ]  # fmt: skip
    return render_template(
        "floor/work.html", place=place, places=stock.locations(), waiting=listed, me=member.id,
        who=identity.names_of({each.taken_by for each in listed if each.taken_by}), ago=_ago,
        arguments=_arguments,
    )  # fmt: skip


@blueprint.post("/desk/waiting/<kind>/takings")
@identity.needs("desk")
def take_work(kind: str) -> ResponseReturnValue:
    place, member_id = _may(kind), identity.signed_in().id
    _take(kind, place.id, member_id)
    flash(gettext("You see to it."), "good")
    return redirect(url_for("floor.work", at=place.code), 303)


@repeatable
def _take(kind: str, location_id: int, member_id: int) -> None:
    with transaction():
        found = now.counted().get((kind, work.place_of(kind, location_id)))
        work.take(kind, location_id, member_id, found.since if found else None)


@blueprint.post("/desk/waiting/<kind>/returns")
@identity.needs("desk")
def give_back_work(kind: str) -> ResponseReturnValue:
    place, member_id = _may(kind), identity.signed_in().id
    with transaction():
        work.give_back(kind, place.id, member_id)
    flash(gettext("Somebody else can take it."), "good")
    return redirect(url_for("floor.work", at=place.code), 303)


def _may(kind: str) -> stock.Location:
    """Where the work is, if whoever asks may do it. Raises NotFound, Forbidden."""
    known = work.KINDS.get(kind)
    if known is None:
        raise NotFound("There is no such work", what="work")
    if not identity.allows(identity.signed_in(), known.right):
        raise Forbidden(permission=known.right)
    return here()


def _arguments(kind: work.Kind, place: stock.Location) -> dict[str, Any]:
    """What the page of a kind of work is asked with."""
    more = {"which": "changed"} if kind.name == "reprint" else {}
    return {"at": place.code, **more}


def _ago(at: datetime) -> str:
    return str(format_timedelta(clock.now() - at, threshold=1.2))
