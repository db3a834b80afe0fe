"""The owner's pages of the bank: sending a statement file, what came in and waits, and what goes
back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from ... import clock, forms, identity
from ...catalogue.tables import FileRefused
from ...db import db
from ...errors import Invalid, NotFound
from ..blueprint import blueprint
from ..costs.reading import wanted_columns
from ..costs.views import zone
from ..gateways.bank import NAME, Bank, grouped, reference_of
from ..gateways.offered import set_up
from ..models import OPEN, Attempt
from . import matching, sending, taking
from .models import BankFile
from .reading import MOST_BYTES, read

__all__ = ["blueprint"]

ENDINGS = (".xml", ".csv", ".tsv", ".txt", ".xlsx", ".sta", ".mt940", ".940", ".swi")
SAFE = 64 * 1024


@blueprint.url_value_preprocessor
def _room(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A statement may be larger than a picture."""
    if endpoint == "payment.take_statement" and request.mimetype == "multipart/form-data":
        most = max(MOST_BYTES + SAFE, int(current_app.config["UPLOAD_BYTES"]))
        request.max_content_length = most


@blueprint.get("/owner/bank")
@identity.needs("see_sales")
def bank() -> str:
    """What waits for somebody, what shall be sent, who has not paid yet, and the newest files."""
    opened = matching.lying("open")
    named = {one.attempt_id for one in opened if one.attempt_id}
    attempts = list(db.session.scalars(select(Attempt).where(Attempt.id.in_(named))))
    awaited = list(db.session.scalars(_awaited()))
    newest = select(BankFile).order_by(BankFile.at.desc(), BankFile.id.desc()).limit(20)
    members = [one.member_id for one in (*attempts, *awaited) if one.member_id]
    return render_template(
        "payment/bank.html", ours=_set_up(), opened=opened, due=sending.due(), awaited=awaited,
        of={one.id: one for one in attempts}, names=identity.names_of(members),
        files=list(db.session.scalars(newest)), reference=_shown_reference, now=clock.now(),
    )  # fmt: skip


def _awaited() -> Any:
    waits = (Attempt.gateway == NAME, Attempt.state.in_(OPEN))
    return select(Attempt).where(*waits).order_by(Attempt.ends_at).limit(50)


def _shown_reference(attempt_id: str) -> str:
    return grouped(reference_of(attempt_id))


@blueprint.post("/owner/bank/files")
@identity.needs("set_rules")
def take_statement() -> ResponseReturnValue:
    """Take a statement file. The same file again books nothing."""
    ours, columns = _set_up(), wanted_columns(forms.text("columns", most=500))
    upload = request.files.get("file")
    if ours is None:
        raise NotFound("This shop has no account for bank transfers")
    if upload is None or not upload.filename:
        raise Invalid("Choose a file", field="file")
    try:
        fresh = _taken(upload, ours, columns)
    except FileRefused as refusal:
        flash(gettext("Nothing of this file was taken: %(why)s", why=refusal.message), "bad")
        return redirect(url_for("payment.bank"), 303)
    settled = matching.work()
    said = ngettext("%(num)d new transfer", "%(num)d new transfers", fresh)
    paid = ngettext("%(num)d order is paid.", "%(num)d orders are paid.", settled)
    flash(f"{said}; {paid}", "good")
    return redirect(url_for("payment.bank"), 303)


def _taken(upload: FileStorage, ours: Bank, columns: dict[str, str]) -> int:
    """How many transfers of a file are new."""
    name = Path(str(upload.filename).replace("\\", "/")).name
    ending = next((one for one in ENDINGS if name.lower().endswith(one)), ".csv")
    shown = "".join(one for one in name if one.isprintable())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"file{ending}")
        upload.save(path)
        found = read(path, ours, zone(), columns)
        return taking.take(
            path, found, name=shown.encode(errors="replace").decode(),
            taken_by=identity.signed_in().id,
        ).fresh  # fmt: skip


def _set_up() -> Bank | None:
    found = set_up(current_app.config).get(NAME)
    return found if isinstance(found, Bank) else None


@blueprint.post("/owner/bank/entries/<number:entry_id>/orders")
@identity.needs("set_rules")
def assign_transfer(entry_id: int) -> ResponseReturnValue:
    said = forms.text("reference", least=1, most=60)
    matching.assign(entry_id, said, made_by=identity.signed_in().id)
    flash(gettext("Booked. The shopper sees it."), "good")
    return redirect(url_for("payment.bank"), 303)


@blueprint.post("/owner/bank/entries/<number:entry_id>/accounts")
@identity.needs("set_rules")
def keep_transfer(entry_id: int) -> ResponseReturnValue:
    said = forms.text("reference", least=1, most=60)
    matching.keep(entry_id, said, made_by=identity.signed_in().id)
    flash(gettext("It is in the shopper’s account."), "good")
    return redirect(url_for("payment.bank"), 303)


@blueprint.post("/owner/bank/entries/<number:entry_id>/returns")
@identity.needs("set_rules")
def return_transfer(entry_id: int) -> ResponseReturnValue:
    matching.send_for(entry_id, made_by=identity.signed_in().id)
    flash(gettext("It stands among the transfers to send."), "good")
    return redirect(url_for("payment.bank"), 303)


@blueprint.post("/owner/bank/entries/<number:entry_id>/removals")
@identity.needs("set_rules")
def remove_transfer(entry_id: int) -> ResponseReturnValue:
    reason = forms.text("reason", least=1, most=200)
    matching.told_twice(entry_id, made_by=identity.signed_in().id, reason=reason)
    flash(gettext("Taken out of the books, with your name and your reason."), "good")
    return redirect(url_for("payment.bank"), 303)


@blueprint.post("/owner/bank/entries/<number:entry_id>/sendings")
@identity.needs("set_rules")
def transfer_sent(entry_id: int) -> ResponseReturnValue:
    to = forms.text("to", least=1, most=60)
    sending.sent(entry_id, to, made_by=identity.signed_in().id)
    flash(gettext("Booked as sent."), "good")
    return redirect(url_for("payment.bank"), 303)


@blueprint.post("/owner/bank/refunds/<payback_id>/sendings")
@identity.needs("set_rules")
def bank_refund_sent(payback_id: str) -> ResponseReturnValue:
    sending.sent_refund(payback_id, forms.text("to", least=1, most=60))
    flash(gettext("Booked as sent."), "good")
    return redirect(url_for("payment.bank"), 303)


@blueprint.post("/owner/bank/refunds/<payback_id>/accounts")
@identity.needs("set_rules")
def bank_refund_to_account(payback_id: str) -> ResponseReturnValue:
    sending.give_to_account(payback_id)
    flash(gettext("It is in the shopper’s account."), "good")
    return redirect(url_for("payment.bank"), 303)
