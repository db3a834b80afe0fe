"""Tables of the staff's work with stock: what is to be done, and the slips of work under way."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
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


class Slip(Base):
    """A piece of work that takes a while and is scanned together: an order at a supplier, a
    delivery, a count of a shelf, a transfer to another place.

    `sent_at` is when an order went out or a transfer left; `ended_at` when a delivery was booked, a
    count approved, a transfer had arrived, an order was complete, or (how 'cancelled') it came to
    nothing. An open slip changes no level, but for a transfer that has left.
    """

    __tablename__ = "slips"
    __table_args__ = (
        CheckConstraint("kind IN ('purchase', 'delivery', 'count', 'transfer')", name="kind"),
        CheckConstraint("how IN ('done', 'cancelled')", name="how"),
        CheckConstraint("(ended_at IS NULL) = (how IS NULL)", name="ended"),
        CheckConstraint("(kind = 'transfer') = (target_id IS NOT NULL)", name="target"),
        Index("ix_slips_location_id_kind_ended_at", "location_id", "kind", "ended_at"),
        Index("ix_slips_target_id", "target_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(64), unique=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    target_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("slips.id"), index=True)
    title: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    expected_on: Mapped[date | None] = mapped_column(Date)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    opened_by: Mapped[int] = mapped_column(BigId)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    sent_by: Mapped[int | None] = mapped_column(BigId)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[int | None] = mapped_column(BigId)
    how: Mapped[str | None] = mapped_column(String(12))


class SlipScan(Base):
    """Somebody scanned so many of an item for a slip. History: rows are added. `anew` says that
    what was scanned of the item (of a batch: of it) before does not count. `book` is what was on
    hand by the book at this moment, where a shelf is counted."""

    __tablename__ = "slip_scans"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("stage IN ('out', 'in')", name="stage"),
        UniqueConstraint("slip_id", "key", "item_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slip_id: Mapped[int] = mapped_column(ForeignKey("slips.id"))
    key: Mapped[str] = mapped_column(String(64))
    stage: Mapped[str] = mapped_column(String(4))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    quantity: Mapped[int] = mapped_column(BigId)
    anew: Mapped[bool] = mapped_column(default=False)
    book: Mapped[int | None] = mapped_column(BigId)
    batch: Mapped[str] = mapped_column(String(20), default="")
    expires_on: Mapped[date | None] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(Moment)
    member_id: Mapped[int] = mapped_column(BigId)


class SlipLine(Base):
    """What a slip came to for an item: `expected` (ordered, sent, by the book) and `done` (came,
    arrived, counted). Written when the order or the transfer goes out, or at the slip's end."""

    __tablename__ = "slip_lines"
    __table_args__ = (
        CheckConstraint("expected >= 0", name="expected"),
        CheckConstraint("done >= 0", name="done"),
        Index("ix_slip_lines_item_id", "item_id"),
    )

    slip_id: Mapped[int] = mapped_column(ForeignKey("slips.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    expected: Mapped[int] = mapped_column(BigId)
    done: Mapped[int] = mapped_column(BigId)


class SlipCost(Base):
    """What one of an item costs by an order or a delivery, in hundredths of a minor unit, without
    the tax that the shop gets back. Said until the slip is booked; a delivery that says nothing
    costs what its order said."""

    __tablename__ = "slip_costs"
    __table_args__ = (CheckConstraint("hundredths > 0", name="hundredths"),)

    slip_id: Mapped[int] = mapped_column(ForeignKey("slips.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    hundredths: Mapped[int] = mapped_column(BigId)


class WriteOff(Base):
    """Goods that are gone without a sale, and why. Each has its movement. History."""

    __tablename__ = "write_offs"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_write_offs_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    quantity: Mapped[int] = mapped_column(BigId)
    why: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(String(200), default="")
    member_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(Moment)
