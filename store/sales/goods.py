"""Goods of a sale: what leaves which shelf for its lines, and from which batches.

Items that are sold as they stand, which is almost all of them, pay nothing for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .. import catalogue, stock

Place = tuple[int, int]
"""An item and a location."""


def for_sale(places: Collection[Place], quotes: Iterable[catalogue.Quote]) -> dict[Place, int]:
    """How many may be sold of what is on hand at these places: none of a batch that is expired or
    recalled."""
    levels = dict(stock.levels(sorted(places)))
    tracked = {quote.item_id for quote in quotes if quote.tracks_batches}
    if tracked:
        for batch in stock.in_batches([place for place in places if place[0] in tracked]):
            if batch.blocked:
                levels[batch.item_id, batch.location_id] -= batch.on_hand
    return levels


MOST_IN_HAND = 20
"""More than these nobody holds in front of an empty shelf."""


def in_hand(channel: str, location_id: int, quote: catalogue.Quote, missing: int) -> bool:
    """Whether so many more than the book says are sold because the shopper holds them: the place
    allows it, somebody stands there, and it cannot be a batch that nobody may buy."""
    if channel not in ("shelf", "till") or quote.tracks_batches or missing > MOST_IN_HAND:
        return False
    return stock.sells_in_hand(location_id)


def by_batch(wants: Sequence[stock.Want], quotes: Iterable[catalogue.Quote]) -> list[stock.Want]:
    """Joiner: the same wants, those of tracked items from the batches that expire first. Raises
    OutOfStock where another till was faster."""
    tracked = any(quote.tracks_batches for quote in quotes)
    return stock.allot(wants) if tracked else list(wants)
