"""The figures of a report: in all, compared, over time, and by what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from .. import catalogue, clock
from ..sales.models import Sale
from . import calendar
from .breakdowns import AT_ONCE, BREAKDOWNS, PLACES, added, read_breakdown, takes_long
from .calendar import Span
from .events import MEASURES
from .filters import Filters
from .reading import Books, open_books
from .values import Breakdown, Figures, Line

__all__ = [
    "BREAKDOWNS",
    "Breakdown",
    "Figures",
    "Line",
    "Report",
    "breakdown",
    "compared_days",
    "in_all",
    "over_time",
    "parts_of",
    "takings",
]


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


def takings(filters: Filters, most: int = 10, kinds: Sequence[str] = AT_ONCE) -> Report:
    """The whole report, each of its parts from the same moment. `most` limits the lines of the
    tables by item, category, location, channel and shopper; `kinds` says which of them."""
    books = open_books()
    places = books.summed(filters.span, filters.choice, PLACES)
    # A shop without sellers is not asked whose its goods are.
    kinds = [kind for kind in kinds if kind != "sellers" or catalogue.has_sellers()]
    read: dict[str, Sequence[Any]] = {"locations": places, "channels": places}
    if not takes_long(books, filters, "items"):
        if "sellers" in kinds and books.from_lines(filters.choice, ("item_id",)):
            goods, read["sellers"] = books.by_item_and_seller(filters.span, filters.choice)
        else:
            goods = books.by_item(filters.span, filters.choice)
        read |= {"items": goods, "categories": goods, "brands": goods}
    return Report(
        filters,
        [*dict.fromkeys([filters.currency, *books.currencies()])],
        Figures(*added(places, lambda row: None).get(None, ())),
        *_earlier(books, filters),
        _series(books, filters),
        [read_breakdown(books, filters, kind, most, rows=read.get(kind)) for kind in kinds],
        books.connection.scalar(select(Sale.id).limit(1)) is not None,
    )


def _sold(lines: list[Line]) -> Iterable[int]:
    return (line.before.sales + line.before.refunds for line in lines if line.before)


def breakdown(filters: Filters, kind: str, most: int | None, offset: int = 0) -> Breakdown:
    """One of the tables by itself, from the line at `offset` on; all of it without `most`."""
    return read_breakdown(open_books(), filters, kind, most, offset)


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


def compared_days(filters: Filters) -> tuple[Span, datetime | None]:
    """The same weekdays before; of a day that still runs, until this moment."""
    now = calendar.day_number(calendar.today())
    span = filters.span
    shift = _shift(span)
    if not span.first <= now <= span.last:
        return span.moved(-shift), None
    local = clock.now().astimezone(calendar.zone()).replace(tzinfo=None)
    until = (local - timedelta(shift)).replace(tzinfo=calendar.zone()).astimezone(UTC)
    return Span(span.first, now).moved(-shift), until


def _earlier(books: Books, filters: Filters) -> tuple[Figures, Span, datetime | None]:
    """The figures of the same weekdays before; of a day that still runs, until the same time."""
    past, until = compared_days(filters)
    if until is None:
        return _in_all(books, filters, past), past, None
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
        for part in parts_of(span, filters.by)
    ]  # fmt: skip


def _over(days: dict[int, Figures], span: Span) -> Figures:
    total = Figures()
    for day in range(span.first, span.last + 1):
        if day in days:
            total += days[day]
    return total


def parts_of(span: Span, by: str) -> Iterable[Span]:
    """The days, weeks (from Monday) or months of a span."""
    if by == "month":
        yield from calendar.months_of(span)
        return
    first = span.first
    while first <= span.last:
        # Day 0 was a Thursday; weeks begin on Monday.
        last = first if by == "day" else first + 6 - (first + 3) % 7
        yield Span(first, min(last, span.last))
        first = last + 1
