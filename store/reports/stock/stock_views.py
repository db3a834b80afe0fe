"""Pages of stock for owners: what it is worth, and the goods behind each figure. Only for who may
see costs."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request, url_for

from ... import (
    catalogue,
    ids,
    stock,
    web,
)
from ...catalogue.costs import cost_text, has_costs
from ...errors import Invalid, NotFound
from ...identity import needs
from .. import shown
from ..calendar import Span, date_of
from ..views import (
    PAGE,
    blueprint,
    page_number,
    sheet_file,
)
from . import (
    stock_compared,
    stock_lists,
    stock_sheets,
    stock_value,
)
from .stock_asked import DAYS, Asked, read

__all__ = ["blueprint"]

TABLES = (*stock_lists.KINDS, *stock_value.KINDS, "months")


@blueprint.get("/owner/stock")
@needs("see_costs")
def stock_page() -> str:
    """What the goods on hand are worth, and by what they are made of."""
    asked = read(request.args)
    return _page(
        "reports/stock.html", asked, found=stock_compared.compared(asked), any=has_costs(),
    )  # fmt: skip


@blueprint.get("/owner/stock/<kind>")
@needs("see_costs")
def stock_list(kind: str) -> str:
    """The goods behind a figure, a page at a time."""
    if kind not in stock_lists.KINDS:
        raise NotFound("There is no such list")
    asked, page = _of_kind(kind), page_number()
    size = 3 * PAGE if kind == "reorder" else PAGE
    found = stock_lists.listed(asked, kind, size, (page - 1) * size)
    return _page(
        "reports/stock_list.html", asked, kind=kind, found=found, page=page, size=size,
        key=ids.new(), date_of=date_of,
    )  # fmt: skip


@blueprint.get("/owner/stock.csv")
@blueprint.get("/owner/stock.xlsx", endpoint="stock_xlsx")
@needs("see_costs")
def stock_csv() -> Response:
    """Any of the lists and tables as a file, all of its lines."""
    kind = request.args.get("table", "items")
    if kind not in TABLES:
        raise Invalid(f"table must be one of {', '.join(TABLES)}", field="table")
    asked, language = _of_kind(kind), web.language()
    if kind in stock_lists.KINDS:
        found = stock_lists.listed(asked, kind, None)
        sheet = stock_sheets.of_goods(found, asked, kind, language)
    else:
        whole = stock_compared.compared(asked)
        if kind == "locations":
            sheet = stock_sheets.of_places(whole, language)
        elif kind == "months":
            sheet = stock_sheets.of_months(whole)
        else:
            sheet = stock_sheets.of_parts(whole, kind, language)
    return sheet_file(sheet, f"stock-{kind}-{asked.span.last_date}")


def _of_kind(kind: str) -> Asked:
    """The question of the address; what to order is always of now."""
    asked = read(request.args)
    return asked.now if kind == "reorder" else asked


def _page(template: str, asked: Asked, **more: Any) -> str:
    categories = [(one.code, web.in_language(one.names)) for one in catalogue.categories()]
    return render_template(
        template, section="reports.stock_page", asked=asked, days_options=DAYS, shown=shown,
        number=shown.number, cost_text=cost_text, to=_Addresses(asked),
        location_options=[(place.code, place.name) for place in stock.locations(every=True)],
        order_options=[(place.code, place.name) for place in stock.locations()],
        category_options=sorted(categories, key=lambda option: option[1]), **more,
    )  # fmt: skip


class _Addresses:
    """Addresses that keep what a page was asked for and change some of it."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked.address()
        self.before = {"until": asked.before.until}

    def page(self, **changes: Any) -> str:
        return url_for("reports.stock_page", **self.asked | changes)

    def then(self, **changes: Any) -> str:
        """The page about the days before."""
        return self.page(**self.before | changes)

    def goods_then(self, kind: str, **changes: Any) -> str:
        return self.goods(kind, **self.before | changes)

    def goods(self, kind: str, **changes: Any) -> str:
        return url_for("reports.stock_list", kind=kind, **self.asked | changes)

    def sales(self, code: str, span: Span) -> str:
        """The sales of an item in these days, at the place that is asked for."""
        days: dict[str, Any] = {"from": span.first_date, "to": span.last_date}
        return url_for("reports.sales", item=code, location=self.asked.get("location"), **days)

    def file(self, ending: str, kind: str) -> str:
        endpoint = "reports.stock_xlsx" if ending == "xlsx" else "reports.stock_csv"
        return url_for(endpoint, table=kind, **self.asked)
