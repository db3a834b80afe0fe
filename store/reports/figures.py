"""The figures of a report: in all, compared, over time, and by what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from .. import clock, identity, stock
from ..catalogue.models import Category, Item
from . import calendar
from .calendar import Span
from .events import MEASURES
from .filters import Filters
from .reading import Books, open_books

__all__ = ["BREAKDOWNS", "Breakdown", "Figures", "Line", "Report", "breakdown", "takings"]

BREAKDOWNS = ("items", "categories", "locations", "channels", "shoppers")

_MOST_LINES_FOR_SHOPPERS = 60_000
"""Shoppers of one category are read from its sale lines; above this many it would take long."""


@dataclass(frozen=True)
class Figures:
    """What was sold less what was given back, in minor units of one currency.

    `sales` counts sales; where a category is asked for it counts items of sales, since a sale can
    hold several of them.
    """

    sales: int = 0
    refunds: int = 0
    quantity: int = 0
    total_minor: int = 0
    tax_minor: int = 0
    refunded_minor: int = 0

    @property
    def sold_minor(self) -> int:
        """Before refunds."""
        return self.total_minor + self.refunded_minor

    @property
    def average_minor(self) -> int | None:
        """Of the sales before refunds, half up; None without sales."""
        return (2 * self.sold_minor + self.sales) // (2 * self.sales) if self.sales else None

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in MEASURES))


class Line(NamedTuple):
    """One line of a table. `key` is a day or hour, or an id (None: without a category); `code` is
    what an address calls it. `first` and `last` are the days that it stands for."""

    key: int | str | None
    code: str
    names: dict[str, str]
    figures: Figures
    before: Figures | None = None
    span: Span | None = None


class Breakdown(NamedTuple):
    """Some lines of a table, and how many it has in all. `lines` is None where it would take too
    long to say."""

    kind: str
    lines: list[Line] | None
    many: int


@dataclass(frozen=True)
class Report:
    filters: Filters
    currencies: list[str]
    figures: Figures
    before: Figures
    before_span: Span
    before_until: datetime | None
    series: list[Line]
    breakdowns: list[Breakdown]


def takings(filters: Filters, most: int = 10) -> Report:
    """The whole report, each of its parts from the same moment. `most` limits the lines of the
    tables by item, category, location, channel and shopper."""
    books = open_books()
    return Report(
        filters,
        [*dict.fromkeys([filters.currency, *books.currencies()])],
        _in_all(books, filters, filters.span),
        *_earlier(books, filters),
        _series(books, filters),
        [_breakdown(books, filters, kind, most, 0) for kind in BREAKDOWNS],
    )


def breakdown(filters: Filters, kind: str, most: int | None, offset: int = 0) -> Breakdown:
    """One of the tables by itself, from the line at `offset` on; all of it without `most`."""
    return _breakdown(open_books(), filters, kind, most, offset)


def series(filters: Filters) -> list[Line]:
    """Takings over time by itself."""
    return _series(open_books(), filters)


# In all, and the same days of the week before


def _in_all(books: Books, filters: Filters, span: Span) -> Figures:
    return _figures(books.summed(span, filters.choice)[0])


def _figures(row: Any) -> Figures:
    return Figures(*(int(getattr(row, name)) for name in MEASURES))


def _shift(span: Span) -> int:
    """How many days back the same weekdays lie: as many whole weeks as the span touches."""
    return -(-span.days // 7) * 7


def _earlier(books: Books, filters: Filters) -> tuple[Figures, Span, datetime | None]:
    """The figures of the same weekdays before; of a day that still runs, until the same time."""
    now = calendar.day_number(calendar.today())
    span = filters.span
    shift = _shift(span)
    if not span.first <= now <= span.last:
        return _in_all(books, filters, span.moved(-shift)), span.moved(-shift), None
    past = Span(span.first, now).moved(-shift)
    local = clock.now().astimezone(calendar.zone()).replace(tzinfo=None)
    until = (local - timedelta(shift)).replace(tzinfo=calendar.zone()).astimezone(UTC)
    part = Span(past.last, past.last)
    found = _figures(books.summed(part, filters.choice, before=until)[0])
    if past.first < past.last:
        found += _in_all(books, filters, Span(past.first, past.last - 1))
    return found, past, until


# Over time


def _series(books: Books, filters: Filters) -> list[Line]:
    """A line for each hour, day, week or month of the span, empty ones too, beside the same
    weekdays before."""
    span = filters.span
    shift = _shift(span)
    hourly = filters.by == "hour"
    key = "hour" if hourly else "day"
    found, before = (
        {row[0]: _figures(row) for row in books.summed(each, filters.choice, (key,))}
        for each in (span, span.moved(-shift))
    )
    if hourly:
        none = Figures()
        return [
            Line(hour, str(hour), {}, found.get(hour, none), before.get(hour, none), span)
            for hour in range(24)
        ]
    return [
        Line(part.first, calendar.date_of(part.first).isoformat(), {}, _over(found, part),
             _over(before, part.moved(-shift)), part)
        for part in _parts(span, filters.by)
    ]  # fmt: skip


def _over(days: dict[int, Figures], span: Span) -> Figures:
    total = Figures()
    for day in range(span.first, span.last + 1):
        if day in days:
            total += days[day]
    return total


def _parts(span: Span, by: str) -> Iterable[Span]:
    if by == "month":
        yield from calendar.months_of(span)
        return
    first = span.first
    while first <= span.last:
        # Day 0 was a Thursday; weeks begin on Monday.
        last = first if by == "day" else first + 6 - (first + 3) % 7
        yield Span(first, min(last, span.last))
        first = last + 1


# By what they are made of


def _breakdown(
    books: Books, filters: Filters, kind: str, most: int | None, offset: int
) -> Breakdown:
    if kind == "shoppers":
        return _shoppers(books, filters, most, offset)
    lines = _TABLES[kind](books, filters)
    lines.sort(key=lambda line: (-line.figures.total_minor, str(line.key)))
    shown = lines[offset : None if most is None else offset + most]
    return Breakdown(kind, _named(books, shown) if kind == "items" else shown, len(lines))


def _items(books: Books, filters: Filters) -> list[Line]:
    rows = books.by_item(filters.span, filters.choice)
    return [Line(row.item_id, "", {}, _figures(row)) for row in rows]


def _named(books: Books, lines: list[Line]) -> list[Line]:
    """Items with their codes and names, asked for only where they are shown."""
    found: dict[int, tuple[str, dict[str, str]]] = {}
    for at in range(0, len(lines), 500):
        some = [line.key for line in lines[at : at + 500]]
        query = select(Item.id, Item.code, Item.names).where(Item.id.in_(some))
        found |= {row.id: (row.code, row.names) for row in books.connection.execute(query)}
    return [
        line._replace(code=found[line.key][0], names=found[line.key][1])  # type: ignore[index]
        for line in lines
    ]


def _categories(books: Books, filters: Filters) -> list[Line]:
    sums: dict[int | None, Figures] = {}
    for row in books.by_item(filters.span, filters.choice):
        sums[row.category_id] = sums.get(row.category_id, Figures()) + _figures(row)
    query = select(Category.id, Category.code, Category.names)
    known = {row.id: (row.code, row.names) for row in books.connection.execute(query)}
    return [Line(key, *known.get(key, ("", {})), figures) for key, figures in sums.items()]


def _locations(books: Books, filters: Filters) -> list[Line]:
    rows = books.summed(filters.span, filters.choice, ("location_id",))
    known = {place.id: place for place in stock.locations()}
    return [
        Line(row.location_id, known[row.location_id].code, {"": known[row.location_id].name},
             _figures(row))
        for row in rows
    ]  # fmt: skip


def _channels(books: Books, filters: Filters) -> list[Line]:
    rows = books.summed(filters.span, filters.choice, ("channel",))
    return [Line(row.channel, row.channel, {}, _figures(row)) for row in rows]


def _shoppers(books: Books, filters: Filters, most: int | None, offset: int) -> Breakdown:
    choice = filters.choice
    if choice.category_id is not None and choice.member_id is None:
        lines = _in_all(books, filters, filters.span).sales
        if lines > _MOST_LINES_FOR_SHOPPERS:
            return Breakdown("shoppers", None, 0)
    rows, many = books.top_shoppers(filters.span, choice, most, offset)
    names: dict[int, str] = {}
    for at in range(0, len(rows), 500):
        names |= identity.names_of([row.member_id for row in rows[at : at + 500]])
    lines_ = [
        Line(row.member_id, str(row.member_id), {"": names[row.member_id]}, _figures(row))
        for row in rows
    ]
    return Breakdown("shoppers", lines_, many)


_TABLES: dict[str, Callable[[Books, Filters], list[Line]]] = {
    "items": _items,
    "categories": _categories,
    "locations": _locations,
    "channels": _channels,
}
