"""The shop's customers by months: new and returning, known by name, in the shop and on the web;
and by the month of their first purchase, who came back and what they brought.

Everything is of the sums as they are: what still waits in the outbox comes a moment later, in all
of these figures at once. A customer is a member who bought; new are those of the month of their
first purchase. Refunds count in the month in which they were made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import case, func, literal_column, or_, select, union_all

from ... import web
from ...errors import Invalid
from ..calendar import (
    FIRST_DATE,
    LAST_DATE,
    Span,
    date_of,
    day_number,
    month_of,
    months_of,
    today,
)
from ..events import NOBODY, Choice
from ..models import Takings
from ..reading import Books, open_books
from .customer_models import Cohort

__all__ = [
    "MOST_COHORTS", "MOST_MONTHS", "PERIODS", "Asked", "Best", "Group", "Month", "Overview",
    "Since", "overview", "read",
]  # fmt: skip

PERIODS = ("last_12", "this_year", "last_year", "all", "months")
MOST_COHORTS = 36
MOST_BEST = 10
MOST_MONTHS = 12
"""So many months after the first are shown of a cohort."""
LONGEST = 120


class Asked(NamedTuple):
    """Whole months, from the first day of one to the last of another."""

    period: str
    span: Span

    def address(self) -> dict[str, str]:
        """The arguments of an address that asks this again."""
        if self.period != "months":
            return {"period": self.period}
        return {"period": "months", "from": _text(self.span.first), "to": _text(self.span.last)}


class Month(NamedTuple):
    """A month: members who bought, those of them for the first time, and what they brought; beside
    it what everybody brought, known or not."""

    first: int
    new: int
    shoppers: int
    sales: int
    total_minor: int
    new_minor: int
    all_sales: int
    all_minor: int

    @property
    def returning(self) -> int:
        return self.shoppers - self.new


class Since(NamedTuple):
    """A cohort: how many there are, and for each month since, how many bought and what all had
    brought by its end."""

    first: int
    size: int
    shoppers: tuple[int, ...]
    total_minor: tuple[int, ...]
    so_far_minor: int

    def each_minor(self, month: int) -> int:
        """What one of them had brought by then, on average."""
        return _each(self.total_minor[month], self.size)


class Best(NamedTuple):
    """A member who brought much."""

    member_id: int
    sales: int
    total_minor: int


class Group(NamedTuple):
    """Members by where they buy: in the shop only, on the web only, or both."""

    code: str
    shoppers: int
    total_minor: int


@dataclass(frozen=True)
class Overview:
    """What the page shows; not `settled` while sales wait to be added to it."""

    asked: Asked
    currency: str
    settled: bool
    months: list[Month]
    cohorts: list[Since]
    groups: list[Group]
    best: list[Best]

    @property
    def shoppers(self) -> int:
        return sum(one.shoppers for one in self.groups)

    @property
    def new(self) -> int:
        return sum(one.new for one in self.months)

    @property
    def returning(self) -> int:
        return self.shoppers - self.new

    def summed(self, name: str) -> int:
        return sum(getattr(one, name) for one in self.months)

    @property
    def value_minor(self) -> int | None:
        """What a customer who first bought in these months has brought so far, on average."""
        size = sum(one.size for one in self.cohorts)
        return _each(sum(one.so_far_minor for one in self.cohorts), size) if size else None

    @property
    def curve(self) -> list[int]:
        """What a customer had brought by the end of each month since the first, on average over the
        cohorts that are so old."""
        found = []
        for month in range(MOST_MONTHS + 1):
            old = [one for one in self.cohorts if len(one.total_minor) > month and one.size]
            size = sum(one.size for one in old)
            if not size:
                break
            found.append(_each(sum(one.total_minor[month] for one in old), size))
        return found


def read(arguments: Mapping[str, str]) -> Asked:
    """Months from an address. Raises Invalid, naming the field."""
    period = arguments.get("period", "").strip()
    first, last = (_month(arguments, name) for name in ("from", "to"))
    period = period or ("months" if first or last else "last_12")
    if period not in PERIODS:
        raise Invalid(f"period must be one of: {', '.join(PERIODS)}", field="period")
    now = today().replace(day=1)
    if period == "months":
        first = first or last or now
        last = last or max(first, now)
    elif period == "last_12":
        first, last = _before(now, 11), now
    elif period == "this_year":
        first, last = date(now.year, 1, 1), now
    elif period == "last_year":
        first, last = date(now.year - 1, 1, 1), date(now.year - 1, 12, 1)
    else:
        first, last = max(_opened(), _before(now, LONGEST - 1)), now
    assert first is not None and last is not None
    if last < first:
        raise Invalid("The last month must not be before the first", field="to")
    if (last.year - first.year) * 12 + last.month - first.month >= LONGEST:
        raise Invalid(f"A report covers {LONGEST} months at most", field="to")
    return Asked(period, Span(day_number(first), month_of(day_number(last)).last))


def overview(asked: Asked) -> Overview:
    """The customers of these months, and the cohorts that began in them."""
    books, currency = open_books(), str(web.setting("CURRENCY"))
    settled = books.usable and not books.waiting
    books = replace(books, waiting=False)
    query = select(Cohort.first, Cohort.day, Cohort.shoppers, Cohort.sales, Cohort.total_minor)
    within = or_(Cohort.day.between(*asked.span), Cohort.first.between(*asked.span))
    rows = list(books.connection.execute(query.where(Cohort.currency == currency, within)))
    return Overview(
        asked, currency, settled, _months(books, asked.span, currency, rows),
        _cohorts(asked.span, rows), *_people(books, asked.span, currency),
    )  # fmt: skip


def _months(books: Books, span: Span, currency: str, rows: list[Any]) -> list[Month]:
    whole = defaultdict[int, list[int]](lambda: [0, 0])
    for row in books.summed(span, Choice(currency=currency), ("day",)):
        of = whole[month_of(row.day).first]
        of[0] += row.sales
        of[1] += row.total_minor
    by_month = defaultdict[int, list[Any]](list)
    for row in rows:
        by_month[row.day].append(row)
    found = []
    for part in months_of(span):
        of_month = by_month[part.first]
        new = [row for row in of_month if row.first == row.day]
        found.append(Month(
            part.first, sum(row.shoppers for row in new), sum(row.shoppers for row in of_month),
            sum(row.sales for row in of_month), sum(row.total_minor for row in of_month),
            sum(row.total_minor for row in new), *whole[part.first],
        ))  # fmt: skip
    return found


def _cohorts(span: Span, rows: list[Any]) -> list[Since]:
    """The cohorts that began in the span, the newest first; up to the month that runs."""
    of: dict[int, dict[int, Any]] = defaultdict(dict)
    for row in rows:
        if span.first <= row.first <= span.last:
            of[row.first][row.day] = row
    now, found = day_number(today()), list[Since]()
    for first in sorted(of, reverse=True)[:MOST_COHORTS]:
        mine, shoppers, brought, total = of[first], list[int](), list[int](), 0
        for part in months_of(Span(first, max(now, *mine))):
            row = mine.get(part.first)
            total += row.total_minor if row is not None else 0
            shoppers.append(row.shoppers if row is not None else 0)
            brought.append(total)
        shown = MOST_MONTHS + 1
        size = mine[first].shoppers if first in mine else 0
        found.append(Since(first, size, tuple(shoppers[:shown]), tuple(brought[:shown]), total))
    return found


def _people(books: Books, span: Span, currency: str) -> tuple[list[Group], list[Best]]:
    """Whoever bought in these months, each once: by where, and those who brought most. One
    statement, in which each member's few rows are added up once for both."""
    rows = books.rows(span, Choice(currency=currency), ("member_id", "channel")).c
    web_sales = func.sum(case((rows.channel == "web", rows.sales), else_=0))
    everybody = (
        select(
            rows.member_id, web_sales.label("web"),
            (func.sum(rows.sales) - web_sales).label("shop"),
            func.sum(rows.total_minor).label("total"),
        )
        .where(rows.member_id != NOBODY)
        .group_by(rows.member_id)
        .cte("everybody")
    )  # fmt: skip
    each = everybody.c
    kind = case(
        ((each.web > 0) & (each.shop > 0), "both"), (each.web > 0, "web"), (each.shop > 0, "shop"),
        else_="",
    )  # fmt: skip
    best = (
        select(each.member_id, each.web + each.shop, each.total)
        .order_by(each.total.desc(), each.member_id)
        .limit(MOST_BEST)
        .subquery()
    )
    by_kind = select(kind, literal_column("0"), func.count(), func.sum(each.total)).group_by(kind)
    by_name = select(literal_column("'best'"), *best.c)
    found = list(books.connection.execute(union_all(by_kind, by_name)))
    counted = {row[0]: Group(row[0], int(row[2]), int(row[3])) for row in found}
    named = [Best(row[1], int(row[2]), int(row[3])) for row in found if row[0] == "best"]
    return (
        [counted.get(code, Group(code, 0, 0)) for code in ("shop", "web", "both")],
        sorted(named, key=lambda one: (-one.total_minor, one.member_id)),
    )


def _opened() -> date:
    """The month of the first sale, or this one."""
    books = open_books()
    first = books.connection.scalar(
        select(func.min(Takings.day)).where(Takings.currency == web.setting("CURRENCY"))
    )
    return (date_of(first) if first is not None else today()).replace(day=1)


def _month(arguments: Mapping[str, str], name: str) -> date | None:
    said = arguments.get(name, "").strip()
    if not said:
        return None
    try:
        found = date.fromisoformat(f"{said}-01") if len(said) == 7 else None
    except ValueError:
        found = None
    if found is None or not FIRST_DATE <= found <= LAST_DATE:
        raise Invalid(f"{name} must be a month like 2026-11", field=name)
    return found


def _before(month: date, many: int) -> date:
    at = month.year * 12 + month.month - 1 - many
    return date(at // 12, at % 12 + 1, 1)


def _text(day: int) -> str:
    return date_of(day).isoformat()[:7]


def _each(total: int, many: int) -> int:
    """A share of each, rounded to the nearest."""
    return (2 * total + many) // (2 * many) if many else 0
