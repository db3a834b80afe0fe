"""The owner's pages of returns: why goods came back, what became of them, and each of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Response, request, url_for

from ... import logbook, money, web
from ...errors import Invalid
from ...identity import needs
from ...spreadsheets import guarded
from .. import listing
from ..calendar import zone
from ..filters import Filters, read
from ..sheets import Sheet
from ..views import (
    PAGE,
    blueprint,
    report_page,
    sheet_file,
)
from . import returned, returned_list
from .returned import Back, Row
from .returned_list import Asked

__all__ = ["blueprint"]

TABLES = (
    "reasons", "time", "items", "categories", "sellers", "locations", "channels", "became",
)  # fmt: skip
SHOWN = 10


@blueprint.get("/owner/returns", endpoint="returns")
@needs("see_sales")
def show() -> str:
    """Returns by reason, over time, by goods and places, and what became of them."""
    asked = _asked()
    found = returned.returned(asked.filters, asked.why)
    return report_page(
        "reports/returns.html", asked.filters, section="reports.returns", found=found,
        asked=asked, to=To(asked), most=SHOWN, whys=returned.WHYS, rate=rate,
    )  # fmt: skip


@blueprint.get("/owner/returns.csv")
@blueprint.get("/owner/returns.xlsx", endpoint="returns_xlsx")
@needs("see_sales")
def returns_csv() -> Response:
    """One of the tables as a file: `table` is reasons, time, items …"""
    asked, table = _asked(), request.args.get("table", TABLES[0])
    if table not in TABLES:
        raise Invalid(f"table must be one of: {', '.join(TABLES)}", field="table")
    found, currency = returned.returned(asked.filters, asked.why), asked.filters.currency
    if table == "became":
        sheet = Sheet(
            ("became", "units", "refunded", "currency"),
            ([one.decision or "none", one.units, _amount(one.total_minor, currency), currency]
             for one in found.became),
        )  # fmt: skip
    else:
        rows = {"reasons": found.reasons, "time": found.series}.get(table) or found.tables.get(
            table, []
        )
        sheet = Sheet(
            ("code", "name", "units", "refunded", "sold", "rate_percent", "currency"),
            (_line(row, currency) for row in rows),
        )
    return sheet_file(sheet, f"returns-{table}-{asked.filters.first}-{asked.filters.last}")


@blueprint.get("/owner/returns/list", endpoint="returns_list")
@needs("see_sales")
def show_list() -> str:
    """Each refund that a figure is made of, newest first."""
    asked = _asked()
    logbook.listed("returns", **asked.address())
    before = listing.read_place(request.args.get("before", ""))
    found = returned_list.entries(asked, before, PAGE + 1)
    return report_page(
        "reports/returns_list.html", asked.filters, section="reports.returns",
        entries=found[:PAGE], asked=asked, to=To(asked), whys=returned.WHYS,
        older=found[PAGE - 1].place if len(found) > PAGE else None, later=before is not None,
    )  # fmt: skip


@blueprint.get("/owner/returns/list.csv")
@blueprint.get("/owner/returns/list.xlsx", endpoint="returns_list_xlsx")
@needs("see_sales")
def returns_list_csv() -> Response:
    """The whole list as a file, a line for each kind of units."""
    asked = _asked()
    logbook.listed("returns.csv", **asked.address())
    head = ("sale", "at", "location", "handed_in", "channel", "reason", "words", "what", "became",
            "units", "refunded", "currency")  # fmt: skip
    return sheet_file(
        Sheet(head, _list_lines(asked)),
        f"returns-{asked.filters.first}-{asked.filters.last}",
    )


class To:
    """Addresses that keep what was asked for and change some of it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def report(self, **changes: Any) -> str:
        return self._to("reports.returns", changes)

    def list(self, **changes: Any) -> str:
        return self._to("reports.returns_list", changes)

    def older(self, place: str) -> str:
        return self._to("reports.returns_list", {"before": place})

    def file(self, kind: str, table: str = "") -> str:
        ending = "_xlsx" if kind == "xlsx" else "_csv"
        if not table:
            return self._to(f"reports.returns_list{ending}", {})
        return self._to(f"reports.returns{ending}", {"table": table})

    def about(self, row: Row, kind: str) -> dict[str, Any]:
        """What an address says of a line of a table."""
        if kind == "time":
            assert row.span is not None
            days = {"from": row.span.first_date, "to": row.span.last_date}
            return {"period": None, **days}
        if kind == "reasons":
            return {"why": row.code}
        field = {"items": "item", "categories": "category", "locations": "location",
                 "channels": "channel", "sellers": "seller"}[kind]  # fmt: skip
        return {field: row.code}

    def _to(self, endpoint: str, changes: dict[str, Any]) -> str:
        said = self.asked.address() | changes
        kept = {name: value for name, value in said.items() if value is not None}
        return f"{url_for(endpoint)}?{urlencode(kept)}"


def rate(back: Back) -> str:
    """How many of a hundred units that were sold came back, with one decimal."""
    return "" if back.sold <= 0 else f"{_percent(back):.1f} %"


def _percent(back: Back) -> Decimal:
    return Decimal((2000 * back.own + back.sold) // (2 * back.sold)) / 10


def _asked() -> Asked:
    filters: Filters = read(request.args)
    return returned_list.read(filters, request.args)


def _line(row: Row, currency: str) -> list[object]:
    names = row.names.get(web.language()) or next(iter(row.names.values()), "")
    back = row.back
    return [
        guarded(row.code), guarded(names), back.units, _amount(back.total_minor, currency),
        back.sold or "", _percent(back) if back.sold > 0 else "", currency,
    ]  # fmt: skip


def _list_lines(asked: Asked) -> Iterator[list[object]]:
    where, language = zone(), web.language()
    for entry in returned_list.all_entries(asked):
        for unit in entry.units:
            name = unit.names.get(language) or next(iter(unit.names.values()), "")
            yield [
                entry.sale_id, entry.at.astimezone(where).isoformat(timespec="seconds"),
                guarded(entry.location_name), guarded(entry.handed_in), entry.channel, entry.why,
                guarded(entry.words), guarded(name), unit.decision, unit.quantity,
                _amount(unit.total_minor, entry.currency), entry.currency,
            ]  # fmt: skip


def _amount(minor: int, currency: str) -> Decimal:
    return Decimal(money.text(minor, currency))
