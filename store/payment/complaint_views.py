"""The owner's page of one complaint at a provider: what the shopper says there, and the answer."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.wrappers import Response

from .. import forms, identity, ids
from ..errors import NotFound
from . import complaints
from .blueprint import blueprint
from .calls import GatewayAway
from .gateways import Gateway, GatewayTimeout, Hears, NoticeForeign
from .gateways.offered import set_up

__all__ = ["blueprint"]


@blueprint.get("/owner/payments/complaints/<complaint_id>")
@identity.needs("connect_systems")
def complaint(complaint_id: str) -> str:
    found, sale_id = complaints.find(complaint_id)
    said = complaints.answers_to(found.id)
    return render_template(
        "payment/complaint.html", it=found, sale_id=sale_id, said=said, key=ids.new(),
        outcomes=_outcomes(found.gateway), names=identity.names_of([one.said_by for one in said]),
    )  # fmt: skip


@blueprint.post("/owner/payments/complaints/<complaint_id>/answers")
@identity.needs("connect_systems")
def answer_complaint(complaint_id: str) -> ResponseReturnValue:
    """Tell the shopper something through the provider; the same page says it once."""
    words = _words()
    outcome, key = forms.text("outcome", least=1, most=16), forms.text("key", least=8, most=64)
    gateway = _gateway(complaints.find(complaint_id)[0].gateway)
    state = complaints.answer(
        complaint_id, gateway, words, outcome, key, made_by=identity.signed_in().id
    )
    told = {
        "sent": (gettext("The shopper has your answer."), "good"),
        "refused": (gettext("The provider did not take this answer."), "bad"),
    }
    waits = (gettext("It is not known yet whether the answer came: ask how it stands."), "warn")
    flash(*told.get(state, waits))
    return _back(complaint_id)


@blueprint.post("/owner/payments/complaints/<complaint_id>/queries")
@identity.needs("connect_systems")
def ask_about_complaint(complaint_id: str) -> ResponseReturnValue:
    """Ask the provider how it stands, now."""
    found, _ = complaints.find(complaint_id)
    try:
        complaints.ask(_gateway(found.gateway), found.reference)
        flash(gettext("This is how it stands now."), "good")
    except (GatewayTimeout, GatewayAway, NoticeForeign):
        flash(gettext("It does not answer. Try again in a minute."), "warn")
    return _back(complaint_id)


def _words() -> str:
    """What was typed, as one line. Raises Invalid."""
    said = " ".join(request.form.get("words", "").split())
    return forms.checked("words", said, least=0, most=200)


def _gateway(name: str) -> Gateway:
    found = set_up(current_app.config).get(name)
    if found is None:
        raise NotFound("This shop has no such gateway")
    return found


def _outcomes(name: str) -> tuple[str, ...]:
    found = set_up(current_app.config).get(name)
    return found.outcomes if isinstance(found, Hears) else ()


def _back(complaint_id: str) -> Response:
    return redirect(url_for("payment.complaint", complaint_id=complaint_id), 303)
