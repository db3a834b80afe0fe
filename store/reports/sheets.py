"""Tables as files, CSV or XLSX: plain decimals, headings that never change, and no cell that a
spreadsheet would take for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from .. import money
from ..spreadsheets import guarded
from .calendar import date_of, zone
from .figures import Figures, Line
from .filters import Filters
from .listing import Entry

__all__ = ["Sheet", "name_in", "of_entries", "of_lines", "of_series"]


class Sheet(NamedTuple):
    """A table of a file. Texts are guarded for CSV; numbers and days are such."""

    head: Sequence[str]
    rows: Iterable[Sequence[object]]


_MEASURES = ("sales", "refunds", "items", "takings", "refunded", "tax", "currency")


_COSTS = ("goods_without_tax", "of_known_cost", "cost", "margin")


def of_series(lines: Iterable[Line], filters: Filters, *, costs: bool = False) -> Sheet:
    """Takings over time: an hour, or the first and last day of each line."""
    if filters.by == "hour":
        return Sheet(
            ("hour", *_headings(costs=costs)),
            (
                [int(line.code), *_measures(line.figures, filters.currency, costs=costs)]
                for line in lines
            ),
        )
    return Sheet(
        ("from", "to", *_headings(costs=costs)),
        (
            [date_of(line.span.first), date_of(line.span.last),
             *_measures(line.figures, filters.currency, costs=costs)]
            for line in lines if line.span
        ),
    )  # fmt: skip


def of_lines(
    lines: Iterable[Line], filters: Filters, language: str, *, costs: bool = False
) -> Sheet:
    """Takings by item, category, location, channel, means or shopper."""
    return Sheet(
        ("code", "name", *_headings(costs=costs)),
        (
            [guarded(line.code), guarded(name_in(line.names, language)),
             *_measures(line.figures, filters.currency, costs=costs)]
            for line in lines
        ),
    )  # fmt: skip


def of_entries(entries: Iterable[Entry], language: str, *, costs: bool = False) -> Sheet:
    """The list of sales and refunds; what was sold stands in one cell."""
    where = zone()
    return Sheet(
        ("sale", "kind", "at", "location", "channel", "shopper", "what", "items", "total", "tax",
         "currency", "means", *(_COSTS if costs else ())),
        (
            [entry.sale_id, "refund" if entry.refund else "sale",
             entry.at.astimezone(where).isoformat(timespec="seconds"), guarded(entry.location_name),
             entry.channel, guarded(entry.who),
             guarded("; ".join(
                 f"{many} x {name_in(names, language)}" for names, many in entry.what
             )),
             entry.quantity, _amount(entry.total_minor, entry.currency),
             _amount(entry.tax_minor, entry.currency), entry.currency, entry.means,
             *(_costs(entry, entry.currency) if costs else ())]
            for entry in entries
        ),
    )  # fmt: skip


def _headings(*, costs: bool) -> tuple[str, ...]:
    return _MEASURES + (_COSTS if costs else ())


def _measures(figures: Figures, currency: str, *, costs: bool) -> list[object]:
    amounts = (figures.total_minor, figures.refunded_minor, figures.tax_minor)
    return [
        figures.sales, figures.refunds, figures.quantity,
        *(_amount(amount, currency) for amount in amounts), currency,
        *(_costs(figures, currency) if costs else ()),
    ]  # fmt: skip


def _costs(figures: Figures | Entry, currency: str) -> list[object]:
    """Empty cells where nothing is known: a margin of 0 is something else."""
    amounts: list[object] = [_amount(figures.goods_minor, currency)]
    if figures.margin_minor is None:
        return [*amounts, "", "", ""]
    known = (figures.costed_minor, figures.cost_minor, figures.margin_minor)
    return [*amounts, *(_amount(amount, currency) for amount in known)]


def _amount(minor: int, currency: str) -> Decimal:
    return Decimal(money.text(minor, currency))


def name_in(names: dict[str, str], language: str) -> str:
    return names.get(language) or next(iter(names.values()), "")
