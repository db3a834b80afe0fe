"""Goods that left a shelf while a till had no network: they are gone, whatever the book says.

What the book lacks is booked as found beside them. On hand stays the sum of its movements, and so
does what is there of each batch; neither is ever below zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from ... import catalogue, stock
from ...errors import Invalid
from ..goods import counted

__all__ = ["Overtaken", "leave"]


class Overtaken(Exception):
    """Another sale was faster at a shelf or with this key."""


def leave(
    want: stock.Want, goods: Iterable[tuple[int, int, str]], day: date, now: datetime
) -> dict[int, int]:
    """Joiner: these leave the shelf of `want`, sold on a day: item, quantity, and the batch that
    the pack said, if any; of bundles the parts. Answers what was not there, by item. One item after
    the other, in order, as every sale locks their levels. Raises Overtaken."""
    wanted: dict[int, dict[str, int]] = {}
    goods = list(goods)
    parts = catalogue.parts_of({item for item, _, _ in goods})
    for sold, quantity, batch in goods:
        for item, many in counted(sold, quantity, parts):
            stacks = wanted.setdefault(item, {})
            said = batch if item == sold else ""
            stacks[said] = stacks.get(said, 0) + many
    lacking: dict[int, int] = {}
    for item, stacks in sorted(wanted.items()):
        # What a pack named goes first, so that the rest is taken from what is left.
        for batch, many in sorted(stacks.items(), reverse=True):
            mine = want._replace(item_id=item, quantity=many)
            missing = _named(mine, batch, day, now) if batch else _unnamed(mine, day, now)
            if missing:
                lacking[item] = lacking.get(item, 0) + missing
    return lacking


def _unnamed(want: stock.Want, day: date, now: datetime) -> int:
    """Joiner: the first to expire of those that could be sold on that day. Of an item that is
    tracked by batch and not there, nobody knows which batch it was: all of it counts as found."""
    place = (want.item_id, want.location_id)
    missing = max(0, want.quantity - stock.levels([place]).get(place, 0))
    taken = [want]
    if stock.in_batches([place]):
        try:
            taken = [want] if missing else stock.allot([want], day=day)
        except stock.OutOfStock:
            missing = want.quantity
        missing = want.quantity if missing else 0
    return _take(taken, want, missing, now)


def _named(want: stock.Want, code: str, day: date, now: datetime) -> int:
    """Joiner: of the batch on the pack, expired or called back as it may be by now; then of those
    without a batch. A pack's word that no batch can have counts for nothing."""
    try:
        batch = stock.open_batch(want.item_id, code)
    except Invalid:
        return _unnamed(want, day, now)
    place = (want.item_id, want.location_id)
    on_hand = stock.lock_levels([place]).get(place, 0)
    there = {one.batch_id: one.on_hand for one in stock.in_batches([place])}
    of_it = min(want.quantity, there.get(batch, 0))
    of_none = min(want.quantity - of_it, max(0, on_hand - sum(there.values())))
    missing = want.quantity - of_it - of_none
    want = want._replace(batch_id=batch)
    taken = [want._replace(quantity=of_it + missing),
             want._replace(quantity=of_none, batch_id=None)]  # fmt: skip
    return _take([one for one in taken if one.quantity], want, missing, now)


def _take(taken: list[stock.Want], want: stock.Want, missing: int, now: datetime) -> int:
    """Joiner: what is missing is found, and all of it is taken; answers what was missing."""
    if missing:
        found = want._replace(quantity=missing, sale_id=None)
        stock.find([found], now, note=want.sale_id or "")
    if not stock.take(taken, now):
        raise Overtaken
    return missing
