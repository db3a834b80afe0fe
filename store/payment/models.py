"""Tables of payment: accounts, the transfers between them, and top-ups on their way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Account(Base):
    """An account of the ledger in one currency.

    Only a shopper's account keeps `balance_minor` as a value (credits − debits), because it must
    not go below zero. The shop's own accounts are the sums of their transfers: a row that every
    sale updates would make the whole shop wait in one line.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("balance_minor >= 0", name="balance"),
        CheckConstraint("(member_id IS NULL) = (balance_minor IS NULL)", name="kept"),
        UniqueConstraint("member_id", "currency"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    currency: Mapped[str] = mapped_column(String(3))
    balance_minor: Mapped[int | None] = mapped_column(BigId)


class Transfer(Base):
    """Money from one account (debit) to another (credit). History: a transfer is reversed, at once
    or in parts, by other rows that name it in `reverses_id`. `reversed_before_minor` is how much of
    it had been reversed before this row: no two rows can both follow the same one, so that two
    refunds of one charge cannot pass each other unseen."""

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        CheckConstraint(
            "(reverses_id IS NULL) = (reversed_before_minor IS NULL)", name="reversed_before"
        ),
        UniqueConstraint("reverses_id", "reversed_before_minor"),
        Index("ix_transfers_debit_id", "debit_id", "id"),
        Index("ix_transfers_credit_id", "credit_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    debit_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    credit_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(16))
    sale_id: Mapped[str | None] = mapped_column(String(20), index=True)
    top_up_id: Mapped[str | None] = mapped_column(String(20), unique=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("transfers.id"))
    reversed_before_minor: Mapped[int | None] = mapped_column(BigId)
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(Moment)


class TopUp(Base):
    """A top-up on its way: started here, answered by the gateway at once, late, twice or never."""

    __tablename__ = "top_ups"
    __table_args__ = (
        UniqueConstraint("member_id", "key"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('pending', 'captured', 'failed', 'expired')", name="state"),
        Index("ix_top_ups_state_created_at", "state", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    key: Mapped[str] = mapped_column(String(64))
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    gateway: Mapped[str] = mapped_column(String(32))
    reference: Mapped[str] = mapped_column(String(100), default="")
    state: Mapped[str] = mapped_column(String(16), default="pending")
    next_url: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
