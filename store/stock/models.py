"""Tables of stock: locations, levels, and the movements that made them so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Location(Base):
    """A place with stock of its own: a shop or a warehouse."""

    __tablename__ = "locations"
    __table_args__ = (CheckConstraint("kind IN ('shop', 'warehouse')", name="kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16), default="shop")
    address: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)


class Level(Base):
    """How many of an item are at a location: always the sum of the movements, never below zero."""

    __tablename__ = "levels"
    __table_args__ = (CheckConstraint("on_hand >= 0", name="on_hand"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(BigId, default=0)
    shelf: Mapped[str] = mapped_column(String(40), default="")


class Movement(Base):
    """Why a level changed. History: rows are added, never changed or removed."""

    __tablename__ = "movements"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="quantity"),
        CheckConstraint(
            "reason IN ('received', 'sold', 'returned', 'counted', 'moved')", name="reason"
        ),
        Index("ix_movements_item_id_location_id", "item_id", "location_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    quantity: Mapped[int] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(String(16))
    sale_id: Mapped[str | None] = mapped_column(String(20), index=True)
    note: Mapped[str] = mapped_column(String(200), default="")
    member_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(Moment)
