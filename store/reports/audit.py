"""The proof that the roll-up is right: it equals the sale lines, and these equal the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, case, func, literal_column, or_, select, union_all

from ..payment.models import Transfer
from ..sales.models import Refund, Sale
from .calendar import Span, day_number, month_start, months_of, zone
from .customers import cohorts
from .customers.customer_models import Cohort
from .events import MEASURES, Choice, events
from .funnel import label_sales
from .models import WHOLE_DAY, WHOLE_MONTH, LabelSales, TakingsOfItem
from .reading import Books, open_books
from .rollup import KEPT, keys_of
from .stock import flows

__all__ = ["differences"]


def differences() -> dict[str, int]:
    """For each check, how many rows differ; every figure must be 0.

    `takings…`: rows of a roll-up table that are not the sum of the sale lines and refunds that no
    longer wait in the outbox. `stock_flows`: rows that are not the sum of the movements up to the
    mark. `cohorts`: rows that are not what the months of the members come to.
    `ledger`: currencies whose sales less refunds are not the charges less refunds of the ledger.
    """
    books = open_books()
    found = {
        model.__tablename__: sum(_wrong_rows(books, model, months) for months in spans)
        for model, spans in KEPT
        if books.usable
    }
    if books.usable:
        found["cohorts"] = _wrong_cohorts(books)
        found["label_sales"] = _wrong_label_sales(books)
    found["stock_flows"] = flows.differences(books)
    return found | {"ledger": len(_wrong_currencies(books))}


def _wrong_cohorts(books: Books) -> int:
    kept = select(*(Cohort.__table__.c[name] for name in [*cohorts.KEYS, *cohorts.MEASURES]))
    query = _differing(list(cohorts.KEYS), cohorts.counted(), kept, cohorts.MEASURES)
    return int(books.connection.scalar(query) or 0)


def _wrong_label_sales(books: Books) -> int:
    """Rows of days are held against the lines, those of months against the days."""
    span, wrong = _all_days(books, LabelSales), 0
    for part in months_of(span) if span else ():
        for months in (WHOLE_DAY, WHOLE_MONTH):
            should, kept = label_sales.expected(part, months), _kept_label_sales(part, months)
            query = _differing(label_sales.KEYS, should, kept, label_sales.MEASURES)
            wrong += int(books.connection.scalar(query) or 0)
    return wrong


def _kept_label_sales(part: Span, months: int) -> Select[Any]:
    table = LabelSales.__table__.c
    days = table.day.between(part.first, part.last) if months == WHOLE_DAY else (
        table.day.between(month_start(part.first), part.last)
    )  # fmt: skip
    columns = [table[name] for name in (*label_sales.KEYS, *label_sales.MEASURES)]
    return select(*columns).where(table.months == months, days)


def _wrong_rows(books: Books, model: type[Any], months: int) -> int:
    """Rows of days are held against the sale lines, rows of months and years against the days."""
    span = _all_days(books, model)
    if span is None:
        return 0
    if months == WHOLE_DAY:
        return sum(_wrong_days(books, model, part) for part in months_of(span))
    starts = sorted({month_start(part.first, months) for part in months_of(span)})
    ends = [start - 1 for start in starts[1:]] + [span.last]
    return sum(
        _wrong_sums(books, model, months, Span(start, end))
        for start, end in zip(starts, ends, strict=True)
    )


def _all_days(books: Books, model: type[Any]) -> Span | None:
    """From the first day that anything happened, or is said to have happened, to the last."""
    found: list[int] = []
    for column in (Sale.created_at, Refund.created_at):
        ends = books.connection.execute(select(func.min(column), func.max(column))).one()
        found += [day_number(at.astimezone(zone()).date()) for at in ends if at is not None]
    kept = books.connection.execute(select(func.min(model.day), func.max(model.day))).one()
    found += [day for day in kept if day is not None]
    return Span(min(found), max(found)) if found else None


def _wrong_days(books: Books, model: type[Any], part: Span) -> int:
    query = _differing_days(zone().key, model, part)  # type: ignore[arg-type]
    return int(books.connection.scalar(query) or 0)


@lru_cache(maxsize=64)
def _differing_days(zone_name: str, model: type[Any], part: Span) -> Select[Any]:
    """Building this takes longer than asking it. What days are is the zone's."""
    rows = events(part, Choice(settled=True), by_item=model is TakingsOfItem)
    keys = [name for name in keys_of(model) if name != "months"]
    expected = select(*(rows.c[name] for name in [*keys, *MEASURES]))
    return _differing(keys, expected, _kept(model, keys, WHOLE_DAY, part))


def _wrong_sums(books: Books, model: type[Any], months: int, part: Span) -> int:
    """Rows of a month or a year begin on its first day; any other row of that length is wrong."""
    asked = _differing_sums(model, months, part)  # type: ignore[arg-type]
    return sum(int(books.connection.scalar(query) or 0) for query in asked)


@lru_cache(maxsize=256)
def _differing_sums(model: type[Any], months: int, part: Span) -> tuple[Select[Any], ...]:
    keys = [name for name in keys_of(model) if name not in ("months", "day")]
    first = _kept(model, keys, months, Span(part.first, part.first))
    days = _kept(model, keys, WHOLE_DAY, part)
    others = _kept(model, keys, months, Span(part.first + 1, part.last)).subquery()
    return _differing(keys, days, first), select(func.count()).select_from(others)


def _kept(model: type[Any], keys: list[str], months: int, part: Span) -> Select[Any]:
    table = model.__table__.c
    query = select(*(table[name] for name in [*keys, *MEASURES]))
    if "months" in table:
        query = query.where(table.months == months)
    return query.where(table.day.between(part.first, part.last))


def _differing(
    keys: list[str], one: Select[Any], other: Select[Any], measures: Sequence[str] = MEASURES
) -> Select[Any]:
    """How many rows of the two are not in the other."""
    left, right = one.subquery(), other.subquery()
    negative = [(-right.c[name]).label(name) for name in measures]
    both = union_all(
        select(*(left.c[name] for name in [*keys, *measures])),
        select(*(right.c[name] for name in keys), *negative),
    ).subquery()
    differing: Select[Any] = (
        select(literal_column("1"))
        .select_from(both)
        .group_by(*(both.c[name] for name in keys))
        .having(or_(*(func.sum(both.c[name]) != 0 for name in measures)))
    )
    return select(func.count()).select_from(differing.subquery())


def _wrong_currencies(books: Books) -> list[str]:
    sign = case((Transfer.reason == "charge", 1), else_=-1)
    queries: list[Any] = [
        select(Sale.currency, func.sum(Sale.total_minor)).group_by(Sale.currency),
        select(Sale.currency, -func.sum(Refund.total_minor))
        .join(Refund, Refund.sale_id == Sale.id)
        .group_by(Sale.currency),
        select(Transfer.currency, -func.sum(sign * Transfer.amount_minor))
        .where(Transfer.reason.in_(("charge", "refund")))
        .group_by(Transfer.currency),
    ]
    totals: dict[str, int] = {}
    for query in queries:
        for currency, amount in books.connection.execute(query):
            totals[currency] = totals.get(currency, 0) + int(amount)
    return [currency for currency, total in totals.items() if total]
