"""What the goods on hand are worth: so many at what one costs now, by place, category and brand.

Goods of sellers are not the shop's, and a bundle is worth its parts, which stand for themselves.
What has no known cost has no value here; it is counted beside, so that it is not forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Subquery, case, cast, distinct, func, select

from ... import stock
from ...catalogue.models import Category
from ..reading import Books, open_books
from .stock_asked import Asked
from .stock_goods import on_hand

__all__ = ["KINDS", "Part", "Value", "Worth", "value"]

KINDS = ("locations", "categories", "brands")


@dataclass(frozen=True)
class Worth:
    """Pieces on hand and what they are worth; `unknown` of the pieces have no known cost."""

    pieces: int = 0
    value_minor: int = 0
    unknown: int = 0

    def __add__(self, other: Worth) -> Worth:
        return Worth(
            self.pieces + other.pieces,
            self.value_minor + other.value_minor,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True)
class Part:
    """A place, a category or a brand; `key` None is without one."""

    key: int | str | None
    code: str
    names: dict[str, str]
    worth: Worth


@dataclass(frozen=True)
class Value:
    worth: Worth
    items: int
    unknown_items: int
    parts: dict[str, list[Part]]

    def compared(self, kind: str, before: Value) -> list[tuple[Part, Worth]]:
        """Each part with what it was before; those that were and are no more come last."""
        then = {part.key: part for part in before.parts[kind]}
        now = [
            (part, then.pop(part.key).worth if part.key in then else Worth())
            for part in self.parts[kind]
        ]
        return now + [(replace(part, worth=Worth()), part.worth) for part in then.values()]


def value(asked: Asked, *, counted: bool = True) -> Value:
    """What was on hand at the end of the day, in all and by what it is made of; without the numbers
    of items where they are not `counted`."""
    books = open_books()
    rows = on_hand(books, asked).subquery("rows")
    of = rows.c
    keys = (of.location_id, of.category_id, of.brand)
    found = books.connection.execute(select(*keys, *_sums(rows)).group_by(*keys)).all()
    counts = (
        func.count(distinct(of.item_id)),
        func.count(distinct(case((of.cost.is_(None), of.item_id)))),
    )
    items, unknown = books.connection.execute(select(*counts)).one() if counted else (0, 0)
    worths = [(row[:3], Worth(*row[3:])) for row in found]
    return Value(
        sum((worth for _, worth in worths), Worth()), items, unknown,
        {kind: _parts(books, worths, kind) for kind in KINDS},
    )  # fmt: skip


def _sums(rows: Subquery) -> list[Any]:
    of = rows.c
    unknown = case((of.cost.is_(None), of.on_hand), else_=0)
    return [
        cast(func.coalesce(func.sum(each), 0), BigInteger)
        for each in (of.on_hand, of.value_minor, unknown)
    ]


Names = dict[Any, tuple[str, dict[str, str]]]


def _parts(books: Books, rows: Sequence[tuple[Sequence[Any], Worth]], kind: str) -> list[Part]:
    at, names = _OF[kind]
    sums: dict[Any, Worth] = {}
    for keys, worth in rows:
        sums[keys[at]] = sums.get(keys[at], Worth()) + worth
    known = names(books)
    parts = []
    for key, worth in sums.items():
        code, called = known.get(key, (str(key or ""), {}))
        parts.append(Part(key or None, code, called, worth))
    return sorted(parts, key=lambda part: (-part.worth.value_minor, part.code))


def _places(books: Books) -> Names:
    return {place.id: (place.code, {"": place.name}) for place in stock.locations(transit=True)}


def _categories(books: Books) -> Names:
    query = select(Category.id, Category.code, Category.names)
    return {row.id: (row.code, row.names) for row in books.connection.execute(query)}


_OF: dict[str, tuple[int, Callable[[Books], Names]]] = {
    "locations": (0, _places), "categories": (1, _categories), "brands": (2, lambda books: {}),
}  # fmt: skip
