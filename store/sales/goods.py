"""Goods of a sale: what leaves which shelf for its lines, from which batches, with which deposits.

Items that are sold as they stand, which is almost all of them, pay nothing for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .. import catalogue, money, stock

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


def tracked(quotes: Iterable[catalogue.Quote]) -> set[int]:
    """Those of these items that are tracked by batch."""
    return {quote.item_id for quote in quotes if quote.tracks_batches}


def _tracked(quotes: Iterable[catalogue.Quote], parts: Parts) -> set[int]:
    return tracked(quotes) | {
        one.item_id for each in parts.values() for one in each if one.tracks_batches
    }


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


class Deposited(NamedTuple):
    """A deposit that is paid with a line of goods, whose position `of_position` is: so many."""

    of_position: int
    deposit: catalogue.Deposit
    quantity: int

    @property
    def total_minor(self) -> int:
        return self.deposit.amount_minor * self.quantity

    @property
    def tax_minor(self) -> int:
        return money.included_tax(self.total_minor, self.deposit.tax_rate_bp)


def deposited(
    lines: Iterable[tuple[catalogue.Quote, int]], parts: Parts, currency: str
) -> list[Deposited]:
    """The deposits that come with these lines of goods, each with the position of its line; of a
    bundle those of its parts, too."""
    return [
        Deposited(position, deposit, each * quantity)
        for position, (quote, quantity) in enumerate(lines, start=1)
        for deposit, each in carried(quote, parts, currency)
    ]


def carried(
    quote: catalogue.Quote, parts: Parts, currency: str
) -> Iterable[tuple[catalogue.Deposit, int]]:
    """The deposits on one of an item, with how many of each."""
    if quote.deposit is None and not quote.is_bundle:
        return ()
    each = [(quote.deposit, 1)]
    each += [(part.deposit, part.quantity) for part in parts.get(quote.item_id, ())]
    found: dict[int, tuple[catalogue.Deposit, int]] = {}
    for deposit, many in each:
        if deposit is not None and deposit.currency == currency:
            before = found[deposit.item_id][1] if deposit.item_id in found else 0
            found[deposit.item_id] = (deposit, before + many)
    return found.values()


def due_minor(quote: catalogue.Quote, parts: Parts, currency: str) -> int:
    """What one of an item costs, tax and deposit and all."""
    return quote.taxed(1).total_minor + sum(
        deposit.amount_minor * many for deposit, many in carried(quote, parts, currency)
    )


def deposit_rows(sale_id: str, found: Iterable[Deposited], after: int) -> list[dict[str, Any]]:
    """The lines of a sale for its deposits, behind the line at `after`."""
    return [
        {
            "sale_id": sale_id, "position": position, "item_id": one.deposit.item_id,
            "names": one.deposit.names, "quantity": one.quantity,
            "unit_minor": one.deposit.amount_minor, "total_minor": one.total_minor,
            "tax_minor": one.tax_minor, "tax_rate_bp": one.deposit.tax_rate_bp, "label_id": None,
            "kind": "deposit", "of_position": one.of_position, "off_minor": 0, "least_age": 0,
        }
        for position, one in enumerate(found, start=after + 1)
    ]  # fmt: skip
