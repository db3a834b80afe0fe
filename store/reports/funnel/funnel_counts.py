"""What was counted of labels in a span of days: scans of the labels' room, sales of the roll-up and
those that still wait; of all labels, or day by day of one."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Subquery, and_, cast, func, literal, select, union_all

from ...labels.models import LabelScan
from ...sales.models import Sale, SaleLine
from ..calendar import (
    Span,
    bounds,
    microseconds,
    pieces,
)
from ..filters import Filters
from ..models import WHOLE_MONTH, LabelSales
from ..reading import Books, open_books
from . import label_sales

__all__ = ["Sold", "Steps", "counted_in", "last_months", "sales_of", "series_of", "sum_of"]


class Steps(NamedTuple):
    """The funnel of one label, or of many."""

    scans: int = 0
    looks: int = 0
    baskets: int = 0
    sales: int = 0
    units: int = 0
    total_minor: int = 0

    def __add__(self, other: Any) -> Steps:
        return Steps(*map(operator.add, self, other))


def sum_of(some: Iterable[Steps]) -> Steps:
    """All of them added up."""
    return Steps(*map(sum, zip(*some, strict=True)))


def counted_in(books: Books, filters: Filters, span: Span) -> Subquery:
    """A row for each label that was scanned or sold from in a span, with its steps."""
    nothing = [literal(0, BigInteger).label(name) for name in Steps._fields]
    parts: list[Any] = []
    for months, part in pieces(span, WHOLE_MONTH):
        scans, sold = LabelScan.__table__.c, LabelSales.__table__.c
        parts.append(
            select(scans.label_id, scans.scans, scans.looks, scans.baskets, *nothing[3:]).where(
                scans.months == months, scans.day.between(part.first, part.last)
            )
        )
        if books.usable:
            parts.append(
                select(sold.label_id, *nothing[:3], sold.sales, sold.units, sold.total_minor).where(
                    sold.currency == filters.currency, sold.months == months,
                    sold.day.between(part.first, part.last),
                )
            )  # fmt: skip
    if books.waiting and books.usable:
        waits = label_sales.rows(span).subquery().c
        parts.append(
            select(waits.label_id, *nothing[:3], waits.sales, waits.units, waits.total_minor)
            .where(waits.currency == filters.currency)
        )  # fmt: skip
    found = union_all(*parts).subquery()
    sums = [cast(func.sum(found.c[name]), BigInteger).label(name) for name in Steps._fields]
    return select(found.c.label_id, *sums).group_by(found.c.label_id).subquery()


def series_of(filters: Filters, label_id: str) -> list[tuple[int, Steps]]:
    """(day, steps) of the days on which anything happened with a label, the newest first."""
    books, span = open_books(), filters.span
    scans, sold = LabelScan.__table__.c, LabelSales.__table__.c
    days: dict[int, Steps] = {}
    # Named one by one, each day is a look at one row.
    each = range(span.first, span.last + 1)
    queries = [
        select(scans.day, scans.scans, scans.looks, scans.baskets, *[literal(0)] * 3).where(
            scans.months == 0, scans.day.in_(each), scans.label_id == label_id
        ),
        select(sold.day, *[literal(0)] * 3, sold.sales, sold.units, sold.total_minor).where(
            sold.months == 0, sold.day.in_(each), sold.label_id == label_id,
            sold.currency == filters.currency,
        ),
    ]  # fmt: skip
    if books.waiting:
        waits = label_sales.rows(span).subquery().c
        queries.append(
            select(waits.day, *[literal(0)] * 3, waits.sales, waits.units, waits.total_minor)
            .where(waits.label_id == label_id, waits.currency == filters.currency)
        )  # fmt: skip
    for query in queries:
        for row in books.connection.execute(query):
            days[row[0]] = days.get(row[0], Steps()) + Steps(*row[1:])
    return sorted(days.items(), reverse=True)


def last_months(label_ids: Sequence[str]) -> dict[str, int]:
    """{label: the first day of the last month in which it was scanned}, of those ever scanned."""
    query = (
        select(LabelScan.label_id, func.max(LabelScan.day))
        .where(LabelScan.months == 1, LabelScan.label_id.in_(label_ids))
        .group_by(LabelScan.label_id)
    )
    return {row[0]: row[1] for row in open_books().connection.execute(query)}


class Sold(NamedTuple):
    """A sale that came from a label."""

    sale_id: str
    at: Any
    channel: str
    quantity: int
    total_minor: int
    refunded: int

    @property
    def place(self) -> str:
        """Where the list goes on after this one."""
        return f"{microseconds(self.at)}-{self.sale_id}"


def sales_of(
    filters: Filters, label: Any, before: tuple[Any, str] | None, limit: int
) -> list[Sold]:
    """The newest sales from a label in the span, or those after a place in the list."""
    since, until, _ = bounds(filters.span)
    query = (
        select(Sale.id, Sale.created_at, Sale.channel, SaleLine.quantity, SaleLine.total_minor,
               SaleLine.quantity_refunded)
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        # Few lines are of this item: its index leads.
        .where(SaleLine.item_id == label.item_id, SaleLine.label_id == label.id)
        .where(SaleLine.kind == "goods", Sale.currency == filters.currency)
        .where(Sale.created_at >= since, Sale.created_at < until)
        .order_by(Sale.created_at.desc(), Sale.id.desc())
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        at = Sale.created_at
        query = query.where((at < before[0]) | and_(at == before[0], Sale.id < before[1]))
    return [Sold(*row) for row in open_books().connection.execute(query)]
