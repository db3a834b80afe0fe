"""The live pass of a receipt: the codes of now and of the next steps, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import sales
from ..labels import live
from ..labels.live import Code
from . import ages, passes, signing, spots
from .bags import Piece
from .passes import PassRefused
from .uses import Use, used

__all__ = ["Code", "ExitPass", "NoPass", "Sold", "address", "codes", "exit_pass"]


class NoPass(PassRefused):
    """The sale has none (any more): it was refunded, or has left the shop. `data`: state."""

    code = "no_pass"
    title = "This sale has no pass"


@dataclass(frozen=True, slots=True)
class ExitPass:
    """What a receipt shows: a live code, the spot check that is under way ("open", or "asked" for
    the shopper's yes), or the use of the pass.

    Nobody learns before the exit whether a bag is chosen: who knows that it is not could fill it,
    who knows that it is could empty it. Once it is, the shopper reads why, and how many wait."""

    state: str  # "live", "age", "open", "asked" or "used"
    at: datetime
    code: Code | None = None
    use: Use | None = None
    check: spots.SpotCheck | None = None
    waiting: int = 0
    differs: Sequence[tuple[Piece, Any]] = ()
    """What is asked for: pieces that differ, with their items."""
    least_age: int = 0
    """Somebody looks at an ID before the goods leave."""


@dataclass(frozen=True, slots=True)
class Sold:
    """What a pass says of its sale."""

    sale_id: str
    location_id: int
    state: str
    pieces: int = 0
    total_minor: int = 0
    marks: int = 0
    """What an exit without a network must know besides (`signing`)."""
    least_age: int = 0
    """From which age what is left of it is, as far as the exit asks."""


def exit_pass(sold: Sold, at: datetime, base: str, key: bytes) -> ExitPass | None:
    """The pass of a sale as it stands at a moment; None for a sale that was refunded."""
    if sold.state not in sales.STANDING:
        return None
    use = used(sold.sale_id)
    if use is not None:
        return ExitPass("used", at, use=use)
    age, waits = ages.still_asked(sold.sale_id, sold.least_age)
    if waits:
        return ExitPass("age", at, least_age=age)
    check = spots.found(sold.sale_id)
    if check is not None and check.state in spots.UNDER_WAY:
        return _checked(check, at)
    return ExitPass("live", at, code=codes(sold, at, base, key)[0], least_age=age)


def _checked(check: spots.SpotCheck, at: datetime) -> ExitPass:
    before = [each for each in spots.waiting(check.location_id, at) if each.at < check.at]
    differs: list[tuple[Piece, Any]] = []
    if check.state == "asked" and (receipt := sales.receipt(check.sale_id)) is not None:
        pieces = [each for each in spots.pieces_of(check, receipt) if each.unpaid or each.absent]
        items = spots.goods(pieces)
        differs = [(each, items[each.item_id]) for each in pieces]
    return ExitPass(check.state, at, check=check, waiting=len(before), differs=differs)


def codes(
    sold: Sold, at: datetime, base: str, key: bytes, ahead: int = 0, *, signed: bool = False
) -> list[Code]:
    """The code of this moment and of `ahead` steps after it; `base` is the shop's address. A
    signed one is larger: it is made for a page that asked for more, never on the way to it."""

    def address_at(step: int) -> str:
        text = passes.text_for(sold.sale_id, sold.location_id, step, key)
        if signed:
            said = signing.Said(sold.location_id, sold.pieces, sold.total_minor, sold.marks)
            text = signing.signed(text, said, key)
        return address(text, base)

    return live.codes(address_at, at, ahead, "L" if signed else "M")


def address(text: str, base: str) -> str:
    """What the code says: the page of the check, so that a staff phone's own camera opens it."""
    return f"{base}/desk/exit?pass={text}"
