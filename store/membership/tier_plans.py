"""Plans: how an owner sets the tiers, and the offers that give a tier its price.

What a tier takes off all goods is an offer like any other, for who has reached it: so it meets
other offers by the same rules, and stands on the basket's line and the receipt with its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import catalogue, clock, logbook, money
from ..db import in_transaction
from ..errors import Invalid
from . import offers, point_rules, tiers
from .tier_models import BASES, TierPlan
from .tiers import USUAL, Plan, Tier

__all__ = ["LONGEST_NAME", "MOST_DAYS", "MOST_PERCENT", "MOST_TIERS", "Wanted", "save"]

MOST_TIERS = 6
MOST_DAYS = 3_660
MOST_PERCENT = 1_000
LONGEST_NAME = 40


@dataclass(frozen=True)
class Wanted:
    """Tiers as they are asked for, in any order; a tier with the key 0 is a new one."""

    basis: str
    days: int
    currency: str
    tiers: tuple[Tier, ...]


def save(wanted: Wanted, *, made_by: int | None) -> int:
    """Joiner: these tiers hold from now on (none: there are no tiers any more), and their offers
    begin and end with them; answers the plan's id. Raises Invalid for what no shop could mean."""
    _refuse(wanted)
    catalogue.mark_rules()  # First: who saves at the same moment waits here.
    before = tiers.now()
    if {one.key for one in wanted.tiers} - {0} - _keys():
        raise Invalid("There is no such tier any more", field="tiers")
    if wanted.tiers and point_rules.now() is None:
        raise Invalid("Tiers follow from points: save the rules of points first", field="points")
    session, free = in_transaction(), max(_keys(), default=0) + 1
    found = []
    for one in sorted(wanted.tiers, key=lambda each: each.least):
        if not one.key:
            one, free = one._replace(key=free), free + 1
        found.append(one._replace(offer_id=_kept(one, before)))
    plan = TierPlan(
        currency=wanted.currency, basis=wanted.basis, days=wanted.days,
        tiers=[one._asdict() for one in found], made_by=made_by, made_at=clock.now(),
    )  # fmt: skip
    session.add(plan)
    session.flush()
    kept = {one.offer_id for one in found}
    for old in before.tiers if before is not None else ():
        if old.offer_id is not None and old.offer_id not in kept:
            offers.end(old.offer_id, by=made_by)
    plan.tiers = [_with_offer(one, wanted.currency, made_by)._asdict() for one in found]
    session.flush()
    logbook.note("tiers.set", "tiers", after=_said(wanted))
    return plan.id


def _keys() -> set[int]:
    """The keys that tiers have or had: none is given twice."""
    return {one.key for plan in tiers.versions() for one in plan.tiers}


def _kept(one: Tier, before: Plan | None) -> int | None:
    """The offer that goes on giving a tier its price, where nothing about it has changed."""
    old = before.named(one.key) if before is not None else None
    same = old is not None and (old.off_percent, old.names) == (one.off_percent, one.names)
    return old.offer_id if old is not None and same else None


def _with_offer(one: Tier, currency: str, made_by: int | None) -> Tier:
    if not one.off_percent or one.offer_id is not None:
        return one
    names = {"en": f"{one.names['en']}: {one.off_percent}% off",
             "zh": f"{one.names['zh']}：优惠 {one.off_percent}%"}  # fmt: skip
    wanted = offers.Wanted("percent", one.off_percent, currency, names=names, audience="tier",
                           tier=one.key)  # fmt: skip
    return one._replace(offer_id=offers.add(wanted, made_by=made_by))


def _said(wanted: Wanted) -> dict[str, Any]:
    return {"basis": wanted.basis, "days": wanted.days,
            "tiers": [[one.names["en"], one.least, one.percent, one.off_percent,
                       one.free_delivery] for one in wanted.tiers]}  # fmt: skip


def _refuse(wanted: Wanted) -> None:
    money.decimals(wanted.currency)
    if wanted.basis not in BASES:
        raise Invalid("Tiers go by spending or by points", field="basis")
    if not 1 <= wanted.days <= MOST_DAYS:
        raise Invalid(f"The period is 1 to {MOST_DAYS} days", field="days")
    if len(wanted.tiers) > MOST_TIERS:
        raise Invalid(f"There are at most {MOST_TIERS} tiers", field="tiers")
    for at, one in enumerate(wanted.tiers, start=1):
        if set(one.names) != {"en", "zh"} or not all(
            0 < len(name) <= LONGEST_NAME for name in one.names.values()
        ):
            raise Invalid("A tier has a name", field=f"name-{at}")
        if not 0 <= one.least <= money.LARGEST_MINOR:
            raise Invalid("A threshold is 0 or more", field=f"least-{at}")
        if not USUAL <= one.percent <= MOST_PERCENT:
            raise Invalid(f"Points are {USUAL} to {MOST_PERCENT} percent", field=f"percent-{at}")
        if not 0 <= one.off_percent <= 100:
            raise Invalid("Percent off are 0 to 100", field=f"off-{at}")
    keys = [one.key for one in wanted.tiers if one.key]
    if len({one.least for one in wanted.tiers}) < len(wanted.tiers) or len(set(keys)) < len(keys):
        raise Invalid("Each tier begins at an amount of its own", field="tiers")
