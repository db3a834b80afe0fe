"""Tables of the exit: which sale has left the shop, and every check that was made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
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
