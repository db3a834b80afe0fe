"""The live pass of a receipt: the codes of now and of the next steps, as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from .. import sales
from ..labels import qr
from . import passes
from .checks import Use, used
from .passes import STEP_S, PassRefused

MOST_AHEAD = 6
"""Two minutes of codes in the phone: enough to walk through a corner without a signal."""


class NoPass(PassRefused):
    """The sale has none (any more): it was refunded, or has left the shop. `data`: state."""

    code = "no_pass"
    title = "This sale has no pass"


@dataclass(frozen=True, slots=True)
class Code:
    """One code: when it is shown first, when it is refused for good, and its picture."""

    starts_at: datetime
    ends_at: datetime
    svg: str

    @property
    def picture(self) -> str:
        """The picture as an address of its own, so that the page needs no second request."""
        return f"data:image/svg+xml,{quote(self.svg)}"


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
    now = passes.step_at(at)
    return [_code(sold, step, base, key) for step in range(now, now + ahead + 1)]


def address(text: str, base: str) -> str:
    """What the code says: the page of the check, so that a staff phone's own camera opens it."""
    return f"{base}/desk/exit?pass={text}"


def _code(sold: Sold, step: int, base: str, key: bytes) -> Code:
    text = passes.text_for(sold.sale_id, sold.location_id, step, key)
    return Code(
        starts_at=passes.starts_at(step),
        ends_at=passes.starts_at(step + 1 + passes.ALLOWED_STEPS),
        svg=qr.svg(qr.matrix(address(text, base))),
    )


__all__ = [
    "MOST_AHEAD",
    "STEP_S",
    "Code",
    "ExitPass",
    "NoPass",
    "Sold",
    "address",
    "codes",
    "exit_pass",
]
