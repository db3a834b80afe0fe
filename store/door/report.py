"""What the exit did in a time: passes, checks and what they found, the waiting; and whether it was
fair: who was looked at by which rule, how often something was wrong, and whether each rule chose as
often as it says. No features of persons are asked: what is known is the purchase.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, and_, exists, func, select, type_coerce

from ..db import connection
from ..sales.ages.age_models import AgeCheck
from ..sales.models import Sale
from . import rules
from .checks import NEITHER
from .models import AwayCheck, ExitCheck, ExitRules, SpotCheck
from .uses import ACCEPTED

HOUR_US = 3_600_000_000
SIGMAS = 3.3
"""A right rule is further off than this once in a thousand reports."""
MOST_VERSIONS = 50


@dataclass
class Bags:
    """Bags of one kind: how many were decided about, looked at, and what was found."""

    decided: int = 0
    chosen: int = 0
    right: int = 0
    missing: int = 0
    extra: int = 0
    refused: int = 0
    charged_minor: int = 0
    refunded_minor: int = 0
    waited_s: float = 0.0
    longest_s: float = 0.0

    @property
    def ended(self) -> int:
        return self.right + self.missing + self.extra

    @property
    def wrong(self) -> int:
        """In how many something was there that nobody had paid."""
        return self.missing + self.refused

    @property
    def hit_rate(self) -> float | None:
        """Which part of those that were looked at had something unpaid, or stayed here."""
        over = self.ended + self.refused
        return self.wrong / over if over else None

    @property
    def share(self) -> float | None:
        return self.chosen / self.decided if self.decided else None

    @property
    def mean_wait_s(self) -> float | None:
        over = self.ended + self.refused
        return self.waited_s / over if over else None

    def add(self, row: Any) -> None:
        self.decided += row.many
        if row.kind == "none":
            return
        self.chosen += row.many
        if row.state == "refused":
            self.refused += row.many
        elif row.outcome is not None:
            name = {"ok": "right", "extra": "extra"}.get(row.outcome, "missing")
            setattr(self, name, getattr(self, name) + row.many)
            self.charged_minor += int(row.charged)
            self.refunded_minor += int(row.refunded)
        self.waited_s += float(row.waited or 0) / 1e6
        self.longest_s = max(self.longest_s, float(row.longest or 0) / 1e6)


class Die(NamedTuple):
    """A rule as it was set, with the sales that it was about: how many it chose, and how many it
    should have, least and most."""

    rule: str
    rate_bp: int
    set_at: datetime
    about: int
    chosen: int
    least: float
    most: float

    @property
    def fits(self) -> bool:
        return self.least <= self.chosen <= self.most


@dataclass
class Report:
    """Everything about a place (or all of them) in a time."""

    all: Bags = field(default_factory=Bags)
    by_rule: dict[str, Bags] = field(default_factory=dict)
    newcomers: Bags = field(default_factory=Bags)
    returning: Bags = field(default_factory=Bags)
    hours: dict[int, Bags] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)
    """Questions about an age, by how they ended; "open" are those that nobody has answered."""
    dice: list[Die] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.outcomes.get(ACCEPTED, 0)

    @property
    def refused(self) -> int:
        """Passes that were refused, whatever for; a bag that is looked at first is none."""
        neither = (ACCEPTED, *NEITHER)
        return sum(many for name, many in self.outcomes.items() if name not in neither)


class Asked(NamedTuple):
    """A time, from and until, and a place; None is all."""

    start: datetime
    end: datetime
    location_id: int | None = None


def report(asked: Asked, zone: str) -> Report:
    """The report of a time. Five statements, and one for each version of the rules in it."""
    found = Report()
    by_rule: defaultdict[str, Bags] = defaultdict(Bags)
    hours: defaultdict[int, Bags] = defaultdict(Bags)
    where = ZoneInfo(zone)
    for row in connection().execute(_decisions(asked)):
        at = datetime.fromtimestamp(row.hour * 3600, UTC).astimezone(where)
        kinds = [found.all, found.newcomers if row.newcomer else found.returning, hours[at.hour]]
        for bags in [*kinds, *([by_rule[row.rule]] if row.rule else [])]:
            bags.add(row)
    found.by_rule = {rule: by_rule[rule] for rule in rules.WHY if rule in by_rule}
    found.hours = dict(sorted(hours.items()))
    found.outcomes = _counted(ExitCheck, ExitCheck.outcome, asked)
    found.flags = _counted(AwayCheck, AwayCheck.flag, asked)
    found.ages = _counted(AgeCheck, AgeCheck.state, asked, AgeCheck.way == "exit")
    found.dice = _dice(asked)
    return found


def _within(table: Any, asked: Asked) -> Any:
    inside = and_(table.at >= asked.start, table.at < asked.end)
    return inside if asked.location_id is None else and_(
        inside, table.location_id == asked.location_id)  # fmt: skip


def _decisions(asked: Asked) -> Any:
    check, at = SpotCheck, type_coerce(SpotCheck.at, BigInteger)
    # Integer division; in an hour the zone's offset does not change but at its full quarters.
    hour = (at // HOUR_US).label("hour")
    took = type_coerce(check.ended_at, BigInteger) - at
    groups = (hour, check.rule, check.kind, check.newcomer, check.state, check.outcome)
    return (
        select(*groups, func.count().label("many"), func.sum(took).label("waited"),
               func.max(took).label("longest"), func.sum(check.charged_minor).label("charged"),
               func.sum(check.refunded_minor).label("refunded"))
        .where(_within(check, asked))
        .group_by(*groups)
    )  # fmt: skip


def _counted(table: Any, column: Any, asked: Asked, *more: Any) -> dict[str, int]:
    query = select(column, func.count()).where(_within(table, asked), column.is_not(None), *more)
    return {row[0]: int(row[1]) for row in connection().execute(query.group_by(column))}


# Whether the rules chose as often as they say


def _dice(asked: Asked) -> list[Die]:
    found = []
    used = select(SpotCheck.rules_id).where(_within(SpotCheck, asked)).distinct()
    query = select(ExitRules).where(ExitRules.id.in_(used)).order_by(ExitRules.id.desc())
    for row in connection().execute(query.limit(MOST_VERSIONS)):
        found += _of_version(row.id, rules.kept(row.rules), row.at, asked)
    return found


def _of_version(version: int, held: rules.Rules, at: datetime, asked: Asked) -> list[Die]:
    """The rules whose sales can be told afterwards: by amount, first purchases, by chance. A rule
    is asked of the sales that none before it chose; staff's own sales are asked none, and an exit
    without a network asks not all."""
    large = (Sale.total_minor >= held.amount_minor).label("large")
    away = exists().where(AwayCheck.sale_id == SpotCheck.sale_id)
    query = (
        select(SpotCheck.rule, SpotCheck.newcomer, large, func.count().label("many"))
        .join(Sale, Sale.id == SpotCheck.sale_id)
        .where(_within(SpotCheck, asked), SpotCheck.rules_id == version)
        .where(Sale.sold_by.is_(None), ~away)
        .group_by(SpotCheck.rule, SpotCheck.newcomer, large)
    )
    about: Counter[str] = Counter()
    chosen: Counter[str] = Counter()
    for row in connection().execute(query):
        asked_of = {"amount": row.large, "first": row.newcomer, "random": True}
        for rule in rules.WHY[rules.WHY.index("amount") :]:
            if asked_of[rule] and (row.rule is None or not _before(row.rule, rule)):
                about[rule] += row.many
        if row.rule is not None:
            chosen[row.rule] += row.many
    rates = {"amount": (held.amount_bp,) * 2, "first": (held.first_bp,) * 2,
             "random": (held.trusted_bp if held.trusted_after else held.random_bp,
                        held.random_bp)}  # fmt: skip
    return [
        Die(rule, most, at, about[rule], chosen[rule], *bounds(about[rule], least, most))
        for rule, (least, most) in rates.items()
        if most and about[rule]
    ]


def _before(one: str, other: str) -> bool:
    return rules.WHY.index(one) < rules.WHY.index(other)


def bounds(about: int, least_bp: int, most_bp: int) -> tuple[float, float]:
    """Between which numbers a right die lies but once in a thousand: of so many sales, each chosen
    with a chance between the two."""

    def spread(rate_bp: int) -> float:
        rate = rate_bp / rules.WHOLE_BP
        return SIGMAS * math.sqrt(about * rate * (1 - rate))

    low, high = (about * rate / rules.WHOLE_BP for rate in (least_bp, most_bp))
    # One more on either side: a bell has no steps, and counts have.
    least = max(low - spread(least_bp) - (0 < least_bp < rules.WHOLE_BP), 0.0)
    most = min(high + spread(most_bp) + (0 < most_bp < rules.WHOLE_BP), float(about))
    return least, most
