"""Anything: what a code is that somebody of the staff scanned or typed, whatever it is.

A text may mean more than one thing (a short code of goods may look like that of a return), so all
that it fits is told. Nothing is used up by looking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .. import catalogue, stock
from ..catalogue import gs1
from ..delivery import queue
from ..labels.judging import Judged, Shop, judge
from ..sales.returns import returnable
from ..stock import slips
from ..stock.batch_codes import find_batch

__all__ = ["Goods", "Meant", "meant"]


@dataclass(frozen=True)
class Goods:
    """An item as it is at a place; of the sticker or pack that was scanned, what it says."""

    item: catalogue.Item
    on_hand: int
    shelf: str
    price_minor: int | None
    sticker: Judged | None
    batch: str
    batch_known: bool
    until: date | None


@dataclass(frozen=True)
class Meant:
    """All that a text fits. `broken` says that it is a GS1 code with a fault."""

    goods: Goods | None = None
    sale: tuple[str, str | None] | None = None
    """The sale, and the return of it that is awaited."""
    shipments: Sequence[tuple[str, str, str]] = ()
    slip: slips.Slip | None = None
    broken: bool = False

    @property
    def is_nothing(self) -> bool:
        return not (self.goods or self.sale or self.shipments or self.slip)


def meant(text: str, place_id: int, shop: Shop) -> Meant:
    """What the text is, seen at a place."""
    try:
        goods, broken = _goods(text, place_id, shop), False
    except gs1.CodeFault:
        goods, broken = None, True
    sale = returnable.find(text)
    shipments = queue.with_code(text)
    if sale is not None and not shipments:
        shipments = queue.with_code(sale[0])
    return Meant(goods, sale, shipments, slips.numbered(text), broken)


def _goods(text: str, place_id: int, shop: Shop) -> Goods | None:
    """Raises CodeFault."""
    item = catalogue.find_item(text, base_url=shop.base_url)
    judged = judge(text, place_id, "", shop) if "?l=" in text or "&l=" in text else None
    if item is None:
        return None
    read = gs1.read(text)
    last = read.expires_on or read.best_before_on
    price = catalogue.quote([item.id], place_id, shop.currency).get(item.id)
    return Goods(
        item, stock.on_hand(item.id, place_id), stock.shelves([item.id], place_id).get(item.id, ""),
        price, judged, read.batch or "",
        bool(read.batch and find_batch(item.id, read.batch)), last,
    )  # fmt: skip
