"""Tables of reports: how stock flowed by the shop's own days, always equal to the movements.

A row says how many more of an item there were at a place after the day (or month) than before it.
With the levels of now, that is the stock of any day that was, and its average over any days.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment


class Flow(Base):
    """The movements of an item at a place in a day (`months` 0), and again in a month (1):
    `quantity` is what it came to, `quantity_days` the same with each movement times its day, and
    `sold` what left for sales less what came back of them."""

    __tablename__ = "stock_flows"
    __table_args__ = (
        Index("ix_stock_flows_item_id", "item_id", "months", "day"),
        {"sqlite_with_rowid": False},
    )

    months: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    location_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    quantity: Mapped[int] = mapped_column(BigId)
    quantity_days: Mapped[int] = mapped_column(BigId)
    sold: Mapped[int] = mapped_column(BigId)


class FlowMark(Base):
    """One row: up to which movement the flows are summed up, and in the days of which zone."""

    __tablename__ = "stock_flow_marks"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    seen_id: Mapped[int] = mapped_column(BigId)
    time_zone: Mapped[str] = mapped_column(String(64))


class OrderCount(Base):
    """One row: how many items wanted ordering when they were last counted, in all places, by the
    sales of the usual days. The owner's first page says it without adding anything up."""

    __tablename__ = "order_counts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    items: Mapped[int] = mapped_column(BigId)
    counted_at: Mapped[datetime] = mapped_column(Moment)
