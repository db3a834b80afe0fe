"""Results: what a campaign brought, measured against those who were told nothing.

Everybody whose turn came counts in the group that they were drawn for, told or not, from their turn
on (to compare as they were drawn: "intention to treat"); who was skipped or could not be reached
counts among those who were to be told, because nobody knows who would have been among the others.
Two accounts that came together are one person, in the group of the first turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from .. import clock, membership
from ..db import connection
from ..identity.merged import now_in
from ..reports import afterwards
from . import effects
from .effects import Group, Interval
from .models import Campaign, CampaignMember

__all__ = ["GROUPS", "Entry", "Result", "entries", "own_codes", "result"]

GROUPS = ("told", "held")


class Result(NamedTuple):
    """Both groups, the difference for each member and of the share that bought, how far all of it
    goes, and the states of its members, with the reasons of those that were skipped."""

    told: Group
    held: Group
    takings: Interval | None
    share: Interval | None
    states: Counter[str]
    whys: Counter[str]
    until: datetime | None

    @property
    def verdict(self) -> str:
        """nobody_held, too_few, chance, more or less."""
        if not self.held.many:
            return "nobody_held"
        if self.takings is None or not effects.is_enough(self.told, self.held):
            return "too_few"
        if not self.takings.is_clear:
            return "chance"
        return "more" if self.takings.low > 0 else "less"

    @property
    def is_over(self) -> bool:
        return self.until is not None and clock.now() >= self.until


class Entry(NamedTuple):
    """One person of a campaign, as the lists show them."""

    member_id: int
    held: bool
    state: str
    why: str
    turn_at: datetime | None
    told_at: datetime | None
    sales: int
    net_minor: int


def result(plan: Campaign, currency: str) -> Result:
    people = _people(plan.id)
    rows = people.subquery()
    query = select(rows.c.held, func.count()).group_by(rows.c.held)
    many = {bool(held): int(count) for held, count in connection().execute(query)}
    held = set(connection().execute(select(rows.c.key).where(rows.c.held == 1)).scalars())
    found = afterwards.bought(people, currency)
    told_group = _group(many.get(False, 0), [one for one in found if one.key not in held])
    held_group = _group(many.get(True, 0), [one for one in found if one.key in held])
    states, whys = _states(plan.id)
    last = select(func.max(CampaignMember.until_at))
    until = connection().scalar(last.where(CampaignMember.campaign_id == plan.id))
    return Result(
        told_group, held_group, effects.means(told_group, held_group),
        effects.shares(told_group, held_group), states, whys, until,
    )  # fmt: skip


def own_codes(campaign_id: int) -> tuple[int, int]:
    """How many members have a code of their own from it, and how many of these were used."""
    mine = select(CampaignMember.coupon_id).where(
        CampaignMember.campaign_id == campaign_id, CampaignMember.coupon_id.is_not(None)
    )
    return membership.own_uses(mine)


def _group(many: int, bought: Iterable[afterwards.Bought]) -> Group:
    kept = [one.net_minor for one in bought if one.net_minor > 0]
    return Group(many, len(kept), sum(kept), sum(net * net for net in kept))


def _states(campaign_id: int) -> tuple[Counter[str], Counter[str]]:
    columns = (CampaignMember.state, CampaignMember.why)
    query = select(*columns, func.count()).where(CampaignMember.campaign_id == campaign_id)
    states, whys = Counter[str](), Counter[str]()
    for state, why, many in connection().execute(query.group_by(*columns)):
        states[state] += many
        if why:
            whys[why] += many
    return states, whys


def _people(campaign_id: int) -> Select[Any]:
    """Each person whose turn came, once: by the row of the first turn."""
    person = now_in(CampaignMember.member_id)
    first = func.row_number().over(
        partition_by=person, order_by=(CampaignMember.turn_at, CampaignMember.member_id)
    )
    rows = (
        select(
            CampaignMember.member_id.label("key"), person.label("person"), CampaignMember.held,
            CampaignMember.turn_at.label("since"), CampaignMember.until_at.label("until"),
            first.label("nth"),
        )
        .where(CampaignMember.campaign_id == campaign_id, CampaignMember.turn_at.is_not(None))
        .subquery()
    )  # fmt: skip
    kept = (rows.c.key, rows.c.person, rows.c.held, rows.c.since, rows.c.until)
    return select(*kept).where(rows.c.nth == 1)


def entries(
    plan: Campaign, currency: str, *, group: str = "", state: str = "", bought: bool = False
) -> list[Entry]:
    """The people that a figure is made of: of a group, in a state, of whom kept something. With a
    group or with `bought` each person is there once, as the result counts them."""
    counted = select(_people(plan.id).subquery().c.key)
    columns = (CampaignMember.member_id, CampaignMember.held, CampaignMember.state,
               CampaignMember.why, CampaignMember.turn_at, CampaignMember.told_at)  # fmt: skip
    query = select(*columns).where(CampaignMember.campaign_id == plan.id)
    if group or bought:
        query = query.where(CampaignMember.member_id.in_(counted))
    if group:
        query = query.where(CampaignMember.held == int(group == "held"))
    if state:
        query = query.where(CampaignMember.state == state)
    spent = {one.key: one for one in afterwards.bought(_people(plan.id), currency)}
    found = []
    for row in connection().execute(query.order_by(CampaignMember.member_id)):
        one = spent.get(row.member_id)
        net = one.net_minor if one else 0
        if not bought or net > 0:
            found.append(
                Entry(row.member_id, bool(row.held), row.state, row.why, row.turn_at, row.told_at,
                      one.sales if one else 0, net)
            )  # fmt: skip
    return found
