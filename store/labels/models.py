"""Tables of labels: each sticker that was printed, and the print jobs they came from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class PrintJob(Base):
    """One printing: what it needs to be printed again just as it was. `key` is the caller's own: a
    form that is sent twice makes one job. An empty `base_url` is the shop's address at the time;
    empty `languages` are the shop's; `dpi` is 0 where an office printer prints. Of its labels the
    first `handed` were handed to a printer, the last time at `handed_at`."""

    __tablename__ = "print_jobs"
    __table_args__ = (CheckConstraint("handed >= 0 AND handed <= count", name="handed"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sheet: Mapped[str] = mapped_column(String(32))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    count: Mapped[int] = mapped_column(BigId)
    skip: Mapped[int] = mapped_column(default=0)
    base_url: Mapped[str] = mapped_column(String(300), default="")
    key: Mapped[str | None] = mapped_column(String(64), unique=True)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    languages: Mapped[str] = mapped_column(String(40), default="")
    dpi: Mapped[int] = mapped_column(default=0)
    handed: Mapped[int] = mapped_column(BigId, default=0)
    handed_at: Mapped[datetime | None] = mapped_column(Moment)
    handed_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class Label(Base):
    """One sticker: which item, at which place and shelf, with which price printed on it. `position`
    is its place in the order of its job; `said` is the item's names and size as they were kept then
    (NULL: not known)."""

    __tablename__ = "labels"
    __table_args__ = (
        Index("ix_labels_item_id_location_id", "item_id", "location_id"),
        Index("ix_labels_job_id_position", "job_id", "position"),
    )

    id: Mapped[str] = mapped_column(String(10), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    shelf: Mapped[str] = mapped_column(String(40), default="")
    price_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    job_id: Mapped[int] = mapped_column(ForeignKey("print_jobs.id"))
    position: Mapped[int] = mapped_column(BigId)
    printed_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    printed_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    said: Mapped[str | None] = mapped_column(Text)
