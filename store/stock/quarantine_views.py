"""The desk's page of quarantines: what lies there, where it came from, and what becomes of it."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms, identity
from ..db import transaction
from . import forms as asked
from .blueprint import blueprint
from .levels import LARGEST
from .locations import locations, selling_location
from .quarantine import DECISIONS, decide, lying


@blueprint.get("/desk/quarantine")
@identity.needs("refund")
def quarantine() -> str:
    """Everything that waits for a decision, in every shop's quarantine."""
    found = lying()
    people = {came.member_id for one in found for came in one.came if came.member_id}
    return render_template(
        "stock/quarantine.html", lying=found, places=locations(), who=identity.names_of(people)
    )  # fmt: skip


@blueprint.post("/desk/quarantine/decisions", endpoint="decide")
@identity.needs("refund")
def decide_about() -> ResponseReturnValue:
    """For sale again, scrapped, or back to the supplier; a second tap is told that it is done."""
    member, item, place = identity.signed_in(), asked.item(), asked.place()
    decision = forms.choice("decision", DECISIONS)
    quantity = forms.whole("quantity", least=1, most=LARGEST)
    batch = forms.whole("batch", least=0, most=10**15) if item.tracks_batches else None
    seen, note = forms.whole("seen", least=0, most=LARGEST), forms.text("note", most=180)
    to = selling_location(forms.text("to", least=1, most=32))
    with transaction():
        decide(
            item.id, place.id, quantity, decision, batch_id=batch, seen=seen, to_id=to.id,
            member_id=member.id, note=note,
        )  # fmt: skip
    flash(
        {
            "resell": gettext("For sale again at %(place)s.", place=to.name),
            "scrap": gettext("Scrapped."),
            "send_back": gettext("Sent back to the supplier."),
        }[decision],
        "good",
    )
    return redirect(url_for("stock.quarantine"), 303)
