"""Table of the post: letters on their way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Moment


class Letter(Base):
    """A letter that is to be written to somebody. Its words are made when it is sent, so nothing of
    them is kept here. It `waits` until it was taken (`sent`), was not wanted any more (`dropped`),
    or was refused or tried so often that a person must look (`dead`)."""

    __tablename__ = "letters"
    __table_args__ = (
        CheckConstraint("state IN ('waits', 'sent', 'dropped', 'dead')", name="state"),
        Index(
            "ix_letters_waiting", "next_at",
            sqlite_where=text("state = 'waits'"), postgresql_where=text("state = 'waits'"),
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))
    to: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8), default="waits")
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    next_at: Mapped[datetime] = mapped_column(Moment)
