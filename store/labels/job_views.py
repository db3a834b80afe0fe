"""Pages of print jobs: what they will look like, handing them to a printer, and going on where the
paper ran out."""

from __future__ import annotations

from itertools import islice
from tempfile import SpooledTemporaryFile

from flask import Response, flash, redirect, render_template, request, send_file
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import func, select

from .. import catalogue, identity, stock
from .. import forms as fields
from ..db import connection, db, repeatable, transaction
from . import forms, handing, outputs, picture, printing, sheets, sticker_views, stickers
from .blueprint import blueprint
from .models import Label, PrintJob

JOBS = 40
IN_MEMORY_BYTES = 2**20


@blueprint.get("/desk/labels/jobs")
@identity.needs("print_labels")
def jobs() -> str:
    """What was printed, and what waits to be, newest first."""
    query = select(PrintJob).order_by(PrintJob.id.desc()).limit(JOBS + 1)
    if before := forms.before():
        query = query.where(PrintJob.id < before)
    found = list(db.session.scalars(query))
    shown = found[:JOBS]
    return render_template(
        "labels/jobs.html", jobs=shown, following=shown[-1].id if len(found) > JOBS else None,
        names=identity.names_of([job.made_by for job in shown if job.made_by]),
        places={place.id: place for place in stock.locations()},
    )  # fmt: skip


@blueprint.get("/desk/labels/jobs/<number:job_id>")
@identity.needs("print_labels")
def job(job_id: int) -> str:
    """One job: its first page, the way to the printer, and each of its stickers."""
    found = printing.find_job(job_id)
    query = stickers.labels_query().where(Label.job_id == job_id).order_by(Label.position)
    rows = connection().execute(query.where(Label.position >= forms.after()).limit(101)).all()
    sheet = sheets.sheet(found.sheet)
    return render_template(
        "labels/job.html", job=found, sheet=sheet, labels=rows[:100],
        following=rows[100].position if len(rows) > 100 else None,
        location=stock.location_by_id(found.location_id), code_in_clear=stickers.code_in_clear,
        printed_by=sticker_views.name_of(found.made_by),
        handed_by=sticker_views.name_of(found.handed_by),
        outputs=[each for each in outputs.OUTPUTS.values() if sheet.is_roll or not each.rolls_only],
        next_skip=printing.skip_at(found, found.handed), retired=_retired(job_id),
    )  # fmt: skip


def _retired(job_id: int) -> int:
    """How many of its labels are of items that were taken off sale since."""
    item = catalogue.Item
    query = select(func.count()).select_from(Label).join(item, item.id == Label.item_id)
    found = query.where(Label.job_id == job_id, item.archived_at.is_not(None))
    return db.session.scalar(found) or 0


@blueprint.get("/desk/labels/jobs/<number:job_id>/page.png")
@identity.needs("print_labels")
def job_page(job_id: int) -> ResponseReturnValue:
    """The page that is printed next, as it will come out of the printer."""
    found = printing.find_job(job_id)
    sheet = sheets.sheet(found.sheet)
    first = found.handed if found.handed < found.count else 0
    labels = islice(printing.recorded(job_id, forms.of_job(found), first), sheet.per_page)
    page = picture.page_png(labels, sheet, printing.skip_at(found, first), found.dpi)
    answer = Response(page, mimetype="image/png")
    answer.add_etag()
    return answer.make_conditional(request)


@blueprint.post("/desk/labels/jobs/<number:job_id>/files", endpoint="job_file")
@identity.needs("print_labels")
def hand_over(job_id: int) -> ResponseReturnValue:
    """The file for the printer. Each label is handed over once; `again` is for a sticker that did
    not come out, and prints from label `first` on. Raises AlreadyHanded, Invalid."""
    found = printing.find_job(job_id)
    sheet = sheets.sheet(found.sheet)
    how = outputs.output_named(fields.text("format", most=10, default="pdf"), sheet)
    again = fields.flag("again")
    first = fields.whole("first", least=1, most=found.count, default=1) - 1
    if not again and (first != found.handed or first >= found.count):
        raise handing.AlreadyHanded(job=job_id)
    skip = fields.whole(
        "skip", least=0, most=sheet.per_page - 1, default=printing.skip_at(found, first)
    )
    output = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 (sent, then closed)
    printing.reprint(found, forms.of_job(found), output, how=how, first=first, skip=skip)  # type: ignore[arg-type]
    if not again:
        _hand_over(job_id, first, identity.signed_in().id)
    output.seek(0)
    name = f"labels-{job_id}-{sheet.name}.{how.ending}"
    return send_file(output, how.mimetype, as_attachment=True, download_name=name)


@blueprint.post("/desk/labels/jobs/<number:job_id>/stops", endpoint="job_stopped")
@identity.needs("print_labels")
def stopped(job_id: int) -> ResponseReturnValue:
    """The paper ran out, or the printer jammed: so many came out. Printing goes on behind them."""
    found = printing.find_job(job_id)
    _stopped(job_id, fields.whole("labels", least=0, most=found.count))
    return redirect(url("labels.job", job_id=job_id), 303)


@blueprint.post("/desk/labels/jobs/<number:job_id>/discard", endpoint="discard_job")
@identity.needs("print_labels")
def discard_job(job_id: int) -> ResponseReturnValue:
    """A job that is not wanted after all, before anything was printed."""
    printing.find_job(job_id)
    _discard(job_id)
    flash(gettext("Discarded. Its labels do not count."), "good")
    return redirect(url("labels.jobs"), 303)


@repeatable
def _hand_over(job_id: int, first: int, member_id: int) -> None:
    with transaction():
        handing.hand_over(job_id, first, member_id)


@repeatable
def _stopped(job_id: int, labels: int) -> None:
    with transaction():
        handing.stopped_after(job_id, labels)


@repeatable
def _discard(job_id: int) -> None:
    with transaction():
        handing.discard(job_id)
