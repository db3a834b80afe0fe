"""Tables of the exit: which sale has left the shop, every scan of a pass, and the spot checks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class PassUse(Base):
    """A pass that was used. The primary key is the sale: a second use finds the row taken.

    `key` is made by the page that asked, so that a request repeated after a lost answer is
    recognised as the same use."""

    __tablename__ = "pass_uses"

    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime] = mapped_column(Moment)


class ExitCheck(Base):
    """One scan at the door and what came of it: "accepted", or the code of the refusal. History."""

    __tablename__ = "exit_checks"
    __table_args__ = (Index("ix_exit_checks_location_id_at", "location_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sale_id: Mapped[str | None] = mapped_column(String(20), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    outcome: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime] = mapped_column(Moment)


class ExitRules(Base):
    """The rules of spot checks as the owner set them, from a moment on. History: rows are only
    added, so that every sale is decided by those of its own moment."""

    __tablename__ = "exit_rules"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    set_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class SpotCheck(Base):
    """What the rules decided about a sale when its pass was first scanned, and what came of it.
    `rule` is the one that chose the sale, with its chance; none did where `kind` is "none".
    `sample` of the `pieces` are scanned, or, where it is `whole`, all of them; a new `round` begins
    the scanning again. Paid pieces that were not there, and pieces that were there and not paid,
    are in the two counts. `newcomer`: the first purchase in its shopper's name, or in nobody's."""

    __tablename__ = "spot_checks"
    __table_args__ = (
        CheckConstraint("kind IN ('none', 'sight', 'rescan')", name="kind"),
        CheckConstraint("state IN ('open', 'asked', 'refused', 'ended')", name="state"),
        CheckConstraint("(kind = 'none') = (rule IS NULL)", name="rule"),
        CheckConstraint("kind <> 'none' OR state = 'ended'", name="none"),
        CheckConstraint("outcome IN ('ok', 'missing', 'extra', 'both')", name="outcome"),
        CheckConstraint(
            "(outcome IS NOT NULL) = (state = 'ended' AND kind <> 'none')", name="has_outcome"
        ),
        CheckConstraint("(ended_at IS NULL) = (state IN ('open', 'asked'))", name="ended"),
        CheckConstraint("rate_bp BETWEEN 0 AND 10000", name="rate"),
        Index("ix_spot_checks_location_id_at", "location_id", "at"),
    )

    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    rules_id: Mapped[int] = mapped_column(ForeignKey("exit_rules.id"))
    rule: Mapped[str | None] = mapped_column(String(8))
    rate_bp: Mapped[int] = mapped_column()
    kind: Mapped[str] = mapped_column(String(8))
    newcomer: Mapped[bool] = mapped_column()
    pieces: Mapped[int] = mapped_column(BigId)
    sample: Mapped[int] = mapped_column(BigId, default=0)
    whole: Mapped[bool] = mapped_column(default=False)
    round: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(8))
    outcome: Mapped[str | None] = mapped_column(String(8))
    staff_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    unpaid: Mapped[int] = mapped_column(BigId, default=0)
    absent: Mapped[int] = mapped_column(BigId, default=0)
    charged_minor: Mapped[int] = mapped_column(BigId, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigId, default=0)
    next_sale_id: Mapped[str | None] = mapped_column(ForeignKey("sales.id"))
    refund_id: Mapped[str | None] = mapped_column(ForeignKey("refunds.id"))


class SpotScan(Base):
    """A piece out of a bag that was scanned, or taken back (-1). `key` is unique in its check, so
    that a scan that was sent twice counts once. History."""

    __tablename__ = "spot_scans"
    __table_args__ = (
        UniqueConstraint("sale_id", "key"),
        CheckConstraint("quantity IN (1, -1)", name="quantity"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("spot_checks.sale_id"))
    round: Mapped[int] = mapped_column()
    key: Mapped[str] = mapped_column(String(64))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    quantity: Mapped[int] = mapped_column()
    staff_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class AwayCheck(Base):
    """A check that an exit made without a network, as it told it later: by its `scanner` and the
    `key` of the scan, so that it counts once. `outcome` is what it decided; `at` is its moment by
    the shop's clock, as far as the exit knew it, `skew_s` how far its clock was off. What a person
    is to look at has a `flag`, until it was `seen_at`."""

    __tablename__ = "away_checks"
    __table_args__ = (
        UniqueConstraint("scanner", "key"),
        CheckConstraint("(seen_at IS NULL) = (seen_by IS NULL)", name="seen"),
        CheckConstraint("seen_at IS NULL OR flag IS NOT NULL", name="flagged"),
        Index("ix_away_checks_sale_id", "sale_id"),
        Index("ix_away_checks_flag", "location_id", "seen_at", "flag"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scanner: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(64))
    sale_id: Mapped[str | None] = mapped_column(String(20))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    outcome: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime] = mapped_column(Moment)
    skew_s: Mapped[int] = mapped_column(BigId)
    told_at: Mapped[datetime] = mapped_column(Moment)
    flag: Mapped[str | None] = mapped_column(String(16))
    seen_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    seen_at: Mapped[datetime | None] = mapped_column(Moment)
