"""Standing: on which shelf of a place an item stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from ..db import connection, in_transaction
from .levels import open_levels
from .models import Level

__all__ = ["put_on_shelf", "shelf_of", "shelves"]


def put_on_shelf(item_id: int, location_id: int, shelf: str) -> None:
    """Joiner: say on which shelf of the location the item stands."""
    open_levels({(item_id, location_id)})
    place = (Level.item_id == item_id, Level.location_id == location_id)
    in_transaction().execute(update(Level).where(*place).values(shelf=shelf.strip()[:40]))


def shelf_of(item_id: Any, location_id: Any) -> Any:
    """An expression for any query over items: the shelf of the item at a location, NULL where it
    was never there."""
    return (
        select(Level.shelf)
        .where(Level.item_id == item_id, Level.location_id == location_id)
        .correlate_except(Level)
        .scalar_subquery()
    )


def shelves(item_ids: Sequence[int], location_id: int) -> Mapping[int, str]:
    """The shelf of each item at a location, where one is known."""
    query = select(Level.item_id, Level.shelf).where(
        Level.location_id == location_id, Level.item_id.in_(item_ids), Level.shelf != ""
    )
    return {row[0]: row[1] for row in connection().execute(query)}
