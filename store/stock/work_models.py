"""Tables of the staff's work with stock: what is to be done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

_OPEN = "closed_at IS NULL"


class Task(Base):
    """Something that a person must look at. Of a kind, place and item one is open at a time;
    `times` counts how often it was asked for."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("(taken_by IS NULL) = (taken_at IS NULL)", name="taken"),
        Index(
            "uq_tasks_open_item", "kind", "location_id", "item_id", unique=True,
            sqlite_where=text(f"{_OPEN} AND item_id IS NOT NULL"),
            postgresql_where=text(f"{_OPEN} AND item_id IS NOT NULL"),
        ),
        Index(
            "uq_tasks_open_place", "kind", "location_id", unique=True,
            sqlite_where=text(f"{_OPEN} AND item_id IS NULL"),
            postgresql_where=text(f"{_OPEN} AND item_id IS NULL"),
        ),
        Index("ix_tasks_location_id_closed_at", "location_id", "closed_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    note: Mapped[str] = mapped_column(String(200), default="")
    times: Mapped[int] = mapped_column(BigId, default=0)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    opened_by: Mapped[int | None] = mapped_column(BigId)
    taken_at: Mapped[datetime | None] = mapped_column(Moment)
    taken_by: Mapped[int | None] = mapped_column(BigId)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[int | None] = mapped_column(BigId)
