"""Codes that live for a moment: those of now and of the next steps, as pictures, so that a page
goes on showing them where there is no signal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from .. import ticks
from ..errors import Invalid
from . import qr

__all__ = ["MOST_AHEAD", "Code", "as_json", "codes", "read_ahead"]

MOST_AHEAD = 6
"""Two minutes of codes in the phone: enough to walk through a corner without a signal."""


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


def codes(
    address_at: Callable[[int], str], at: datetime, ahead: int = 0, level: str = "M"
) -> list[Code]:
    """The code of this moment and of `ahead` steps after it; `address_at` says what each says. A
    long one has larger modules at the lowest level: no screen has scratches to correct."""
    now = ticks.step_at(at)
    return [_code(address_at(step), step, level) for step in range(now, now + ahead + 1)]


def _code(address: str, step: int, level: str) -> Code:
    return Code(
        starts_at=ticks.starts_at(step),
        ends_at=ticks.starts_at(step + 1 + ticks.ALLOWED_STEPS),
        svg=qr.svg(qr.matrix(address, level)),
    )


def read_ahead(said: str) -> int:
    """How many steps ahead a page asks for. Raises Invalid."""
    if not (said.isascii() and said.isdigit() and int(said[:4]) <= MOST_AHEAD):
        raise Invalid(f"ahead is 0 to {MOST_AHEAD}", field="ahead")
    return int(said)


def as_json(state: str, at: datetime, shown: list[Code]) -> dict[str, Any]:
    """What the page's script asks for; moments are milliseconds since 1970, the shop's clock."""
    return {
        "state": state,
        "now": _milliseconds(at),
        "codes": [
            {"from": _milliseconds(code.starts_at), "until": _milliseconds(code.ends_at),
             "svg": code.svg}
            for code in shown
        ],
    }  # fmt: skip


def _milliseconds(at: datetime) -> int:
    return math.floor(at.timestamp() * 1000)
