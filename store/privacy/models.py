"""Table of privacy: who was told that their account is going to be erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Moment


class ErasureNotice(Base):
    """A member who has not been here for long was told so. Whoever comes again is left alone, and
    told anew another time."""

    __tablename__ = "erasure_notices"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(Moment)
