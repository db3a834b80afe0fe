"""Tables of returns: what is declared, what arrived, and what was decided about each unit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment

WAYS = ("shop", "mail", "pick_up")
REASONS = ("damaged", "spoiled", "wrong_item", "not_as_expected", "mistake", "other")
"""Why something comes back, as reports count it. Each has its words in
templates/sales/return_reasons.html; nothing was said where it is empty."""

RETURN_TRANSITIONS = {
    ("declared", "receive_part"): "part_received",
    ("declared", "receive_rest"): "received",
    ("declared", "cancel"): "cancelled",
    ("part_received", "receive_part"): "part_received",
    ("part_received", "receive_rest"): "received",
    ("part_received", "cancel"): "received",
}
"""A return's life. Cancelling the rest of one that has arrived in part ends it as received."""


class Return(Base):
    """Units of a sale on their way back. `code` is what the shopper shows or writes on the parcel;
    `key` is made by the page, unique per sale. `why` is one of REASONS, `reason` the shopper's own
    words beside it. `allowed_by` is who of the staff took back what the
    rules would not, and why. `fetched_at` is when a courier or staff had it from the shopper's
    door, where it is picked up. `to_account` is the shopper's word that the money comes to their
    account instead of to its source."""

    __tablename__ = "returns"
    __table_args__ = (
        UniqueConstraint("sale_id", "key"),
        CheckConstraint(
            "state IN ('declared', 'part_received', 'received', 'cancelled')", name="state"
        ),
        CheckConstraint("way IN ('shop', 'mail', 'pick_up')", name="way"),
        CheckConstraint(f"why IN {('', *REASONS)!r}", name="why"),
        CheckConstraint("fetched_at IS NULL OR way = 'pick_up'", name="fetched"),
        CheckConstraint("(fetched_at IS NULL) = (fetched_by IS NULL)", name="fetched_by"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"))
    code: Mapped[str] = mapped_column(String(8), unique=True)
    key: Mapped[str] = mapped_column(String(64))
    way: Mapped[str] = mapped_column(String(8))
    why: Mapped[str] = mapped_column(String(16), default="", server_default="")
    reason: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(300), default="")
    to_account: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(16), index=True)
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    allowed_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    allowed_reason: Mapped[str] = mapped_column(String(200), default="")
    fetched_at: Mapped[datetime | None] = mapped_column(Moment)
    fetched_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


class ReturnLine(Base):
    """So many units of one line of the sale, and how many of them have arrived."""

    __tablename__ = "return_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("quantity_received BETWEEN 0 AND quantity", name="quantity_received"),
    )

    return_id: Mapped[str] = mapped_column(ForeignKey("returns.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int] = mapped_column(BigId)
    quantity_received: Mapped[int] = mapped_column(BigId, default=0)


class ReturnDecision(Base):
    """What became of units that arrived: where, and with which refund. `key` is that of the page
    that was sent: sent again it is the same hand-in. History."""

    __tablename__ = "return_decisions"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("decision IN ('resell', 'quarantine', 'scrap')", name="decision"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    return_id: Mapped[str] = mapped_column(ForeignKey("returns.id"), index=True)
    refund_id: Mapped[str] = mapped_column(ForeignKey("refunds.id"), index=True)
    key: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column()
    quantity: Mapped[int] = mapped_column(BigId)
    decision: Mapped[str] = mapped_column(String(12))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    note: Mapped[str] = mapped_column(String(200), default="")
    made_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
