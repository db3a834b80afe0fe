"""Pages of reports: the owner's takings, their tables, and the sales that they are made of."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, stream_with_context

from .. import catalogue, logbook, money, stock, web
from ..errors import Invalid, NotFound
from ..identity import allows, current, needs
from ..sales import CHANNELS, MEANS
from ..spreadsheets import XLSX, workbook, written
from . import figures, listing, sheets, shown
from .filters import Filters, read

blueprint = Blueprint("reports", __name__)

PAGE = 100

MOST_IN_WORKBOOK = 50_000
"""A longer list would take a minute to pack."""


@blueprint.get("/owner/takings")
@needs("see_sales")
def takings() -> str:
    """Takings of any time, and what they are made of."""
    filters = read(request.args)
    report = figures.takings(filters)
    series = shown.busy(report.series) if filters.by == "hour" else report.series
    return report_page("reports/takings.html", filters, report=report, series=series)


@blueprint.get("/owner/takings/<kind>")
@needs("see_sales")
def table(kind: str) -> str:
    """One of the tables in full, a page at a time."""
    if kind not in figures.BREAKDOWNS:
        raise NotFound("There is no such table")
    filters, page = read(request.args), page_number()
    found = figures.breakdown(filters, kind, PAGE, (page - 1) * PAGE)
    return report_page(
        "reports/table.html", filters, kind=kind, found=found, page=page, size=PAGE,
        total=figures.in_all(filters),
    )  # fmt: skip


@blueprint.get("/owner/takings.csv")
@blueprint.get("/owner/takings.xlsx", endpoint="takings_xlsx")
@needs("see_sales")
def takings_csv() -> Response:
    """Any of the tables as a file, all of its lines: `table` is time, items, categories …"""
    filters, kind = read(request.args), request.args.get("table", "time")
    costs = allows(current(), "see_costs")
    if kind == "time":
        sheet = sheets.of_series(figures.over_time(filters), filters, costs=costs)
    elif kind in figures.BREAKDOWNS:
        lines = figures.breakdown(filters, kind, None).lines or []
        sheet = sheets.of_lines(lines, filters, web.language(), costs=costs)
    else:
        raise Invalid(f"table must be time or one of {', '.join(figures.BREAKDOWNS)}",
                      field="table")  # fmt: skip
    return sheet_file(sheet, f"takings-{kind}-{filters.first}-{filters.last}")


@blueprint.get("/owner/sales")
@needs("see_sales")
def sales() -> str:
    """The sales and refunds that a figure is made of, newest first."""
    filters = read(request.args)
    logbook.listed("sales", **filters.address())
    before = listing.read_place(request.args.get("before", ""))
    found = listing.entries(filters, before, PAGE + 1)
    return report_page(
        "reports/sales.html", filters, entries=found[:PAGE], total=figures.in_all(filters),
        older=found[PAGE - 1].place if len(found) > PAGE else None, later=before is not None,
    )  # fmt: skip


@blueprint.get("/owner/sales.csv")
@blueprint.get("/owner/sales.xlsx", endpoint="sales_xlsx")
@needs("see_sales")
def sales_csv() -> Response:
    """The whole list as a file. Raises Invalid for a workbook of more than it is good for."""
    filters = read(request.args)
    if request.path.endswith(".xlsx"):
        total = figures.in_all(filters)
        if total.sales + total.refunds > MOST_IN_WORKBOOK:
            raise Invalid(f"A workbook takes {MOST_IN_WORKBOOK} lines; choose fewer days, or CSV",
                          field="to")  # fmt: skip
    logbook.listed("sales.csv", **filters.address())
    costs = allows(current(), "see_costs")
    sheet = sheets.of_entries(listing.all_entries(filters), web.language(), costs=costs)
    return sheet_file(sheet, f"sales-{filters.first}-{filters.last}")


def report_page(template: str, filters: Filters, **more: Any) -> str:
    """A page about what `filters` ask for."""
    categories = [(one.code, web.in_language(one.names)) for one in catalogue.categories()]
    return render_template(
        template,
        section=more.pop("section", "reports.takings"),
        filters=filters,
        links=shown.Links(filters),
        shown=shown,
        number=shown.number,
        decimals=money.decimals(filters.currency),
        channels=CHANNELS,
        all_means=MEANS,
        location_options=[(place.code, place.name) for place in stock.locations()],
        category_options=sorted(categories, key=lambda option: option[1]),
        time_zone=current_app.config["TIME_ZONE"],
        **more,
    )


def page_number() -> int:
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text)):
        raise Invalid("page must be a whole number from 1", field="page")
    return int(text)


def sheet_file(sheet: sheets.Sheet, name: str) -> Response:
    """A table as the file that the address ends in: .xlsx, else .csv."""
    if request.path.endswith(".xlsx"):
        ending = "xlsx"
        response = Response(stream_with_context(workbook(*sheet)), mimetype=XLSX)
    else:
        ending = "csv"
        response = Response(stream_with_context(written(*sheet)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response
