"""Table of refunds that wait for a second person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment

STATES = ("waiting", "approved", "refused", "withdrawn")


class RefundRequest(Base):
    """A refund above the limit: what exactly was asked, by whom and why, and what became of it.
    `asked` has the units (`parts`, none for all that are left), `to_account`, and for goods that
    staff have in their hands what is decided about them (`hand_in`). Of a sale one waits at a time.
    Nobody decides their own; who asked may withdraw it."""

    __tablename__ = "refund_requests"
    __table_args__ = (
        UniqueConstraint("asked_by", "key"),
        UniqueConstraint("refund_id"),
        CheckConstraint(f"state IN {STATES!r}", name="state"),
        CheckConstraint("total_minor > 0 AND limit_minor > 0", name="amounts"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_at"),
        CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by IS NOT NULL)", name="decided_by"
        ),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="second"),
        CheckConstraint("(state = 'approved') = (refund_id IS NOT NULL)", name="refund"),
        Index(
            "uq_refund_requests_waiting",
            "sale_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_refund_requests_sale_id", "sale_id"),
        Index("ix_refund_requests_decided_at", "decided_at"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"))
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    total_minor: Mapped[int] = mapped_column(BigId)
    limit_minor: Mapped[int] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(16), server_default="waiting")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_reason: Mapped[str] = mapped_column(String(200), server_default="")
    refund_id: Mapped[str | None] = mapped_column(ForeignKey("refunds.id"))
