"""The desk's pages of lists: sending one, saying which column holds what, seeing what would become
of it, and taking it in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
)
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import exists, select

from .. import identity, money, spreadsheets, stock, web
from ..catalogue.columns import ColumnTwice
from ..catalogue.exporting import rate_text
from ..catalogue.figures import read_rate
from ..catalogue.intake_models import Intake, IntakePiece
from ..catalogue.tables import FileRefused
from ..db import db
from ..errors import Forbidden, Invalid, NotFound
from . import examples, forms, looking, pieces, staging, words

__all__ = ["blueprint"]

blueprint = Blueprint("intake", __name__)

SHOWN = 20
REFUSED_SHOWN = 50
AT_ONCE_S = 2.0
"""So long somebody who asks waits for pieces; the worker does the rest."""
SAFE = 64 * 1024
NUMBERS = {
    "tax_rate": lambda: gettext("Write the tax in percent, like 13."),
    "price": lambda: gettext("Write the price like 12.50, without other signs."),
    "quantity": lambda: gettext("Write how many as a whole number, like 12."),
}


@blueprint.url_value_preprocessor
def _larger(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """A list may be larger than a picture."""
    if endpoint == "intake.send" and request.mimetype == "multipart/form-data":
        most = max(staging.MOST_BYTES + SAFE, int(current_app.config["UPLOAD_BYTES"]))
        request.max_content_length = most


@blueprint.get("/desk/items/import")
@identity.needs("edit_items")
def imports() -> str:
    """A place to send a list, and what became of the last ones."""
    _who_sets_prices()
    query = select(Intake).where(Intake.state != "staging")
    found = list(db.session.scalars(query.order_by(Intake.at.desc(), Intake.id).limit(SHOWN)))
    return render_template(
        "intake/imports.html", lists=found, encodings=forms.ENCODINGS,
        names=identity.names_of([one.made_by for one in found if one.made_by]),
        most_mb=staging.MOST_BYTES // 2**20, most_rows=staging.MOST_ROWS,
    )  # fmt: skip


@blueprint.post("/desk/items/import")
@identity.needs("edit_items")
def send() -> ResponseReturnValue:
    """Keep the rows of a file; nothing of it is an item yet."""
    _who_sets_prices()
    config, encoding = current_app.config, forms.encoding()
    where = staging.Where(
        config["CURRENCY"], config["LANGUAGE"], read_rate(config["TAX_RATE"]),
        stock.location(stock.MAIN).id, identity.signed_in().id,
    )  # fmt: skip
    try:
        with forms.sent() as (path, name):
            intake_id = staging.stage(path, name, where, encoding)
    except FileRefused as refusal:
        why = words.said_of_file(refusal.message)
        flash(gettext("Nothing of this file was taken: %(why)s", why=why), "bad")
        return redirect(url("intake.imports"), 303)
    return redirect(url("intake.one_import", intake_id=intake_id), 303)


@blueprint.get("/desk/items/import/example.<kind>")
@identity.needs("edit_items")
def example(kind: str) -> Response:
    """A list with the right headings. Raises NotFound."""
    if kind not in examples.KINDS:
        raise NotFound("There is no such example", what="file")
    config = current_app.config
    tax = rate_text(read_rate(config["TAX_RATE"]))
    data = examples.example(kind, web.language(), config["CURRENCY"], tax)
    answer = Response(data, mimetype=_KINDS[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="items.{kind}"'
    return answer


_KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@blueprint.get("/desk/items/import/<intake_id>")
@identity.needs("edit_items")
def one_import(intake_id: str) -> str:
    """An open list with what would become of it; one that goes in, or has gone in, with how far it
    is and what was refused. Raises NotFound."""
    one = pieces.find_intake(intake_id)
    if one.state == "open":
        return _open_list(one)
    kept = db.session.scalar(select(exists().where(IntakePiece.intake_id == one.id)))
    return render_template(
        "intake/one_import.html", one=one, kept=kept, refused=_refused(one), said=words.said,
        names=identity.names_of([one.made_by] if one.made_by else []),
    )  # fmt: skip


def _who_sets_prices() -> None:
    """A list of items is a list of prices. Raises Forbidden."""
    if not _may("change_prices"):
        raise Forbidden(permission="change_prices")


def _may(permission: str) -> bool:
    return identity.allows(identity.current(), permission)


def _open_list(one: Intake) -> str:
    found, problem = None, ""
    try:
        found = looking.look(one, words.kind_of)
    except ColumnTwice as refusal:
        named = gettext(" and ").join(refusal.data["columns"])
        problem = gettext(
            "%(columns)s are both said to hold: %(field)s. Leave one of them out.",
            columns=named, field=words.field_name(refusal.data["field"]),
        )  # fmt: skip
    except FileRefused:
        problem = gettext("No column holds a code. Say which one holds the barcode or the item "
                          "number: by it an item is known again.")  # fmt: skip
    samples = [row.cells for row in pieces.rows_of(one.id, 0)[:3]]
    return render_template(
        "intake/open_import.html", one=one, look=found, problem=problem, samples=samples,
        fields=[(field, words.field_name(field)) for field in words.ORDER], said=words.said,
        names=not {"name", "name_en", "name_zh"}.isdisjoint(one.fields),
        prices="price" in one.fields, locations=stock.locations(),
        tax_rate=rate_text(one.tax_rate_bp).rstrip("%"),
        price="" if one.price_minor is None else money.text(one.price_minor, one.currency),
        rate_text=rate_text,
    )  # fmt: skip


def _refused(one: Intake) -> list[tuple[int, str, str]]:
    """The first rows that were refused: number, columns, reasons."""
    if not one.rejected:
        return []
    query = select(IntakePiece.rejects).where(
        IntakePiece.intake_id == one.id, IntakePiece.rejects.is_not(None)
    )
    found: list[tuple[int, str, str]] = []
    for rejects in db.session.scalars(query.order_by(IntakePiece.number).limit(REFUSED_SHOWN)):
        found += [tuple(each) for each in rejects or []]
    return found[:REFUSED_SHOWN]


@blueprint.post("/desk/items/import/<intake_id>/columns")
@identity.needs("edit_items")
def say_columns(intake_id: str) -> ResponseReturnValue:
    """Which column holds what, and what counts where none does. What would become of the list is
    shown anew."""
    _who_sets_prices()
    _said(pieces.find_intake(intake_id))
    return redirect(url("intake.one_import", intake_id=intake_id), 303)


@blueprint.post("/desk/items/import/<intake_id>/runs")
@identity.needs("edit_items")
def take_in(intake_id: str) -> ResponseReturnValue:
    """Take the list in as it was shown; one that was stopped goes on. Where the form says something
    else than what was shown, that is shown first."""
    _who_sets_prices()
    one = pieces.find_intake(intake_id)
    if one.state == "open" and _said(one):
        flash(gettext("This is what you have changed. Look once more, then take it in."), "warn")
    elif ("stock" in one.fields or one.quantity) and not _may("receive_stock"):
        flash(
            gettext("You may not bring in stock: leave its column out, and say no pieces."), "bad"
        )
    elif "cost" in one.fields and not _may("see_costs"):
        flash(gettext("You may not see costs: leave their column out."), "bad")
    else:
        try:
            pieces.begin(intake_id)
            pieces.work(within_s=AT_ONCE_S)
        except FileRefused:
            pass  # The page says what its columns lack.
    return redirect(url("intake.one_import", intake_id=intake_id), 303)


def _said(one: Intake) -> bool:
    """Keep what the form says of an open list; answers whether it was something else than is kept.
    A number that cannot be read is told of, and the one that was kept stays."""
    settings = pieces.Settings(fields=forms.columns(one))
    try:
        settings |= forms.settings(one)
    except Invalid as refusal:
        if refusal.field not in NUMBERS:
            raise
        flash(NUMBERS[refusal.field](), "bad")
        pieces.say(one.id, settings)
        return True
    changed = any(getattr(one, name) != value for name, value in settings.items())
    if changed:
        pieces.say(one.id, settings)
    return changed


@blueprint.post("/desk/items/import/<intake_id>/pieces")
@identity.needs("edit_items")
def go_on(intake_id: str) -> ResponseReturnValue:
    """Go on with what waits, for who does not want to wait for the worker."""
    _who_sets_prices()
    pieces.find_intake(intake_id)
    pieces.work(within_s=AT_ONCE_S)
    return redirect(url("intake.one_import", intake_id=intake_id), 303)


@blueprint.post("/desk/items/import/<intake_id>/end")
@identity.needs("edit_items")
def end(intake_id: str) -> ResponseReturnValue:
    """No more of it goes in; of an open list nothing."""
    _who_sets_prices()
    pieces.find_intake(intake_id)
    pieces.end(intake_id)
    return redirect(url("intake.one_import", intake_id=intake_id), 303)


@blueprint.get("/desk/items/import/<intake_id>/refused.csv")
@identity.needs("edit_items")
def refused(intake_id: str) -> Response:
    """The rows that were refused, as they were, each with its reason in a further column: mended,
    they can be sent again."""
    one = pieces.find_intake(intake_id)
    own = [gettext("refused row"), gettext("refused column"), gettext("reason")]
    head = [*map(spreadsheets.guarded, one.headings), *own]
    text = spreadsheets.written(head, _refused_rows(one))
    answer = Response(stream_with_context(text), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="refused.csv"'
    return answer


def _refused_rows(one: Intake) -> Iterator[list[str]]:
    """A piece at a time, however many they are."""
    width = len(one.headings)
    for number in range(one.taken):
        query = select(IntakePiece.rejects).where(IntakePiece.intake_id == one.id)
        rejects = db.session.scalar(query.where(IntakePiece.number == number)) or []
        reasons = {row: (columns, words.said(why)) for row, columns, why in rejects}
        for row in pieces.rows_of(one.id, number) if reasons else []:
            if row.number in reasons:
                cells = [*row.cells, *[""] * width][:width]
                told = [*cells, str(row.number), *reasons[row.number]]
                plain = [cell.encode("utf-8", "replace").decode() for cell in told]
                yield [spreadsheets.guarded(cell) for cell in plain]
