"""What is marked down because it is near its date: how many of an item at a place, and to what.

The first to expire is sold first, so a buy of no more than what is near its date takes just these,
and all of them cost less. A larger one is sold at the full price: what is not near its date is not
cheaper. The batch counts that the book knows, never what an address says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from ... import catalogue, stock
from ...catalogue.markdowns import markdowns_of, reduced_minor

__all__ = ["Marked", "Near", "marked_at", "near_list", "reduced"]

Place = tuple[int, int]
"""An item and a location."""


class Marked(NamedTuple):
    """`left` of an item at a place are near their date and cost `percent` less; the first of them
    on `expires_on`."""

    percent: int
    left: int
    expires_on: date


def marked_at(places: Collection[Place]) -> dict[Place, Marked]:
    """What is marked down at these places, of items that are tracked by batch, in two statements;
    one where no rule is in force for them."""
    rules = markdowns_of({item for item, _ in places}) if places else {}
    batches = stock.in_batches([place for place in places if place[0] in rules]) if rules else []
    today, found = stock.today(), dict[Place, Marked]()
    for batch in batches:
        rule, last = rules[batch.item_id], batch.expires_on
        if batch.blocked or batch.on_hand < 1 or last is None:
            continue
        if last - timedelta(days=rule.days) <= today:
            place = batch.item_id, batch.location_id
            known = found.get(place, Marked(rule.percent, 0, last))
            found[place] = known._replace(left=known.left + batch.on_hand)
    return found


def reduced(
    quote: catalogue.Quote,
    location_id: int,
    wanted: Mapping[Place, int],
    marked: Mapping[Place, Marked],
) -> catalogue.Quote:
    """The quote, marked down where as many as are wanted in all are near their date."""
    place = quote.item_id, location_id
    near = marked.get(place)
    if near is None or wanted[place] > near.left:
        return quote
    return quote._replace(amount_minor=reduced_minor(quote.amount_minor, near.percent))


def taken(marked: dict[Place, Marked], wanted: Iterable[tuple[Place, int]]) -> None:
    """So many leave the shelf: as many fewer are near their date for who comes next."""
    for place, many in wanted:
        if place in marked:
            marked[place] = marked[place]._replace(left=max(0, marked[place].left - many))


class Near(NamedTuple):
    """A batch that staff mark down on the shelf."""

    item_id: int
    batch: str
    expires_on: date
    on_hand: int
    percent: int


def near_list(location_id: int) -> list[Near]:
    """What is near its date at a place by the rules in force, the first to expire first."""
    items = stock.tracked_at(location_id)
    rules = markdowns_of(items) if items else {}
    batches = stock.in_batches([(item, location_id) for item in rules]) if rules else []
    today = stock.today()
    return [
        Near(each.item_id, each.code, each.expires_on, each.on_hand, rules[each.item_id].percent)
        for each in batches
        if not each.blocked
        and each.on_hand > 0
        and each.expires_on is not None
        and each.expires_on - timedelta(days=rules[each.item_id].days) <= today
    ]
