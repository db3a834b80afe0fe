"""Tables of labels: each sticker that was printed, the print jobs they came from, how often each
was scanned, and the stickers that are not what they should be."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
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


class LabelScan(Base):
    """What a label's page came to on a day of the shop's calendar (whole days since 1970;
    `months` 0), and again in a month (`months` 1, its first day): how often it was opened, by how
    many phones (`looks`), and put into a basket from it."""

    __tablename__ = "label_scans"
    # On SQLite the rows lie in the order of their keys, so that a run of days is read in one go.
    __table_args__ = {"sqlite_with_rowid": False}

    months: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    label_id: Mapped[str] = mapped_column(String(10), primary_key=True)
    scans: Mapped[int] = mapped_column(BigId)
    looks: Mapped[int] = mapped_column(BigId)
    baskets: Mapped[int] = mapped_column(BigId)


class BadSticker(Base):
    """A sticker that was scanned and is not what it should be. Of a kind, `sign` (what it is known
    by) and place one is open at a time; `times` counts how often it was seen, at least. `shelf` is
    where staff saw it, `seen_by` who did; NULL is a shopper. History: a closed one stays."""

    __tablename__ = "bad_stickers"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (how IS NULL)", name="ended"),
        CheckConstraint("how IN ('replaced', 'removed', 'right')", name="how"),
        Index(
            "uq_bad_stickers_open", "kind", "sign", "location_id", unique=True,
            sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_bad_stickers_location_id_ended_at", "location_id", "ended_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    sign: Mapped[str] = mapped_column(String(48))
    label_id: Mapped[str | None] = mapped_column(String(10))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    shelf: Mapped[str] = mapped_column(String(40), default="")
    times: Mapped[int] = mapped_column(BigId, default=0)
    first_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    seen_by: Mapped[int | None] = mapped_column(BigId)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[int | None] = mapped_column(BigId)
    how: Mapped[str | None] = mapped_column(String(10))
