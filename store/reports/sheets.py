"""Tables as CSV: plain decimals, headings that never change, and no cell that a spreadsheet would
take for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import money
from ..spreadsheets import guarded, written
from .calendar import date_of, zone
from .figures import Figures, Line
from .filters import Filters
from .listing import Entry

__all__ = ["of_entries", "of_lines", "of_series"]

_MEASURES = ("sales", "refunds", "items", "takings", "refunded", "tax", "currency")


def of_series(lines: Iterable[Line], filters: Filters) -> Iterator[str]:
    """Takings over time: an hour, or the first and last day of each line."""
    if filters.by == "hour":
        yield from written(
            ("hour", *_MEASURES),
            ([int(line.code), *_measures(line.figures, filters.currency)] for line in lines),
        )
        return
    yield from written(
        ("from", "to", *_MEASURES),
        (
            [date_of(line.span.first), date_of(line.span.last),
             *_measures(line.figures, filters.currency)]
            for line in lines if line.span
        ),
    )  # fmt: skip


def of_lines(lines: Iterable[Line], filters: Filters, language: str) -> Iterator[str]:
    """Takings by item, category, location, channel, means or shopper."""
    yield from written(
        ("code", "name", *_MEASURES),
        (
            [guarded(line.code), guarded(_name(line.names, language)),
             *_measures(line.figures, filters.currency)]
            for line in lines
        ),
    )  # fmt: skip


def of_entries(entries: Iterable[Entry], language: str) -> Iterator[str]:
    """The list of sales and refunds; what was sold stands in one cell."""
    where = zone()
    yield from written(
        ("sale", "kind", "at", "location", "channel", "shopper", "what", "items", "total", "tax",
         "currency", "means"),
        (
            [entry.sale_id, "refund" if entry.refund else "sale",
             entry.at.astimezone(where).isoformat(timespec="seconds"), guarded(entry.location_name),
             entry.channel, guarded(entry.who),
             guarded("; ".join(f"{many} x {_name(names, language)}" for names, many in entry.what)),
             entry.quantity, money.text(entry.total_minor, entry.currency),
             money.text(entry.tax_minor, entry.currency), entry.currency, entry.means]
            for entry in entries
        ),
    )  # fmt: skip


def _measures(figures: Figures, currency: str) -> list[object]:
    amounts = (figures.total_minor, figures.refunded_minor, figures.tax_minor)
    return [
        figures.sales, figures.refunds, figures.quantity,
        *(money.text(amount, currency) for amount in amounts), currency,
    ]  # fmt: skip


def _name(names: dict[str, str], language: str) -> str:
    return names.get(language) or next(iter(names.values()), "")
