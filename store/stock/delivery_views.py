"""Pages of goods in: orders at suppliers, and deliveries that are scanned and booked."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from .. import forms, identity, ids
from ..db import transaction
from ..errors import Invalid
from . import forms as asked
from . import purchases, slips
from .blueprint import blueprint
from .cost_views import shown_costs
from .levels import LARGEST
from .locations import locations
from .slip_views import page_of, shown
from .work_models import Slip


@blueprint.get("/desk/deliveries")
@identity.needs("receive_stock")
def deliveries() -> str:
    """What is expected here, what is being scanned, and what was booked lately."""
    place = asked.here()
    here = Slip.location_id == place.id
    orders = slips.listed(here & (Slip.kind == "purchase"), ended=False)
    arriving = slips.listed(here & (Slip.kind == "delivery"), ended=False)
    booked = slips.listed(here & (Slip.kind == "delivery"), ended=True, limit=20)
    people = {one.opened_by for one in orders + arriving} | {one.ended_by for one in booked}
    return render_template(
        "stock/deliveries.html", place=place, places=locations(), orders=orders,
        arriving=arriving, booked=booked, key=ids.new(),
        who=identity.names_of({one for one in people if one}),
    )  # fmt: skip


@blueprint.post("/desk/deliveries")
@identity.needs("receive_stock")
def open_delivery() -> ResponseReturnValue:
    """A delivery begins: of an order, or of a supplier who just came."""
    member, place = identity.signed_in(), asked.place()
    key = forms.text("key", least=8, most=64)
    title = forms.text("supplier", most=120)
    order_id = forms.whole("order", least=0, most=10**15, default=0)
    if order_id:
        order = slips.find(order_id, "purchase")
        place, title = asked.place_of(order.location_id), order.title
    with transaction():
        slip_id = slips.open_slip(
            "delivery", place.id, member.id, key=key, purchase_id=order_id or None, title=title,
            note=forms.text("note", most=200),
        )  # fmt: skip
    return redirect(url_for("stock.delivery", slip_id=slip_id), 303)


@blueprint.get("/desk/deliveries/<number:slip_id>")
@identity.needs("receive_stock")
def delivery(slip_id: int) -> str:
    """One delivery: scan what came, then book it; once booked, print its labels."""
    slip = slips.find(slip_id, "delivery")
    if slip.ended_at is not None:
        expected = {item: many for item, many, _ in slips.shown_lines(slip_id)}
    else:
        expected = purchases.still_to_come(slip.purchase_id) if slip.purchase_id else {}
    facts = shown(slip, expected=expected)
    return render_template(
        "stock/delivery.html", **facts, **shown_costs(slip, list(facts["goods"]))
    )


@blueprint.post("/desk/deliveries/<number:slip_id>/bookings")
@identity.needs("receive_stock")
def book_delivery(slip_id: int) -> ResponseReturnValue:
    with transaction():
        pieces = purchases.book_delivery(slip_id, identity.signed_in().id)
    said = ngettext("%(num)d piece is on the shelf.", "%(num)d pieces are on the shelf.", pieces)
    flash(said, "good")
    return redirect(url_for("stock.delivery", slip_id=slip_id), 303)


# Orders


@blueprint.get("/desk/purchases/new")
@identity.needs("receive_stock")
def new_purchase() -> str:
    return render_template(
        "stock/new_purchase.html", place=asked.here(), places=locations(), key=ids.new()
    )  # fmt: skip


@blueprint.post("/desk/purchases")
@identity.needs("receive_stock")
def open_purchase() -> ResponseReturnValue:
    member, place = identity.signed_in(), asked.place()
    with transaction():
        slip_id = slips.open_slip(
            "purchase", place.id, member.id, key=forms.text("key", least=8, most=64),
            title=forms.text("supplier", least=1, most=120), expected_on=_day("expected_on"),
            note=forms.text("note", most=200),
        )  # fmt: skip
        for item_id, many in sorted(_asked_for().items()):
            key = forms.text("key", least=8, most=64)
            slips.scan(slip_id, item_id, many, member.id, key=key, anew=True)
    return redirect(url_for("stock.purchase", slip_id=slip_id), 303)


def _asked_for() -> dict[int, int]:
    """What an order begins with, from the owner's list of what to order: a field for each item, and
    an empty one is none of it. Raises Invalid."""
    names = [name for name in request.form if name.startswith("quantity_")]
    numbers = {name: name.removeprefix("quantity_") for name in names}
    if any(not (n.isascii() and n.isdigit() and len(n) < 16) for n in numbers.values()):
        raise Invalid("There is no such item", field="code")
    found = {
        int(number): forms.whole(name, least=0, most=LARGEST, default=0)
        for name, number in numbers.items()
    }
    if found.keys() - slips.goods(list(found)).keys():
        raise Invalid("There is no such item", field="code")
    return {item_id: many for item_id, many in found.items() if many}


@blueprint.get("/desk/purchases/<number:slip_id>")
@identity.needs("receive_stock")
def purchase(slip_id: int) -> str:
    """One order: what it names; once it went out, what came of it."""
    slip = slips.find(slip_id, "purchase")
    came = slips.listed(Slip.purchase_id == slip_id, ended=True)
    came += slips.listed(Slip.purchase_id == slip_id, ended=False)
    lines = slips.shown_lines(slip_id)
    facts: dict[str, Any] = shown(slip)
    facts["goods"] |= slips.goods([item for item, _, _ in lines])
    return render_template(
        "stock/purchase.html", **facts, ordered=lines, deliveries=came,
        **shown_costs(slip, list(facts["goods"])),
    )  # fmt: skip


@blueprint.post("/desk/purchases/<number:slip_id>/sendings")
@identity.needs("receive_stock")
def send_purchase(slip_id: int) -> ResponseReturnValue:
    with transaction():
        purchases.send_purchase(slip_id, identity.signed_in().id)
    flash(gettext("Ordered. What it names is expected now."), "good")
    return redirect(url_for("stock.purchase", slip_id=slip_id), 303)


@blueprint.post("/desk/purchases/<number:slip_id>/ends")
@identity.needs("receive_stock")
def end_purchase(slip_id: int) -> ResponseReturnValue:
    with transaction():
        purchases.close_purchase(slip_id, identity.signed_in().id)
    flash(gettext("Closed. Nothing more is expected of it."), "good")
    return redirect(page_of(slips.find(slip_id, "purchase")), 303)


def _day(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{name} must be a day, as 2027-03-15", field=name) from error
    if not 2000 <= found.year <= 2999:
        raise Invalid(f"{name} is no day of this time", field=name)
    return found
