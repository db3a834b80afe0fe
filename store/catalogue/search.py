"""Searching the catalogue, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, select

from ..db import db
from ..errors import Invalid
from .intake_models import IntakeItem
from .models import Category, Item
from .texts import words

__all__ = ["Page", "brought_by", "categories", "search", "search_conditions"]


class Page(NamedTuple):
    """Items, and the cursor of the page that follows ("" on the last)."""

    items: Sequence[Item]
    following: str


def search_conditions(query: str) -> list[ColumnElement[bool]]:
    """Every word of the query occurs in the item's names, brand, category, size or codes."""
    # LIKE, because a full-text index does not find Chinese words of two characters.
    return [Item.search.contains(word, autoescape=True) for word in words(query)]


def brought_by(intake_id: str) -> ColumnElement[bool]:
    """The item was brought in, or changed, by this list."""
    return Item.id.in_(select(IntakeItem.item_id).where(IntakeItem.intake_id == intake_id))


def search(
    query: str = "",
    *,
    category_id: int | None = None,
    cursor: str = "",
    limit: int = 48,
    archived: bool = False,
) -> Page:
    """Items by words and category, the newest first. `cursor` is what the page before answered.
    Raises Invalid for a cursor that no page gave out."""
    conditions = search_conditions(query)
    conditions.append(Item.archived_at.is_not(None) if archived else Item.archived_at.is_(None))
    if category_id is not None:
        conditions.append(Item.category_id == category_id)
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
            raise Invalid("The cursor was not made by this shop", field="cursor")
        conditions.append(Item.id < int(cursor))
    newest = select(Item).where(*conditions).order_by(Item.id.desc()).limit(limit + 1)
    found = list(db.session.scalars(newest))
    return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else "")


def categories() -> list[Category]:
    """All categories that have an item for sale."""
    used = select(Item.id).where(Item.category_id == Category.id, Item.archived_at.is_(None))
    return list(db.session.scalars(select(Category).where(used.exists()).order_by(Category.code)))
