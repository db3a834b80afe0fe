"""Offers: how one begins and ends, and the codes of those that are had with a coupon."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update

from .. import catalogue, clock, ids, logbook, money
from ..db import connection, db, in_transaction
from ..errors import Invalid, NotFound
from . import tiers
from .coupons import read_code
from .models import AUDIENCES, EVERY_DAY, KINDS, CouponCode, Offer, Reduction
from .rules import COLUMNS, MOST_OPEN, Rule

__all__ = [
    "MOST_CODES", "Known", "Wanted", "add", "add_codes", "checked", "codes_of", "default_names",
    "end", "known", "listed", "rule_of",
]  # fmt: skip

MOST_CODES = 500
MOST_TAKEN = 99
CHANNELS = ("shelf", "web", "till")


@dataclass(frozen=True)
class Wanted:
    """An offer as it is asked for; see `models.Offer`. Without names it gets some that say what it
    does."""

    kind: str
    value: int
    currency: str
    pays: int | None = None
    names: dict[str, str] = field(default_factory=dict)
    item_id: int | None = None
    category_id: int | None = None
    location_id: int | None = None
    channel: str | None = None
    audience: str = "all"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    days: int = EVERY_DAY
    hours: tuple[int, int] | None = None
    by_code: bool = False
    least_minor: int = 0
    most_each: int | None = None
    tier: int | None = None


def checked(wanted: Wanted) -> dict[str, Any]:
    """The row of an offer. Raises Invalid for what no shop could mean."""
    _refuse_value(wanted)
    if wanted.audience not in AUDIENCES or wanted.channel not in (None, *CHANNELS):
        raise Invalid("There is no such audience or channel", field="audience")
    if (wanted.audience == "tier") != (wanted.tier is not None):
        raise Invalid("Say for which tier", field="audience")
    if wanted.item_id is not None and wanted.category_id is not None:
        raise Invalid("An offer is for an item or for a category", field="item")
    if not 1 <= wanted.days <= EVERY_DAY:
        raise Invalid("Say on which days", field="days")
    starts_at = wanted.starts_at or clock.now()
    if wanted.ends_at is not None and wanted.ends_at <= max(starts_at, clock.now()):
        raise Invalid("It must end after it begins, and not before now", field="ends")
    if wanted.hours is not None and wanted.hours[0] == wanted.hours[1]:
        raise Invalid("Say from when until when", field="hours")
    if wanted.by_code and wanted.kind not in ("percent", "amount"):
        raise Invalid("A coupon is for percent or for an amount", field="kind")
    if not wanted.by_code and (wanted.least_minor or wanted.most_each):
        raise Invalid("Only coupons have a least amount and a count", field="least")
    if not 0 <= wanted.least_minor <= money.LARGEST_MINOR:
        raise Invalid("This amount is too large", field="least")
    if wanted.most_each is not None and not 1 <= wanted.most_each <= 9_999:
        raise Invalid("A member uses a coupon 1 to 9999 times", field="most_each")
    from_minute, to_minute = wanted.hours or (None, None)
    return {
        "names": wanted.names or default_names(wanted), "kind": wanted.kind, "value": wanted.value,
        "pays": wanted.pays, "currency": wanted.currency, "item_id": wanted.item_id,
        "category_id": wanted.category_id, "location_id": wanted.location_id,
        "channel": wanted.channel, "audience": wanted.audience, "starts_at": starts_at,
        "ends_at": wanted.ends_at, "days": wanted.days, "from_minute": from_minute,
        "to_minute": to_minute, "by_code": int(wanted.by_code),
        "least_minor": wanted.least_minor, "most_each": wanted.most_each,
        "tier": wanted.tier,
    }  # fmt: skip


def _refuse_value(wanted: Wanted) -> None:
    money.decimals(wanted.currency)
    kind, value = wanted.kind, wanted.value
    if kind not in KINDS:
        raise Invalid("There is no such kind of offer", field="kind")
    if kind == "percent" and not 1 <= value <= 100:
        raise Invalid("Percent are 1 to 100", field="value")
    if kind == "amount" and not 1 <= value <= money.LARGEST_MINOR:
        raise Invalid("An amount is more than 0", field="value")
    if kind == "price" and not 0 <= value <= money.LARGEST_MINOR:
        raise Invalid("A price is 0 or more", field="value")
    if kind == "n_for_m":
        if not 2 <= value <= MOST_TAKEN or wanted.pays is None or not 1 <= wanted.pays < value:
            raise Invalid(f"So many (2 to {MOST_TAKEN}) for the price of fewer", field="value")
    elif wanted.pays is not None:
        raise Invalid("Only so many for fewer have a second number", field="pays")


def default_names(wanted: Wanted) -> dict[str, str]:
    """What the offer does, in words of both languages."""
    value, pays = wanted.value, wanted.pays
    en, zh = (money.show(value, wanted.currency, language) for language in ("en", "zh"))
    said = {
        "percent": (f"{value}% off", f"优惠 {value}%"), "amount": (f"{en} off", f"立减 {zh}"),
        "price": (f"Offer price {en}", f"特价 {zh}"),
        "n_for_m": (f"{value} for {pays}", f"{value} 件付 {pays} 件"),
    }[wanted.kind]  # fmt: skip
    for_whom = {"all": ("", ""), "members": ("Members: ", "会员："),
                "first": ("First purchase: ", "首次购物："),
                "tier": _of_tier(wanted.tier)}[wanted.audience]  # fmt: skip
    return {"en": for_whom[0] + said[0], "zh": for_whom[1] + said[1]}


def _of_tier(key: int | None) -> tuple[str, str]:
    plan = tiers.now() if key is not None else None
    found = plan.named(key) if plan is not None and key is not None else None
    return (f"{found.names['en']}: ", f"{found.names['zh']}：") if found is not None else ("", "")


def rule_of(wanted: Wanted) -> Rule:
    """The rule that an offer would be, for a preview. Raises Invalid."""
    return Rule(0, **checked(wanted))


def add(wanted: Wanted, *, made_by: int | None) -> int:
    """Joiner: a new offer; answers its id. Raises Invalid."""
    session = in_transaction()
    row = checked(wanted)
    open_ = select(func.count()).where(Offer.ended_at.is_(None)).select_from(Offer)
    if int(session.scalar(open_) or 0) >= MOST_OPEN:
        raise Invalid(f"End an offer first: {MOST_OPEN} are open", field="kind")
    offer = Offer(**row, made_by=made_by, made_at=clock.now())
    session.add(offer)
    session.flush()
    catalogue.mark_rules()
    logbook.note("offer.added", offer.id, place_id=wanted.location_id, after=row)
    return offer.id


def end(offer_id: int, *, by: int | None) -> bool:
    """Joiner: from now on it holds no longer; what was sold keeps it. False where it had ended.
    Raises NotFound, and Invalid for what a tier takes off: it ends with its tier."""
    plan = tiers.now()
    if plan is not None and any(one.offer_id == offer_id for one in plan.tiers):
        raise Invalid("A tier takes this off: change the tier", field="tier")
    ended = (
        update(Offer)
        .where(Offer.id == offer_id, Offer.ended_at.is_(None))
        .values(ended_at=clock.now(), ended_by=by)
    )
    if not in_transaction().execute(ended).rowcount:  # type: ignore[attr-defined]
        known(offer_id)
        return False
    catalogue.mark_rules()
    logbook.note("offer.ended", offer_id)
    return True


def add_codes(
    offer_id: int, *, code: str = "", many: int = 0, most_uses: int | None = None
) -> list[str]:
    """Joiner: a code of one's own, or so many that nobody can guess, each for `most_uses` (None is
    any number of) uses. Raises NotFound, Invalid."""
    offer = known(offer_id)
    if not offer.rule.by_code or offer.ended_at is not None:
        raise Invalid("This offer has no coupons, or is over", field="code")
    if most_uses is not None and not 1 <= most_uses <= 10**9:
        raise Invalid("A coupon is used once or more often", field="uses")
    if code:
        found = [read_code(code)]
        if not found[0]:
            raise Invalid("A code has 3 to 32 letters, digits and dashes", field="code")
    elif 1 <= many <= MOST_CODES:
        found = [f"{ids.short_code(5)}-{ids.short_code(5)}" for _ in range(many)]
    else:
        raise Invalid(f"Make 1 to {MOST_CODES} codes at a time", field="many")
    session = in_transaction()
    if session.scalar(select(CouponCode.id).where(CouponCode.code.in_(found)).limit(1)):
        raise Invalid("There is a coupon with this code already", field="code")
    rows = [{"offer_id": offer_id, "code": each, "most_uses": most_uses, "used": 0,
             "made_at": clock.now()} for each in found]  # fmt: skip
    session.execute(insert(CouponCode), rows)
    said = {"coupons": len(found), "most_uses": most_uses}
    logbook.note("coupons.added", offer_id, after=said)
    return found


class Known(NamedTuple):
    """An offer as the owner sees it: how often it was had, and what it took off so far."""

    rule: Rule
    made_at: datetime
    ended_at: datetime | None
    sales: int
    off_minor: int

    @property
    def is_over(self) -> bool:
        ends = self.rule.ends_at
        return self.ended_at is not None or (ends is not None and ends <= clock.now())


def _query() -> Any:
    given = (
        select(func.count(Reduction.sale_id.distinct()))
        .where(Reduction.offer_id == Offer.id)
        .scalar_subquery()
    )
    off = (
        select(func.sum(Reduction.amount_minor))
        .where(Reduction.offer_id == Offer.id)
        .scalar_subquery()
    )
    return select(*COLUMNS, Offer.made_at, Offer.ended_at, given, func.coalesce(off, 0))


def _read(query: Any) -> list[Known]:
    many = len(COLUMNS)
    return [
        Known(Rule(*row[:many]), row[many], row[many + 1], row[many + 2], int(row[many + 3]))
        for row in connection().execute(query)
    ]


def known(offer_id: int) -> Known:
    """An offer. Raises NotFound."""
    found = _read(_query().where(Offer.id == offer_id))
    if not found:
        raise NotFound("There is no such offer")
    return found[0]


def listed(most: int = 100) -> list[Known]:
    """The offers, those that are not ended first, the newest first."""
    return _read(_query().order_by(Offer.ended_at.is_not(None), Offer.id.desc()).limit(most))


def codes_of(offer_id: int) -> list[CouponCode]:
    """The newest codes of an offer, without those that are members' own."""
    query = select(CouponCode).where(
        CouponCode.offer_id == offer_id, CouponCode.member_id.is_(None)
    )
    return list(db.session.scalars(query.order_by(CouponCode.id.desc()).limit(MOST_CODES)))


def own_codes_of(offer_id: int) -> tuple[int, int]:
    """How many codes of an offer are members' own, and how often these were used."""
    query = select(func.count(), func.coalesce(func.sum(CouponCode.used), 0)).where(
        CouponCode.offer_id == offer_id, CouponCode.member_id.is_not(None)
    )
    made, used = connection().execute(query).one()
    return int(made), int(used)
