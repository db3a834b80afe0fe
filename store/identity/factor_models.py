"""Tables of the second factor: who has one, what opens without it, who is halfway in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

__all__ = ["Factor", "HalfSignIn", "RecoveryCode"]


class Factor(Base):
    """An app that makes a code every half minute. Its secret is worked out from `seed` under the
    shop's key: a copy of the database alone makes no codes. `last_step`: the half minute whose code
    was used last; none before it counts any more."""

    __tablename__ = "factors"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    seed: Mapped[str] = mapped_column(String(64))
    last_step: Mapped[int] = mapped_column(BigInteger)
    set_at: Mapped[datetime] = mapped_column(Moment)


class RecoveryCode(Base):
    """A code on paper that stands for the second factor once; kept as an authentication code."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    mark: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class HalfSignIn(Base):
    """A browser whose member has given the first sign of who they are, and owes the second. It is
    nobody's until then."""

    __tablename__ = "half_sign_ins"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
