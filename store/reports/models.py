"""Tables of reports: takings summed up by the shop's own days, always equal to the sale lines.

Each table answers its questions by reading few rows: takings by day and hour, by item, by shopper.
They are filled from the outbox (rollup.py), so a sale pays nothing for them. Refunds count against
the hour in which they were made: a day that is over never changes.

A day is the number of days since 1970 in the shop's TIME_ZONE, an hour what its clock shows. So a
zone with half hours and the days of 23 or 25 hours need no special care when figures are read; the
price is that another TIME_ZONE means summing up anew, which `Reckoning` watches over.
"""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId

WHOLE_DAY, WHOLE_MONTH, WHOLE_YEAR = 0, 1, 12
"""How many months the span of a row has; a span begins on the row's day."""

# On SQLite the rows lie in the order of their keys, so that a run of days is read in one go.
_CLUSTERED = {"sqlite_with_rowid": False}


class Measures:
    """What is summed up. `quantity`, `total_minor` and `tax_minor` are sales less refunds; so is
    `goods_minor`, what goods brought without tax, `costed_minor`, as much of that as is known what
    it cost, and `cost_minor`, what that cost."""

    sales: Mapped[int] = mapped_column(BigId)
    refunds: Mapped[int] = mapped_column(BigId)
    quantity: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)
    tax_minor: Mapped[int] = mapped_column(BigId)
    refunded_minor: Mapped[int] = mapped_column(BigId)
    goods_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    costed_minor: Mapped[int] = mapped_column(BigId, server_default="0")
    cost_minor: Mapped[int] = mapped_column(BigId, server_default="0")


class Takings(Measures, Base):
    """Takings of one hour of one day at a location, by channel, means of payment and currency."""

    __tablename__ = "takings"
    __table_args__ = _CLUSTERED

    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    location_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(8), primary_key=True)
    means: Mapped[str] = mapped_column(String(16), primary_key=True)


class TakingsOfItem(Measures, Base):
    """Takings of one item in a day, again in a month, and in a year: long times are read from few
    rows. `sales` counts the sales that the item is in, however many lines it has there.
    `seller_id` is whose the item was when it was sold; 0 is the house."""

    __tablename__ = "takings_of_items"
    __table_args__ = (
        Index("ix_takings_of_items_item_id", "item_id", "currency", "months", "day"),
        _CLUSTERED,
    )

    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    months: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    item_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    location_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(8), primary_key=True)
    seller_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)


class TakingsOfMember(Measures, Base):
    """Takings from one shopper in a day, a month and a year."""

    __tablename__ = "takings_of_members"
    __table_args__ = (
        # What one member brought: the takings from them, the page about them, and the cohorts.
        Index("ix_takings_of_members_member_id", "member_id", "months", "currency", "day"),
        _CLUSTERED,
    )

    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    months: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    location_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(8), primary_key=True)


class LabelSales(Base):
    """What was sold from a label (the line of the sale says which one was scanned) on a day, and
    again in a month: sales, units and money, before what came back of them."""

    __tablename__ = "label_sales"
    __table_args__ = _CLUSTERED

    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    months: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    label_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    sales: Mapped[int] = mapped_column(BigId)
    units: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)


class Reckoning(Base):
    """One row: the time zone in whose days the tables above are summed up."""

    __tablename__ = "reckoning"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    time_zone: Mapped[str] = mapped_column(String(64))
