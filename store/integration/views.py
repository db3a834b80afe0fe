"""Pages of integration: what other systems sent and a person must look at."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import identity
from ..db import transaction
from . import conflicts

blueprint = Blueprint("integration", __name__)

PAGE = 40
TABS = {
    "open": ("conflict", "refused"),
    "all": ("applied", "dismissed", "replaced", *conflicts.OPEN),
}


@blueprint.get("/desk/feeds")
@identity.needs("receive_stock")
def feeds() -> str:
    """Entries that wait for a person; or everything that came."""
    tab = request.args.get("show", "open")
    tab = tab if tab in TABS else "open"
    before, source = request.args.get("before", ""), request.args.get("source", "")[:40]
    is_number = before.isascii() and before.isdigit() and len(before) < 16
    found = conflicts.entries(
        states=TABS[tab], source=source, before=int(before) if is_number else None, limit=PAGE + 1
    )
    shown = found[:PAGE]
    people = {one.settled_by for one in shown if one.settled_by}
    return render_template(
        "integration/feeds.html", entries=shown, tab=tab, source=source,
        sources=conflicts.sources(), who=identity.names_of(people),
        next_before=shown[-1].id if len(found) > PAGE else None,
    )  # fmt: skip


@blueprint.post("/desk/feeds/<number:entry_id>/apply")
@identity.needs("receive_stock")
def apply(entry_id: int) -> ResponseReturnValue:
    """The entry counts. What still keeps it from that is said, and it goes on waiting."""
    member_id = identity.signed_in().id
    try:
        with transaction():
            conflicts.apply(entry_id, member_id)
        flash(gettext("Done. The entry counts."), "good")
    except conflicts.ConflictStands as refusal:
        flash(gettext("Not applied: %(reason)s", reason=refusal.message), "warn")
    return redirect(url_for("integration.feeds"), 303)


@blueprint.post("/desk/feeds/<number:entry_id>/dismiss")
@identity.needs("receive_stock")
def dismiss(entry_id: int) -> ResponseReturnValue:
    """The entry shall not count; nothing moves."""
    member_id = identity.signed_in().id
    try:
        with transaction():
            conflicts.dismiss(entry_id, member_id)
        flash(gettext("Set aside. Nothing was changed."), "good")
    except conflicts.ConflictStands:
        flash(gettext("It was settled already."), "info")
    return redirect(url_for("integration.feeds"), 303)
