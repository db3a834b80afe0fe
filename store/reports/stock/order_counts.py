"""How many items want ordering: counted by the worker now and then, kept, and said at a glance."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from ... import clock
from ...db import insert_new, repeatable, transaction
from ..reading import open_books
from . import stock_asked
from .flow_models import OrderCount
from .stock_goods import by_item, to_order

__all__ = ["EVERY", "count_orders"]

EVERY = timedelta(minutes=5)
_ONLY = 1


def count_orders() -> bool:
    """Opener: count again, unless that was done a moment ago; answers whether it was. The list of
    what to order is always of now."""
    with transaction() as session:
        counted_at = session.scalar(select(OrderCount.counted_at))
    now = clock.now()
    if counted_at is not None and now - EVERY < counted_at <= now:
        return False
    _keep(_counted())
    return True


def _counted() -> int:
    asked, books = stock_asked.read({}), open_books()
    of = by_item(books, asked).c
    query = select(func.count()).where(to_order(asked, of) > 0)
    return int(books.connection.scalar(query) or 0)


@repeatable
def _keep(items: int) -> None:
    said = {"items": items, "counted_at": clock.now()}
    with transaction() as session:
        session.connection().execute(insert_new(OrderCount), [{"id": _ONLY} | said])
        session.execute(update(OrderCount).where(OrderCount.id == _ONLY).values(said))
