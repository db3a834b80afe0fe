"""The figures of a report: in all, compared, over time, and by what they are made of."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from .. import clock, identity, stock
from ..catalogue.models import Category, Item
from ..sales.models import Sale
from . import calendar
from .calendar import Span
from .events import MEASURES
from .filters import Filters
from .reading import Books, open_books

__all__ = [
    "BREAKDOWNS",
    "Breakdown",
    "Figures",
    "Line",
    "Report",
    "breakdown",
    "in_all",
    "over_time",
    "takings",
]

BREAKDOWNS = ("items", "categories", "locations", "channels", "shoppers")

_MOST_LINES_FOR_SHOPPERS = 15_000
"""The shoppers of some goods are read from the sale lines; above this many it would take long."""


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
    ever: bool
    """Whether anything was ever sold."""

    @property
    def comparable(self) -> bool:
        """Whether there was anything on the days that it is compared with."""
        return any((self.before.sales, self.before.refunds, *_sold(self.series)))

    @property
    def by(self) -> dict[str, Breakdown]:
        """The breakdowns by their kinds."""
        return {breakdown.kind: breakdown for breakdown in self.breakdowns}


def takings(filters: Filters, most: int = 10) -> Report:
    """The whole report, each of its parts from the same moment. `most` limits the lines of the
    tables by item, category, location, channel and shopper."""
    books = open_books()
    places = books.summed(filters.span, filters.choice, _PLACES)
    goods = books.by_item(filters.span, filters.choice)
    read = {"locations": places, "channels": places, "items": goods, "categories": goods}
    return Report(
        filters,
        [*dict.fromkeys([filters.currency, *books.currencies()])],
        Figures(*_added(places, lambda row: None).get(None, ())),
        *_earlier(books, filters),
        _series(books, filters),
        [_breakdown(books, filters, kind, most, rows=read.get(kind)) for kind in BREAKDOWNS],
        books.connection.scalar(select(Sale.id).limit(1)) is not None,
    )


def _sold(lines: list[Line]) -> Iterable[int]:
    return (line.before.sales + line.before.refunds for line in lines if line.before)


def breakdown(filters: Filters, kind: str, most: int | None, offset: int = 0) -> Breakdown:
    """One of the tables by itself, from the line at `offset` on; all of it without `most`."""
    return _breakdown(open_books(), filters, kind, most, offset)


def over_time(filters: Filters) -> list[Line]:
    """Takings over time by itself."""
    return _series(open_books(), filters)


def in_all(filters: Filters) -> Figures:
    """The figures by themselves; of one hour of the days where an hour is asked for."""
    books = open_books()
    if filters.hour is None:
        return _in_all(books, filters, filters.span)
    rows = books.summed(filters.span, filters.choice, ("hour",))
    return next((_figures(row) for row in rows if row.hour == filters.hour), Figures())


# In all, and the same days of the week before


def _in_all(books: Books, filters: Filters, span: Span) -> Figures:
    return _figures(books.summed(span, filters.choice)[0])


def _figures(row: Any) -> Figures:
    return Figures(*row[-len(MEASURES) :])


def _shift(span: Span) -> int:
    """How many days back the same weekdays lie: as many weeks as it takes not to overlap, and for
    more than five weeks the same weeks of the year before."""
    step = 7 if span.days <= 35 else 364
    return -(-span.days // step) * step


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


_PLACES = ("location_id", "channel")
_TOTAL = MEASURES.index("total_minor")
Names = dict[Any, tuple[str, dict[str, str]]]


def _breakdown(
    books: Books,
    filters: Filters,
    kind: str,
    most: int | None,
    offset: int = 0,
    rows: Sequence[Any] | None = None,
) -> Breakdown:
    """`rows` are those of the table where they were read already, for another table too."""
    if kind == "shoppers":
        return _shoppers(books, filters, most, offset)
    names, key = _TABLES[kind]
    if rows is None and kind in ("items", "categories"):
        rows = books.by_item(filters.span, filters.choice)
    elif rows is None:
        rows = books.summed(filters.span, filters.choice, _PLACES)
    table = list(_added(rows, key).items())
    table.sort(key=lambda line: (-line[1][_TOTAL], str(line[0])))
    shown = table[offset : None if most is None else offset + most]
    known = names(books, [key for key, _ in shown])
    lines = [Line(key, *known[key], Figures(*sums)) for key, sums in shown]
    return Breakdown(kind, lines, len(table))


def _added(rows: Sequence[Any], key: Callable[[Any], Any]) -> dict[Any, Sequence[int]]:
    """Rows of two keys and the measures, added up by one key."""
    sums: dict[Any, Sequence[int]] = {}
    for row in rows:
        wanted, measures = key(row), row[2:]
        known = sums.get(wanted)
        sums[wanted] = measures if known is None else tuple(map(operator.add, known, measures))
    return sums


def _items(books: Books, ids: list[Any]) -> Names:
    """Codes and names of items, asked for only where they are shown."""
    found: Names = {}
    for at in range(0, len(ids), 500):
        query = select(Item.id, Item.code, Item.names).where(Item.id.in_(ids[at : at + 500]))
        found |= {row.id: (row.code, row.names) for row in books.connection.execute(query)}
    return found


def _categories(books: Books, ids: list[Any]) -> Names:
    query = select(Category.id, Category.code, Category.names)
    found: Names = {row.id: (row.code, row.names) for row in books.connection.execute(query)}
    return found | {None: ("", {})}


def _locations(books: Books, ids: list[Any]) -> Names:
    return {place.id: (place.code, {"": place.name}) for place in stock.locations()}


def _channels(books: Books, ids: list[Any]) -> Names:
    return {channel: (channel, {}) for channel in ids}


# How to call the lines of a table, and by which of a row's keys they are added up.
_TABLES: dict[str, tuple[Callable[[Books, list[Any]], Names], Callable[[Any], Any]]] = {
    "items": (_items, operator.itemgetter(1)),
    "categories": (_categories, operator.itemgetter(0)),
    "locations": (_locations, operator.itemgetter(0)),
    "channels": (_channels, operator.itemgetter(1)),
}


def _shoppers(books: Books, filters: Filters, most: int | None, offset: int) -> Breakdown:
    choice = filters.choice
    if choice.of_goods and choice.member_id is None:
        lines = _in_all(books, filters, filters.span).sales
        if lines > _MOST_LINES_FOR_SHOPPERS:
            return Breakdown("shoppers", None, 0)
    rows, many = books.top_shoppers(filters.span, choice, most, offset)
    names: dict[int, str] = {}
    for at in range(0, len(rows), 500):
        names |= identity.names_of([row.member_id for row in rows[at : at + 500]])
    found = [
        Line(row.member_id, str(row.member_id), {"": names[row.member_id]}, _figures(row))
        for row in rows
    ]
    return Breakdown("shoppers", found, many)
