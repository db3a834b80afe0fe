"""Tables of escrow: whose order's money is held, and what shoppers are not content with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Escrow(Base):
    """The money of an order that is not the shop's to spend yet. `held_minor` is what stands in the
    account `escrow` for it; `due_at` is when the timer releases it, once everything has arrived.
    `how` says what released it: the shopper, the counter, the timer, or a decision."""

    __tablename__ = "escrows"
    __table_args__ = (
        CheckConstraint("held_minor >= 0", name="held"),
        CheckConstraint(
            "state IN ('waiting', 'arrived', 'disputed', 'released', 'returned')", name="state"
        ),
        CheckConstraint(
            "(held_minor > 0) = (state IN ('waiting', 'arrived', 'disputed'))", name="held_so_long"
        ),
        CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name="released"),
        CheckConstraint("state <> 'arrived' OR due_at IS NOT NULL", name="due"),
        CheckConstraint("how IN ('', 'shopper', 'counter', 'timer', 'decision')", name="how"),
        Index(
            "ix_escrows_due_at",
            "due_at",
            sqlite_where=text("state = 'arrived'"),
            postgresql_where=text("state = 'arrived'"),
        ),
        Index("ix_escrows_state_opened_at", "state", "opened_at"),
    )

    sale_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    held_minor: Mapped[int] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(8))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    released_at: Mapped[datetime | None] = mapped_column(Moment)
    how: Mapped[str] = mapped_column(String(8), default="")


class Complaint(Base):
    """What is wrong with an order, in the shopper's words, of these lines of it (none: of all); and
    what the owner decided, once."""

    __tablename__ = "complaints"
    __table_args__ = (
        CheckConstraint("decision IN ('', 'release', 'refund')", name="decision"),
        CheckConstraint("(decision = '') = (decided_at IS NULL)", name="decided"),
    )

    sale_id: Mapped[str] = mapped_column(ForeignKey("escrows.sale_id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    lines: Mapped[list[Any]] = mapped_column(JSON)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    decision: Mapped[str] = mapped_column(String(8), default="")
    refund_id: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(500), default="")
    decided_by: Mapped[int | None] = mapped_column(BigId)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
