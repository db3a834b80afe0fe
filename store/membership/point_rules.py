"""Rules of points: how many a sale brings, what they are worth, how long they live.

A version holds from the moment in which it was saved until the next one is. What was sold is booked
by the version of its own moment, whenever a till or a worker comes to tell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, select

from .. import catalogue, clock, logbook, money
from ..db import in_transaction
from ..errors import Invalid
from ..prepared import Prepared
from .point_models import BASES, PointRule

__all__ = [
    "COLUMNS", "MOST_FACTORS", "Factor", "Line", "PointRules", "Wanted", "in_force", "now", "read",
    "save", "versions",
]  # fmt: skip

MOST_FACTORS = 60
MOST_POINTS = 1_000_000
MOST_EARNED = 10**12
MOST_PERCENT = 10_000
MOST_DAYS = 36_500


class Factor(NamedTuple):
    """Goods of this item, or of this category, bring so many percent of the usual points."""

    item_id: int | None
    category_id: int | None
    percent: int


class Line(NamedTuple):
    """Goods on a line of a sale: what was paid for all of them, and the tax in it."""

    position: int
    item_id: int
    category_id: int | None
    total_minor: int
    tax_minor: int


@dataclass(frozen=True)
class Wanted:
    """Rules as they are asked for; see `point_models.PointRule`."""

    points: int
    each_minor: int
    currency: str
    least_minor: int = 0
    basis: str = "gross"
    factors: tuple[Factor, ...] = ()
    worth_points: int = 0
    worth_minor: int = 0
    lives_days: int | None = None


@dataclass(frozen=True)
class PointRules:
    """A version of the rules as it is kept."""

    id: int
    currency: str
    points: int
    each_minor: int
    least_minor: int
    basis: str
    factors: tuple[Factor, ...]
    worth_points: int
    worth_minor: int
    lives_days: int | None
    made_by: int | None
    made_at: datetime

    @property
    def can_be_spent(self) -> bool:
        return self.worth_points > 0

    def factor_of(self, item_id: int, category_id: int | None) -> int:
        """Percent of the usual points: what is said of the item, else of its category, else 100."""
        for one in self.factors:
            if one.item_id is not None and one.item_id == item_id:
                return one.percent
        for one in self.factors:
            if one.category_id is not None and one.category_id == category_id:
                return one.percent
        return 100

    def base_minor(self, total_minor: int, tax_minor: int) -> int:
        """What of an amount counts."""
        return total_minor - (tax_minor if self.basis == "net" else 0)

    def factors_of(self, lines: Iterable[Line], percent: int = 100) -> dict[str, int]:
        """The percent of each line, by its position, and so many percent of them for the member's
        tier; whole ones."""
        return {
            str(one.position): self.factor_of(one.item_id, one.category_id) * percent // 100
            for one in lines
        }

    def base_of(self, lines: Iterable[Line]) -> int:
        return sum(self.base_minor(one.total_minor, one.tax_minor) for one in lines)

    def weight_of(self, lines: Iterable[Line], factors: Mapping[str, int]) -> int:
        """What counts of these lines, each by its percent, in hundredths of a minor unit."""
        return sum(
            self.base_minor(one.total_minor, one.tax_minor) * factors.get(str(one.position), 0)
            for one in lines
        )

    def earned(self, lines: Sequence[Line], factors: Mapping[str, int]) -> int:
        """The points of a sale: whole ones, rounded down once over all of it."""
        if self.base_of(lines) < self.least_minor:
            return 0
        points = self.weight_of(lines, factors) * self.points // (self.each_minor * 100)
        return min(points, MOST_EARNED)

    def expires_at(self, at: datetime) -> datetime | None:
        return at + timedelta(days=self.lives_days) if self.lives_days else None


def save(wanted: Wanted, *, made_by: int | None) -> int:
    """Joiner: these rules hold from now on; answers their id. Raises Invalid for what no shop could
    mean."""
    _refuse(wanted)
    row = PointRule(
        currency=wanted.currency, points=wanted.points, each_minor=wanted.each_minor,
        least_minor=wanted.least_minor, basis=wanted.basis,
        factors=[list(one) for one in wanted.factors], worth_points=wanted.worth_points,
        worth_minor=wanted.worth_minor, lives_days=wanted.lives_days, made_by=made_by,
        made_at=clock.now(),
    )  # fmt: skip
    session = in_transaction()
    session.add(row)
    session.flush()
    catalogue.mark_rules()
    logbook.note("points.set", "points", after=vars(wanted))
    return row.id


def _refuse(wanted: Wanted) -> None:
    money.decimals(wanted.currency)
    if not 0 <= wanted.points <= MOST_POINTS:
        raise Invalid(f"Points are 0 to {MOST_POINTS}", field="points")
    if not 1 <= wanted.each_minor <= money.LARGEST_MINOR:
        raise Invalid("An amount is more than 0", field="each")
    if not 0 <= wanted.least_minor <= money.LARGEST_MINOR:
        raise Invalid("This amount is too large", field="least")
    if wanted.basis not in BASES:
        raise Invalid("Points are for amounts with their tax, or without", field="basis")
    if len(wanted.factors) > MOST_FACTORS:
        raise Invalid(f"At most {MOST_FACTORS} goods have points of their own", field="factors")
    for one in wanted.factors:
        if (one.item_id is None) == (one.category_id is None):
            raise Invalid("A factor is for an item or for a category", field="factors")
        if not 0 <= one.percent <= MOST_PERCENT:
            raise Invalid(f"Percent are 0 to {MOST_PERCENT}", field="factors")
    if len({one[:2] for one in wanted.factors}) < len(wanted.factors):
        raise Invalid("Each item and each category has one factor", field="factors")
    if (wanted.worth_points == 0) != (wanted.worth_minor == 0):
        raise Invalid("So many points are so much money", field="worth")
    if not 0 <= wanted.worth_points <= MOST_POINTS:
        raise Invalid(f"Points are 0 to {MOST_POINTS}", field="worth_points")
    if not 0 <= wanted.worth_minor <= money.LARGEST_MINOR:
        raise Invalid("This amount is too large", field="worth")
    if wanted.lives_days is not None and not 1 <= wanted.lives_days <= MOST_DAYS:
        raise Invalid(f"Points live 1 to {MOST_DAYS} days", field="lives_days")


COLUMNS = (
    PointRule.id, PointRule.currency, PointRule.points, PointRule.each_minor,
    PointRule.least_minor, PointRule.basis, PointRule.factors, PointRule.worth_points,
    PointRule.worth_minor, PointRule.lives_days, PointRule.made_by, PointRule.made_at,
)  # fmt: skip


def read(row: Sequence[Any]) -> PointRules:
    """The rules of a row of `COLUMNS`."""
    found = PointRules(*row)
    return replace(found, factors=tuple(Factor(*one) for one in found.factors))


def versions(most: int = 1_000) -> list[PointRules]:
    """The versions, the newest first."""
    return [read(row) for row in _versions.all(most=most)]


_versions = Prepared(
    lambda dialect: (
        select(*COLUMNS).order_by(PointRule.id.desc()).limit(bindparam("most", type_=BigInteger()))
    )
)


def now() -> PointRules | None:
    """The rules that hold now, if there ever were any."""
    found = versions(1)
    return found[0] if found else None


def in_force(found: Iterable[PointRules], at: datetime, currency: str) -> PointRules | None:
    """Of these versions, the newest first, the one of a moment."""
    held = next((one for one in found if one.made_at <= at), None)
    return held if held is not None and held.currency == currency else None
