"""Table of what was told late: one row for each act, written with the act itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Moment


class LateAct(Base):
    """An act of somebody who works here, by the key that their device gave it: told again it is
    answered and not done. `digest` is of what was told; `done_at` is when they did it, which is
    `arrived_at` where the network was there."""

    __tablename__ = "late_acts"
    __table_args__ = (
        Index("ix_late_acts_arrived_at", "arrived_at"),
        Index("ix_late_acts_member", "member_id", "arrived_at"),
    )

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    what: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    done_at: Mapped[datetime] = mapped_column(Moment)
    arrived_at: Mapped[datetime] = mapped_column(Moment)
