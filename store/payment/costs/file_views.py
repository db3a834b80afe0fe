"""The owner's pages of providers' files: sending one, what became of it, and the differences with
the ways out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage

from ... import forms, identity
from ...catalogue.tables import FileRefused
from ...db import db
from ...errors import Invalid, NotFound
from ..blueprint import blueprint
from . import differences, matching, sheets, taking
from .models import SettlementFile, SettlementLine
from .reading import MOST_BYTES, wanted_columns
from .terms import MEANS
from .views import currency, zone

__all__ = ["blueprint"]

SHOWN = 200
AT_ONCE = 20
"""So many bites are matched before the page is shown; the worker does the rest."""
ENDINGS = (".csv", ".tsv", ".txt", ".gz", ".xlsx", ".xlsm")
SAFE = 64 * 1024


@blueprint.url_value_preprocessor
def _room(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A settlement file may be larger than a picture."""
    if endpoint == "payment.take_settlement" and request.mimetype == "multipart/form-data":
        most = max(MOST_BYTES + SAFE, int(current_app.config["UPLOAD_BYTES"]))
        request.max_content_length = most


@blueprint.get("/owner/costs/files")
@identity.needs("see_sales")
def settlement_files() -> str:
    """The newest files, and a place to send the next one."""
    query = select(SettlementFile).order_by(SettlementFile.at.desc(), SettlementFile.id.desc())
    files = list(db.session.scalars(query.limit(50)))
    return render_template(
        "payment/settlement_files.html", files=files, means=MEANS, counts=_counts(files),
        differing=sum(differences.how_many().values()),
    )  # fmt: skip


@blueprint.post("/owner/costs/files")
@identity.needs("set_rules")
def take_settlement() -> ResponseReturnValue:
    """Take a provider's file. The same file again is the same file."""
    means = forms.choice("means", MEANS)
    columns = wanted_columns(forms.text("columns", most=500))
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Invalid("Choose a file", field="file")
    try:
        file_id = _taken(upload, means, columns)
    except FileRefused as refusal:
        flash(gettext("Nothing of this file was taken: %(why)s", why=refusal.message), "bad")
        return redirect(url_for("payment.settlement_files"), 303)
    matching.work(zone().key, bites=AT_ONCE)
    return redirect(url_for("payment.settlement_file", file_id=file_id), 303)


def _taken(upload: FileStorage, means: str, columns: dict[str, str]) -> str:
    name = Path(str(upload.filename).replace("\\", "/")).name
    ending = next((one for one in ENDINGS if name.lower().endswith(one)), ".csv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"file{ending}")
        upload.save(path)
        shown = "".join(one for one in name if one.isprintable())
        return taking.take(
            path, means, (currency(), zone().key), name=shown.encode(errors="replace").decode(),
            taken_by=identity.signed_in().id, columns=columns,
        )  # fmt: skip


@blueprint.get("/owner/costs/files/<file_id>")
@identity.needs("see_sales")
def settlement_file(file_id: str) -> str:
    """What became of a file: how far it is, what fitted, what did not."""
    file = _file(file_id)
    counts = _counts([file])[file.id]
    query = differences.differing().where(SettlementLine.file_id == file_id).limit(SHOWN)
    lines = list(db.session.scalars(query))
    return render_template(
        "payment/settlement_file.html", file=file, counts=counts, many=sum(counts.values()),
        lines=lines, ours=differences.ours(lines), rejects=list(taking.rejects(file_id)),
        who=identity.names_of([file.taken_by] if file.taken_by else []),
        decided=sum(counts.values()) - counts.get("staged", 0),
    )  # fmt: skip


@blueprint.get("/owner/costs/files/<file_id>/rejects")
@identity.needs("see_sales")
def settlement_rejects(file_id: str) -> Response:
    """The rows that could not be read, as CSV."""
    response = Response(sheets.of_rejects(taking.rejects(_file(file_id).id)), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="rejects.csv"'
    return response


@blueprint.post("/owner/costs/files/<file_id>/bites")
@identity.needs("set_rules")
def go_on(file_id: str) -> ResponseReturnValue:
    """Go on with what waits, for who does not want to wait for the worker."""
    file = _file(file_id)
    matching.work(zone().key, bites=AT_ONCE)
    return redirect(url_for("payment.settlement_file", file_id=file.id), 303)


@blueprint.get("/owner/costs/differences")
@identity.needs("see_sales")
def settlement_differences() -> str:
    """Everything on which the files and our books do not agree."""
    lines = list(db.session.scalars(differences.differing().limit(SHOWN)))
    return render_template("payment/differences.html", lines=lines, counts=differences.how_many(),
                           ours=differences.ours(lines))  # fmt: skip


@blueprint.post("/owner/costs/differences/tries")
@identity.needs("set_rules")
def try_again() -> ResponseReturnValue:
    """What was unknown may be known by now."""
    many = matching.again(forms.choice("means", MEANS), zone().key)
    flash(ngettext("%(num)d line fits now.", "%(num)d lines fit now.", many), "good")
    return redirect(url_for("payment.settlement_differences"), 303)


@blueprint.post("/owner/costs/differences/<number:line_id>/acceptances")
@identity.needs("set_rules")
def accept_difference(line_id: int) -> ResponseReturnValue:
    reason = forms.text("reason", least=1, most=200)
    differences.accept(line_id, reason, made_by=identity.signed_in().id)
    flash(gettext("Accepted, with your name and your reason."), "good")
    return redirect(url_for("payment.settlement_differences"), 303)


@blueprint.post("/owner/costs/payments/<number:transfer_id>/write-offs")
@identity.needs("set_rules")
def write_off_payment(transfer_id: int) -> ResponseReturnValue:
    """Nobody will send this any more."""
    reason, means = forms.text("reason", least=1, most=200), forms.choice("means", MEANS)
    differences.write_off(transfer_id, reason, made_by=identity.signed_in().id)
    flash(gettext("Written off. Should it come all the same, this is taken back."), "good")
    return redirect(url_for("payment.due_payments", means=means, shown="late"), 303)


def _file(file_id: str) -> SettlementFile:
    found = db.session.get(SettlementFile, file_id)
    if found is None:
        raise NotFound("There is no such file")
    return found


def _counts(files: list[SettlementFile]) -> dict[str, dict[str, int]]:
    """How many lines of each file are in which state."""
    found: dict[str, dict[str, int]] = {file.id: {} for file in files}
    query = (
        select(SettlementLine.file_id, SettlementLine.state, func.count())
        .where(SettlementLine.file_id.in_(found))
        .group_by(SettlementLine.file_id, SettlementLine.state)
    )
    for file_id, state, many in db.session.execute(query):
        found[str(file_id)][state] = int(many)
    return found
