"""Tables of membership: offers, the coupons of some of them, their uses, and what was taken off."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

KINDS = ("percent", "amount", "price", "n_for_m")
"""Percent or an amount off each unit; each unit at a price; so many for the price of fewer."""
AUDIENCES = ("all", "members", "first", "tier")
"""Everybody; who is known by name; who is, and has bought nothing before; who is in a tier."""
EVERY_DAY = 127
"""Seven bits, Monday's is 1."""


class Offer(Base):
    """A rule that lowers prices. `value` is percent, minor units, or how many are taken; then
    `pays` is how many of them are paid for. It is for an item, a category or everything; at a
    location and in a channel, or in all; between two moments, on some `days` of the week, from
    `from_minute` on until before `to_minute` of the shop's day (over midnight where that is less).
    For a `tier` it is for who has reached that one (its key, see `tier_models`). With `by_code` it
    is had with a coupon only, from `least_minor` of its goods on. An offer is ended and never
    changed: what was sold keeps its reasons."""

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint("kind IN ('percent', 'amount', 'price', 'n_for_m')", name="kind"),
        CheckConstraint("audience IN ('all', 'members', 'first', 'tier')", name="audience"),
        CheckConstraint("(audience = 'tier') = (tier IS NOT NULL)", name="tier"),
        CheckConstraint(
            "value > 0 OR (kind = 'price' AND value = 0)", name="value"
        ),
        CheckConstraint("kind <> 'percent' OR value <= 100", name="percent"),
        CheckConstraint(
            "(kind = 'n_for_m') = (pays IS NOT NULL) AND "
            "(pays IS NULL OR pays BETWEEN 1 AND value - 1)",
            name="pays",
        ),
        CheckConstraint("item_id IS NULL OR category_id IS NULL", name="whose"),
        CheckConstraint("days BETWEEN 1 AND 127", name="days"),
        CheckConstraint("(from_minute IS NULL) = (to_minute IS NULL)", name="hours"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_at"),
        CheckConstraint("least_minor >= 0", name="least"),
        CheckConstraint("most_each IS NULL OR most_each > 0", name="most_each"),
        CheckConstraint("by_code = 0 OR kind IN ('percent', 'amount')", name="coupon_kind"),
        Index("ix_offers_open", "id", sqlite_where=text("ended_at IS NULL"),
              postgresql_where=text("ended_at IS NULL")),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[int] = mapped_column(BigId)
    pays: Mapped[int | None] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"), index=True)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    channel: Mapped[str | None] = mapped_column(String(8))
    audience: Mapped[str] = mapped_column(String(8))
    tier: Mapped[int | None] = mapped_column(BigId)
    starts_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime | None] = mapped_column(Moment)
    days: Mapped[int] = mapped_column(BigId)
    from_minute: Mapped[int | None] = mapped_column(BigId)
    to_minute: Mapped[int | None] = mapped_column(BigId)
    by_code: Mapped[int] = mapped_column(BigId)
    least_minor: Mapped[int] = mapped_column(BigId)
    most_each: Mapped[int | None] = mapped_column(BigId)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class CouponCode(Base):
    """A code that brings its offer, `most_uses` times, or any number of times (NULL). `used` counts
    in one guarded statement. With a `member_id` it is that member's own: nobody else has it."""

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint("used >= 0 AND (most_uses IS NULL OR used <= most_uses)", name="used"),
        CheckConstraint("most_uses IS NULL OR most_uses > 0", name="most_uses"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id"), index=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    most_uses: Mapped[int | None] = mapped_column(BigId)
    used: Mapped[int] = mapped_column(BigId, server_default="0")
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(Moment)


class OfferUse(Base):
    """A use of what may be had so many times: a coupon (the `nth` of a member, if one is known), or
    the offer for a first purchase (`first_of` is the member). It is of a sale, or of an attempt to
    pay for one: then it is kept until nobody pays, and given back."""

    __tablename__ = "offer_uses"
    __table_args__ = (
        UniqueConstraint("coupon_id", "member_id", "nth"),
        UniqueConstraint("first_of"),
        CheckConstraint("(coupon_id IS NULL) <> (first_of IS NULL)", name="what"),
        CheckConstraint("sale_id IS NOT NULL OR attempt_id IS NOT NULL", name="of"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offers.id"))
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"), index=True)
    nth: Mapped[int | None] = mapped_column(BigId)
    first_of: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    sale_id: Mapped[str | None] = mapped_column(String(20), index=True)
    attempt_id: Mapped[str | None] = mapped_column(String(20), index=True)
    at: Mapped[datetime] = mapped_column(Moment)


class Reduction(Base):
    """What an offer took off a line of a sale, under the name that it had; or what was paid with
    `points`. History: rows are only added; all of a line are its `off_minor`."""

    __tablename__ = "reductions"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(offer_id IS NULL) = (points IS NOT NULL)", name="offer_or_points"),
    )

    sale_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offers.id"), index=True)
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id"))
    points: Mapped[int | None] = mapped_column(BigId)
    names: Mapped[dict[str, str]] = mapped_column(JSON)
    amount_minor: Mapped[int] = mapped_column(BigId)
