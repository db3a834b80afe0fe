"""What the report of returns answers with."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from ..calendar import Span

__all__ = ["Back", "Became", "Row"]


class Back(NamedTuple):
    """What came back: refunds, units of goods, money. `own` are the units without parts of
    bundles, which were sold as bundles; of `sold` units so many came back."""

    refunds: int = 0
    units: int = 0
    own: int = 0
    total_minor: int = 0
    sold: int = 0

    def __add__(self, other: Any) -> Back:
        return Back(*map(operator.add, self, other))


class Row(NamedTuple):
    """A line of a table. `before` is only known of reasons and times."""

    key: Any
    code: str
    names: dict[str, str]
    back: Back
    before: Back | None = None
    span: Span | None = None


class Became(NamedTuple):
    """Units with a decision, and the money of them; without one: deposits, delivery, and refunds
    without a return."""

    decision: str
    units: int
    total_minor: int
