"""The roll-up: sale and refund events of the outbox, summed into the tables of reports.

An event ends in the same commit as its sums, so it counts exactly once, whatever is killed. What
no worker has done yet still waits in the outbox, and the pages add it by themselves (reading.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Table,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .. import web
from ..db import in_transaction, transaction
from ..outbox import Event, handles
from ..sales.models import Refund, Sale
from .calendar import Span, day_number, month_of, month_start, months_of, zone
from .events import MEASURES, PAID, REFUNDED, Choice, events, sums
from .models import (
    WHOLE_DAY,
    WHOLE_MONTH,
    WHOLE_YEAR,
    Reckoning,
    Takings,
    TakingsOfItem,
    TakingsOfMember,
)

__all__ = ["KEPT", "keys_of", "rebuild"]

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
    paid = [event.subject for event in batch if event.topic == PAID]
    refunded = [event.subject for event in batch if event.topic == REFUNDED]
    span = _span_of(session, Choice(paid=paid, refunded=refunded))
    if span:
        _add(session, span, Choice(paid=paid, refunded=refunded))


def rebuild() -> None:
    """Opener: sum up anew from the sale lines, for instance when TIME_ZONE was changed. What
    waits in the outbox goes on waiting."""
    with transaction() as session:
        _same_days(session)
        _sum_up_anew(session)


def keys_of(model: type[Any]) -> list[str]:
    """The columns that a table is summed up by."""
    table: Table = model.__table__
    return [column.name for column in table.primary_key]


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
    span = _span_of(session, Choice())
    if span:
        _add(session, span, Choice(settled=True))


def _span_of(session: Session, choice: Choice) -> Span | None:
    """The days from the first of the chosen events to the last."""
    sold = select(func.min(Sale.created_at), func.max(Sale.created_at))
    given_back = select(func.min(Refund.created_at), func.max(Refund.created_at))
    if choice.paid is not None:
        sold = sold.where(Sale.id.in_(choice.paid))
    if choice.refunded is not None:
        given_back = given_back.where(Refund.id.in_(choice.refunded))
    found: list[datetime] = [
        at for query in (sold, given_back) for at in session.execute(query).one() if at is not None
    ]
    if not found:
        return None
    days = [day_number(at.astimezone(zone()).date()) for at in (min(found), max(found))]
    return Span(*days)


def _add(session: Session, span: Span, choice: Choice) -> None:
    """Add the chosen events to every table, a month at a time: that bounds the work of one
    statement, and makes the first day of the month and of the year plain numbers."""
    for part in months_of(span):
        for model, spans in KEPT:
            for months in spans:
                _add_to(session, model, months, part, choice)


def _add_to(session: Session, model: type[Any], months: int, part: Span, choice: Choice) -> None:
    dialect = session.get_bind().dialect.name
    if choice.paid is None:
        session.execute(_adding(dialect, model, months, part, choice))
        return
    # Events that are named are added by a statement that is made once a month: making it takes
    # longer than running it.
    name, zone_name = model.__tablename__, web.setting("TIME_ZONE")
    kept = _adding_named(dialect, zone_name, name, months, month_of(part.first))
    session.execute(kept, {"paid": choice.paid, "refunded": choice.refunded})


@lru_cache(maxsize=256)
def _adding_named(dialect: str, zone_name: str, table: str, months: int, part: Span) -> Any:
    model = next(model for model, _ in KEPT if model.__tablename__ == table)
    paid: BindParameter[Any] = bindparam("paid", expanding=True)
    refunded: BindParameter[Any] = bindparam("refunded", expanding=True)
    return _adding(dialect, model, months, part, Choice(paid=paid, refunded=refunded))


def _adding(dialect: str, model: type[Any], months: int, part: Span, choice: Choice) -> Any:
    """The statement that adds the chosen events of a span, within one month, to a table."""
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
    rows = select(*keys.values(), *sums(found)).where(literal_column("1 = 1")).group_by(*groups)
    table: Table = model.__table__
    adding = _insert(dialect, table).from_select([*keys, *MEASURES], rows)
    return adding.on_conflict_do_update(
        index_elements=list(keys),
        set_={name: table.c[name] + adding.excluded[name] for name in MEASURES},
    )


def _insert(dialect: str, table: Any) -> Any:
    """The insert of this database that knows ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
