"""Rules: the offers that are not over, held in memory.

Every quote brings a mark that changes with the offers (`catalogue.rules_mark`), so a process reads
them again when there is something new, and a shop without offers never does. When an offer begins,
ends or pauses by its own times, nothing is read: the clock decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, literal, or_, select

from .. import catalogue, clock
from ..db import connection, shop_engine
from . import point_rules, tiers
from .models import EVERY_DAY, Offer
from .point_rules import PointRules
from .tiers import Plan

__all__ = ["MOST_OPEN", "NONE", "Rule", "Rules", "any_open", "held", "rules_at"]

MOST_OPEN = 300
"""So many offers are open at a time: each is looked at for each line."""


@dataclass(frozen=True)
class Rule:
    """An offer as `models.Offer` keeps it."""

    id: int
    names: dict[str, str]
    kind: str
    value: int
    pays: int | None
    currency: str
    item_id: int | None
    category_id: int | None
    location_id: int | None
    channel: str | None
    audience: str
    starts_at: datetime
    ends_at: datetime | None
    days: int
    from_minute: int | None
    to_minute: int | None
    by_code: bool
    least_minor: int
    most_each: int | None
    tier: int | None = None

    def is_for(self, quote: catalogue.Quote) -> bool:
        """Whether it is for this item."""
        if self.item_id is not None:
            return self.item_id == quote.item_id
        return self.category_id is None or self.category_id == quote.category_id

    def holds_at(self, at: datetime, zone: str) -> bool:
        """Whether it is in force at a moment, by its days and hours in the shop's time zone."""
        if at < self.starts_at or (self.ends_at is not None and at >= self.ends_at):
            return False
        if self.days == EVERY_DAY and self.from_minute is None:
            return True
        here = at.astimezone(ZoneInfo(zone))
        day, minute = here.weekday(), here.hour * 60 + here.minute
        if self.from_minute is not None and self.to_minute is not None:
            if self.from_minute < self.to_minute:
                if not self.from_minute <= minute < self.to_minute:
                    return False
            elif self.to_minute <= minute < self.from_minute:
                return False
            elif minute < self.to_minute:
                day = (day - 1) % 7  # After midnight it is still the night of the day before.
        return bool(self.days >> day & 1)

    def holds_in(self, location_id: int, channel: str, currency: str) -> bool:
        """Whether it is in force at a place, in a channel."""
        return (
            self.currency == currency
            and self.location_id in (None, location_id)
            and self.channel in (None, channel)
        )


@dataclass(frozen=True)
class Rules:
    """The offers of one mark that are had without a code, in order of their ids."""

    mark: int = 0
    offers: tuple[Rule, ...] = ()
    points: PointRules | None = None
    """By which points are spent, where they can be."""
    plan: Plan | None = None
    """The tiers, where there are any."""

    @property
    def asks_for_first(self) -> bool:
        """Whether it matters who buys for the first time."""
        return any(rule.audience == "first" for rule in self.offers)

    @property
    def asks_for_tier(self) -> bool:
        """Whether it matters which tier a member has reached."""
        return any(rule.audience == "tier" for rule in self.offers)

    def concern(self, item_id: int, category_id: int | None, is_known: bool = True) -> bool:
        """Whether any of them, in force now or not, may be for an item; to who is not known, those
        of tiers are not shown."""
        return any(
            rule.item_id == item_id
            or (rule.item_id is None and rule.category_id in (None, category_id))
            for rule in self.offers
            if is_known or rule.audience != "tier"
        )


NONE = Rules()

COLUMNS = (
    Offer.id, Offer.names, Offer.kind, Offer.value, Offer.pays, Offer.currency, Offer.item_id,
    Offer.category_id, Offer.location_id, Offer.channel, Offer.audience, Offer.starts_at,
    Offer.ends_at, Offer.days, Offer.from_minute, Offer.to_minute, Offer.by_code,
    Offer.least_minor, Offer.most_each, Offer.tier,
)  # fmt: skip
"""What a `Rule` is made of, in order."""

_held: WeakKeyDictionary[Engine, Rules] = WeakKeyDictionary()


def held(engine: Engine, mark: int | None) -> Rules | None:
    """The rules of a mark, if this process holds them; asks nobody."""
    if not mark:
        return NONE
    known = _held.get(engine)
    return known if known is not None and known.mark == mark else None


def rules_at(mark: int | None) -> Rules:
    """The rules of a mark that was read with a quote: from memory, or in one statement where they
    have changed."""
    engine = shop_engine()
    known = held(engine, mark)
    if known is None:
        known = _read()
        _held[engine] = known
    return known


def any_open() -> bool:
    """Whether any offer is open, with a code or without."""
    query = select(Offer.id).where(Offer.ended_at.is_(None)).limit(1)
    return connection().execute(query).first() is not None


def _read() -> Rules:
    """What is true now: it may be newer than the mark that was asked for. Mark and offers are read
    in one statement, so that no change comes between them."""
    one = select(literal(1).label("one")).subquery()
    in_force = Offer.ended_at.is_(None) & (Offer.by_code == 0)
    in_force &= or_(Offer.ends_at.is_(None), Offer.ends_at > clock.now())
    query = (
        select(catalogue.rules_mark(), *COLUMNS)
        .select_from(one.outerjoin(Offer, in_force))
        .order_by(Offer.id)
    )
    rows = connection().execute(query).all()
    offers = tuple(Rule(*row[1:]) for row in rows if row[1] is not None)
    points = point_rules.now()
    spends = points is not None and points.can_be_spent
    return Rules(int(rows[0][0] or 0), offers, points if spends else None, tiers.now())
