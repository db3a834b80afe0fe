"""Table of the cards that a provider keeps for members."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Moment


class SavedMeans(Base):
    """A card that a member wanted to keep when they paid with it (`attempt_id`). `token` and
    `customer` are the provider's names for it and for whose it is; no number of a card is here.
    Wanted: the provider was not asked for it yet; kept; leaving: no longer offered, and the
    provider is told; gone: it is kept nowhere, or never was."""

    __tablename__ = "saved_means"
    __table_args__ = (
        CheckConstraint("state IN ('wanted', 'kept', 'leaving', 'gone')", name="state"),
        CheckConstraint("state IN ('wanted', 'gone') OR token <> ''", name="token"),
        CheckConstraint("(state = 'gone') = (gone_at IS NOT NULL)", name="gone"),
        Index("ix_saved_means_member_id", "member_id"),
        Index("ix_saved_means_state_next_at", "state", "next_at"),
        Index(
            "uq_saved_means_gateway_token",
            "gateway",
            "token",
            unique=True,
            sqlite_where=text("token <> ''"),
            postgresql_where=text("token <> ''"),
        ),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    gateway: Mapped[str] = mapped_column(String(16))
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), unique=True)
    state: Mapped[str] = mapped_column(String(8), default="wanted")
    customer: Mapped[str] = mapped_column(String(128), default="")
    token: Mapped[str] = mapped_column(String(128), default="")
    brand: Mapped[str] = mapped_column(String(16), default="")
    last4: Mapped[str] = mapped_column(String(4), default="")
    exp_month: Mapped[int] = mapped_column(default=0)
    exp_year: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    wanted_at: Mapped[datetime] = mapped_column(Moment)
    next_at: Mapped[datetime] = mapped_column(Moment)
    gone_at: Mapped[datetime | None] = mapped_column(Moment)
