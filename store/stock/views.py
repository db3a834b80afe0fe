"""Pages of stock: what is where, goods that come in, and counting."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import catalogue, forms, identity, ids, logbook
from ..db import transaction
from ..errors import NotFound
from . import (
    afterwards,
    batch_codes,
    batches,
    count_views,
    delivery_views,
    movements,
    quarantine_views,
    slip_views,
    task_views,
    transfer_views,
    write_off_views,
)
from . import forms as asked
from .blueprint import blueprint
from .levels import LARGEST, count_to, levels, on_hand, receive
from .locations import locations
from .models import Location
from .standing import shelves
from .write_offs import CHOICES

__all__ = [
    "blueprint", "count_views", "delivery_views", "quarantine_views", "slip_views", "task_views",
    "transfer_views", "write_off_views",
]  # fmt: skip


@blueprint.get("/desk/stock")
@identity.needs("receive_stock")
def desk() -> str:
    """One item with what can be done to it, or what happened here and what runs low."""
    place, code = asked.here(), request.args.get("code", "").strip()[: forms.LONGEST_SCAN]
    item = asked.found(code)
    found = movements.movements(
        place.id, item_id=item.id if item else None,
        before=asked.before(), limit=movements.PAGE + 1,
    )  # fmt: skip
    shown = found[: movements.PAGE]
    return render_template(
        "stock/desk.html", place=place, places=locations(every=True), code=code, item=item,
        level=_at(item, place) if item else None, said=asked.said_by(code),
        in_batches=batches.in_batches([(item.id, place.id)]) if item else [],
        seen=movements.newest_id(),
        key=ids.new(), why=CHOICES,
        movements=shown, who=identity.names_of({one.member_id for one in shown if one.member_id}),
        next_before=shown[-1].id if len(found) > len(shown) else None,
        low=[] if code else movements.running_low(place.id, current_app.config["LAST_ONES"]),
    )  # fmt: skip


@blueprint.post("/desk/stock/receipts")
@identity.needs("receive_stock")
def receive_goods() -> ResponseReturnValue:
    """Goods come in. The same twice from one page is asked about first."""
    member, item, place = identity.signed_in(), asked.item(), asked.place()
    quantity = forms.whole("quantity", least=1, most=LARGEST)
    seen = forms.whole("seen", least=0, most=10**15)
    note, (batch, expires_on) = forms.text("note", most=200), asked.batch(item)
    done_at = logbook.done_at()
    with transaction():
        if not forms.flag("again"):
            afterwards.refuse_counted(item.id, place.id, done_at)
            movements.refuse_repeated(item.id, place.id, quantity, member.id, seen)
        batch_id = batch_codes.open_batch(item.id, batch, expires_on) if batch else None
        left = receive(
            item.id, place.id, quantity, member_id=member.id, note=note, batch_id=batch_id,
            at=done_at,
        )  # fmt: skip
    flash(
        ngettext(
            "%(num)d came in. Now there is %(left)d.", "%(num)d came in. Now there are %(left)d.",
            quantity, left=left,
        ),
        "good",
    )  # fmt: skip
    return _back(item, place)


@blueprint.post("/desk/stock/counts")
@identity.needs("receive_stock")
def count() -> ResponseReturnValue:
    """What was counted becomes the level; a second tap changes nothing more. A count that is told
    late is of its own moment, and what has moved since is said."""
    member, item, place = identity.signed_in(), asked.item(), asked.place()
    counted = forms.whole("counted", least=0, most=LARGEST)
    note, done_at = forms.text("note", most=200), logbook.done_at()
    with transaction():
        change = count_to(
            item.id, place.id, counted, member_id=member.id, note=note, at=done_at
        )  # fmt: skip
        left = on_hand(item.id, place.id)
    if change:
        sign = "+" if change > 0 else "−"
        said = gettext("Counted. The level changed by %(change)s.", change=f"{sign}{abs(change)}")
    else:
        said = gettext("Counted. The level was right.")
    flash(said, "good")
    if left != counted:
        flash(
            gettext(
                "%(counted)d were there then. Goods came or went since: now there are %(left)d.",
                counted=counted, left=left,
            ),
            "info",
        )  # fmt: skip
    return _back(item, place)


@blueprint.post("/desk/stock/recalls")
@identity.needs("receive_stock")
def recall() -> ResponseReturnValue:
    """A batch is called back everywhere, or is sold again; a second tap changes nothing."""
    member, item, place = identity.signed_in(), asked.item(), asked.place()
    batch_id, back = forms.whole("batch_id", least=1, most=10**15), forms.flag("back")
    if batch_codes.item_of(batch_id) != item.id:
        raise NotFound("This item has no such batch")
    with transaction():
        batch_codes.call_back(batch_id, member_id=member.id, back=back)
    flash(
        gettext("This batch is sold again.") if back
        else gettext("Called back: nobody can buy of this batch, in any shop."),
        "good",
    )  # fmt: skip
    return _back(item, place)


def _at(item: catalogue.Item, place: Location) -> dict[str, Any]:
    """The item's level at every location, and its shelf at this one."""
    everywhere = locations(transit=True)
    found = levels([(item.id, each.id) for each in everywhere])
    return {
        "on_hand": found.get((item.id, place.id), 0),
        "shelf": shelves([item.id], place.id).get(item.id, ""),
        "levels": [(each, found.get((item.id, each.id), 0)) for each in everywhere],
    }


def _back(item: catalogue.Item, place: Location) -> ResponseReturnValue:
    return redirect(url_for("stock.desk", code=item.code, at=place.code), 303)
