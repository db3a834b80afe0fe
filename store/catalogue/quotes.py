"""Quotes: what an item costs now, at a location, tax included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from ..db import connection
from .models import Item
from .prices import price_in_force


class Quote(NamedTuple):
    """An item for sale with the price in force. `names` maps languages to names."""

    item_id: int
    code: str
    names: dict[str, str]
    tax_rate_bp: int
    amount_minor: int


def quotes(item_ids: Sequence[int], location_id: int, currency: str) -> dict[int, Quote]:
    """Quotes by item id, in one statement. What is archived or has no price is left out: it is not
    for sale."""
    price = price_in_force(Item.id, location_id, currency=currency)
    query = select(Item.id, Item.code, Item.names, Item.tax_rate_bp, price).where(
        Item.id.in_(item_ids), Item.archived_at.is_(None)
    )
    return {row[0]: Quote(*row) for row in connection().execute(query) if row[4] is not None}
