"""What all slips share at the desk: scanning, cancelling, and how their lines are shown."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms, identity, ids
from ..db import transaction
from ..errors import NotFound
from . import forms as asked
from . import slips
from .batch_codes import BatchDiffers, BatchNeeded
from .blueprint import blueprint
from .levels import LARGEST
from .locations import location_by_id
from .slips import Scanned, Slip

PAGES = {
    "purchase": "stock.purchase", "delivery": "stock.delivery", "count": "stock.shelf_count",
    "transfer": "stock.transfer_slip",
}  # fmt: skip
LISTS = {
    "purchase": "stock.deliveries", "delivery": "stock.deliveries", "count": "stock.shelf_counts",
    "transfer": "stock.transfers",
}  # fmt: skip


@blueprint.post("/desk/slips/<number:slip_id>/scans")
@identity.needs("receive_stock")
def scan(slip_id: int) -> ResponseReturnValue:
    """One more of what was scanned, or as many as were typed; "set" counts anew. Where a batch is
    needed and nothing said it, the page asks for it."""
    member, code = identity.signed_in(), forms.scanned("code")
    item = asked.found(code)
    if item is None:
        flash(gettext("Nothing has the code “%(code)s”.", code=code[:60]), "bad")
        return redirect(page_of(any_slip(slip_id)), 303)
    anew = request.form.get("how") == "set"
    quantity = forms.whole("quantity", least=0 if anew else 1, most=LARGEST, default=1)
    key, (batch, last) = forms.text("key", least=8, most=64), asked.pack(code)
    try:
        with transaction():
            slip = slips.scan(
                slip_id, item.id, quantity, member.id, key=key, anew=anew, batch=batch,
                expires_on=last,
            )  # fmt: skip
    except BatchNeeded:
        return redirect(page_of(any_slip(slip_id), item=item.id, many=quantity), 303)
    except BatchDiffers as refusal:
        known = refusal.data["expires_on"]
        flash(gettext("This batch is known with the last day %(day)s.", day=known), "bad")
        return redirect(page_of(any_slip(slip_id), item=item.id, batch=batch, many=quantity), 303)
    return redirect(page_of(slip, item=item.id, batch=batch or None), 303)


@blueprint.post("/desk/slips/<number:slip_id>/cancellations")
@identity.needs("receive_stock")
def cancel_slip(slip_id: int) -> ResponseReturnValue:
    with transaction():
        slip = slips.cancel(slip_id, identity.signed_in().id)
    flash(gettext("Cancelled. Nothing has moved."), "good")
    return redirect(url_for(LISTS[slip.kind]), 303)


def any_slip(slip_id: int) -> Slip:
    for kind in PAGES:
        try:
            return slips.find(slip_id, kind)
        except NotFound:
            continue
    raise NotFound("There is no such slip", what="slip")


def page_of(slip: Slip, **more: Any) -> str:
    return url_for(PAGES[slip.kind], slip_id=slip.id, **more)


def shown(slip: Slip, *, stage: str = "out", expected: dict[int, int] | None = None) -> dict:  # type: ignore[type-arg]
    """What a slip's page needs: its lines in order of the newest scan, then what is still to come;
    and the item that was scanned last or is chosen."""
    g.more_script = " 'wasm-unsafe-eval'"
    scanned, expected = slips.scanned(slip.id, stage), expected or {}
    lines: dict[int, dict[str, Any]] = {}
    for one in scanned:
        line = lines.setdefault(one.item_id, _line(one.item_id, expected.get(one.item_id)))
        line["quantity"] += one.quantity
        line["members"] |= one.members
        line["moved"] = line["moved"] or one.moved
        line["batches"] += [one] if one.quantity or not one.batch else []
    for item, many in expected.items():
        if many and item not in lines:
            lines[item] = _line(item, many)
    chosen_id = _number("item")
    goods = slips.goods([*lines, *([chosen_id] if chosen_id else [])])
    chosen = _chosen(slip, lines.get(chosen_id), goods[chosen_id]) if chosen_id in goods else None
    people = {slip.opened_by, slip.sent_by, slip.ended_by}
    people |= {member for line in lines.values() for member in line["members"]}
    return {
        "slip": slip, "place": location_by_id(slip.location_id), "lines": list(lines.values()),
        "goods": goods, "chosen": chosen, "key": ids.new(),
        "who": identity.names_of({one for one in people if one}),
        "pieces": sum(line["quantity"] for line in lines.values()),
    }  # fmt: skip


def _line(item_id: int, expected: int | None) -> dict[str, Any]:
    """An item of a slip, with what was scanned of each of its batches."""
    return {"item_id": item_id, "quantity": 0, "expected": expected, "members": set(),
            "moved": False, "batches": list[Scanned]()}  # fmt: skip


def _chosen(slip: Slip, line: dict[str, Any] | None, item: Any) -> dict[str, Any] | None:
    """The item that was scanned last or is chosen, and the batch of it: the one that the address
    names, else the one that was scanned last. `asks`: it is not scanned, its batch is wanted."""
    of_batches = slip.kind in ("delivery", "transfer") and item.tracks_batches
    many = _number("many")
    if line is None and not (of_batches and many):
        return None
    known = line or _line(item.id, None)
    said = request.args.get("batch", "")[:20]
    batches = {one.batch: one for one in known["batches"]}
    newest = next((one.batch for one in known["batches"] if one.batch), "")
    batch = said or (newest if of_batches and slip.kind == "delivery" else "")
    last = batches[batch].expires_on if batch in batches else None
    return known | {
        "of_batches": of_batches, "batch": batch, "expires_on": last, "asks": many,
        "in_batch": batches[batch].quantity if batch in batches else 0,
    }  # fmt: skip


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
