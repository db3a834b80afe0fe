"""The change feed: everything that happened, in one order, from which another system can rebuild
what we know; and nothing is skipped, however late it was committed.

Sales, refunds and claims come from the outbox. Movements and prices are read from their own tables
by id.
On PostgreSQL an id is given out before the commit, so a smaller one may become visible after a
larger: a row becomes a change only when nobody who could hold a smaller id is still at work.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    String,
    Text,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from .. import outbox
from ..catalogue.models import Price
from ..db import connection, in_transaction, insert_new, repeatable, transaction
from ..outbox import Event
from ..prepared import Many, Prepared, one_of
from ..sales.models import Refund
from ..stock.models import Movement
from .models import Change, ChangeMark

__all__ = ["TOPICS", "Happened", "follow", "newest", "read"]

TOPICS = (
    "stock.moved", "sale.paid", "sale.refunded", "sale.claimed", "price.changed", "item.changed",
)  # fmt: skip
AT_ONCE = 2000
PATIENCE_S = 0.25

_LOG = "log"
# Who writes to a table holds this lock on it until the end of the transaction.
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND granted"
    " AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation = CAST(:table AS regclass)"
)


class Happened(NamedTuple):
    """A change, by its place in the order."""

    id: int
    topic: str
    subject: str
    of_id: str
    at: datetime


def read(after: int, limit: int, topics: Sequence[str] = ()) -> list[Happened]:
    """What happened after a place in the order, oldest first."""
    query = select(Change.id, Change.topic, Change.subject, Change.of_id, Change.at)
    query = query.where(Change.id > after).order_by(Change.id).limit(limit)
    if topics:
        query = query.where(Change.topic.in_(topics))
    return [Happened(*row) for row in connection().execute(query)]


def newest() -> int:
    """The last place in the order."""
    return int(connection().execute(select(func.max(Change.id))).scalar() or 0)


def follow() -> int:
    """Opener, as often as needed: make changes of all movements and prices that are certain;
    answers how many. For the worker."""
    count = 0
    while True:
        new = _follow_once()
        count += new
        if new < AT_ONCE:
            return count


@repeatable
def _follow_once() -> int:
    with transaction():
        _take_turn()
        return _follow(Movement, _moved) + _follow(Price, _priced)


def _take_turn() -> None:
    """Joiner: whoever writes to the log waits here for the one before."""
    in_transaction()
    if _turn.first() is None:
        _turns.run([{"name": _LOG, "seen_id": 0}])
        assert _turn.first() is not None


def _follow(table: Any, rows: Any) -> int:
    session, name = in_transaction(), table.__tablename__
    session.connection().execute(insert_new(ChangeMark), [{"name": name, "seen_id": 0}])
    mark = ChangeMark.name == name
    seen = session.scalar(select(ChangeMark.seen_id).where(mark)) or 0
    until = _certain_until(table, seen)
    if until <= seen:
        return 0
    columns = ("topic", "subject", "of_id", "at")
    asked = {"seen": seen, "until": until}
    found = session.connection().execute(
        insert(Change).from_select(columns, rows().order_by(table.id)), asked
    )
    session.execute(update(ChangeMark).where(mark).values(seen_id=until))
    return found.rowcount


def _certain_until(table: Any, seen: int) -> int:
    """The largest id of which all smaller ones are decided, at most so many further; where somebody
    is still at work, `seen`: the next round comes in a second."""
    session = in_transaction()
    within = select(table.id).where(table.id > seen).order_by(table.id).limit(AT_ONCE).subquery()
    until = session.scalar(select(func.max(within.c.id))) or 0
    if until <= seen or session.get_bind().dialect.name == "sqlite":
        return int(until)  # SQLite has one writer at a time, and that is us.
    asked, deadline = {"table": table.__tablename__}, time.monotonic() + PATIENCE_S
    waited_for = set(session.scalars(_WRITERS, asked))
    while waited_for and time.monotonic() < deadline:
        time.sleep(0.01)
        waited_for &= set(session.scalars(_WRITERS, asked))
    return seen if waited_for else int(until)


def _within(table: Any) -> tuple[Any, Any]:
    return table.id > bindparam("seen", type_=BigInteger()), table.id <= bindparam(
        "until", type_=BigInteger()
    )


def _moved() -> Any:
    return select(
        literal("stock.moved", String()), cast(Movement.item_id, Text), cast(Movement.id, Text),
        Movement.at,
    ).where(*_within(Movement))  # fmt: skip


def _priced() -> Any:
    return select(
        literal("price.changed", String()), cast(Price.item_id, Text), cast(Price.id, Text),
        Price.starts_at,
    ).where(*_within(Price))  # fmt: skip


_turn = Prepared(
    lambda dialect: select(ChangeMark.seen_id).where(ChangeMark.name == _LOG).with_for_update()
)
_turns = Prepared(lambda dialect: insert_new(ChangeMark), ("name", "seen_id"))
_refunded = Prepared(
    lambda dialect: select(Refund.id, Refund.sale_id).where(one_of(Refund.id, "refunds", dialect))
)
_insert = Prepared(lambda dialect: insert(Change), ("topic", "subject", "of_id", "at"))


@outbox.handles("sale.paid", "sale.refunded", "sale.claimed", "item.changed")
def _write_down(batch: Sequence[Event]) -> None:
    """Joiner, called by the outbox: its events become changes in their own commit. A refund is
    heard of after its sale, so its subject is the sale."""
    _take_turn()
    refunds = [event.subject for event in batch if event.topic == "sale.refunded"]
    of = {row[0]: row[1] for row in _refunded.all(refunds=Many(refunds))} if refunds else {}
    rows = [
        {"topic": event.topic, "subject": of.get(event.subject, subject), "of_id": subject,
         "at": event.created_at}
        for event in batch
        for subject in event.body.get("items", [event.subject])
    ]  # fmt: skip
    if rows:
        _insert.run(rows)
