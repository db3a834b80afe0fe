"""Table of the daily mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment


class DailyMail(Base):
    """Somebody who wants the figures of each day by mail. `last_day` is the last day that a mail
    was put about (whole days since 1970 on the shop's calendar): the guard against a second one."""

    __tablename__ = "daily_mails"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)
    last_day: Mapped[int] = mapped_column(BigId)
    tested_at: Mapped[datetime | None] = mapped_column(Moment)
