"""Tables of tills: whose drawer it is, its days, what was counted, what each day was made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment


class Till(Base):
    """A till is the drawer of one seller at one location: every sale, refund and count of a courier
    says already who did it and where, so that also what a till without a network tells later finds
    its drawer. `first_at` is when its first day was opened: what was before concerns no day."""

    __tablename__ = "tills"
    __table_args__ = (UniqueConstraint("location_id", "seller_id", "currency"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    seller_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    currency: Mapped[str] = mapped_column(String(3))
    first_at: Mapped[datetime] = mapped_column(Moment)


class TillDay(Base):
    """A day of a till, from its opening to its close. `left_minor` is what the day before had left
    in the drawer, `opening_minor` what was found there. Closed days are numbered from 1 on, without
    gaps; `closing_minor` stays in the drawer, `banked_minor` went to the safe."""

    __tablename__ = "till_days"
    __table_args__ = (
        UniqueConstraint("till_id", "number"),
        CheckConstraint("opening_minor >= 0 AND left_minor >= 0", name="opening"),
        CheckConstraint("opening_minor = left_minor OR reason <> ''", name="reason"),
        CheckConstraint(
            "(closed_at IS NULL) = (number IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL)",
            name="closed",
        ),
        CheckConstraint(
            "closed_at IS NULL OR (closing_minor >= 0 AND banked_minor >= 0)", name="closing"
        ),
        Index(
            "uq_till_days_open",
            "till_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    number: Mapped[int | None] = mapped_column()
    left_minor: Mapped[int] = mapped_column(BigId)
    opening_minor: Mapped[int] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(String(200), default="")
    opened_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    closed_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    closing_minor: Mapped[int | None] = mapped_column(BigId)
    banked_minor: Mapped[int | None] = mapped_column(BigId)


class TillMove(Base):
    """Cash put into a drawer (above 0) or taken out during the day: from or to the safe, or for an
    expense, with the reason. History. `key` is made by the page."""

    __tablename__ = "till_moves"
    __table_args__ = (
        UniqueConstraint("made_by", "key"),
        CheckConstraint("amount_minor <> 0 AND reason <> ''", name="amount"),
        CheckConstraint("place IN ('safe', 'expenses')", name="place"),
        Index("ix_till_moves_till_id_at", "till_id", "at"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    till_id: Mapped[int] = mapped_column(ForeignKey("tills.id"))
    amount_minor: Mapped[int] = mapped_column(BigId)
    place: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(200))
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class TillTry(Base):
    """A count of a drawer as it was entered, before it was known what should be there. History: a
    second count stands beside the first. `seen` names what the till held then."""

    __tablename__ = "till_tries"

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    day_id: Mapped[str] = mapped_column(ForeignKey("till_days.id"), index=True)
    counted: Mapped[dict[str, Any]] = mapped_column(JSON)
    seen: Mapped[str] = mapped_column(String(64))
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class TillCount(Base):
    """What a closed day should have held of one means, and what was counted; NULL where nobody
    counted it. A difference has its reason."""

    __tablename__ = "till_counts"
    __table_args__ = (
        CheckConstraint(
            "counted_minor IS NULL OR counted_minor = expected_minor OR reason <> ''", name="reason"
        ),
        CheckConstraint("means <> 'cash' OR counted_minor >= 0", name="cash"),
    )

    day_id: Mapped[str] = mapped_column(ForeignKey("till_days.id"), primary_key=True)
    means: Mapped[str] = mapped_column(String(16), primary_key=True)
    expected_minor: Mapped[int] = mapped_column(BigId)
    counted_minor: Mapped[int | None] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(String(200), default="")


class TillEntry(Base):
    """One sale, refund, or other thing that a closed day is made of, in that day alone; a row for
    each means with which it was paid. It is `late` where it happened before the day was opened, and
    was told of afterwards."""

    __tablename__ = "till_entries"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('sale', 'refund', 'empties', 'courier', 'move', 'pay_in')", name="kind"
        ),
        Index("ix_till_entries_day_id", "day_id"),
    )

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    day_id: Mapped[str] = mapped_column(ForeignKey("till_days.id"))
    means: Mapped[str] = mapped_column(String(16), primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(Moment)
    late: Mapped[bool] = mapped_column()


class PayIn(Base):
    """Money that a member paid in at a till, into their account; below 0 it went out of it, in
    cash. `key` is unique per member of the staff. History: rows are only added."""

    __tablename__ = "pay_ins"
    __table_args__ = (
        UniqueConstraint("made_by", "key"),
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("means = 'cash' OR (means = 'card' AND amount_minor > 0)", name="means"),
        Index("ix_pay_ins_made_by_at", "made_by", "at"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    means: Mapped[str] = mapped_column(String(8))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigId)
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
