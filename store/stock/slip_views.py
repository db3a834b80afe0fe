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
    """One more of what was scanned, or as many as were typed; "set" counts anew."""
    member, code = identity.signed_in(), forms.text("code", least=1, most=1000)
    item = asked.found(code)
    if item is None:
        flash(gettext("Nothing has the code “%(code)s”.", code=code[:60]), "bad")
        return redirect(page_of(_any(slip_id)), 303)
    anew = request.form.get("how") == "set"
    quantity = forms.whole("quantity", least=0 if anew else 1, most=LARGEST, default=1)
    key = forms.text("key", least=8, most=64)
    with transaction():
        slip = slips.scan(slip_id, item.id, quantity, member.id, key=key, anew=anew)
    return redirect(page_of(slip, item=item.id), 303)


@blueprint.post("/desk/slips/<number:slip_id>/cancellations")
@identity.needs("receive_stock")
def cancel_slip(slip_id: int) -> ResponseReturnValue:
    with transaction():
        slip = slips.cancel(slip_id, identity.signed_in().id)
    flash(gettext("Cancelled. Nothing has moved."), "good")
    return redirect(url_for(LISTS[slip.kind]), 303)


def _any(slip_id: int) -> Slip:
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
    known = {one.item_id for one in scanned}
    lines = [line(one, expected.get(one.item_id)) for one in scanned]
    lines += [
        {"item_id": item, "quantity": 0, "expected": many, "members": set(), "moved": False}
        for item, many in expected.items()
        if item not in known and many
    ]
    chosen = request.args.get("item", "")
    chosen_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 16 else None
    goods = slips.goods([one["item_id"] for one in lines])
    people = {slip.opened_by, slip.sent_by, slip.ended_by}
    people |= {member for one in lines for member in one["members"]}
    return {
        "slip": slip, "place": location_by_id(slip.location_id), "lines": lines, "goods": goods,
        "chosen": next((one for one in lines if one["item_id"] == chosen_id), None),
        "key": ids.new(), "who": identity.names_of({one for one in people if one}),
        "pieces": sum(one["quantity"] for one in lines),
    }  # fmt: skip


def line(one: Scanned, expected: int | None) -> dict[str, Any]:
    return {
        "item_id": one.item_id, "quantity": one.quantity, "expected": expected,
        "members": one.members, "moved": one.moved,
    }  # fmt: skip
