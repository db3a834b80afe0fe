"""What the pages of reports say and link to: names of days, changes in percent, addresses."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from babel.dates import format_interval, format_skeleton
from babel.numbers import format_decimal, format_percent
from flask import url_for
from flask_babel import get_locale, gettext

from .calendar import Span, date_of, today, zone
from .figures import Figures, Line
from .filters import Chosen, Filters

__all__ = [
    "Change",
    "Links",
    "busy",
    "change",
    "channel_name",
    "chosen",
    "chosen_item",
    "day_of",
    "label",
    "margin_share",
    "month_name",
    "month_of",
    "number",
    "share",
    "short_label",
    "span_name",
    "tenths",
    "time_name",
]


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
        return _in_words(date_of(line.span.first), "yMMM")
    return span_name(line.span)


def busy(lines: list[Line]) -> list[Line]:
    """The hours from the first to the last in which anything happened, now or before."""
    active = [
        at
        for at, line in enumerate(lines)
        if any((*astuple(line.figures), *astuple(line.before or Figures())))
    ]
    return lines[active[0] : active[-1] + 1] if active else []


def day_name(day: date) -> str:
    """The weekday with the date; the year where it is not this one."""
    skeleton = "MMMEd" if day.year == today().year else "yMMMEd"
    return _in_words(day, skeleton)


def span_name(span: Span) -> str:
    if span.days == 1:
        return day_name(date_of(span.first))
    first, last = date_of(span.first), date_of(span.last)
    skeleton = "MMMd" if first.year == last.year == today().year else "yMMMd"
    return str(format_interval(first, last, skeleton, locale=get_locale()))


def short_label(line: Line, by: str) -> str:
    """For the axis of the chart: the hour, the day of the month with it, or the month."""
    if by == "hour":
        return line.code
    assert line.span is not None
    skeleton = "yMMM" if by == "month" else "MMMd"
    return _in_words(date_of(line.span.first), skeleton)


def time_name(at: datetime) -> str:
    return at.astimezone(zone()).strftime("%H:%M")


def tenths(value: int) -> str:
    return str(format_decimal(Decimal(value) / 10, "#,##0.0", locale=get_locale()))


def month_name(span: Span) -> str:
    return _in_words(date_of(span.first), "yMMM")


def share(part: int, whole: int) -> str:
    """Percent with one decimal, half up; nothing where that says nothing."""
    if whole <= 0 or part < 0:
        return ""
    tenths = (2000 * part + whole) // (2 * whole)
    return str(format_percent(tenths / 1000, "#,##0.0%", locale=get_locale()))


def margin_share(figures: Figures) -> str:
    """The margin in percent of what the goods brought, with one decimal, half up; below zero where
    they cost more."""
    margin, whole = figures.margin_minor, figures.costed_minor
    if margin is None or whole <= 0:
        return ""
    tenths = (2000 * abs(margin) + whole) // (2 * whole)
    signed = -tenths if margin < 0 else tenths
    return str(format_percent(signed / 1000, "#,##0.0%", locale=get_locale()))


def number(value: int) -> str:
    return str(format_decimal(value, locale=get_locale()))


def chosen(key: int, name: str) -> Chosen:
    return Chosen(key, str(key), {"": name})


def chosen_item(line: Any) -> Chosen:
    return Chosen(line.item_id, line.code, line.names)


def day_of(day: int) -> str:
    return day_name(date_of(day))


def month_of(day: int) -> str:
    return _in_words(date_of(day), "yMMM")


def _in_words(day: date, skeleton: str) -> str:
    return str(format_skeleton(skeleton, day, locale=get_locale()))


def channel_name(channel: str) -> str:
    names: dict[str, str] = {
        "shelf": gettext("At the shelf"),
        "web": gettext("Web"),
        "till": gettext("Till"),
    }
    return names.get(channel, channel)


class Links:
    """Addresses that keep what a page was asked for and change some of it."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        # A page has some hundred links: the paths are asked for once.
        self._paths = {
            name: url_for(name)
            for name in (
                "reports.takings", "reports.takings_csv", "reports.sales", "reports.sales_csv",
                "reports.takings_xlsx", "reports.sales_xlsx",
            )
        }  # fmt: skip

    def report(self, **changes: Any) -> str:
        return self._to("reports.takings", changes)

    def sales(self, **changes: Any) -> str:
        return self._to("reports.sales", changes)

    def table(self, kind: str, page: int = 1) -> str:
        more = {} if page == 1 else {"page": page}
        return _address(url_for("reports.table", kind=kind), self.filters.address() | more)

    def csv(self, kind: str) -> str:
        return _address(self._paths["reports.takings_csv"], self.filters.address(), table=kind)

    def xlsx(self, kind: str) -> str:
        return _address(self._paths["reports.takings_xlsx"], self.filters.address(), table=kind)

    def sales_xlsx(self) -> str:
        return _address(self._paths["reports.sales_xlsx"], self.filters.address())

    def sales_csv(self) -> str:
        return _address(self._paths["reports.sales_csv"], self.filters.address())

    def older(self, place: str) -> str:
        return _address(self._paths["reports.sales"], self.filters.address(), before=place)

    def of_line(self, line: Line, kind: str) -> str:
        """The report about one line of a table, or the sales of one hour."""
        if kind == "time" and self.filters.by == "hour":
            return self.sales(hour=int(line.code))
        if kind == "time":
            return self.report(**self._days(line), by="hour" if self._is_day(line) else "day")
        return self.report(**self._about(line, kind))

    def sales_of_line(self, line: Line, kind: str, /, **changes: Any) -> str:
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
        return _address(self._paths[endpoint], arguments)

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
        if kind == "means":
            return {"means": line.code}
        if kind == "brands":
            return {"brand": line.code or None}
        field = {"items": "item", "categories": "category", "locations": "location",
                 "shoppers": "shopper", "staff": "staff", "sellers": "seller"}[kind]  # fmt: skip
        # Goods without a category cannot be asked for by one; the figure stays without a link.
        chosen = Chosen(int(line.key), line.code, line.names) if line.key is not None else None
        return {field: chosen}


def _address(path: str, arguments: dict[str, Any], **more: Any) -> str:
    return f"{path}?{urlencode(arguments | more)}"
