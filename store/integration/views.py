"""Pages of integration: what other systems sent and a person must look at."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import forms, identity
from ..db import transaction
from ..errors import Invalid
from . import conflicts, webhooks
from .changes import TOPICS

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


@blueprint.get("/owner/webhooks")
@identity.needs("connect_systems")
def subscriptions() -> str:
    """Which systems are told of what."""
    return _subscriptions()


@blueprint.post("/owner/webhooks")
@identity.needs("connect_systems")
def subscribe() -> ResponseReturnValue:
    """A new subscription; its secret is on this answer and nowhere else."""
    topics, url = request.form.getlist("topics"), forms.text("url", least=1, most=500)
    try:
        with transaction():
            made = webhooks.add(url, topics, identity.signed_in().id)
    except Invalid as refusal:
        return _subscriptions(refusal=refusal, typed=url, chosen=topics), refusal.status
    return _subscriptions(made=made)


@blueprint.get("/owner/webhooks/<number:webhook_id>")
@identity.needs("connect_systems")
def deliveries(webhook_id: int) -> str:
    """What was sent to one address, and what was not taken."""
    hook, before = webhooks.subscription(webhook_id), request.args.get("before", "")
    is_number = before.isascii() and before.isdigit() and len(before) < 16
    found = webhooks.deliveries(
        webhook_id, before=int(before) if is_number else None, limit=PAGE + 1
    )
    return render_template(
        "integration/deliveries.html", hook=hook, deliveries=found[:PAGE],
        next_before=found[PAGE - 1].id if len(found) > PAGE else None,
    )  # fmt: skip


@blueprint.post("/owner/webhooks/<number:webhook_id>/replays")
@identity.needs("connect_systems")
def replay(webhook_id: int) -> ResponseReturnValue:
    """Send one delivery again, or all dead ones."""
    delivery_id = forms.whole("delivery", least=0, most=10**15, default=0)
    with transaction():
        count = webhooks.replay(webhook_id, delivery_id or None)
    flash(ngettext("%(num)d is sent again.", "%(num)d are sent again.", count), "good")
    return redirect(url_for("integration.deliveries", webhook_id=webhook_id), 303)


@blueprint.post("/owner/webhooks/<number:webhook_id>/state")
@identity.needs("connect_systems")
def switch(webhook_id: int) -> ResponseReturnValue:
    """Pause a subscription, or let it go on."""
    state = forms.choice("state", ("on", "off"))
    with transaction():
        webhooks.switch(webhook_id, state)
    return redirect(url_for("integration.deliveries", webhook_id=webhook_id), 303)


@blueprint.post("/owner/webhooks/<number:webhook_id>/end")
@identity.needs("connect_systems")
def end(webhook_id: int) -> ResponseReturnValue:
    """Nothing more goes there."""
    with transaction():
        webhooks.end(webhook_id)
    flash(gettext("Nothing more is sent there."), "good")
    return redirect(url_for("integration.subscriptions"), 303)


def _subscriptions(
    made: webhooks.Made | None = None,
    refusal: Invalid | None = None,
    typed: str = "",
    chosen: Sequence[str] = TOPICS,
) -> str:
    return render_template(
        "integration/webhooks.html", subscriptions=webhooks.subscriptions(), topics=TOPICS,
        made=made, refusal=refusal, typed=typed, chosen=chosen,
    )  # fmt: skip
