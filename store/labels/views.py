"""The studio: where staff choose what to print and how, and see the page before it is paper."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import select

from .. import catalogue, fonts, identity, ids, stock, web
from ..db import connection, db
from ..errors import NotFound
from . import (
    bad_views,
    choosing,
    delivery_views,
    forms,
    job_views,
    picture,
    printing,
    sheets,
    sticker_views,
    stickers,
    walk_views,
)
from .blueprint import blueprint
from .layout import PrintedLabel

__all__ = [
    "bad_views", "blueprint", "delivery_views", "job_views", "sticker_views", "walk_views",
]  # fmt: skip


@blueprint.get("/desk/labels")
@identity.needs("print_labels")
def studio() -> str:
    """Choose items, a sheet, copies, and the cells that are used already."""
    location = forms.place()
    choice = forms.choice(location)
    rows = choosing.shown(choice, after=forms.after(), limit=61)
    sheet = forms.sheet_named()
    return render_template(
        "labels/studio.html", location=location, locations=stock.locations(), choice=choice,
        items=rows[:60], following=rows[59].id if len(rows) > 60 else None,
        many=choosing.count(choice), categories=catalogue.categories(),
        sellers=catalogue.sellers(), shelves=stock.shelf_names(location.id),
        sheets=sheets.SHEETS.values(), sheet=sheet, first_page=not forms.after(), dpi=sheets.DPI,
        languages_list=forms.shop_languages(),
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
        lost = fonts.told(printed.missing)
        flash(gettext("The label's font lacks these, and prints 〓 instead: %(signs)s", signs=lost),
              "warn")  # fmt: skip
    said = ngettext("%(num)d label is ready.", "%(num)d labels are ready.", printed.labels)
    flash(said, "good")
    return redirect(url("labels.job", job_id=printed.job_id), 303)


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
    [label] = _samples([item], location)
    return _svg(picture.sheet_svg(label, sheet, sheets.dots(sheet, forms.dpi())))


@blueprint.get("/desk/labels/page.png")
@identity.needs("print_labels")
def page_picture() -> ResponseReturnValue:
    """The first page as it will come out of the printer, with the labels of the form as it stands.
    Nothing is recorded."""
    location, sheet = forms.place(), forms.sheet_named()
    wanted = forms.shown_items(forms.choice(location), sheet.per_page)
    columns = (catalogue.Item.id, *stickers.ITEM_COLUMNS)
    query = select(*columns).where(catalogue.Item.id.in_(wanted))
    found = {row.id: row for row in connection().execute(query)}
    labels = _samples([found[each] for each in wanted if each in found], location)
    copies = max(1, min(forms.whole_argument("copies"), sheet.per_page))
    shown = chain.from_iterable(repeat(label, copies) for label in labels)
    skip = min(forms.whole_argument("skip"), sheet.per_page - 1)
    dots = sheets.dots(sheet, forms.dpi())
    answer = Response(picture.page_png(shown, sheet, skip, dots), mimetype="image/png")
    answer.add_etag()
    return answer.make_conditional(request)


def _samples(items: Sequence[Any], location: stock.Location) -> list[PrintedLabel]:
    """How stickers of these items would look there."""
    languages = forms.read_languages(request.values.get("languages", ""))
    imprint, currency = forms.imprint(location, languages=languages), current_app.config["CURRENCY"]
    item_ids = [item.id for item in items]
    prices = catalogue.quote(item_ids, location.id, currency)
    shelves = stock.shelves(item_ids, location.id)
    return [
        stickers.sample(
            item, prices.get(item.id, 0), currency, shelves.get(item.id, ""), imprint
        )
        for item in items
    ]  # fmt: skip


def _svg(text: str) -> Response:
    answer = Response(text, mimetype="image/svg+xml")
    answer.add_etag()
    return answer.make_conditional(request)  # type: ignore[return-value]
