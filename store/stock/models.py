"""Tables of stock: locations, levels, the movements that made them so, batches, reservations."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Location(Base):
    """A place with stock of its own: a shop, a warehouse, the way between them, or the quarantine
    beside one, where returned goods wait that are not for sale. `when_empty` says what happens when
    the book says zero and the shopper holds the item: refuse, or sell and have it counted."""

    __tablename__ = "locations"
    __table_args__ = (
        CheckConstraint("kind IN ('shop', 'warehouse', 'transit', 'quarantine')", name="kind"),
        CheckConstraint("when_empty IN ('refuse', 'sell')", name="when_empty"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16), default="shop")
    address: Mapped[str] = mapped_column(String(300), default="")
    when_empty: Mapped[str] = mapped_column(String(8), default="refuse")
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
    """Why a level changed. History: rows are added, never changed or removed. `batch_id` says which
    batch it was, where one is known."""

    __tablename__ = "movements"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="quantity"),
        CheckConstraint(
            "reason IN ('received', 'sold', 'returned', 'counted', 'moved', 'found',"
            " 'written_off')",
            name="reason",
        ),
        Index("ix_movements_item_id_location_id_at", "item_id", "location_id", "at"),
        Index(
            "ix_movements_batch_id", "batch_id",
            sqlite_where=text("batch_id IS NOT NULL"),
            postgresql_where=text("batch_id IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    quantity: Mapped[int] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(String(16))
    sale_id: Mapped[str | None] = mapped_column(String(20), index=True)
    batch_id: Mapped[int | None] = mapped_column(BigId)
    note: Mapped[str] = mapped_column(String(200), default="")
    member_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(Moment)


class Reservation(Base):
    """So many at a location are kept for a sale, until they are taken, released, or `ends_at` is
    over; None is no end. It is live while it was not ended and its end has not come: what is over
    counts for nothing at once, whether or not somebody has swept yet."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("how IN ('taken', 'released', 'expired')", name="how"),
        CheckConstraint("(ended_at IS NULL) = (how IS NULL)", name="ended"),
        # What is kept now is little beside what ever was.
        Index(
            "ix_reservations_kept", "item_id", "location_id",
            sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    quantity: Mapped[int] = mapped_column(BigId)
    sale_id: Mapped[str] = mapped_column(String(20), index=True)
    made_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    how: Mapped[str | None] = mapped_column(String(8))


class Batch(Base):
    """Goods of one item that were made together. `code` is what stands on the pack, AI (10);
    `expires_on` is AI (17), the last day on which they are sold. How many of it are where is the
    sum of its movements."""

    __tablename__ = "batches"
    __table_args__ = (UniqueConstraint("item_id", "code"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    code: Mapped[str] = mapped_column(String(20))
    expires_on: Mapped[date | None] = mapped_column(Date)
    made_at: Mapped[datetime] = mapped_column(Moment)
    recalled_at: Mapped[datetime | None] = mapped_column(Moment)
    recalled_by: Mapped[int | None] = mapped_column(BigId)
