"""Pages of single labels: the picture of one, its record for the staff, and all of them on the
screen of the demo shop."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Response, current_app, redirect, render_template, request
from flask import url_for as url
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound as NoSuchPage

from .. import catalogue, identity, stock
from ..db import connection, repeatable, transaction
from ..errors import Forbidden, NotFound
from . import choosing, forms, picture, printing, records, stickers
from .blueprint import blueprint
from .models import Label

ON_SCREEN = 60


@blueprint.get("/labels/<label_id>.<any(svg, png):kind>", endpoint="picture")
def label_picture(label_id: str, kind: str) -> ResponseReturnValue:
    """The label as it was printed, for staff. In the demo shop everybody may look, and scan it
    from the screen: there it leads to the address that the shop has now."""
    demo = current_app.config["DEMO"]
    if not demo:
        _refuse_but_staff()
    row = _row(label_id)
    location = stock.location_by_id(row.location_id)
    base_url = "" if demo else printing.find_job(row.job_id).base_url
    label = stickers.wording(row, row, forms.imprint(location, base_url))
    if kind == "png":
        answer = Response(picture.png(label), mimetype="image/png")
    else:
        answer = Response(picture.svg(label), mimetype="image/svg+xml")
    answer.add_etag()
    return answer.make_conditional(request)


@blueprint.get("/demo/labels")
def on_screen() -> str:
    """The labels of the demo shop's shelf, for a newcomer to scan from the screen."""
    if not current_app.config["DEMO"]:
        raise NoSuchPage()
    location = stock.location(stock.MAIN)
    rows = choosing.newest_labels(location.id, after=forms.after(), limit=ON_SCREEN + 1)
    paths = {row.id: stickers.path_of(row, row.id, forms.secret_key()) for row in rows}
    return render_template(
        "labels/on_screen.html", labels=rows[:ON_SCREEN], paths=paths, location=location,
        following=rows[ON_SCREEN - 1].item_id if len(rows) > ON_SCREEN else None,
        address=forms.address(), width=picture.SCREEN_MM[0], height=picture.SCREEN_MM[1],
    )  # fmt: skip


@blueprint.get("/desk/labels/find")
@identity.needs("print_labels")
def find() -> ResponseReturnValue:
    """The record of a sticker that was scanned, or whose text behind `l=` was typed.
    Raises NotFound for one that this shop did not make."""
    text = request.args.get("label", "").strip()[:300]
    said = parse_qs(urlsplit(text).query).get("l", [text])[0]
    label_id = records.read(said, forms.secret_key())
    if label_id is None:
        raise NotFound("This shop did not make that label", what="label")
    return redirect(url("labels.sticker", label_id=label_id), 303)


@blueprint.get("/desk/labels/<label_id>")
@identity.needs("print_labels")
def sticker(label_id: str) -> str:
    """What is known of one sticker."""
    row = _row(label_id)
    location = stock.location_by_id(row.location_id)
    return render_template(
        "labels/sticker.html", label=row, location=location,
        path=stickers.path_of(row, row.id, forms.secret_key()),
        price_minor=catalogue.quote([row.item_id], location.id, row.currency).get(row.item_id),
        code=stickers.code_in_clear(row),
        printed_by=name_of(row.printed_by),
    )  # fmt: skip


@blueprint.post("/desk/labels/<label_id>/revoke")
@identity.needs("print_labels")
def revoke(label_id: str) -> ResponseReturnValue:
    """The sticker was torn off or replaced: whoever scans it is told that it is out of date."""
    _row(label_id)
    _revoke(label_id)
    return redirect(url("labels.sticker", label_id=label_id), 303)


@repeatable
def _revoke(label_id: str) -> None:
    with transaction():
        records.revoke(label_id)


def _row(label_id: str) -> Any:
    row = connection().execute(stickers.labels_query().where(Label.id == label_id)).first()
    if row is None:
        raise NotFound("There is no such label", what="label")
    return row


def name_of(member_id: int | None) -> str | None:
    return identity.names_of([member_id]).get(member_id) if member_id else None


def _refuse_but_staff() -> None:
    if not identity.allows(identity.signed_in(), "print_labels"):
        raise Forbidden(permission="print_labels")
