"""Tables of points: the rules by which they are earned, what each member has, how that came."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

BASES = ("gross", "net")
"""Points are for what was paid, with the tax in it or without."""
KINDS = ("earned", "taken_back", "spent", "given_back", "kept", "expired", "moved")


class PointRule(Base):
    """A version of the shop's rules, in force from `made_at` until the next: so many `points` for
    each `each_minor` of a sale of `least_minor` or more, of some goods so many percent of that
    (`factors`: a list of item, category, percent). They live so many days, or for ever. So many
    `worth_points` are `worth_minor` off a sale; both 0: they cannot be spent. Rows are only
    added."""

    __tablename__ = "point_rules"
    __table_args__ = (
        CheckConstraint("points >= 0 AND each_minor > 0 AND least_minor >= 0", name="earning"),
        CheckConstraint("basis IN ('gross', 'net')", name="basis"),
        CheckConstraint(
            "worth_points >= 0 AND worth_minor >= 0 AND (worth_points = 0) = (worth_minor = 0)",
            name="worth",
        ),
        CheckConstraint("lives_days IS NULL OR lives_days > 0", name="lives_days"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    points: Mapped[int] = mapped_column(BigId)
    each_minor: Mapped[int] = mapped_column(BigId)
    least_minor: Mapped[int] = mapped_column(BigId)
    basis: Mapped[str] = mapped_column(String(5))
    factors: Mapped[list[Any]] = mapped_column(JSON)
    worth_points: Mapped[int] = mapped_column(BigId)
    worth_minor: Mapped[int] = mapped_column(BigId)
    lives_days: Mapped[int | None] = mapped_column(BigId)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)


class PointAccount(Base):
    """What a member has: the sum of their entries. It is `spendable`, or `owed` where goods came
    back whose points were spent: then the next ones make up for it. `over_at` is when some of them
    may be too old, at the earliest."""

    __tablename__ = "point_accounts"
    __table_args__ = (
        CheckConstraint("spendable >= 0 AND owed >= 0", name="not_below"),
        CheckConstraint("spendable = 0 OR owed = 0", name="one_of"),
        Index("ix_point_accounts_over_at", "over_at", sqlite_where=text("over_at IS NOT NULL"),
              postgresql_where=text("over_at IS NOT NULL")),
    )  # fmt: skip

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    spendable: Mapped[int] = mapped_column(BigId, server_default="0")
    owed: Mapped[int] = mapped_column(BigId, server_default="0")
    over_at: Mapped[datetime | None] = mapped_column(Moment)


class PointEntry(Base):
    """Points that came or went, once: `key` says what for. History: rows are only added.

    `earned` for a sale, by `rule_id` and the percent of each of its lines (`factors`); `taken_back`
    for a refund of it; `spent` on a sale; `given_back` for a refund of that; `kept` for a payment
    that is on its way, and no longer; `expired`; `moved` between accounts of one person.
    `base_minor` is the money that they were earned for, or that went back. What has an `expires_at`
    lives until then, and takes back what would."""

    __tablename__ = "point_entries"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS!r}", name="kind"),
        CheckConstraint("kind <> 'earned' OR (points >= 0 AND base_minor >= 0)", name="earned"),
        CheckConstraint("kind <> 'taken_back' OR (points <= 0 AND base_minor <= 0)", name="back"),
        CheckConstraint("kind <> 'spent' OR points < 0", name="spent"),
        CheckConstraint("kind <> 'given_back' OR points > 0", name="given"),
        Index("ix_point_entries_member_id_at", "member_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(String(60), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    points: Mapped[int] = mapped_column(BigId)
    base_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("point_rules.id"))
    factors: Mapped[dict[str, int] | None] = mapped_column(JSON)
    sale_id: Mapped[str | None] = mapped_column(String(20), index=True)
    attempt_id: Mapped[str | None] = mapped_column(String(20), index=True)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    at: Mapped[datetime] = mapped_column(Moment)
    booked_at: Mapped[datetime] = mapped_column(Moment)


class PointWait(Base):
    """A sale whose points are earned later: it is not paid yet, or its money is held until its
    shopper has the goods."""

    __tablename__ = "point_waits"

    sale_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)
