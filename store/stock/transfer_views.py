"""Pages of transfers: goods that leave a place, are in transit, and arrive at another."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import or_

from .. import forms, identity, ids
from ..db import transaction
from . import forms as asked
from . import slips, transit
from .blueprint import blueprint
from .locations import locations
from .slip_views import shown
from .work_models import Slip


@blueprint.get("/desk/transfers")
@identity.needs("receive_stock")
def transfers() -> str:
    """What is on its way to and from here."""
    place = asked.here()
    here = (Slip.kind == "transfer") & or_(Slip.location_id == place.id, Slip.target_id == place.id)
    return render_template(
        "stock/transfers.html", place=place, places=locations(), key=ids.new(),
        going=slips.listed(here, ended=False), done=slips.listed(here, ended=True, limit=20),
        names={each.id: each.name for each in locations(every=True)},
    )  # fmt: skip


@blueprint.post("/desk/transfers")
@identity.needs("receive_stock")
def open_transfer() -> ResponseReturnValue:
    member, source, target = identity.signed_in(), asked.place(), asked.place("target")
    with transaction():
        slip_id = transit.open_transfer(
            source.id, target.id, member.id, key=forms.text("key", least=8, most=64),
            note=forms.text("note", most=200),
        )  # fmt: skip
    return redirect(url_for("stock.transfer_slip", slip_id=slip_id), 303)


@blueprint.get("/desk/transfers/<number:slip_id>")
@identity.needs("receive_stock")
def transfer_slip(slip_id: int) -> str:
    """One transfer: scanned when it leaves, and again where it arrives."""
    slip = slips.find(slip_id, "transfer")
    arriving = slip.sent_at is not None
    sent = {item: many for item, many, _ in slips.shown_lines(slip_id)} if arriving else None
    return render_template(
        "stock/transfer.html", **shown(slip, stage="in" if arriving else "out", expected=sent),
        target=asked.place_of(slip.target_id or 0), arriving=arriving,
    )  # fmt: skip


@blueprint.post("/desk/transfers/<number:slip_id>/departures")
@identity.needs("receive_stock")
def depart(slip_id: int) -> ResponseReturnValue:
    with transaction():
        pieces = transit.depart(slip_id, identity.signed_in().id)
    flash(ngettext("%(num)d piece is on its way.", "%(num)d pieces are on their way.", pieces),
          "good")  # fmt: skip
    return redirect(url_for("stock.transfer_slip", slip_id=slip_id), 303)


@blueprint.post("/desk/transfers/<number:slip_id>/arrivals")
@identity.needs("receive_stock")
def arrive(slip_id: int) -> ResponseReturnValue:
    with transaction():
        off = transit.arrive(slip_id, identity.signed_in().id)
    if off:
        flash(gettext("Arrived, with differences. The place that sent it has a task."), "warn")
    else:
        flash(gettext("Everything has arrived."), "good")
    return redirect(url_for("stock.transfer_slip", slip_id=slip_id), 303)
