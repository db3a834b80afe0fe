"""Tables of members' cards."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

__all__ = ["MemberCard"]


class MemberCard(Base):
    """A card with a number on it, or the number of a customer at another till: whose purchase it
    is, and no more than that. It is a member's, or waits for who proves an address (`kind`,
    `value`, as `identifiers` has them) that an older list knows it by."""

    __tablename__ = "member_cards"
    __table_args__ = (
        CheckConstraint("(member_id IS NULL) = (value IS NOT NULL)", name="whose"),
        CheckConstraint("(kind IS NULL) = (value IS NULL)", name="waits"),
        Index(
            "uq_member_cards_live", "number", unique=True,
            sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_member_cards_waits", "kind", "value"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(40))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"), index=True)
    kind: Mapped[str | None] = mapped_column(String(16))
    value: Mapped[str | None] = mapped_column(String(254))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
