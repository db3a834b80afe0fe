"""The table of cohorts: who bought first in a month, and what they bought in each month since."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId

__all__ = ["Cohort"]


class Cohort(Base):
    """The members whose first purchase was in the month of `first`, and what they bought in the
    month of `day`: how many of them bought, how often, and for how much less what came back. Both
    are the first days of their months. A roll-up of `takings_of_members`, which leads to the same
    figures at any time; nobody known is in none of it."""

    __tablename__ = "cohorts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    first: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    shoppers: Mapped[int] = mapped_column(BigId)
    sales: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)
