"""Tiers: how far a member has come, by what they bought in the last so many days.

The rule: a member is in the highest tier whose threshold they have reached. What counts stands in
the entries of points: what was paid for goods (or the points that it brought) in the last so many
days of sales, and less what went back of those sales, however long after. So who buys and gives
back is where they were before, also when the sale leaves the period and its refund would not have.

A tier is never stored: it follows from the entries, at the moment in which it is asked for. What
an account earned that came into another one of its person counts there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from .. import clock
from ..db import connection
from ..identity.merge_models import Merge
from ..identity.merged import all_of
from .point_models import PointEntry
from .tier_models import TierPlan

__all__ = [
    "COUNTS", "USUAL", "History", "Plan", "Standing", "Tier", "keys_of", "names_now", "now",
    "standing_of", "values", "versions",
]  # fmt: skip

COUNTS = ("earned", "taken_back")
USUAL = 100


class Tier(NamedTuple):
    """A tier: see `tier_models.TierPlan`."""

    key: int
    names: dict[str, str]
    least: int
    percent: int = USUAL
    off_percent: int = 0
    offer_id: int | None = None
    free_delivery: bool = False


@dataclass(frozen=True)
class Plan:
    """A version of the tiers, the lowest first."""

    id: int
    currency: str
    basis: str
    days: int
    tiers: tuple[Tier, ...]
    made_by: int | None
    made_at: datetime

    def reached(self, value: int) -> tuple[Tier, ...]:
        """The tiers that so much reaches."""
        return tuple(one for one in self.tiers if one.least <= value)

    def since(self, at: datetime) -> datetime:
        """What was sold after this counts at a moment."""
        return at - timedelta(days=self.days)

    def free_delivery(self, reached: Collection[int]) -> Tier | None:
        """The first of these tiers that has its orders delivered for nothing."""
        free = (one for one in self.tiers if one.free_delivery and one.key in reached)
        return next(free, None)

    def named(self, key: int) -> Tier | None:
        return next((one for one in self.tiers if one.key == key), None)


class Standing(NamedTuple):
    """Where a member stands: `value` in minor units, or points; `tier` is None below the first."""

    plan: Plan
    value: int

    @property
    def reached(self) -> tuple[Tier, ...]:
        return self.plan.reached(self.value)

    @property
    def tier(self) -> Tier | None:
        return self.reached[-1] if self.reached else None

    @property
    def following(self) -> Tier | None:
        return next((one for one in self.plan.tiers if one.least > self.value), None)

    @property
    def missing(self) -> int:
        """How much more the next tier takes; 0 in the highest."""
        return self.following.least - self.value if self.following is not None else 0


def versions(most: int = 1_000) -> list[Plan]:
    """The versions, the newest first."""
    columns = (TierPlan.id, TierPlan.currency, TierPlan.basis, TierPlan.days, TierPlan.tiers,
               TierPlan.made_by, TierPlan.made_at)  # fmt: skip
    query = select(*columns).order_by(TierPlan.id.desc()).limit(most)
    return [
        Plan(row[0], row[1], row[2], row[3], tuple(Tier(**one) for one in row[4]), row[5], row[6])
        for row in connection().execute(query)
    ]


def now() -> Plan | None:
    """The tiers that there are now, if there are any."""
    found = versions(1)
    return found[0] if found and found[0].tiers else None


def names_now() -> dict[int, dict[str, str]]:
    """The names of the tiers that there are, by their keys, the lowest first."""
    plan = now()
    return {one.key: one.names for one in plan.tiers} if plan is not None else {}


def values(
    plan: Plan, at: datetime, member_ids: Collection[int] | None = None
) -> Mapping[int, int]:
    """What counts of these members (of all) at a moment; who has bought nothing is left out."""
    earned, entry = aliased(PointEntry), aliased(PointEntry)
    value = entry.base_minor if plan.basis == "spending" else entry.points
    whose = func.coalesce(Merge.now_id, earned.member_id)
    query = (
        select(whose, func.sum(value))
        .select_from(earned)
        .join(entry, entry.sale_id == earned.sale_id)
        .outerjoin(Merge, Merge.gone_id == earned.member_id)
        .where(earned.kind == "earned", earned.at > plan.since(at), entry.kind.in_(COUNTS))
        .group_by(whose)
    )
    if member_ids is not None:
        query = query.where(earned.member_id.in_(all_of(member_ids)))
    return {row[0]: int(row[1]) for row in connection().execute(query)}


def standing_of(member_id: int, plan: Plan) -> Standing:
    """Where a member stands now. One statement."""
    return Standing(plan, values(plan, clock.now(), [member_id]).get(member_id, 0))


def keys_of(member_ids: Collection[int], plan: Plan | None) -> dict[int, frozenset[int]]:
    """The tiers that these members have reached now, theirs and those below, by their keys."""
    if plan is None or not member_ids:
        return {}
    found = values(plan, clock.now(), member_ids)
    return {
        each: frozenset(one.key for one in plan.reached(found.get(each, 0)))
        for each in member_ids
    }  # fmt: skip


class History:
    """What members have earned, for the tier of any moment of theirs: so a sale brings the points
    of the tier in which it was bought, whenever it is booked."""

    def __init__(self, plans: Sequence[Plan], rows: Iterable[Any] = ()) -> None:
        self._plans = plans
        self._sales: dict[int, dict[str, list[tuple[datetime, int, int]]]] = {}
        for row in rows:
            self._note(*row)

    @classmethod
    def read(cls, wanted: Mapping[int, datetime]) -> History:
        """What is booked of these members, from before the first moment that will be asked for.
        One statement in a shop whose tiers change no points."""
        plans = versions()
        if not wanted or not any(t.percent != USUAL for plan in plans for t in plan.tiers):
            return cls(())
        since = min(wanted.values()) - timedelta(days=max(plan.days for plan in plans))
        whose = func.coalesce(Merge.now_id, PointEntry.member_id)
        columns = (whose, PointEntry.sale_id, PointEntry.kind, PointEntry.at,
                   PointEntry.base_minor, PointEntry.points)  # fmt: skip
        query = select(*columns).outerjoin(Merge, Merge.gone_id == PointEntry.member_id)
        query = query.where(PointEntry.member_id.in_(all_of(wanted)))
        query = query.where(PointEntry.at > since, PointEntry.kind.in_(COUNTS))
        return cls(plans, connection().execute(query.order_by(PointEntry.id)))

    def note(self, row: Mapping[str, Any]) -> None:
        """An entry that is about to be booked."""
        if row["kind"] in COUNTS:
            self._note(row["member_id"], row["sale_id"], row["kind"], row["at"],
                       row["base_minor"], row["points"])  # fmt: skip

    def percent(self, member_id: int, at: datetime) -> int:
        """The percent of the usual points that a purchase at a moment brings."""
        plan = next((one for one in self._plans if one.made_at <= at), None)
        reached = plan.reached(self._value(member_id, plan, at)) if plan is not None else ()
        return reached[-1].percent if reached else USUAL

    def _note(
        self, member_id: int, sale_id: str, kind: str, at: datetime, base: int, points: int
    ) -> None:
        of = self._sales.setdefault(member_id, {})
        if kind == "earned":
            of.setdefault(sale_id, []).insert(0, (at, base, points))
        elif sale_id in of:
            of[sale_id].append((at, base, points))

    def _value(self, member_id: int, plan: Plan, at: datetime) -> int:
        since, by_money = plan.since(at), plan.basis == "spending"
        return sum(
            base if by_money else points
            for of in self._sales.get(member_id, {}).values()
            if since < of[0][0] < at
            for when, base, points in of
            if when <= at
        )
