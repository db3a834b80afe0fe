"""Pages of labels: the studio, where staff choose and print, and the jobs that were printed."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile

from flask import Response, current_app, flash, redirect, render_template, request, send_file
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import select

from .. import catalogue, identity, ids, stock, web
from ..db import connection, db
from ..errors import NotFound
from . import choosing, delivery_views, forms, picture, printing, sheets, sticker_views, stickers
from .blueprint import blueprint
from .models import Label, PrintJob

__all__ = ["blueprint", "delivery_views", "sticker_views"]

JOBS = 40
IN_MEMORY_BYTES = 2**20


@blueprint.get("/desk/labels")
@identity.needs("print_labels")
def studio() -> str:
    """Choose items, a sheet, copies, and the cells that are used already."""
    location = forms.place()
    choice = forms.choice(location)
    rows = choosing.shown(choice, after=forms.after(), limit=61)
    return render_template(
        "labels/studio.html", location=location, locations=stock.locations(), choice=choice,
        items=rows[:60], following=rows[59].id if len(rows) > 60 else None,
        many=choosing.count(choice), categories=catalogue.categories(),
        sheets=sheets.SHEETS.values(), sheet=forms.sheet_named(), first_page=not forms.after(),
        unpriced_names=[
            web.in_language(item.names)
            for item in choosing.without_price(location.id, choice.currency, 6)
        ],
        code_in_clear=stickers.code_in_clear, most_copies=printing.MOST_COPIES, key=ids.new(),
        address=forms.address(), lasting=forms.is_lasting(),
    )  # fmt: skip


@blueprint.post("/desk/labels/jobs", endpoint="print")
@identity.needs("print_labels")
def create_job() -> ResponseReturnValue:
    """Record the job; its PDF is drawn from the records as often as it is fetched."""
    printed = printing.print_job(forms.order())
    if printed.missing:
        lost = " ".join(printed.missing[:20])
        flash(gettext("The label's font lacks these, and prints 〓 instead: %(signs)s", signs=lost),
              "warn")  # fmt: skip
    said = ngettext("%(num)d label is ready.", "%(num)d labels are ready.", printed.labels)
    flash(said, "good")
    return redirect(url("labels.job", job_id=printed.job_id), 303)


@blueprint.get("/desk/labels/jobs")
@identity.needs("print_labels")
def jobs() -> str:
    """What was printed, newest first."""
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
    """One job: its PDF, and each of its stickers."""
    found = printing.find_job(job_id)
    query = stickers.labels_query().where(Label.job_id == job_id).order_by(Label.position)
    rows = connection().execute(query.where(Label.position >= forms.after()).limit(101)).all()
    return render_template(
        "labels/job.html", job=found, sheet=sheets.sheet(found.sheet), labels=rows[:100],
        following=rows[100].position if len(rows) > 100 else None,
        location=stock.location_by_id(found.location_id), code_in_clear=stickers.code_in_clear,
        printed_by=sticker_views.name_of(found.made_by),
    )  # fmt: skip


@blueprint.get("/desk/labels/jobs/<number:job_id>.pdf")
@identity.needs("print_labels")
def job_pdf(job_id: int) -> ResponseReturnValue:
    """The sheets of a job, drawn from its records: fetching them makes no new labels."""
    found = printing.find_job(job_id)
    imprint = forms.imprint(stock.location_by_id(found.location_id), found.base_url)
    output = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 (sent, then closed)
    printing.reprint(found, imprint, output)  # type: ignore[arg-type]
    output.seek(0)
    name = f"labels-{found.id}-{found.sheet}.pdf"
    return send_file(output, "application/pdf", as_attachment=True, download_name=name)


@blueprint.get("/desk/labels/sheet.svg")
@identity.needs("print_labels")
def sheet_picture() -> ResponseReturnValue:
    """The first sheet as it will come out of the printer: what is used, what is printed."""
    sheet = forms.sheet_named()
    skip, count = forms.whole_argument("skip"), forms.whole_argument("count")
    return _svg(picture.page_svg(sheet, skip, count))


@blueprint.get("/desk/labels/sample.svg")
@identity.needs("print_labels")
def sample() -> ResponseReturnValue:
    """How the label of an item would look on a sheet."""
    location, sheet = forms.place(), forms.sheet_named()
    columns = (catalogue.Item.id, *stickers.ITEM_COLUMNS)
    item = db.session.execute(
        select(*columns).where(catalogue.Item.id == forms.whole_argument("item"))
    ).first()
    if item is None:
        raise NotFound("There is no such item", what="item")
    currency = current_app.config["CURRENCY"]
    price = catalogue.quote([item.id], location.id, currency).get(item.id, 0)
    shelf = stock.shelves([item.id], location.id).get(item.id, "")
    label = stickers.sample(item, price, currency, shelf, forms.imprint(location))
    return _svg(picture.svg(label, sheet.label_width_mm, sheet.label_height_mm))


def _svg(text: str) -> Response:
    answer = Response(text, mimetype="image/svg+xml")
    answer.add_etag()
    return answer.make_conditional(request)  # type: ignore[return-value]
