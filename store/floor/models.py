"""Table of the floor: who of the staff sees to which work."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class WorkTaken(Base):
    """A person sees to one kind of work at a place. What waits, and how much of it, is known to the
    rooms alone; this says only that nobody else need begin. It is void after a time, and for what
    came after it. The place is 0 where the work is the whole shop's."""

    __tablename__ = "work_taken"

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    location_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(BigId)
    taken_at: Mapped[datetime] = mapped_column(Moment)
