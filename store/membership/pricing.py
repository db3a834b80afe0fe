"""Pricing: the one place that decides what offers and a coupon take off which line.

The rules, for the shopper:

1. Of each unit one offer is taken off, the one that is best for the shopper.
2. So many for the price of fewer: the dearest units are put together first, and of each such group
   the cheapest are free; only where that is worth more than what the units would get otherwise.
   What is free is spread over the group by price, so that each unit has a price of its own.
3. Then one coupon, off what is left of the goods it is for.
4. Then points, off what is left of all goods.
5. Nothing costs less than 0, and nothing is taken off twice.

Deposits and what delivery costs are never reduced. Percent are rounded in the shopper's favour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .. import catalogue, money
from ..catalogue.markdowns import reduced_minor
from .coupons import Coupon
from .point_rules import PointRules
from .rules import Rule, Rules

__all__ = ["Case", "priced", "would_hold"]

Quote = catalogue.Quote


@dataclass(frozen=True)
class Case:
    """Where, how, when and for whom goods are priced. `zone` is the shop's time zone; `is_known`
    says that it is in a member's name, `is_first` that they have bought nothing before, `tiers`
    which tiers they have reached."""

    location_id: int
    channel: str
    currency: str
    at: datetime
    zone: str
    is_known: bool = False
    is_first: bool = False
    coupon: Coupon | None = None
    points: int = 0
    """At most so many points are spent."""
    tiers: frozenset[int] = frozenset()

    def allows(self, rule: Rule) -> bool:
        """Whether an offer is in force here and now, for this shopper."""
        return (
            rule.holds_in(self.location_id, self.channel, self.currency)
            and (rule.audience == "all" or self.is_known)
            and (rule.audience != "first" or self.is_first)
            and (rule.audience != "tier" or rule.tier in self.tiers)
            and rule.holds_at(self.at, self.zone)
        )


def priced(
    quotes: Sequence[Quote], quantities: Sequence[int], case: Case, rules: Rules
) -> list[Quote]:
    """These lines with what is taken off each. Raises CouponRefused where the coupon of the case
    takes nothing off them."""
    offers = [rule for rule in rules.offers if case.allows(rule)]
    if not offers and case.coupon is None and not case.points:
        return list(quotes)
    found = [_Line(quote, many, many) for quote, many in zip(quotes, quantities)]
    for line in found:
        line.best = _best(line.quote, offers)
    for rule in offers:
        if rule.kind == "n_for_m":
            _group([line for line in found if rule.is_for(line.quote)], rule)
    for line in found:
        if line.best is not None and line.left:
            line.take(line.best[1], line.best[0] * line.left)
    if case.coupon is not None:
        _take_coupon(found, case.coupon, case)
    if case.points and rules.points is not None:
        _take_points(found, case.points, rules.points)
    return [line.quote._replace(off=tuple(line.off)) if line.off else line.quote for line in found]


def would_hold(quote: Quote, case: Case, rules: Rules) -> list[Rule]:
    """Offers for an item that hold here and now for a member, or for more of it: so many for the
    price of fewer, and what somebody who is not known yet would get."""
    known = replace(case, is_known=True, is_first=case.is_first or not case.is_known)
    return [
        rule
        for rule in rules.offers
        if known.allows(rule)
        and rule.is_for(quote)
        and (rule.kind == "n_for_m" or not case.is_known)
        and (rule.kind != "price" or rule.value < quote.amount_minor)
    ]


@dataclass
class _Line:
    """So many of a quote; `left` of them are in no group, and `best` is what one of those gets."""

    quote: Quote
    quantity: int
    left: int
    best: tuple[int, Rule] | None = None

    def __post_init__(self) -> None:
        self.off: list[catalogue.Off] = []

    @property
    def unit_minor(self) -> int:
        return self.quote.amount_minor

    @property
    def best_minor(self) -> int:
        return self.best[0] if self.best is not None else 0

    @property
    def remains_minor(self) -> int:
        return self.unit_minor * self.quantity - sum(each.amount_minor for each in self.off)

    def take(self, rule: Rule, amount_minor: int, coupon_id: int | None = None) -> None:
        """So much off; what one offer takes off a line is said once."""
        if not amount_minor:
            return
        for at, each in enumerate(self.off):
            if (each.offer_id, each.coupon_id) == (rule.id, coupon_id):
                self.off[at] = each._replace(amount_minor=each.amount_minor + amount_minor)
                return
        first = rule.audience == "first"
        self.off.append(catalogue.Off(rule.id, rule.names, amount_minor, coupon_id, first))


def _best(quote: Quote, offers: Sequence[Rule]) -> tuple[int, Rule] | None:
    """What the best offer for one unit takes off it; of two that are as good the older one."""
    best: tuple[int, Rule] | None = None
    for rule in offers:
        if rule.kind == "n_for_m" or not rule.is_for(quote):
            continue
        off = _off_unit(rule, quote.amount_minor)
        if off > 0 and (best is None or off > best[0]):
            best = off, rule
    return best


def _off_unit(rule: Rule, amount_minor: int) -> int:
    if rule.kind == "percent":
        return amount_minor - reduced_minor(amount_minor, rule.value)
    if rule.kind == "amount":
        return min(rule.value, amount_minor)
    return amount_minor - rule.value


def _group(lines: list[_Line], rule: Rule) -> None:
    """Put the units of these lines together, the dearest first, and take off the cheapest of each
    group. Each step uses up a line or takes one out, so it ends however many units there are."""
    size, free = rule.value, rule.value - (rule.pays or 0)
    waiting = sorted((line for line in lines if line.left), key=lambda line: -line.unit_minor)
    while sum(line.left for line in waiting) >= size:
        first = waiting[0]
        if first.left >= size:
            many = first.left // size
            if first.unit_minor * free > first.best_minor * size:
                first.take(rule, first.unit_minor * free * many)
                first.left -= many * size
            else:
                waiting.pop(0)
        elif not _mixed(waiting, rule, size, free):
            waiting.pop(0)
        waiting = [line for line in waiting if line.left]


def _mixed(waiting: list[_Line], rule: Rule, size: int, free: int) -> bool:
    """One group out of several lines; False where the shopper is better off without it."""
    members, wanted = list[tuple[_Line, int]](), size
    for line in waiting:
        many = min(line.left, wanted)
        members.append((line, many))
        wanted -= many
        if not wanted:
            break
    gain, wanted = 0, free
    for line, many in reversed(members):
        gain += line.unit_minor * min(many, wanted)
        wanted -= min(many, wanted)
    if gain <= sum(line.best_minor * many for line, many in members):
        return False
    parts = money.share(gain, [line.unit_minor * many for line, many in members])
    for (line, many), part in zip(members, parts):
        line.take(rule, part)
        line.left -= many
    return True


def _take_coupon(lines: list[_Line], coupon: Coupon, case: Case) -> None:
    rule = coupon.rule
    coupon.refuse(case.location_id, case.channel, case.currency, case.at, case.zone,
                  is_known=case.is_known, is_first=case.is_first, tiers=case.tiers)  # fmt: skip
    mine = [line for line in lines if rule.is_for(line.quote)]
    base = sum(line.remains_minor for line in mine)
    if base <= 0 or base < rule.least_minor:
        raise coupon.refused("too_little", least_minor=rule.least_minor, currency=case.currency)
    off = min(rule.value, base) if rule.kind == "amount" else base - reduced_minor(base, rule.value)
    for line, part in zip(mine, money.share(off, [line.remains_minor for line in mine])):
        line.take(rule, part, coupon.id)


def _take_points(lines: list[_Line], most: int, rules: PointRules) -> None:
    """So many points, and no more than what is left is worth: in whole coins, over all goods by
    what they still cost."""
    left = [line.remains_minor for line in lines]
    off = min(most * rules.worth_minor // rules.worth_points, sum(left))
    many = -(-off * rules.worth_points // rules.worth_minor)
    parts = money.share(off, left) if off else []
    names = {"en": f"{many} points", "zh": f"{many} 积分抵扣"}
    for line, part, points in zip(lines, parts, money.share(many, parts) if off else ()):
        if part:
            line.off.append(catalogue.Off(0, names, part, points=points))
