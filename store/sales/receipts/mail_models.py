"""Tables of receipts by mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, Moment


class MailWish(Base):
    """A member who wants every receipt by mail."""

    __tablename__ = "mail_wishes"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)


class MailAsked(Base):
    """A mail that a member asked for, by the key of the page: asked twice it is sent once."""

    __tablename__ = "mails_asked"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
