"""Coupons: codes that bring an offer, and the count of what may be had so many times; points that
are spent are counted beside them.

A use is counted by one guarded statement, in the transaction of the sale; two at once cannot both
have the last one. A payment from outside keeps its use from the moment in which its goods are kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from .. import catalogue, clock, ids
from ..db import connection, in_transaction
from ..errors import Refusal
from . import point_uses
from .models import CouponCode, Offer, OfferUse
from .rules import COLUMNS, Rule

__all__ = [
    "Coupon", "CouponRefused", "code_of", "coupons_for", "give", "has_had_first", "is_kept",
    "own_uses", "read_code", "release", "settle", "use",
]  # fmt: skip

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}\Z", re.ASCII)


class CouponRefused(Refusal):
    """The coupon takes nothing off this. `data`: coupon, why ("unknown", "over", "not_yet",
    "used_up", "used_by_you", "not_yours", "not_here", "not_now", "members", "first",
    "tier", "too_little"), and of the last one least_minor, currency."""

    code = "coupon_refused"
    status = 409
    title = "This coupon does not hold for this"


@dataclass(frozen=True)
class Coupon:
    """A code with its offer, as it is for one member, or for nobody known. `left` and `left_mine`
    are how often it may still be used, by all and by them; None is any number of times."""

    code: str
    id: int
    rule: Rule
    is_ended: bool
    left: int | None
    left_mine: int | None
    is_theirs: bool = True
    """Whether this one may have it: False where it is another member's own."""

    def refused(self, why: str, **data: Any) -> CouponRefused:
        return CouponRefused(coupon=self.code, why=why, **data)

    def refuse(
        self, location_id: int, channel: str, currency: str, at: datetime, zone: str,
        *, is_known: bool, is_first: bool, tiers: frozenset[int] = frozenset(),
    ) -> None:  # fmt: skip
        """Raises CouponRefused where it does not hold here and now, for this shopper."""
        rule = self.rule
        if not self.is_theirs:
            raise self.refused("not_yours" if is_known else "members")
        if self.is_ended or (rule.ends_at is not None and at >= rule.ends_at):
            raise self.refused("over")
        if at < rule.starts_at:
            raise self.refused("not_yet")
        if self.left is not None and self.left < 1:
            raise self.refused("used_up")
        if not is_known and (rule.audience != "all" or rule.most_each is not None):
            raise self.refused("members")
        if self.left_mine is not None and self.left_mine < 1:
            raise self.refused("used_by_you")
        if rule.audience == "first" and not is_first:
            raise self.refused("first")
        if rule.audience == "tier" and rule.tier not in tiers:
            raise self.refused("tier")
        if not rule.holds_in(location_id, channel, currency):
            raise self.refused("not_here")
        if not rule.holds_at(at, zone):
            raise self.refused("not_now")


def read_code(text: str) -> str:
    """A code as it is kept: in capitals, without blanks; empty where it cannot be one."""
    code = "".join(text.split()).upper()
    return code if _CODE.match(code) else ""


def coupons_for(asked: Collection[tuple[str, int | None]]) -> dict[tuple[str, int | None], Coupon]:
    """The coupons of these codes, each for a member or for nobody known. A code that there is not
    is left out. Two statements."""
    codes = {read_code(code) for code, _ in asked} - {""}
    if not codes:
        return {}
    query = (
        select(CouponCode.code, CouponCode.id, CouponCode.most_uses, CouponCode.used,
               Offer.ended_at, CouponCode.member_id, *COLUMNS)
        .join(Offer, Offer.id == CouponCode.offer_id)
        .where(CouponCode.code.in_(codes))
    )  # fmt: skip
    rows = {row[0]: row for row in connection().execute(query)}
    mine = _uses({row[1] for row in rows.values()}, {member for _, member in asked if member})
    return {
        (code, member): _coupon(rows[read_code(code)], member, mine)
        for code, member in asked
        if read_code(code) in rows
    }


def _coupon(row: Any, member: int | None, uses: dict[tuple[int, int], set[int]]) -> Coupon:
    rule = Rule(*row[6:])
    left_mine = None
    if rule.most_each is not None and member is not None:
        left_mine = rule.most_each - len(uses.get((row[1], member), ()))
    left = None if row[2] is None else row[2] - row[3]
    is_theirs = row[5] is None or row[5] == member
    return Coupon(row[0], row[1], rule, row[4] is not None, left, left_mine, is_theirs)


def _uses(coupon_ids: set[int], members: set[int]) -> dict[tuple[int, int], set[int]]:
    """Which uses (the first, the second …) of these coupons these members have had."""
    if not coupon_ids or not members:
        return {}
    query = select(OfferUse.coupon_id, OfferUse.member_id, OfferUse.nth).where(
        OfferUse.coupon_id.in_(coupon_ids), OfferUse.member_id.in_(members)
    )
    found: dict[tuple[int, int], set[int]] = {}
    for coupon, member, nth in connection().execute(query):
        found.setdefault((int(coupon or 0), int(member or 0)), set()).add(int(nth or 0))
    return found


def has_had_first(member_ids: Collection[int]) -> set[int]:
    """Those of these members who had an offer for their first purchase, or are paying for it."""
    query = select(OfferUse.first_of).where(OfferUse.first_of.in_(member_ids))
    return {int(row[0] or 0) for row in connection().execute(query)} if member_ids else set()


def use(
    off: Collection[catalogue.Off], member_id: int | None, *, sale_id: str | None = None,
    attempt_id: str | None = None,
) -> bool:  # fmt: skip
    """Joiner: count what of this may be had so many times. False where somebody was faster; then
    the caller undoes all of it and decides again. IntegrityError says the same."""
    of = {"sale_id": sale_id, "attempt_id": attempt_id, "at": clock.now()}
    coupons = {each.coupon_id: each.offer_id for each in off if each.coupon_id is not None}
    for coupon_id, offer_id in sorted(coupons.items()):
        nth = _next(coupon_id, offer_id, member_id)
        if nth is False or not _count(coupon_id, member_id):
            return False
        _insert({"offer_id": offer_id, "coupon_id": coupon_id, "member_id": member_id,
                 "nth": nth, "first_of": None, **of})  # fmt: skip
    firsts = [each.offer_id for each in off if each.is_first]
    if firsts and member_id is not None:
        if has_had_first([member_id]):
            return False
        _insert({"offer_id": firsts[0], "coupon_id": None, "member_id": member_id, "nth": None,
                 "first_of": member_id, **of})  # fmt: skip
    many = sum(each.points or 0 for each in off)
    if not many or member_id is None:
        return not many
    return point_uses.spend(member_id, many, sale_id=sale_id, attempt_id=attempt_id)


def _count(coupon_id: int, member_id: int | None) -> bool:
    """The guard: one use more, if there is one, and it is nobody else's."""
    counted = (
        update(CouponCode)
        .where(CouponCode.id == coupon_id)
        .where((CouponCode.member_id.is_(None)) | (CouponCode.member_id == member_id))
        .where((CouponCode.most_uses.is_(None)) | (CouponCode.used < CouponCode.most_uses))
        .values(used=CouponCode.used + 1)
    )
    return bool(in_transaction().execute(counted).rowcount == 1)  # type: ignore[attr-defined]


def _next(coupon_id: int, offer_id: int, member_id: int | None) -> int | bool | None:
    """Which use of a member's this would be, the first that is free; False where they have had all
    of theirs. Two at once take the same number, and only one can have it."""
    if member_id is None:
        return None
    had = _uses({coupon_id}, {member_id}).get((coupon_id, member_id), set())
    most = in_transaction().scalar(select(Offer.most_each).where(Offer.id == offer_id))
    nth = next(number for number in range(1, len(had) + 2) if number not in had)
    return nth if most is None or nth <= most else False


def _insert(row: dict[str, Any]) -> None:
    in_transaction().execute(insert(OfferUse), [row])


def give(code: str, member_id: int) -> int | None:
    """Joiner: a code of the same offer that is this member's own, and is used once; answers its id.
    None where there is no such coupon."""
    session, wanted = in_transaction(), read_code(code)
    offer_id = session.scalar(select(CouponCode.offer_id).where(CouponCode.code == wanted))
    if offer_id is None:
        return None
    # Nine letters: nobody comes upon one, and who did would have no use of it.
    own = CouponCode(
        offer_id=offer_id, code=f"{wanted[:22]}-{ids.short_code(9)}", most_uses=1, used=0,
        member_id=member_id, made_at=clock.now(),
    )  # fmt: skip
    session.add(own)
    session.flush()
    return own.id


def code_of(coupon_id: int | None) -> str | None:
    """What a coupon is called."""
    if coupon_id is None:
        return None
    return connection().execute(select(CouponCode.code).where(CouponCode.id == coupon_id)).scalar()


def own_uses(coupon_ids: Any) -> tuple[int, int]:
    """How many coupons a statement names, and how often all of them were used."""
    query = select(func.count(), func.coalesce(func.sum(CouponCode.used), 0))
    made, used = connection().execute(query.where(CouponCode.id.in_(coupon_ids))).one()
    return int(made), int(used)


def settle(attempt_id: str, sale_id: str) -> None:
    """Joiner: what was kept for an attempt to pay is the sale's."""
    in_transaction().execute(
        update(OfferUse).where(OfferUse.attempt_id == attempt_id).values(sale_id=sale_id)
    )
    point_uses.settle(attempt_id, sale_id)


def release(attempt_id: str) -> None:
    """Joiner: nobody pays, so what was kept for the attempt may be used again."""
    session = in_transaction()
    mine = (OfferUse.attempt_id == attempt_id, OfferUse.sale_id.is_(None))
    kept = session.execute(select(OfferUse.coupon_id).where(*mine)).scalars().all()
    for coupon_id in sorted(each for each in kept if each is not None):
        session.execute(
            update(CouponCode).where(CouponCode.id == coupon_id).values(used=CouponCode.used - 1)
        )
    session.execute(delete(OfferUse).where(*mine))
    point_uses.release(attempt_id)


def is_kept(attempt_id: str) -> bool:
    """Whether something is kept for an attempt."""
    query = select(OfferUse.id).where(OfferUse.attempt_id == attempt_id).limit(1)
    if connection().execute(query).first() is not None:
        return True
    return point_uses.kept(attempt_id) is not None
