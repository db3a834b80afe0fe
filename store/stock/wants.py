"""Wants: so many of an item at a place; what every verb of stock is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..catalogue import Part
from ..errors import Refusal

WITHOUT_BATCH = 0
"""As the batch of a want: of those that are of no batch."""
LARGEST = 10**9
"""No shelf holds more; it keeps every sum far inside 2^53."""


class OutOfStock(Refusal):
    """Fewer are on hand than were asked for. `data`: item (code), left, asked."""

    code = "out_of_stock"
    status = 409
    title = "Not enough of this is left here"


class Want(NamedTuple):
    """So many of an item at a location, for a sale or for itself; of a batch where one is said."""

    item_id: int
    location_id: int
    quantity: int
    sale_id: str | None = None
    member_id: int | None = None
    batch_id: int | None = None


def by_place(wants: Sequence[Want]) -> list[dict[str, int]]:
    """Two lines of one item are one want; sorted, so that locks are taken in one order."""
    summed: dict[tuple[int, int], int] = {}
    for want in wants:
        place = (want.item_id, want.location_id)
        summed[place] = summed.get(place, 0) + want.quantity
    return [
        {"item": item, "location": place, "quantity": summed[item, place]}
        for item, place in sorted(summed)
    ]


def by_part(wants: Sequence[Want], parts: Mapping[int, Sequence[Part]]) -> list[Want]:
    """The same wants, those of bundles as wants of their parts."""
    if not parts:
        return list(wants)
    return [
        want._replace(item_id=part.item_id, quantity=want.quantity * part.quantity)
        if part
        else want
        for want in wants
        for part in (parts.get(want.item_id) or (None,))
    ]
