"""Offers at the till: what the rules of membership need to know of buys and orders, read together.

A shop without offers and a buy without a coupon pay nothing for this: the quotes say so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import select

from .. import catalogue, membership, web
from ..db import connection
from .buying import PriceRose
from .models import Sale

__all__ = ["Offers", "off_rows", "refuse_dearer"]

Key = tuple[str, int | None]
"""A coupon and whose it would be."""


class Asked(Protocol):
    """A buy or an order, as far as its prices go."""

    @property
    def member_id(self) -> int | None: ...
    @property
    def sold_at(self) -> int: ...
    @property
    def channel(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def coupon(self) -> str: ...
    @property
    def points(self) -> int: ...


@dataclass
class Offers:
    """The rules in force, the coupons that were shown, and who has bought nothing yet."""

    rules: membership.Rules = membership.NONE
    coupons: dict[Key, membership.Coupon] = field(default_factory=dict)
    newcomers: set[int] = field(default_factory=set)
    points: dict[int, int] = field(default_factory=dict)
    """What members who want to spend points have of them."""
    tiers: dict[int, frozenset[int]] = field(default_factory=dict)
    """The tiers that members have reached, where a price depends on it."""

    @classmethod
    def read(cls, buys: Sequence[Asked], quotes: Iterable[catalogue.Quote]) -> Offers:
        """What these need; nothing is asked where no rule ever changed a price."""
        mark = next((quote.rules for quote in quotes if quote.rules), 0)
        shown = {(asked.coupon, asked.member_id) for asked in buys if asked.coupon}
        if not mark and not shown:
            return cls()
        rules = membership.rules_at(mark)
        coupons = membership.coupons_for(shown) if shown else {}
        asks = rules.asks_for_first or any(
            each.rule.audience == "first" for each in coupons.values()
        )
        members = {asked.member_id for asked in buys if asked.member_id is not None}
        spend = {asked.member_id for asked in buys if asked.points and asked.member_id is not None}
        points = membership.spendable(spend) if spend and rules.points else {}
        by_tier = rules.asks_for_tier or any(
            each.rule.audience == "tier" for each in coupons.values()
        )
        tiers = membership.tiers_of(members, rules.plan) if by_tier else {}
        return cls(rules, coupons, newcomers(members) if asks else set(), points, tiers)

    def price(
        self, asked: Asked, quotes: Sequence[catalogue.Quote], quantities: Sequence[int],
        at: datetime,
    ) -> list[catalogue.Quote]:  # fmt: skip
        """These lines with what is taken off each. Raises CouponRefused, PointsRefused."""
        if not self.rules.offers and not asked.coupon and not asked.points:
            return list(quotes)
        return membership.priced(quotes, quantities, self.case(asked, at), self.rules)

    def case(self, asked: Asked, at: datetime) -> membership.Case:
        """Who buys where and when. Raises CouponRefused where there is no such coupon,
        PointsRefused where there are not so many points."""
        coupon = None
        if asked.coupon:
            coupon = self.coupons.get((asked.coupon, asked.member_id))
            if coupon is None:
                raise membership.CouponRefused(coupon=asked.coupon, why="unknown")
        there = self.points if self.spends(asked.currency) else {}
        if asked.points > (left := there.get(asked.member_id or 0, 0)):
            raise membership.PointsRefused(asked=asked.points, left=left)
        return membership.Case(
            asked.sold_at, asked.channel, asked.currency, at, str(web.setting("TIME_ZONE")),
            asked.member_id is not None, asked.member_id in self.newcomers, coupon,
            asked.points, self.tiers.get(asked.member_id or 0, frozenset()),
        )  # fmt: skip

    def spends(self, currency: str) -> bool:
        """Whether points can be spent on what costs this currency."""
        return self.rules.points is not None and self.rules.points.currency == currency

    def taken(self, asked: Asked, quotes: Sequence[catalogue.Quote]) -> None:
        """It will stand: who comes next in the same batch finds what it leaves."""
        if asked.member_id is not None:
            self.newcomers.discard(asked.member_id)
        if asked.points and asked.member_id is not None:
            self.points[asked.member_id] -= sum(
                each.points or 0 for quote in quotes for each in quote.off
            )
        if not asked.coupon:
            return
        for key, each in self.coupons.items():
            if each.code != self.coupons[asked.coupon, asked.member_id].code:
                continue
            left = None if each.left is None else each.left - 1
            mine = each.left_mine
            if mine is not None and key[1] == asked.member_id:
                mine -= 1
            self.coupons[key] = replace(each, left=left, left_mine=mine)


def newcomers(members: Collection[int]) -> set[int]:
    """Those of these members who have bought nothing before, and are not just paying for it."""
    if not members:
        return set()
    bought = select(Sale.member_id).where(Sale.member_id.in_(members)).distinct()
    old = {int(row[0] or 0) for row in connection().execute(bought)}
    return set(members) - old - membership.has_had_first(members)


def off_rows(
    quotes: Iterable[catalogue.Quote],
) -> list[tuple[int, tuple[catalogue.Off, ...]]]:
    """What is taken off lines that begin at position 1."""
    return [(at, quote.off) for at, quote in enumerate(quotes, start=1) if quote.off]


def refuse_dearer(
    seen_minor: int | None, total_minor: int, currency: str, quotes: Sequence[catalogue.Quote]
) -> None:
    """All of it together may not cost more than the page said: an offer that is over asks, like a
    price that rose. Raises PriceRose."""
    if seen_minor is None or total_minor <= seen_minor:
        return
    rise = {"item": quotes[0].code if len(quotes) == 1 else "", "seen_minor": seen_minor,
            "price_minor": total_minor, "of": "total"}  # fmt: skip
    raise PriceRose(rises=[rise], currency=currency)
