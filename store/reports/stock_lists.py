"""The goods behind a figure of stock, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, cast, func, select

from ..catalogue.models import Item
from .reading import open_books
from .stock_asked import Asked
from .stock_value import levels

__all__ = ["KINDS", "Goods", "Listed", "listed"]

KINDS = ("items", "uncosted")


class Goods(NamedTuple):
    """An item on hand at the places that are asked for; `cost` is of one, in hundredths of a minor
    unit, and None with `value_minor` where it is not known."""

    item_id: int
    code: str
    names: dict[str, str]
    on_hand: int
    cost: int | None
    value_minor: int | None


class Listed(NamedTuple):
    """Some of a list, how many it has in all, and how many pieces and what worth that is."""

    goods: Sequence[Goods]
    many: int
    pieces: int
    value_minor: int


def listed(asked: Asked, kind: str, most: int | None, offset: int = 0) -> Listed:
    """One of the lists, from the line at `offset` on; all of it without `most`."""
    books = open_books()
    rows = _by_item(asked, kind).subquery("by_item")
    of = rows.c
    in_all = select(func.count(), func.sum(of.on_hand), func.sum(of.value_minor)).select_from(rows)
    many, pieces, worth = books.connection.execute(in_all).one()
    query = (
        select(of.item_id, Item.code, Item.names, of.on_hand, of.cost, of.value_minor)
        .join(Item, Item.id == of.item_id)
        .order_by(func.coalesce(of.value_minor, 0).desc(), of.on_hand.desc(), of.item_id)
        .limit(most)
        .offset(offset)
    )
    goods = [Goods(*row) for row in books.connection.execute(query)]
    return Listed(goods, many, int(pieces or 0), int(worth or 0))


def _by_item(asked: Asked, kind: str) -> Select[Any]:
    rows = levels(asked).subquery("rows").c
    query = select(
        rows.item_id,
        cast(func.sum(rows.on_hand), BigInteger).label("on_hand"),
        func.max(rows.cost).label("cost"),
        cast(func.sum(rows.value_minor), BigInteger).label("value_minor"),
    ).group_by(rows.item_id)
    return query.where(rows.cost.is_(None)) if kind == "uncosted" else query
