"""Tables of sellers under one roof: contracts, shares of what was sold, settlements, payouts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

CALENDARS = ("days", "weekly", "monthly")
PAYOUT_TRANSITIONS = {("due", "pay"): "paid", ("paid", "fail"): "due"}
"""A payout's life: it is due until the bank has paid it, and again where the money came back."""


class Contract(Base):
    """The terms between the house and a seller from a moment on; the newest that has begun counts.
    The house keeps `commission_bp` of every line and `line_fee_minor` for it; of what was paid with
    money from outside the seller bears `fee_bp`, 0 where the house bears the gateways' fees. What
    was sold is settled by `calendar`: so many days later ("days"), on a weekday (1 is Monday), or
    on a day of the month. History: only added to."""

    __tablename__ = "seller_contracts"
    __table_args__ = (
        UniqueConstraint("seller_id", "starts_at"),
        CheckConstraint("commission_bp BETWEEN 0 AND 10000", name="commission"),
        CheckConstraint("fee_bp BETWEEN 0 AND 10000", name="fee"),
        CheckConstraint("line_fee_minor >= 0", name="line_fee"),
        CheckConstraint(
            "(calendar = 'days' AND calendar_day BETWEEN 1 AND 90) OR "
            "(calendar = 'weekly' AND calendar_day BETWEEN 1 AND 7) OR "
            "(calendar = 'monthly' AND calendar_day BETWEEN 1 AND 28)",
            name="calendar",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    commission_bp: Mapped[int] = mapped_column(BigId)
    line_fee_minor: Mapped[int] = mapped_column(BigId)
    fee_bp: Mapped[int] = mapped_column(BigId)
    calendar: Mapped[str] = mapped_column(String(8))
    calendar_day: Mapped[int] = mapped_column(BigId)
    starts_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)


class Share(Base):
    """How the money of a line of a sale is divided, and again for each refund of it (`refund_id`,
    amounts below zero; empty for the sale itself). share + commission + fee = total. Of a bundle
    each part has an entry: `weight` is its weight in the price, and the parts of the house stand
    beside those of sellers (`seller_id` NULL), so that all of them are the line. History, but for
    the settlement that an entry goes into, once."""

    __tablename__ = "shares"
    __table_args__ = (
        UniqueConstraint("sale_id", "refund_id", "position", "item_id"),
        CheckConstraint("share_minor + commission_minor + fee_minor = total_minor", name="total"),
        CheckConstraint(
            "(refund_id = '' AND total_minor >= 0 AND commission_minor >= 0 AND fee_minor >= 0 "
            "AND share_minor >= 0) OR (refund_id <> '' AND total_minor <= 0 AND "
            "commission_minor <= 0 AND fee_minor <= 0 AND share_minor <= 0)",
            name="signs",
        ),
        CheckConstraint("(seller_id IS NULL) = (contract_id IS NULL)", name="contract"),
        CheckConstraint("seller_id IS NOT NULL OR settlement_id IS NULL", name="house"),
        Index("ix_shares_seller_id", "seller_id", "settlement_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sale_id: Mapped[str] = mapped_column(ForeignKey("sales.id"))
    refund_id: Mapped[str] = mapped_column(String(20))
    position: Mapped[int] = mapped_column(BigId)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    seller_id: Mapped[int | None] = mapped_column(ForeignKey("sellers.id"))
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("seller_contracts.id"))
    weight: Mapped[int] = mapped_column(BigId)
    quantity: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    total_minor: Mapped[int] = mapped_column(BigId)
    commission_minor: Mapped[int] = mapped_column(BigId)
    fee_minor: Mapped[int] = mapped_column(BigId)
    share_minor: Mapped[int] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(Moment)
    booked_at: Mapped[datetime] = mapped_column(Moment)
    settlement_id: Mapped[str | None] = mapped_column(ForeignKey("seller_settlements.id"))


class Settlement(Base):
    """What a seller gets for what was sold before `until`. It gathers its entries by and by, and is
    closed in one step that says what is paid out; what is below zero is carried on to the next."""

    __tablename__ = "seller_settlements"
    __table_args__ = (
        UniqueConstraint("seller_id", "number"),
        CheckConstraint("state IN ('gathering', 'closed')", name="state"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint(
            "share_minor = total_minor - returned_minor - commission_minor - fee_minor",
            name="share",
        ),
        CheckConstraint("carried_minor <= 0 AND left_minor <= 0 AND payout_minor >= 0",
                        name="signs"),
        CheckConstraint(
            "carried_minor + share_minor = payout_minor + left_minor AND "
            "(payout_minor = 0 OR left_minor = 0)",
            name="payout",
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    number: Mapped[int] = mapped_column(BigId)
    until: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(9))
    currency: Mapped[str] = mapped_column(String(3))
    entries: Mapped[int] = mapped_column(BigId)
    total_minor: Mapped[int] = mapped_column(BigId)
    returned_minor: Mapped[int] = mapped_column(BigId)
    commission_minor: Mapped[int] = mapped_column(BigId)
    fee_minor: Mapped[int] = mapped_column(BigId)
    share_minor: Mapped[int] = mapped_column(BigId)
    carried_minor: Mapped[int] = mapped_column(BigId)
    payout_minor: Mapped[int] = mapped_column(BigId)
    left_minor: Mapped[int] = mapped_column(BigId)
    began_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)


class Payout(Base):
    """Money on its way to a seller's bank: due, or paid with the bank's reference. `steps` counts
    what happened to it, so that a page that is out of date changes nothing."""

    __tablename__ = "payouts"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('due', 'paid')", name="state"),
        CheckConstraint("(state = 'paid') = (reference <> '')", name="reference"),
        Index("ix_payouts_seller_id_state", "seller_id", "state"),
    )

    settlement_id: Mapped[str] = mapped_column(
        ForeignKey("seller_settlements.id"), primary_key=True
    )
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(8))
    reference: Mapped[str] = mapped_column(String(80))
    steps: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(Moment)


class PayoutStep(Base):
    """Something that happened to a payout: paid, with the bank's reference; failed, with a reason.
    History: rows are only added."""

    __tablename__ = "payout_steps"
    __table_args__ = (CheckConstraint("event IN ('pay', 'fail')", name="event"),)

    settlement_id: Mapped[str] = mapped_column(
        ForeignKey("payouts.settlement_id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    event: Mapped[str] = mapped_column(String(8))
    reference: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(200))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
