"""The till without a network, in the browser: the page that comes when none is reached, what it
takes along, and where it tells what was sold meanwhile."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify, render_template, request
from flask.wrappers import Response
from flask_babel import gettext

from ... import (
    assets,
    catalogue,
    identity,
    money,
    payment,
    stock,
    strict,
)
from ...db import repeatable, transaction
from ...errors import Invalid, Refusal
from .. import forms
from ..rounding import coin
from ..shown_views import blueprint
from ..staff import place_here
from . import away
from .empties import take_back_in
from .offline import ClockWrong, take_in


@blueprint.get("/desk/till/away")
@identity.needs("sell")
def till_away() -> str:
    """The till as it goes on without a network. A browser that may keeps this page for then."""
    g.more_script = " 'wasm-unsafe-eval'"
    currency = forms.currency()
    return render_template("sales/till_away.html", place=place_here(), currency=currency,
                           decimals=money.decimals(currency))  # fmt: skip


@blueprint.get("/desk/till/goods")
@identity.needs("sell")
def till_goods() -> Response:
    """What the till takes along: the goods with their prices, and in whose name it sells where."""
    seller, place = identity.signed_in(), place_here()
    ticket = away.Ticket(seller.id, place.id).signed(forms.key())
    said = {"ticket": ticket, "seller": seller.name, "place": place.name,
            "goods": away.goods(place.id, forms.currency()),
            "kinds": away.kinds(forms.currency()), "coin": coin(forms.currency())}  # fmt: skip
    return jsonify(said)


@blueprint.post("/desk/till/away")
@identity.needs("sell")
def till_told() -> Response:
    """What was sold without a network, in the field `sales`: an answer for each, in order. One that
    is known already is left as it stands, so nothing is lost or doubled by telling it again."""
    try:
        told = strict.read(request.form.get("sales", ""))
    except ValueError as fault:
        raise Invalid(f"sales is not JSON: {fault}", field="sales") from None
    if not isinstance(told, list) or not 1 <= len(told) <= away.MOST_TOLD:
        raise Invalid(f"1 to {away.MOST_TOLD} sales are told at once", field="sales")
    return jsonify(outcomes=[_outcome(each) for each in told])


@blueprint.get("/desk/till/worker.js")
def till_worker() -> Response:
    return assets.worker("/desk/till")


def _outcome(told: Any) -> dict[str, Any]:
    try:
        if isinstance(told, dict) and told.get("lines") == []:
            _take_empties(told)
            return {"outcome": "sold", "sale": None, "lacking": 0}
        bought, lacking = take_in(away.read(told, forms.key(), forms.currency()))
    except Refusal as refusal:
        return {"outcome": "refused", "code": refusal.code, "why": _why(refusal)}
    outcome = "known" if bought.repeated else "sold"
    return {"outcome": outcome, "sale": bought.sale_id, "lacking": sum(lacking.values())}


@repeatable
def _take_empties(told: dict[str, Any]) -> None:
    """Opener: empties alone, each return once."""
    came, off = away.read_empties(told, forms.key(), forms.currency())
    with transaction():
        if take_back_in(came, None)[1] != off:
            raise Invalid("These empties are worth another sum", field="empties")


def _why(refusal: Refusal) -> Any:
    """Why a person must look at it. The money was taken and the goods are gone all the same."""
    if isinstance(refusal, payment.KeyReused):
        return gettext("This basket was paid before the network went, but not like this.")
    if isinstance(refusal, ClockWrong):
        return gettext("The clock of this device was wrong: such a time cannot be.")
    if isinstance(refusal, catalogue.ItemNotForSale):
        return gettext("An item of it is not known any more.")
    if isinstance(refusal, stock.OutOfStock):
        return gettext("The book could not be put right just now. Try again.")
    return gettext("It could not be booked: %(why)s", why=refusal.title)
