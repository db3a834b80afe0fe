"""The roll-up: sale and refund events of the outbox, summed into the tables of reports.

An event ends in the same commit as its sums, so it counts exactly once, whatever is killed. What
no worker has done yet still waits in the outbox, and the pages add it by themselves (reading.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    Table,
    cast,
    delete,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .. import web
from ..db import in_transaction, transaction
from ..outbox import Event, handles
from ..prepared import Many, Prepared, listed
from ..sales.models import Refund, Sale
from .calendar import Span, day_number, month_of, month_start, months_of, zone
from .customers import cohorts
from .events import MEASURES, PAID, REFUNDED, Choice, events, sums
from .funnel import label_sales
from .models import (
    WHOLE_DAY,
    WHOLE_MONTH,
    WHOLE_YEAR,
    Reckoning,
    Takings,
    TakingsOfItem,
    TakingsOfMember,
)
from .stock import costing

__all__ = [
    "KEPT", "adding", "catch_up", "days_of", "keys_of", "rebuild", "summed", "up_to_date",
]  # fmt: skip

KEPT: tuple[tuple[type[Any], tuple[int, ...]], ...] = (
    (Takings, (WHOLE_DAY,)),
    (TakingsOfItem, (WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR)),
    (TakingsOfMember, (WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR)),
)
"""The tables, and the spans of time that each has rows for."""


@handles(PAID, REFUNDED)
def add_events(batch: Sequence[Event]) -> None:
    """Joiner, called by the outbox: add a batch of events to the sums."""
    session = in_transaction()
    if not _same_days(session):
        _sum_up_anew(session)
    costing.book(*([one.subject for one in batch if one.topic == topic]
                   for topic in (PAID, REFUNDED)))  # fmt: skip
    named = {
        "paid": Many(event.subject for event in batch if event.topic == PAID),
        "refunded": Many(event.subject for event in batch if event.topic == REFUNDED),
    }
    span = _days(_first_and_last_named.first(**named))
    if span is None:
        return
    if named["paid"].values:
        label_sales.add(session, named["paid"], span)
    with cohorts.changing(session, [row.member_id for row in _members_named.all(**named)]):
        for part in months_of(span):
            for model, _ in KEPT:
                _adding_named(
                    web.setting("TIME_ZONE"), model.__tablename__, month_of(part.first)
                ).run([named])


def rebuild() -> None:
    """Opener: sum up anew from the sale lines, for instance when TIME_ZONE was changed. What
    waits in the outbox goes on waiting."""
    with transaction() as session:
        _same_days(session)
        _sum_up_anew(session)


def catch_up() -> None:
    """Opener: sum up anew if the sums are in other days than those of today's TIME_ZONE, as they
    are after an upgrade that empties them; else nothing."""
    with transaction() as session:
        if not _same_days(session):
            _sum_up_anew(session)


def keys_of(model: type[Any]) -> list[str]:
    """The columns that a table is summed up by."""
    table: Table = model.__table__
    return [column.name for column in table.primary_key]


def up_to_date(session: Session) -> bool:
    """Joiner: whether the sums are in today's days; where not, they are made anew. What waits in
    the outbox from here to the commit is exactly what is not in them."""
    if _same_days(session):
        return True
    _sum_up_anew(session)
    return False


def days_of(session: Session, paid: Sequence[str], refunded: Sequence[str]) -> Span | None:
    """The days from the first of these sales and refunds to the last."""
    return _days(session.execute(_first_and_last(paid, refunded)).one())


def _same_days(session: Session) -> bool:
    """Whether the sums are in the days of today's TIME_ZONE. Takes the one lock of the roll-up:
    workers sum up one after the other, so they cannot block each other's rows crosswise."""
    name = web.setting("TIME_ZONE")
    kept = session.scalar(select(Reckoning.time_zone).with_for_update())
    if kept is None:
        first = _insert(session.get_bind().dialect.name, Reckoning.__table__).values(
            id=1, time_zone=name
        )
        session.execute(first.on_conflict_do_nothing())
        kept = session.scalar(select(Reckoning.time_zone).with_for_update())
    return kept == name


def _sum_up_anew(session: Session) -> None:
    for model, _ in KEPT:
        session.execute(delete(model))
    session.execute(update(Reckoning).values(time_zone=web.setting("TIME_ZONE")))
    span = _days(session.execute(_first_and_last()).one())
    for part in months_of(span) if span else ():
        for model, months in _kept():
            dialect = session.get_bind().dialect.name
            session.execute(_adding(dialect, model, months, part, Choice(settled=True)))
    label_sales.anew(session, span)
    cohorts.anew(session)


def _kept() -> Iterator[tuple[type[Any], int]]:
    """Every table with every span of time that it has rows for."""
    return ((model, months) for model, spans in KEPT for months in spans)


def _first_and_last(*of: Select[Any] | Sequence[str]) -> Any:
    """The moments of the first and the last sale, and of the first and the last refund: of all, or
    of those that the two lists `of` name."""
    found: list[Any] = []
    for place, at in enumerate((Sale.created_at, Refund.created_at)):
        for end in (func.min, func.max):
            query = select(end(at))
            if of:
                query = query.where((Sale.id, Refund.id)[place].in_(of[place]))
            found.append(query.scalar_subquery().label(f"at_{len(found)}"))
    return select(*found)


_first_and_last_named = Prepared(
    lambda dialect: _first_and_last(listed("paid", dialect), listed("refunded", dialect))
)


_members_named = Prepared(
    lambda dialect: (
        select(Sale.member_id)
        .where(
            Sale.member_id.is_not(None),
            or_(
                Sale.id.in_(listed("paid", dialect)),
                Sale.id.in_(
                    select(Refund.sale_id).where(Refund.id.in_(listed("refunded", dialect)))
                ),
            ),
        )
        .distinct()
    )
)


def _days(moments: Any) -> Span | None:
    """The days from the first of these moments to the last, as far as there are any."""
    found: list[datetime] = [at for at in moments if at is not None]
    if not found:
        return None
    return Span(*(day_number(at.astimezone(zone()).date()) for at in (min(found), max(found))))


# Events that are named are added by a statement that is made once a month: making it takes longer
# than running it, and a month makes the first days of the month and of the year plain numbers.
# All spans of a table are added by one statement, which reads the events once.
@lru_cache(maxsize=128)
def _adding_named(zone_name: str, table: str, part: Span) -> Prepared:
    model, spans = next(each for each in KEPT if each[0].__tablename__ == table)

    def build(dialect: str) -> Any:
        choice = Choice(paid=listed("paid", dialect), refunded=listed("refunded", dialect))
        rows = summed(model, WHOLE_DAY, part, choice)
        if len(spans) > 1:
            rows = _for_each(spans, part, rows)
        return adding(dialect, model).from_select([*keys_of(model), *MEASURES], rows)

    return Prepared(build)


def _for_each(spans: Sequence[int], part: Span, days: Select[Any]) -> Select[Any]:
    """The same rows for each of these spans, from those of whole days within one month."""
    day = days.subquery("days").c
    starts = union_all(*(
        select(
            literal(months, BigInteger).label("months"),
            cast(null() if months == WHOLE_DAY else literal(month_start(part.first, months)),
                 BigInteger).label("start"),
        )
        for months in spans
    )).subquery("starts").c  # fmt: skip
    keys: dict[str, Any] = {column.key: column for column in day if column.key not in MEASURES}
    keys |= {"months": starts.months, "day": func.coalesce(starts.start, day.day)}
    measures = (cast(func.sum(day[name]), BigInteger).label(name) for name in MEASURES)
    # SQLite needs a WHERE to tell ON CONFLICT from the ON of a join.
    return (
        select(*(column.label(name) for name, column in keys.items()), *measures)
        .join_from(day.day.table, starts.start.table, true())
        .where(literal_column("1 = 1"))
        .group_by(*keys.values())
    )


def _adding(dialect: str, model: type[Any], months: int, part: Span, choice: Choice) -> Any:
    """The statement that adds the chosen events of a span, within one month, to a table."""
    rows = summed(model, months, part, choice)
    return adding(dialect, model).from_select([*keys_of(model), *MEASURES], rows)


def adding(dialect: str, model: type[Any]) -> Any:
    """An insert that adds to the row with the same keys, where there is one."""
    table: Table = model.__table__
    insert = _insert(dialect, table)
    return insert.on_conflict_do_update(
        index_elements=keys_of(model),
        set_={name: table.c[name] + insert.excluded[name] for name in MEASURES},
    )


def summed(model: type[Any], months: int, part: Span, choice: Choice) -> Any:
    """The rows that the chosen events of a span, within one month, come to in a table."""
    found = events(part, choice, by_item=model is TakingsOfItem)
    start = part.first if months == WHOLE_DAY else month_start(part.first, months)
    keys: dict[str, Any] = {}
    for name in keys_of(model):
        if name == "months":
            keys[name] = literal(months, BigInteger)
        elif name == "day" and months != WHOLE_DAY:
            keys[name] = literal(start, BigInteger)
        else:
            keys[name] = found.c[name]
    groups = [keys[name] for name in keys if keys[name] is found.c.get(name)]
    # SQLite needs a WHERE to tell ON CONFLICT from the ON of a join.
    rows = [column.label(name) for name, column in keys.items()]
    return select(*rows, *sums(found)).where(literal_column("1 = 1")).group_by(*groups)


def _insert(dialect: str, table: Any) -> Any:
    """The insert of this database that knows ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
