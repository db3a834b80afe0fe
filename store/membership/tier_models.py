"""The table of tiers: which there are, from what on, and what each gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

BASES = ("spending", "points")
"""Tiers go by the money that points were earned for, or by the points."""


class TierPlan(Base):
    """A version of the shop's tiers, in force from `made_at` until the next. What counts is what
    was bought in the last so many `days`, less what went back of it. `tiers` is a list of `key`
    (the same in all versions), `names`, `least` (minor units, or points), `percent` of the usual
    points, `off_percent` off all goods, the `offer_id` that takes them off, and `free_delivery`; by
    `least`, the lowest first. Rows are only added."""

    __tablename__ = "tier_plans"
    __table_args__ = (
        CheckConstraint("basis IN ('spending', 'points')", name="basis"),
        CheckConstraint("days > 0", name="days"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    basis: Mapped[str] = mapped_column(String(8))
    days: Mapped[int] = mapped_column(BigId)
    tiers: Mapped[list[Any]] = mapped_column(JSON)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)
