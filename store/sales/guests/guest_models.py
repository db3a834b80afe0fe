"""Tables of guests: the devices that buy without an account, and who took their sales over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment

HOW = ("device", "mail", "link")
"""What showed that a guest's sale is a member's: the device that bought, the proven address to
which its receipt went, the receipt's own link."""


class Guest(Base):
    """A device that buys without an account. The secret in its cookie is kept as a digest."""

    __tablename__ = "guests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(Moment)


class GuestMail(Base):
    """An address to which a guest had the receipt sent. It is theirs only where they prove it; who
    reads it may have said that the purchase is not theirs (`denied_at`)."""

    __tablename__ = "guest_mails"

    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True)
    value: Mapped[str] = mapped_column(String(254), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    denied_at: Mapped[datetime | None] = mapped_column(Moment)


class Claim(Base):
    """A guest's sale came into a member's name: once, and by what. History: rows are only added."""

    __tablename__ = "claims"
    __table_args__ = (CheckConstraint("how IN ('device', 'mail', 'link')", name="how"),)

    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), primary_key=True)
    guest_id: Mapped[int] = mapped_column(ForeignKey("guests.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    how: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(Moment)
