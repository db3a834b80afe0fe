"""Takings by what they are made of: items, categories, brands, places, channels, means, people."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from .. import catalogue, identity, stock
from ..catalogue.models import Category, Item
from .events import HOUSE, MEASURES, NOBODY
from .filters import MOST_DAYS_OF_STAFF, Filters
from .reading import Books
from .values import Breakdown, Figures, Line

__all__ = ["AT_ONCE", "BREAKDOWNS", "PLACES", "added", "names_of", "read_breakdown", "takes_long"]

BREAKDOWNS = (
    "items", "categories", "brands", "sellers", "locations", "channels", "means", "shoppers",
    "staff",
)  # fmt: skip

AT_ONCE = tuple(kind for kind in BREAKDOWNS if kind != "staff")
"""Those of one page; who sold is in no roll-up, and has a page of its own."""

_MOST_LINES_FOR_SHOPPERS = 15_000
"""The shoppers of some goods are read from the sale lines; above this many it would take long."""

_MOST_SALES_FROM_LINES = 50_000
"""So are the means of payment of some goods, and what somebody bought and how they paid: of nobody
that is all that tills sold to whom they did not know. Of all else the roll-up knows them."""


PLACES = ("location_id", "channel")
_KEYS = {
    "items": "item_id", "categories": "item_id", "brands": "item_id", "sellers": "seller_id",
    "means": "means",
}  # fmt: skip
_TOTAL = MEASURES.index("total_minor")
Names = dict[Any, tuple[str, dict[str, str]]]


def read_breakdown(
    books: Books,
    filters: Filters,
    kind: str,
    most: int | None,
    offset: int = 0,
    rows: Sequence[Any] | None = None,
) -> Breakdown:
    """`rows` are those of the table where they were read already, for another table too."""
    if kind == "shoppers":
        return _shoppers(books, filters, most, offset)
    if rows is None and takes_long(books, filters, kind):
        return Breakdown(kind, None, 0)
    if kind == "brands" and rows is None:
        rows = books.by_item(filters.span, filters.choice)
    if kind == "sellers" and rows is None:
        rows = books.summed(filters.span, filters.choice, ("seller_id", "channel"))
    if kind == "means" and rows is None:
        rows = books.summed(filters.span, filters.choice, ("means", "channel"))
    if kind == "staff" and rows is None:
        if filters.span.days > MOST_DAYS_OF_STAFF:
            return Breakdown("staff", None, 0)
        choice = replace(filters.choice, by_somebody=True)
        rows = books.summed(filters.span, choice, ("sold_by", "channel"))
    names, key = _TABLES[kind]
    if kind == "brands":
        brands = books.brands()
        rows = [(brands.get(row[1]), *row[1:]) for row in rows or []]
    if rows is None and kind in ("items", "categories"):
        rows = books.by_item(filters.span, filters.choice)
    elif rows is None:
        rows = books.summed(filters.span, filters.choice, PLACES)
    table = list(added(rows, key).items())
    table.sort(key=lambda line: (-line[1][_TOTAL], str(line[0])))
    shown = table[offset : None if most is None else offset + most]
    known = names(books, [key for key, _ in shown])
    lines = [Line(key, *known[key], Figures(*sums)) for key, sums in shown]
    return Breakdown(kind, lines, len(table))


def takes_long(books: Books, filters: Filters, kind: str) -> bool:
    """Whether a table would be added up from too many sale lines."""
    key, choice = _KEYS.get(kind), filters.choice
    whose = choice.member_id is not None or kind == "means"
    if key is None or not whose or not books.from_lines(choice, (key,)):
        return False
    return bool(books.summed(filters.span, choice)[0].sales > _MOST_SALES_FROM_LINES)


def names_of(books: Books, kind: str, keys: list[Any]) -> Names:
    """Codes and names of what the lines of a table are called by."""
    return _TABLES[kind][0](books, keys)


def added(rows: Sequence[Any], key: Callable[[Any], Any]) -> dict[Any, Sequence[int]]:
    """Rows of two keys and the measures, added up by one key."""
    sums: dict[Any, Sequence[int]] = {}
    for row in rows:
        wanted, measures = key(row), row[2:]
        known = sums.get(wanted)
        sums[wanted] = measures if known is None else tuple(map(operator.add, known, measures))
    return sums


def _items(books: Books, ids: list[Any]) -> Names:
    """Codes and names of items, asked for only where they are shown."""
    found: Names = {}
    for at in range(0, len(ids), 500):
        query = select(Item.id, Item.code, Item.names).where(Item.id.in_(ids[at : at + 500]))
        found |= {row.id: (row.code, row.names) for row in books.connection.execute(query)}
    return found


def _categories(books: Books, ids: list[Any]) -> Names:
    query = select(Category.id, Category.code, Category.names)
    found: Names = {row.id: (row.code, row.names) for row in books.connection.execute(query)}
    return found | {None: ("", {})}


def _locations(books: Books, ids: list[Any]) -> Names:
    return {place.id: (place.code, {"": place.name}) for place in stock.locations()}


def _sellers(books: Books, ids: list[Any]) -> Names:
    found = {one.id: (one.code, one.names) for one in catalogue.sellers(closed=True)}
    return found | {HOUSE: (str(HOUSE), {})}


def _staff(books: Books, ids: list[Any]) -> Names:
    """Who sold at a till; what was bought at the shelf or on the web nobody did."""
    known = identity.names_of(ids)
    return {who: (str(who), {"": known.get(who, "")}) for who in ids}


def _words(books: Books, ids: list[Any]) -> Names:
    """Channels and means are words of ours; the pages say them in the visitor's language."""
    return {word: (word or "", {}) for word in ids}


# How to call the lines of a table, and by which of a row's keys they are added up.
_TABLES: dict[str, tuple[Callable[[Books, list[Any]], Names], Callable[[Any], Any]]] = {
    "items": (_items, operator.itemgetter(1)),
    "categories": (_categories, operator.itemgetter(0)),
    "brands": (_words, operator.itemgetter(0)),
    "sellers": (_sellers, operator.itemgetter(0)),
    "staff": (_staff, operator.itemgetter(0)),
    "locations": (_locations, operator.itemgetter(0)),
    "channels": (_words, operator.itemgetter(1)),
    "means": (_words, operator.itemgetter(0)),
}


def _shoppers(books: Books, filters: Filters, most: int | None, offset: int) -> Breakdown:
    choice = filters.choice
    if choice.of_goods and choice.member_id is None:
        lines = books.summed(filters.span, choice)[0].sales
        if lines > _MOST_LINES_FOR_SHOPPERS:
            return Breakdown("shoppers", None, 0)
    rows, many = books.top_shoppers(filters.span, choice, most, offset)
    names: dict[int, str] = {NOBODY: ""}
    for at in range(0, len(rows), 500):
        names |= identity.names_of([row.member_id for row in rows[at : at + 500]])
    found = [
        Line(
            row.member_id,
            str(row.member_id),
            {"": names.get(row.member_id, "")},
            Figures(*row[-len(MEASURES) :]),
        )
        for row in rows
    ]
    return Breakdown("shoppers", found, many)
