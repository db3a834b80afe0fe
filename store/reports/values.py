"""What reports answer with: figures, lines of tables, and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .calendar import Span
from .events import MEASURES

__all__ = ["Breakdown", "Figures", "Line"]


@dataclass(frozen=True)
class Figures:
    """What was sold less what was given back, in minor units of one currency.

    `sales` counts sales; where a category is asked for it counts items of sales, since a sale can
    hold several of them.
    """

    sales: int = 0
    refunds: int = 0
    quantity: int = 0
    total_minor: int = 0
    tax_minor: int = 0
    refunded_minor: int = 0
    goods_minor: int = 0
    costed_minor: int = 0
    cost_minor: int = 0

    @property
    def sold_minor(self) -> int:
        """Before refunds."""
        return self.total_minor + self.refunded_minor

    @property
    def average_minor(self) -> int | None:
        """Of the sales before refunds, half up; None without sales."""
        return (2 * self.sold_minor + self.sales) // (2 * self.sales) if self.sales else None

    @property
    def margin_minor(self) -> int | None:
        """What is left of what goods brought, without tax, when what they cost is paid; of those of
        which that is known. None where it is of nothing."""
        return self.costed_minor - self.cost_minor if self.costed_minor or self.cost_minor else None

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in MEASURES))


class Line(NamedTuple):
    """One line of a table. `key` is a day or hour, or an id (None: without a category); `code` is
    what an address calls it. `first` and `last` are the days that it stands for."""

    key: int | str | None
    code: str
    names: dict[str, str]
    figures: Figures
    before: Figures | None = None
    span: Span | None = None


class Breakdown(NamedTuple):
    """Some lines of a table, and how many it has in all. `lines` is None where it would take too
    long to say."""

    kind: str
    lines: list[Line] | None
    many: int
