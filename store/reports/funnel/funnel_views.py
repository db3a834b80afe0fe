"""The owner's pages of labels: scanned, looked at, into the basket, paid; which are dead."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy import select

from ... import (
    catalogue,
    identity,
    logbook,
    money,
    stock,
    web,
)
from ...db import connection, repeatable, transaction
from ...errors import Invalid, NotFound
from ...labels.models import Label
from ...labels.scans import KEPT_DAYS
from ...spreadsheets import guarded
from .. import listing
from ..calendar import zone
from ..filters import read
from ..returned.returned_list import read_one_of
from ..sheets import Sheet
from ..views import (
    PAGE,
    blueprint,
    page_number,
    report_page,
    sheet_file,
)
from . import funnel, funnel_counts
from .funnel import Asked, LabelLine
from .funnel_counts import Steps

__all__ = ["blueprint"]

TASK = "dead_label"
MOST_AT_ONCE = PAGE


@blueprint.get("/owner/labels", endpoint="labels")
@identity.needs("see_sales")
def show() -> str:
    """The funnel of all labels, by shop and category, and the labels themselves."""
    asked, page = _asked(), page_number()
    found = funnel.funnel(asked)
    begin = (page - 1) * PAGE
    shown = funnel.lines_of(found.listed[begin : begin + PAGE])
    dead = asked.which == "dead"
    return report_page(
        "reports/labels.html", asked.filters, section="reports.labels", found=found, asked=asked,
        lines=shown, more=len(found.listed) > begin + PAGE, page=page, to=To(asked),
        rate=rate, lists=funnel.LISTS,
        dead_days=funnel.DEAD_DAYS, much=funnel.MUCH, now_of=_now(shown, asked),
        last=funnel_counts.last_months([one.id for one in shown]) if dead else {},
        kept_days=KEPT_DAYS, place_names={one.id: one.name for one in stock.locations()},
    )  # fmt: skip


@blueprint.get("/owner/labels.csv")
@blueprint.get("/owner/labels.xlsx", endpoint="labels_xlsx")
@identity.needs("see_sales")
def labels_csv() -> Response:
    """All labels of the list as a file."""
    asked = _asked()
    places = {one.id: one.code for one in stock.locations()}
    head = ("label", "item", "name", "place", "shelf", "printed", "scans", "looks", "baskets",
            "sales", "units", "takings", "currency")  # fmt: skip
    lines = funnel.page_of(asked, None)
    sheet = Sheet(head, (_line(one, places, asked.filters.currency) for one in lines))
    filters = asked.filters
    return sheet_file(sheet, f"labels-{asked.which}-{filters.first}-{filters.last}")


@blueprint.get("/owner/labels/<label_id>", endpoint="label")
@identity.needs("see_sales")
def show_one(label_id: str) -> str:
    """One label, day by day, with the sales that came from it."""
    filters = read(request.args)
    found = funnel.one(filters, label_id[:10])
    label = connection().execute(select(Label.id, Label.item_id).where(Label.id == label_id[:10]))
    row = label.first()
    if found is None or row is None:
        raise NotFound("There is no such label", what="label")
    logbook.listed("sales", label=label_id[:10], **filters.address())
    before = listing.read_place(request.args.get("before", ""))
    sales = funnel_counts.sales_of(filters, row, before, PAGE + 1)
    asked = Asked(filters)
    return report_page(
        "reports/label.html", filters, section="reports.labels", line=found[0], stands=found[1],
        days=funnel_counts.series_of(filters, label_id[:10]), sales=sales[:PAGE], to=To(asked),
        older=sales[PAGE - 1] if len(sales) > PAGE else None, later=before is not None, rate=rate,
        now=_now([found[0]], asked).get(label_id[:10]), kept_days=KEPT_DAYS,
        place_names={one.id: one.name for one in stock.locations()},
    )  # fmt: skip


@blueprint.post("/desk/labels/dead", endpoint="ask_about_labels")
@identity.needs("print_labels")
def ask() -> ResponseReturnValue:
    """Staff of the place are asked to look at these labels."""
    wanted = [one[:10] for one in request.form.getlist("label")]
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise Invalid(f"Choose 1 to {MOST_AT_ONCE} labels", field="label")
    many = _open_tasks(wanted, identity.signed_in().id)
    flash(ngettext("Staff are asked to look at %(num)d label.",
                   "Staff are asked to look at %(num)d labels.", many), "good")  # fmt: skip
    return redirect(url_for("reports.labels", which="dead"), 303)


@repeatable
def _open_tasks(label_ids: list[str], member_id: int) -> int:
    with transaction() as session:
        query = select(Label.item_id, Label.location_id).where(Label.id.in_(label_ids))
        pairs = sorted({(row.location_id, row.item_id) for row in session.execute(query)})
        for place, item in pairs:
            stock.open_task(TASK, place, item, member_id=member_id)
        logbook.note("labels.asked_about", TASK, after={"labels": sorted(label_ids)})
    return len(pairs)


class To:
    """Addresses that keep what was asked for and change some of it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def report(self, **changes: Any) -> str:
        return self._to(url_for("reports.labels"), changes)

    def file(self, kind: str) -> str:
        return self._to(url_for(f"reports.labels_{kind}"), {})

    def one(self, label_id: str, **changes: Any) -> str:
        said = self.asked.filters.address()
        kept = {name: said[name] for name in ("period", "from", "to", "currency") if name in said}
        return f"{url_for('reports.label', label_id=label_id)}?{urlencode(kept | changes)}"

    def _to(self, path: str, changes: dict[str, Any]) -> str:
        said = self.asked.address() | changes
        return f"{path}?{urlencode({key: one for key, one in said.items() if one is not None})}"


class Now:
    """What is so today with the item of a label: price, and what is on the shelf."""

    def __init__(self, price_minor: int | None, on_hand: int) -> None:
        self.price_minor, self.on_hand = price_minor, on_hand


def _now(lines: list[LabelLine], asked: Asked) -> dict[str, Now]:
    found: dict[str, Now] = {}
    for place in {one.location_id for one in lines}:
        here = [one for one in lines if one.location_id == place]
        items = list({one.item_id for one in here})
        prices = catalogue.quote(items, place, asked.filters.currency)
        levels = stock.levels([(item, place) for item in items])
        for one in here:
            on_hand = levels.get((one.item_id, place), 0)
            found[one.id] = Now(prices.get(one.item_id), on_hand)
    return found


def rate(part: int, whole: int) -> str:
    """Of a hundred so many, in whole numbers; nothing where that says nothing."""
    return "" if whole <= 0 else f"{(200 * part + whole) // (2 * whole)} %"


def _asked() -> Asked:
    given = request.args
    days = given.get("dead", "30")
    if days not in {str(each) for each in funnel.DEAD_DAYS}:
        raise Invalid(f"dead must be one of: {', '.join(map(str, funnel.DEAD_DAYS))}", field="dead")
    return Asked(
        read({"period": "this_month", **given} if not given.get("from") else given),
        read_one_of(given.get("which", ""), funnel.LISTS, "which") or "all",
        int(days),
        read_one_of(given.get("sort", ""), funnel.SORTS, "sort") or "scans",
    )


def _line(one: LabelLine, places: dict[int, str], currency: str) -> list[object]:
    steps: Steps = one.steps
    name = one.names.get(web.language()) or next(iter(one.names.values()), "")
    return [
        one.id, one.code, guarded(name), guarded(places.get(one.location_id, "")),
        guarded(one.shelf), one.printed_at.astimezone(zone()).date(), steps.scans, steps.looks,
        steps.baskets, steps.sales, steps.units, Decimal(money.text(steps.total_minor, currency)),
        currency,
    ]  # fmt: skip
