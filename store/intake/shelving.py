"""Shelving: what is new goes on the shelves in the transaction that adds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import stock
from ..catalogue.importing import Added

__all__ = ["shelving"]


def shelving(
    location_id: int, quantity: int | None, made_by: int | None = None
) -> Callable[[Sequence[Added]], None]:
    """What puts new items on the shelves of a location: so many as their row says, else
    `quantity`."""

    def put(added: Sequence[Added]) -> None:
        counts = [(each.item_id, quantity if each.stock is None else each.stock) for each in added]
        received = [(item_id, count) for item_id, count in counts if count]
        stock.receive_many(received, location_id, member_id=made_by, note="import")
        for each in added:
            if each.shelf:
                stock.put_on_shelf(each.item_id, location_id, each.shelf)

    return put
