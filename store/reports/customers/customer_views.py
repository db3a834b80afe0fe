"""The owner's pages of customers: all of them by months and cohorts, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from babel.dates import format_skeleton
from flask import Response, render_template, request, url_for
from flask_babel import get_locale

from ... import identity, logbook, money
from ...errors import Invalid
from ...spreadsheets import written
from .. import shown
from ..calendar import date_of, zone
from ..views import blueprint
from . import customer, customers
from .customers import MOST_MONTHS, Asked, Overview

__all__ = ["blueprint"]

HEAT = 9
"""So many shades has the table of cohorts, beside none."""
CSV = ("months", "cohorts", "channels")


@blueprint.get("/owner/customers", endpoint="customers")
@identity.needs("see_sales")
def show() -> str:
    """New and returning, known or not, shop and web, cohorts and what they are worth."""
    asked = customers.read(request.args)
    logbook.listed("customers", **asked.address())
    found = customers.overview(asked)
    return render_template(
        "reports/customers.html", found=found, best=found.best, asked=asked, shown=shown,
        number=shown.number, month_name=month_name, heat=_heat, top=_top(found),
        names=identity.names_of([one.member_id for one in found.best]), columns=MOST_MONTHS + 1,
        csv_of=lambda table: _csv_address(asked, table), said=request.args,
        section="reports.customers",
    )  # fmt: skip


@blueprint.get("/owner/customers.csv", endpoint="customers_csv")
@identity.needs("see_sales")
def show_csv() -> Response:
    """One of the tables as CSV: `table` is months, cohorts or channels."""
    asked, table = customers.read(request.args), request.args.get("table", CSV[0])
    if table not in CSV:
        raise Invalid(f"table must be one of: {', '.join(CSV)}", field="table")
    found = customers.overview(asked)
    rows = {"months": _of_months, "cohorts": _of_cohorts, "channels": _of_groups}[table](found)
    answer = Response("".join(rows), mimetype="text/csv")
    name = f"customers-{table}-{date_of(asked.span.first)}-{date_of(asked.span.last)}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.get("/owner/customers/<number:member_id>", endpoint="customer")
@identity.needs("see_sales")
def show_one(member_id: int) -> str:
    """A member's whole story; that it was looked at is in the log."""
    found = customer.story(member_id)
    logbook.seen(found.id, "customer")
    first_day = found.first_at.astimezone(zone()).date() if found.first_at else None
    return render_template(
        "reports/customer.html", one=found, first_day=first_day, shown=shown, number=shown.number,
        month_name=month_name,
        section="reports.customers",
    )  # fmt: skip


def month_name(day: int) -> str:
    return str(format_skeleton("yMMM", date_of(day), locale=get_locale()))


def _heat(part: int, whole: int) -> int:
    """The shade of a share: 0 for none of them, up to HEAT for all."""
    return -(-HEAT * min(part, whole) // whole) if whole > 0 and part > 0 else 0


def _top(found: Overview) -> int:
    return max((one.shoppers for one in found.months), default=0)


def _csv_address(asked: Asked, table: str) -> str:
    return f"{url_for('reports.customers_csv')}?{urlencode(asked.address() | {'table': table})}"


def _of_months(found: Overview) -> Iterator[str]:
    return written(
        ("month", "new", "returning", "sales", "takings", "takings_new", "all_sales",
         "all_takings", "currency"),
        ([*_month(one.first), one.new, one.returning, one.sales,
          *_amounts(found, one.total_minor, one.new_minor), one.all_sales,
          *_amounts(found, one.all_minor), found.currency] for one in found.months),
    )  # fmt: skip


def _of_cohorts(found: Overview) -> Iterator[str]:
    """A line for each month of each cohort."""
    return written(
        ("cohort", "customers", "months_since", "bought", "takings_so_far", "currency"),
        ([*_month(one.first), one.size, at, one.shoppers[at],
          *_amounts(found, one.total_minor[at]), found.currency]
         for one in found.cohorts for at in range(len(one.shoppers))),
    )  # fmt: skip


def _of_groups(found: Overview) -> Iterator[str]:
    return written(
        ("where", "customers", "takings", "currency"),
        ([one.code, one.shoppers, *_amounts(found, one.total_minor), found.currency]
         for one in found.groups),
    )  # fmt: skip


def _month(first: int) -> list[object]:
    return [date_of(first).isoformat()[:7]]


def _amounts(found: Overview, *minor: int) -> list[Any]:
    return [money.text(each, found.currency) for each in minor]
