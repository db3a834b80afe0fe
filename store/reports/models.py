"""Tables of reports: takings summed up by hour, which are always equal to the sale lines."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId


class Takings(Base):
    """Takings of one item in one hour (whole hours since 1970 UTC), location and channel; refunds
    count against the hour in which they were made."""

    __tablename__ = "takings"
    __table_args__ = (Index("ix_takings_item_id_hour", "item_id", "hour"),)

    hour: Mapped[int] = mapped_column(primary_key=True)
    location_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(8), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    item_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    quantity: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)
    tax_minor: Mapped[int] = mapped_column(BigId)
