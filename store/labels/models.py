"""Tables of labels: each sticker that was printed, and the print jobs they came from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class PrintJob(Base):
    __tablename__ = "print_jobs"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sheet: Mapped[str] = mapped_column(String(32))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    count: Mapped[int] = mapped_column(BigId)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)


class Label(Base):
    """One sticker: which item, at which place and shelf, with which price printed on it."""

    __tablename__ = "labels"
    __table_args__ = (Index("ix_labels_item_id_location_id", "item_id", "location_id"),)

    id: Mapped[str] = mapped_column(String(10), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    shelf: Mapped[str] = mapped_column(String(40), default="")
    price_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("print_jobs.id"), index=True)
    printed_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    printed_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
