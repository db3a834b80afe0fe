"""Sweeping: rows that are of no more use leave the tables that would only grow.

Each room says in a `sweep` of its own what is old there; the outbox's worker calls them all.
History (transfers, movements, prices, labels, sales) is never swept.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select, tuple_

from .db import Base, repeatable, transaction

__all__ = ["remove"]

AT_ONCE = 500
"""So many rows go in one commit: who buys waits for a small bite at most, not for the broom."""


def remove(table: type[Base], old: ColumnElement[bool]) -> int:
    """Opener, many times: delete the rows of which this is true; answers how many."""
    gone = 0
    while bite := _bite(table, old):
        gone += bite
    return gone


@repeatable
def _bite(table: type[Base], old: ColumnElement[bool]) -> int:
    key = tuple_(*table.__mapper__.primary_key)
    with transaction() as session:
        some = select(*table.__mapper__.primary_key).where(old).limit(AT_ONCE)
        done = session.execute(delete(table).where(key.in_(some)))
        return int(done.rowcount)  # type: ignore[attr-defined]
