"""The live pass of a receipt: the codes of now and of the next steps, as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .. import sales
from ..labels import live
from ..labels.live import Code
from . import passes
from .checks import Use, used
from .passes import PassRefused

__all__ = ["Code", "ExitPass", "NoPass", "Sold", "address", "codes", "exit_pass"]


class NoPass(PassRefused):
    """The sale has none (any more): it was refunded, or has left the shop. `data`: state."""

    code = "no_pass"
    title = "This sale has no pass"


@dataclass(frozen=True, slots=True)
class ExitPass:
    """What a receipt shows: a live code, or the use of the pass."""

    state: str  # "live" or "used"
    at: datetime
    code: Code | None = None
    use: Use | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """What a pass says of its sale."""

    sale_id: str
    location_id: int
    state: str


def exit_pass(sold: Sold, at: datetime, base: str, key: bytes) -> ExitPass | None:
    """The pass of a sale as it stands at a moment; None for a sale that was refunded."""
    if sold.state not in sales.STANDING:
        return None
    use = used(sold.sale_id)
    if use is not None:
        return ExitPass("used", at, use=use)
    return ExitPass("live", at, code=codes(sold, at, base, key)[0])


def codes(sold: Sold, at: datetime, base: str, key: bytes, ahead: int = 0) -> list[Code]:
    """The code of this moment and of `ahead` steps after it; `base` is the shop's address."""

    def address_at(step: int) -> str:
        return address(passes.text_for(sold.sale_id, sold.location_id, step, key), base)

    return live.codes(address_at, at, ahead)


def address(text: str, base: str) -> str:
    """What the code says: the page of the check, so that a staff phone's own camera opens it."""
    return f"{base}/desk/exit?pass={text}"
