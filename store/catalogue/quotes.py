"""Quotes: what an item costs now, at a location, tax included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select

from ..prepared import Many, Prepared, one_of
from .models import Item
from .prices import price_in_force


class Quote(NamedTuple):
    """An item for sale with the price in force. `names` maps languages to names."""

    item_id: int
    code: str
    names: dict[str, str]
    tax_rate_bp: int
    amount_minor: int
    tracks_batches: bool = False
    is_bundle: bool = False


_quotes = Prepared(
    lambda dialect: select(
        Item.id,
        Item.code,
        Item.names,
        Item.tax_rate_bp,
        price_in_force(Item.id, bindparam("place"), currency=bindparam("money")).label("amount"),
        Item.tracks_batches,
        Item.is_bundle,
    ).where(one_of(Item.id, "items", dialect), Item.archived_at.is_(None))
)


def quotes(item_ids: Sequence[int], location_id: int, currency: str) -> dict[int, Quote]:
    """Quotes by item id, in one statement. What is archived or has no price is left out: it is not
    for sale."""
    found = _quotes.all(items=Many(item_ids), place=location_id, money=currency)
    return {row[0]: Quote(*row) for row in found if row[4] is not None}
