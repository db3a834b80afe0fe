"""Choosing what to print: everything that is for sale, what is new, what has another price now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from .. import catalogue, stock
from ..db import connection
from .models import Label
from .stickers import labels_query, said_now

__all__ = ["WHICH", "Choice", "chosen_ids", "count", "newest_labels", "shown", "without_price"]

WHICH = ("all", "changed", "new")
"""All that is for sale; what has another price, name, size or shelf than its newest label says;
what has no label."""


@dataclass(frozen=True)
class Choice:
    """Items for sale at a location, by words, category, seller, the shelf they stand on there, the
    list that brought them in or changed them, and how they stand to their labels."""

    location_id: int
    currency: str
    which: str = "all"
    words: str = ""
    category_id: int | None = None
    seller_id: int | None = None
    shelf: str = ""
    intake: str = ""
    item_ids: tuple[int, ...] | None = None
    """Only these, where something else has chosen already."""


def chosen_ids(choice: Choice) -> list[int]:
    """The ids of all of them, in the order in which they came into the shop."""
    return list(connection().scalars(_query(choice, catalogue.Item.id)))


def count(choice: Choice) -> int:
    found = _query(choice, catalogue.Item.id).order_by(None).subquery()
    return int(connection().scalar(select(func.count()).select_from(found)) or 0)


def shown(choice: Choice, *, after: int = 0, limit: int = 60) -> Sequence[Any]:
    """A page of them: id, codes, names, size, picture, the price, and the one on the newest label
    (None where there is none), its shelf, and whether its name or size is another now."""
    item = catalogue.Item
    columns = (
        item.id, item.code, item.gtin, item.names, item.size_text, item.picture,
        _price(choice).label("price_minor"), _printed(choice).label("printed_minor"),
        _newest(Label.shelf, choice.location_id).label("printed_shelf"),
        _shelf(choice).label("shelf"), _renamed(choice).label("renamed"),
    )  # fmt: skip
    query = _query(choice, *columns).where(item.id > after).limit(limit)
    return connection().execute(query).all()


def without_price(location_id: int, currency: str, most: int = 20) -> Sequence[Any]:
    """Items (code, names) that are not archived but have no price there."""
    item = catalogue.Item
    price = catalogue.price_in_force(item.id, location_id, currency=currency)
    query = select(item.code, item.names).where(item.archived_at.is_(None), price.is_(None))
    return connection().execute(query.order_by(item.id).limit(most)).all()


def newest_labels(location_id: int, *, after: int = 0, limit: int) -> Sequence[Any]:
    """The newest label that still counts of each item for sale at a location, by item."""
    item = catalogue.Item
    query = labels_query().where(
        Label.location_id == location_id,
        Label.id == _newest(Label.id, location_id),
        item.archived_at.is_(None),
        item.id > after,
    )
    return connection().execute(query.order_by(item.id).limit(limit)).all()


def _query(choice: Choice, *columns: Any) -> Select[Any]:
    item = catalogue.Item
    conditions: list[ColumnElement[bool]] = [
        item.archived_at.is_(None),
        _price(choice).is_not(None),
        *catalogue.search_conditions(choice.words),
    ]
    if choice.category_id is not None:
        conditions.append(item.category_id == choice.category_id)
    if choice.seller_id is not None:
        conditions.append(catalogue.owner_at(item.id) == choice.seller_id)
    if choice.item_ids is not None:
        conditions.append(item.id.in_(choice.item_ids))
    if choice.shelf:
        conditions.append(stock.shelf_of(item.id, choice.location_id) == choice.shelf)
    if choice.intake:
        conditions.append(catalogue.brought_by(choice.intake))
    if choice.which == "changed":
        moved = _newest(Label.shelf, choice.location_id) != _shelf(choice)
        conditions.append(or_(_price(choice) != _printed(choice), moved, _renamed(choice)))
    elif choice.which == "new":
        conditions.append(_printed(choice).is_(None))
    return select(*columns).where(*conditions).order_by(item.id)


def _price(choice: Choice) -> ColumnElement[int]:
    item_id = catalogue.Item.id
    return catalogue.price_in_force(item_id, choice.location_id, currency=choice.currency)


def _shelf(choice: Choice) -> ColumnElement[str]:
    return func.coalesce(stock.shelf_of(catalogue.Item.id, choice.location_id), "")


def _renamed(choice: Choice) -> ColumnElement[bool]:
    return _newest(Label.said, choice.location_id) != said_now()


def _printed(choice: Choice) -> ColumnElement[int]:
    return _newest(Label.price_minor, choice.location_id)


def _newest(column: Any, location_id: int) -> ColumnElement[Any]:
    """That column of the item's newest label which still counts at this location."""
    label = aliased(Label)
    newest = (
        select(getattr(label, column.key))
        .where(
            label.item_id == catalogue.Item.id,
            label.location_id == location_id,
            label.revoked_at.is_(None),
        )
        .order_by(label.printed_at.desc(), label.position.desc())
        .limit(1)
    )
    return newest.correlate(catalogue.Item).scalar_subquery()
