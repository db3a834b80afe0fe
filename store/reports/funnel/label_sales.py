"""What was sold from each label, added up by the worker as takings are: in the commit that ends the
sale's event, so each sale counts once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Select, and_, cast, delete, func, literal, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ... import web
from ...labels.models import Label
from ...prepared import Many, Prepared, listed
from ...sales.models import Sale, SaleLine
from ..calendar import (
    Span,
    bounds,
    local_day,
    month_of,
    month_start,
    months_of,
)
from ..events import PAID, waiting
from ..models import WHOLE_DAY, WHOLE_MONTH, LabelSales

__all__ = ["KEYS", "MEASURES", "add", "anew", "expected", "rows"]

KEYS = ["currency", "day", "label_id"]
MEASURES = ("sales", "units", "total_minor")
_SPANS = (WHOLE_DAY, WHOLE_MONTH)
_at: Any = Sale.created_at


def add(session: Session, paid: Many, span: Span) -> None:
    """Joiner, the roll-up's lock held: add these sales, which lie in the span."""
    for part in months_of(span):
        whole = month_of(part.first)
        for months in _SPANS:
            _adding_named(web.setting("TIME_ZONE"), months, whole).run([{"paid": paid}])


def anew(session: Session, span: Span | None) -> None:
    """Joiner: add up anew what waits no more."""
    session.execute(delete(LabelSales))
    dialect = session.get_bind().dialect.name
    for part in months_of(span) if span else ():
        for months in _SPANS:
            session.execute(_adding(dialect, months, part, _settled(part)))


def expected(part: Span, months: int) -> Select[Any]:
    """What the rows of these days, or of their month, should be."""
    whole = part if months == WHOLE_DAY else month_of(part.first)
    return _summed(months, whole, _settled(whole))


def rows(span: Span) -> Select[Any]:
    """What still waits in the outbox, in rows like those of the table."""
    inside = local_day(_at, span).between(span.first, span.last)
    return _summed(WHOLE_DAY, span, [Sale.id.in_(waiting(PAID)), inside])


def _settled(span: Span) -> list[Any]:
    since, until, exact = bounds(span)
    conditions = [_at >= since, _at < until, Sale.id.not_in(waiting(PAID))]
    if not exact:
        conditions.append(local_day(_at, span).between(span.first, span.last))
    return conditions


def _summed(months: int, span: Span, conditions: Sequence[Any]) -> Select[Any]:
    """A row for each label and day of sales within one month (or any days, for WHOLE_DAY)."""
    day: Any = local_day(_at, span).label("day")
    if months != WHOLE_DAY:
        day = literal(month_start(span.first), BigInteger).label("day")
    sums = (
        func.count(func.distinct(Sale.id)), func.sum(SaleLine.quantity),
        func.sum(SaleLine.total_minor),
    )  # fmt: skip
    query = (
        select(
            Sale.currency, day, SaleLine.label_id,
            *(cast(one, BigInteger).label(name) for one, name in zip(sums, MEASURES)),
        )
        .select_from(Sale)
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        # A label of another item sold nothing of this one.
        .join(Label, and_(Label.id == SaleLine.label_id, Label.item_id == SaleLine.item_id))
        .where(SaleLine.kind == "goods", *conditions)
    )  # fmt: skip
    groups = [Sale.currency, SaleLine.label_id]
    return query.group_by(*groups, *([day] if months == WHOLE_DAY else []))


@lru_cache(maxsize=128)
def _adding_named(zone_name: str, months: int, part: Span) -> Prepared:
    return Prepared(
        lambda dialect: _adding(dialect, months, part, [Sale.id.in_(listed("paid", dialect)),
                                                        local_day(_at, part) >= part.first,
                                                        local_day(_at, part) <= part.last])
    )  # fmt: skip


def _adding(dialect: str, months: int, part: Span, conditions: Sequence[Any]) -> Any:
    found = _summed(months, part, conditions).subquery()
    table: Any = LabelSales.__table__
    # SQLite needs a WHERE to tell ON CONFLICT from the ON of a join.
    query = select(
        found.c.currency, literal(months, BigInteger), found.c.day, found.c.label_id,
        *(found.c[name] for name in MEASURES),
    ).where(literal_column("1 = 1"))  # fmt: skip
    into: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    names = ["currency", "months", "day", "label_id", *MEASURES]
    return into.from_select(names, query).on_conflict_do_update(
        index_elements=names[:4],
        set_={name: table.c[name] + into.excluded[name] for name in MEASURES},
    )
