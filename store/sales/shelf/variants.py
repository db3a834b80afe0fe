"""Variants: what else a group offers at a place, as choices on the page of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ... import catalogue, stock
from ...catalogue.groups import known_as
from ...catalogue.models import ItemGroup
from ...db import connection, db

__all__ = ["Card", "Choice", "Option", "cards", "choices"]


class Choice(NamedTuple):
    """A value of an option: the page of the variant that has it, and whether it is there."""

    text: str
    path: str
    chosen: bool
    sold_out: bool


class Option(NamedTuple):
    name: str
    choices: tuple[Choice, ...]


class _Offered(NamedTuple):
    """A variant that is for sale at a place."""

    id: int
    path: str
    values: list[dict[str, str]]
    keys: tuple[str, ...]
    is_there: bool


def choices(
    group_id: int, item_id: int, location_id: int, currency: str, language: str, sells_all: bool
) -> tuple[Option, ...]:
    """The options of a group as the page of one of its items shows them: for each value the variant
    that has it and is otherwise the most like this one, one that is there before one that is not.
    `sells_all`: the place sells what a shopper holds, whatever its book says."""
    item, group = catalogue.Item, ItemGroup
    price = catalogue.price_in_force(item.id, location_id, currency=currency)
    left = stock.sellable(item, location_id)
    query = (
        select(item, group.options, left)
        .join(group, group.id == item.group_id)
        .where(item.group_id == group_id, item.archived_at.is_(None), price.is_not(None))
        .order_by(item.id)
    )
    names: list[dict[str, str]] = []
    offered: list[_Offered] = []
    for row, options, on_hand in db.session.execute(query):
        names = options
        keys = tuple(known_as(value).casefold() for value in row.option_values)
        there = sells_all or (on_hand or 0) > 0
        path = catalogue.item_path(row)
        offered.append(_Offered(row.id, path, row.option_values, keys, there))
    mine = next((one for one in offered if one.id == item_id), None)
    if mine is None or len(offered) < 2:
        return ()
    return tuple(
        Option(_said(name, language), tuple(_values(at, mine, offered, language)))
        for at, name in enumerate(names)
    )


def _values(at: int, mine: _Offered, offered: Sequence[_Offered], language: str) -> list[Choice]:
    by_value: dict[str, list[_Offered]] = {}
    for one in offered:
        by_value.setdefault(one.keys[at], []).append(one)
    found = []
    for key, having in by_value.items():
        best = max(having, key=lambda one: (_alike(one, mine), one.is_there, -one.id))
        if not best.is_there and _alike(best, mine) < len(mine.keys) - 1:
            best = next((one for one in having if one.is_there), best)
        text = _said(best.values[at], language)
        found.append(Choice(text, best.path, key == mine.keys[at], not best.is_there))
    return found


def _alike(one: _Offered, other: _Offered) -> int:
    return sum(mine == theirs for mine, theirs in zip(one.keys, other.keys))


def _said(texts: dict[str, str], language: str) -> str:
    return texts.get(language) or known_as(texts)


class Card(NamedTuple):
    """A group on the shop's front: what its variants cost at least, how many are left."""

    names: dict[str, str]
    price_minor: int
    on_hand: int
    dearer: bool


def cards(group_ids: set[int], location_id: int, currency: str) -> dict[int, Card]:
    """These groups, by id, in one statement."""
    if not group_ids:
        return {}
    item, group = catalogue.Item, ItemGroup
    each = (
        select(
            item.group_id,
            catalogue.price_in_force(item.id, location_id, currency=currency).label("price"),
            func.coalesce(stock.sellable(item, location_id), 0).label("left"),
        )
        .where(item.group_id.in_(group_ids), item.archived_at.is_(None))
        .subquery()
    )
    query: Any = (
        select(group.id, group.names, func.min(each.c.price), func.sum(each.c.left),
               func.max(each.c.price))
        .join(each, each.c.group_id == group.id)
        .where(each.c.price.is_not(None))
        .group_by(group.id)
    )  # fmt: skip
    # PostgreSQL cannot group by a column of JSON, but by the key that it hangs on.
    return {
        row[0]: Card(row[1], int(row[2]), int(row[3]), row[4] > row[2])
        for row in connection().execute(query)
    }
