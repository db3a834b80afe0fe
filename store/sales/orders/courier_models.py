"""Tables of couriers: who takes cash at the door, what they took, and when it was counted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment


class Courier(Base):
    """Somebody who takes cash at the door: a person, or a carrier's company. Staff write the name
    when they say that a parcel has arrived."""

    __tablename__ = "couriers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)


class CourierTaking(Base):
    """What a courier took at the door for a shipment, once; `hand_in_id` is the count with which
    it came in."""

    __tablename__ = "courier_takings"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index(
            "ix_courier_takings_courier_id",
            "courier_id",
            sqlite_where=text("hand_in_id IS NULL"),
            postgresql_where=text("hand_in_id IS NULL"),
        ),
    )

    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"), index=True)
    courier_id: Mapped[int] = mapped_column(ForeignKey("couriers.id"))
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    hand_in_id: Mapped[str | None] = mapped_column(ForeignKey("courier_hand_ins.id"), index=True)
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class CourierHandIn(Base):
    """A courier's cash, counted: what it should have been, what it was, and why it differs. `key`
    is made by the page, unique per member of the staff. History."""

    __tablename__ = "courier_hand_ins"
    __table_args__ = (
        UniqueConstraint("counted_by", "key"),
        CheckConstraint("expected_minor > 0 AND counted_minor >= 0", name="amounts"),
        CheckConstraint("counted_minor = expected_minor OR reason <> ''", name="reason"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    courier_id: Mapped[int] = mapped_column(ForeignKey("couriers.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    currency: Mapped[str] = mapped_column(String(3))
    expected_minor: Mapped[int] = mapped_column(BigId)
    counted_minor: Mapped[int] = mapped_column(BigId)
    reason: Mapped[str] = mapped_column(String(200), default="")
    counted_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
