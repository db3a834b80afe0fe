"""The shop's calendar: which day and hour a moment is there, in Python and in SQL, and spans.

A day is counted as whole days since 1970-01-01 on the shop's own calendar, so 0 is that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Integer, case, cast, literal, type_coerce

from .. import clock, web
from .models import WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR

__all__ = [
    "FIRST_DATE",
    "LAST_DATE",
    "Span",
    "bounds",
    "date_of",
    "day_number",
    "local_day",
    "local_hour",
    "microseconds",
    "midnight",
    "moment_of",
    "month_start",
    "months_of",
    "pieces",
    "today",
    "zone",
]

_EPOCH = date(1970, 1, 1)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US, _HOUR_US = 86_400_000_000, 3_600_000_000

FIRST_DATE, LAST_DATE = date(1990, 1, 1), date(2199, 12, 31)
"""What a report can be asked for; far from the ends of what dates and zones can compute."""


class Span(NamedTuple):
    """Days from `first` to `last`, both of them in it."""

    first: int
    last: int

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    @property
    def first_date(self) -> date:
        return date_of(self.first)

    @property
    def last_date(self) -> date:
        return date_of(self.last)

    def moved(self, days: int) -> Span:
        return Span(self.first + days, self.last + days)


def zone() -> ZoneInfo:
    return ZoneInfo(web.setting("TIME_ZONE"))


def today() -> date:
    return clock.now().astimezone(zone()).date()


def day_number(day: date) -> int:
    return (day - _EPOCH).days


def date_of(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def midnight(day: int) -> datetime:
    """The moment at which a day begins."""
    return datetime.combine(date_of(day), time(), zone()).astimezone(UTC)


def microseconds(at: datetime) -> int:
    return (at - _START) // timedelta(microseconds=1)


def moment_of(microseconds_: int) -> datetime:
    return _START + timedelta(microseconds=microseconds_)


def month_start(day: int, months: int = WHOLE_MONTH) -> int:
    """The first day of the month, or of the year, that a day lies in."""
    on = date_of(day)
    return day_number(on.replace(day=1) if months == WHOLE_MONTH else date(on.year, 1, 1))


def month_of(day: int) -> Span:
    """The whole month that a day lies in."""
    return Span(month_start(day), _next_start(day, WHOLE_MONTH) - 1)


def months_of(span: Span) -> Iterator[Span]:
    """The span cut at the ends of the calendar's months."""
    first = span.first
    while first <= span.last:
        last = min(_next_start(first, WHOLE_MONTH) - 1, span.last)
        yield Span(first, last)
        first = last + 1


def pieces(span: Span, longest: int) -> list[tuple[int, Span]]:
    """Cover a span with as few rows as can be: whole years (where `longest` is so long), whole
    months, single days. Answers (months of the rows, from the first to the last of their days).

    The year and the month that run now count as whole from their first day on: there is nothing
    after today in them.
    """
    now = day_number(today())
    open_end = month_start(now, WHOLE_YEAR) + 366 if span.last >= now else span.last
    found: list[tuple[int, Span]] = []
    first = span.first
    while first <= span.last:
        size, after = WHOLE_DAY, first + 1
        for months in (WHOLE_YEAR, WHOLE_MONTH):
            end = _next_start(first, months)
            whole = first == month_start(first, months) and end - 1 <= max(span.last, open_end)
            if months <= longest and whole:
                size, after = months, end
                break
        else:
            after = min(_next_start(first, WHOLE_MONTH), span.last + 1)
        last = after - 1 if size == WHOLE_DAY else first
        if found and found[-1][0] == size:
            found[-1] = (size, Span(found[-1][1].first, last))
        else:
            found.append((size, Span(first, last)))
        first = after
    return found


def _next_start(day: int, months: int) -> int:
    on = date_of(day)
    year, month = on.year, on.month
    if months == WHOLE_YEAR or month == 12:
        return day_number(date(year + 1, 1, 1))
    return day_number(date(year, month + 1, 1))


# The same in SQL: a moment is moved by what the zone was ahead of UTC then, and cut by division.


def local_day(at: ColumnElement[Any], span: Span) -> ColumnElement[int]:
    """The shop's day of a moment that lies in the span or close to it."""
    return cast(_local(at, span) // _number(_DAY_US), Integer)


def local_hour(at: ColumnElement[Any], span: Span) -> ColumnElement[int]:
    """The hour that the shop's clock shows, 0 to 23."""
    return cast((_local(at, span) % _number(_DAY_US)) // _number(_HOUR_US), Integer)


class Bounds(NamedTuple):
    """A span lies in [since, until). Where it is not `exact` some other days do too: a clock that
    is put back over midnight shows yesterday again, and then the day itself has to be looked at.
    Both databases guess badly how many rows such a look lets through, so it is the exception."""

    since: datetime
    until: datetime
    exact: bool


def bounds(span: Span) -> Bounds:
    """The moments of a span."""
    ends = midnight(span.first), midnight(span.last + 1)
    near = 12 * _HOUR_US
    changes = [at for at, _ in _changes(web.setting("TIME_ZONE"), span)[:-1]]
    if any(abs(at - microseconds(end)) < near for at in changes for end in ends):
        room = timedelta(microseconds=near)
        return Bounds(ends[0] - room, ends[1] + room, exact=False)
    return Bounds(*ends, exact=True)


def _local(at: ColumnElement[Any], span: Span) -> ColumnElement[int]:
    changes = _changes(web.setting("TIME_ZONE"), span)
    moment = type_coerce(at, BigInteger)
    *later, (_, first_offset) = changes
    offset: ColumnElement[int] = _number(first_offset)
    if later:
        whens = [(moment >= _number(since), _number(ahead)) for since, ahead in later]
        offset = case(*whens, else_=offset)
    return moment + offset


def _number(value: int) -> ColumnElement[int]:
    # Bound, so that one compiled statement serves every span; its type makes it 64 bits wide.
    return literal(value, BigInteger)


@lru_cache(maxsize=256)
def _changes(name: str, span: Span) -> list[tuple[int, int]]:
    """(since when, microseconds ahead of UTC), newest first, for the moments about a span. The
    oldest is true for all that came before it."""
    where = ZoneInfo(name)
    first = microseconds(datetime.combine(date_of(span.first - 2), time(), UTC))
    last = microseconds(datetime.combine(date_of(span.last + 3), time(), UTC))
    found = [(first, _ahead(where, first))]
    for at in range(first, last, _DAY_US):
        if _ahead(where, at + _DAY_US) != found[-1][1]:
            low, high = at, at + _DAY_US
            while high - low > 1_000_000:
                middle = (low + high) // 2_000_000 * 1_000_000
                if _ahead(where, middle) == found[-1][1]:
                    low = middle
                else:
                    high = middle
            found.append((high, _ahead(where, high)))
    return found[::-1]


def _ahead(where: ZoneInfo, at: int) -> int:
    moment = _START + timedelta(microseconds=at)
    ahead = moment.astimezone(where).utcoffset() or timedelta()
    return ahead // timedelta(microseconds=1)
