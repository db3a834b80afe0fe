"""Tables of ages: who was looked at before a sale with a least age left, and who said yes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, Moment

STATES = ("open", "yes", "no", "known", "missed")
WAYS = ("exit", "till", "counter", "door")


class AgeCheck(Base):
    """One question about one sale: is who takes it along at least `least_age`? It is "open" while
    somebody fetches their identity card; "yes" and "no" are a person's word, "known" was looked up
    (`known_ages`), "missed" is said of goods that had left already and nobody had asked. After a
    "no" `refund_id` gave their money back. No date of birth is kept anywhere."""

    __tablename__ = "age_checks"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES!r}", name="state"),
        CheckConstraint(f"way IN {WAYS!r}", name="way"),
        CheckConstraint("least_age BETWEEN 1 AND 99", name="least_age"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by"),
        CheckConstraint("refund_id IS NULL OR state = 'no'", name="refund"),
        Index("ix_age_checks_location_id_at", "location_id", "at"),
    )

    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True)
    least_age: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    way: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8))
    key: Mapped[str] = mapped_column(String(64), default="")
    staff_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    refund_id: Mapped[str | None] = mapped_column(ForeignKey("refunds.id"))
