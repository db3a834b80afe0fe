"""Quotes: what an item costs now, at a location, tax included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, or_, select

from .. import clock
from ..db import connection
from .models import Item, Price


class Quote(NamedTuple):
    """An item for sale with the price in force. `names` maps languages to names."""

    item_id: int
    code: str
    names: dict[str, str]
    tax_rate_bp: int
    amount_minor: int


def price_in_force(
    item_id: ColumnElement[int] | Any,
    location_id: ColumnElement[int] | int,
    currency: str,
    at: datetime | None = None,
) -> ScalarSelect[int]:
    """An expression for queries: the newest price that has started, the location's own before the
    one for all; NULL where the item has none."""
    newest = (
        select(Price.amount_minor)
        .where(
            Price.item_id == item_id,
            Price.currency == currency,
            Price.starts_at <= (at or clock.now()),
            or_(Price.location_id.is_(None), Price.location_id == location_id),
        )
        .order_by(Price.location_id.is_(None), Price.starts_at.desc(), Price.id.desc())
        .limit(1)
    )
    return newest.correlate_except(Price).scalar_subquery()


def quotes(item_ids: Sequence[int], location_id: int, currency: str) -> dict[int, Quote]:
    """Quotes by item id, in one statement. What is archived or has no price is left out: it is not
    for sale."""
    price = price_in_force(Item.id, location_id, currency)
    query = select(Item.id, Item.code, Item.names, Item.tax_rate_bp, price).where(
        Item.id.in_(item_ids), Item.archived_at.is_(None)
    )
    return {row[0]: Quote(*row) for row in connection().execute(query) if row[4] is not None}
