"""Tables of two accounts of one person: that both are theirs, and that they came together."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Moment

__all__ = ["Merge", "MergeProof"]


class MergeProof(Base):
    """A member has shown, in the browser with this digest of the visit cookie, that another account
    (`other_id`) is theirs, too: by a code, a password or a passkey; `second_at`: and by its second
    factor. Its `id` is that of the merge which it may lead to, once."""

    __tablename__ = "merge_proofs"
    __table_args__ = (
        CheckConstraint("how IN ('code', 'password', 'passkey')", name="how"),
        CheckConstraint("member_id <> other_id", name="two_accounts"),
        Index("uq_merge_proofs_visit", "visit", unique=True),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    visit: Mapped[str] = mapped_column(String(64))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    how: Mapped[str] = mapped_column(String(8))
    second_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class Merge(Base):
    """An account (`gone_id`) that came into another one of the same person (`kept_id`). Where that
    came into a third one later, `now_id` is whose all of it is by now; the rest is history."""

    __tablename__ = "merges"
    __table_args__ = (
        CheckConstraint("how IN ('code', 'password', 'passkey')", name="how"),
        CheckConstraint("gone_id <> kept_id AND gone_id <> now_id", name="two_accounts"),
        Index("uq_merges_gone_id", "gone_id", unique=True),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    gone_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    kept_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    now_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    how: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(Moment)
