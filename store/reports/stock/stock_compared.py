"""Stock beside what it was: the value, how it turns and what lies dead, in all and at each place,
against the same question about as many days before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from . import stock_turnover, stock_value
from .stock_asked import Asked
from .stock_turnover import Month, Turnover
from .stock_value import Part, Value, Worth

__all__ = ["Compared", "Place", "compared"]


class Place(NamedTuple):
    """One of the places beside the others. What has nothing and sold nothing does not turn."""

    part: Part
    before: Worth
    turns: Turnover | None
    turned: Turnover | None


@dataclass(frozen=True)
class Compared:
    asked: Asked
    value: Value
    was: Value
    turns: Turnover
    turned: Turnover
    places: list[Place]
    months: list[Month]

    @property
    def comparable(self) -> bool:
        """Whether there was anything in the days before."""
        return bool(self.was.worth.pieces or self.turned.sold_minor or self.turned.average_minor)

    @property
    def fullest(self) -> int:
        """The largest value of a month, for the bars."""
        return max(one.value_minor for one in self.months)

    def parts(self, kind: str) -> list[tuple[Part, Worth]]:
        """What the value is made of, each part with what it was worth before."""
        return self.value.compared(kind, self.was)


def compared(asked: Asked) -> Compared:
    """All of it, from one moment."""
    then = asked.before
    value, was = stock_value.value(asked), stock_value.value(then, counted=False)
    turns, here = stock_turnover.with_places(asked)
    turned, there = stock_turnover.with_places(then)
    places = [
        Place(part, before, here.get(int(part.key or 0)), there.get(int(part.key or 0)))
        for part, before in value.compared("locations", was)
    ]
    return Compared(asked, value, was, turns, turned, places, stock_turnover.months(asked))
