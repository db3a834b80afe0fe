"""What the pages of reports say and link to: names of days, changes in percent, addresses."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from babel.dates import format_interval, format_skeleton
from flask import url_for
from flask_babel import get_locale, gettext

from .calendar import Span, date_of, today
from .figures import Line
from .filters import Chosen, Filters

__all__ = ["Change", "Links", "change", "channel_name", "label", "span_name"]


class Change(NamedTuple):
    """How a figure moved: "up", "down" or "same", and by how many percent (None: from nothing)."""

    way: str
    percent: int | None


def change(now: int, before: int) -> Change:
    way = "up" if now > before else "down" if now < before else "same"
    if before <= 0:
        return Change(way, 0 if way == "same" else None)
    # Half up, in whole numbers.
    return Change(way, (200 * abs(now - before) + before) // (2 * before))


def label(line: Line, by: str) -> str:
    """The name of an hour, day, week or month."""
    if by == "hour":
        return f"{int(line.code):02}:00"
    assert line.span is not None
    if by == "day":
        return day_name(date_of(line.span.first))
    if by == "month" and line.span.days > 27:
        return str(format_skeleton("yMMM", date_of(line.span.first), locale=get_locale()))
    return span_name(line.span)


def day_name(day: date) -> str:
    """The weekday with the date; the year where it is not this one."""
    skeleton = "MMMEd" if day.year == today().year else "yMMMEd"
    return str(format_skeleton(skeleton, day, locale=get_locale()))


def span_name(span: Span) -> str:
    if span.days == 1:
        return day_name(date_of(span.first))
    first, last = date_of(span.first), date_of(span.last)
    skeleton = "MMMd" if first.year == last.year == today().year else "yMMMd"
    return str(format_interval(first, last, skeleton, locale=get_locale()))


def time_name(at: datetime) -> str:
    return at.strftime("%H:%M")


def channel_name(channel: str) -> str:
    names = {"shelf": gettext("At the shelf"), "web": gettext("Web"), "till": gettext("Till")}
    return names.get(channel, channel)


class Links:
    """Addresses that keep what a page was asked for and change some of it."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters

    def report(self, **changes: Any) -> str:
        return self._to("reports.takings", changes)

    def sales(self, **changes: Any) -> str:
        return self._to("reports.sales", changes)

    def table(self, kind: str, page: int = 1) -> str:
        more = {} if page == 1 else {"page": page}
        return url_for("reports.table", kind=kind, **self.filters.address(), **more)

    def csv(self, kind: str) -> str:
        return url_for("reports.takings_csv", table=kind, **self.filters.address())

    def sales_csv(self) -> str:
        return url_for("reports.sales_csv", **self.filters.address())

    def older(self, place: str) -> str:
        return url_for("reports.sales", before=place, **self.filters.address())

    def of_line(self, line: Line, kind: str) -> str:
        """The report about one line of a table, or the sales of one hour."""
        if kind == "time" and self.filters.by == "hour":
            return self.sales(hour=int(line.code))
        if kind == "time":
            return self.report(**self._days(line), by="hour" if self._is_day(line) else "day")
        return self.report(**self._about(line, kind))

    def sales_of_line(self, line: Line, kind: str, **changes: Any) -> str:
        if kind == "time" and self.filters.by == "hour":
            return self.sales(hour=int(line.code), **changes)
        if kind == "time":
            return self.sales(**self._days(line), **changes)
        return self.sales(**self._about(line, kind), **changes)

    def days(self, span: Span) -> str:
        """The same report about other days."""
        return self.report(period="dates", first=date_of(span.first), last=date_of(span.last))

    def _to(self, endpoint: str, changes: dict[str, Any]) -> str:
        arguments = replace(self.filters, **changes).address()
        if endpoint != "reports.takings":
            arguments.pop("by", None)
        return url_for(endpoint, **arguments)

    @staticmethod
    def _days(line: Line) -> dict[str, Any]:
        assert line.span is not None
        first, last = date_of(line.span.first), date_of(line.span.last)
        return {"period": "dates", "first": first, "last": last}

    @staticmethod
    def _is_day(line: Line) -> bool:
        return line.span is not None and line.span.days == 1

    @staticmethod
    def _about(line: Line, kind: str) -> dict[str, Any]:
        if kind == "channels":
            return {"channel": line.code}
        field = {"items": "item", "categories": "category", "locations": "location",
                 "shoppers": "shopper"}[kind]  # fmt: skip
        # Goods without a category cannot be asked for by one; the figure stays without a link.
        chosen = Chosen(int(line.key), line.code, line.names) if line.key is not None else None
        return {field: chosen}
