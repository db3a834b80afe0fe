"""Goods of a sale: what leaves which shelf for its lines, and from which batches.

Items that are sold as they stand, which is almost all of them, pay nothing for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .. import catalogue, stock

Place = tuple[int, int]
"""An item and a location."""


Parts = Mapping[int, Sequence[catalogue.Part]]
"""What is in a bundle, by its id; an item that is sold as it stands is not there."""


def parts_of(quotes: Iterable[catalogue.Quote]) -> Parts:
    bundles = {quote.item_id for quote in quotes if quote.is_bundle}
    return catalogue.parts_of(bundles) if bundles else {}


def counted(item_id: int, quantity: int, parts: Parts) -> Iterable[tuple[int, int]]:
    """The items that leave the shelf for so many of an item, with how many of each."""
    if item_id not in parts:
        return ((item_id, quantity),)
    return [(part.item_id, part.quantity * quantity) for part in parts[item_id]]


def for_sale(
    places: Collection[Place], quotes: Collection[catalogue.Quote], parts: Parts
) -> dict[Place, int]:
    """How many may be sold of what is on hand at these places, and of the parts of bundles: none
    of a batch that is expired or recalled."""
    wanted = {(item, at) for bundle, at in places for item, _ in counted(bundle, 1, parts)}
    levels = dict(stock.levels(sorted(wanted)))
    tracked = _tracked(quotes, parts)
    if tracked:
        for batch in stock.in_batches([place for place in wanted if place[0] in tracked]):
            if batch.blocked:
                levels[batch.item_id, batch.location_id] -= batch.on_hand
    return levels


def _tracked(quotes: Iterable[catalogue.Quote], parts: Parts) -> set[int]:
    found = {quote.item_id for quote in quotes if quote.tracks_batches}
    return found | {one.item_id for each in parts.values() for one in each if one.tracks_batches}


MOST_IN_HAND = 20
"""More than these nobody holds in front of an empty shelf."""


def in_hand(channel: str, location_id: int, quote: catalogue.Quote, missing: int) -> bool:
    """Whether so many more than the book says are sold because the shopper holds them: the place
    allows it, somebody stands there, and it cannot be a batch that nobody may buy."""
    if channel not in ("shelf", "till") or missing > MOST_IN_HAND:
        return False
    if quote.tracks_batches or quote.is_bundle:
        return False
    return stock.sells_in_hand(location_id)


def leaving(
    wants: Sequence[stock.Want], quotes: Iterable[catalogue.Quote], parts: Parts
) -> list[stock.Want]:
    """Joiner: what leaves the shelf for these wants: of bundles the parts, of tracked items the
    batches that expire first. Raises OutOfStock where another till was faster."""
    wants = stock.by_part(wants, parts)
    return stock.allot(wants) if _tracked(quotes, parts) else wants
