"""Tables of imports by page: a list that somebody sent, its rows in pieces, and what became of
them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

STATES = ("staging", "open", "running", "done", "stopped")
TRANSITIONS = {
    ("staging", "whole"): "open",
    ("open", "begun"): "running",
    ("open", "ended"): "stopped",
    ("running", "taken"): "done",
    ("running", "ended"): "stopped",
    ("stopped", "begun"): "running",
}
"""Rows are written down while it is `staging`; while it is `open` somebody says which column holds
what; it is `running` until its last piece is taken."""


class Intake(Base):
    """A list of items that was sent by page. `fields` is what each of its columns holds, empty
    where it is left out; what no row says is `tax_rate_bp`, `price_minor` and, for new items,
    `quantity` pieces at a location. Of its `pieces` the first `taken` are in. It stays, when its
    rows have gone, to tell who brought in what."""

    __tablename__ = "intakes"
    __table_args__ = (
        CheckConstraint("state IN ('staging', 'open', 'running', 'done', 'stopped')", name="state"),
        CheckConstraint("taken BETWEEN 0 AND pieces", name="taken"),
        CheckConstraint("(state IN ('done', 'stopped')) = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint(
            "state <> 'done' OR (taken = pieces"
            " AND added + updated + unchanged + rejected = row_count)",
            name="whole",
        ),
        CheckConstraint("added + updated + unchanged + rejected <= row_count", name="counts"),
        CheckConstraint("tax_rate_bp BETWEEN 0 AND 10000", name="tax"),
        CheckConstraint("price_minor > 0", name="price"),
        Index(
            "ix_intakes_running",
            "at",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index("ix_intakes_at", "at"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(8), default="staging")
    encoding: Mapped[str] = mapped_column(String(20), default="")
    separator: Mapped[str] = mapped_column(String(1), default="")
    headings: Mapped[list[str]] = mapped_column(JSON)
    fields: Mapped[list[str]] = mapped_column(JSON)
    currency: Mapped[str] = mapped_column(String(3))
    language: Mapped[str] = mapped_column(String(8))
    tax_rate_bp: Mapped[int] = mapped_column()
    price_minor: Mapped[int | None] = mapped_column(BigId)
    quantity: Mapped[int | None] = mapped_column(BigId)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    row_count: Mapped[int] = mapped_column(default=0)
    pieces: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    begun_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def is_sheet(self) -> bool:
        """Whether it was a spreadsheet, which has no encoding to tell."""
        return not self.encoding


class IntakePiece(Base):
    """Some rows of such a list, packed, and those of them that were refused with the reasons."""

    __tablename__ = "intake_pieces"

    intake_id: Mapped[str] = mapped_column(ForeignKey("intakes.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[bytes] = mapped_column(LargeBinary)
    rejects: Mapped[list[Any] | None] = mapped_column(JSON)


class IntakeCode(Base):
    """The first row of a list that has a code: a later one with it is refused."""

    __tablename__ = "intake_codes"

    intake_id: Mapped[str] = mapped_column(ForeignKey("intakes.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(10), primary_key=True)
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    row: Mapped[int] = mapped_column()


class IntakeItem(Base):
    """An item that a list has brought in or changed."""

    __tablename__ = "intake_items"

    intake_id: Mapped[str] = mapped_column(ForeignKey("intakes.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    is_new: Mapped[bool] = mapped_column()
