"""Tables of the bank: statement files, and what came in by them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment

TRANSITIONS = {
    ("new", "fits"): "settled",
    ("new", "differs"): "open",
    ("open", "assigned"): "settled",
    ("open", "kept"): "account",
    ("open", "sent_for"): "returning",
    ("open", "told_twice"): "repeated",
    ("returning", "sent"): "returned",
}
"""The life of what came in. It is booked when it is read; each of these steps moves it on."""
LIES = ("new", "open", "returning")
"""States in which the money lies with us and is nobody's yet."""
PROBLEMS = ("unknown", "several", "too_little", "too_much", "other_currency", "paid_already")
"""Why an entry did not settle by itself: it names no payment of ours, or more than one; it is
another amount or currency; or that payment had come before."""


class BankFile(Base):
    """A statement file, known by its digest. `outgoing` counts what left the account, which is no
    matter of ours."""

    __tablename__ = "bank_files"

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    layout: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(120))
    incoming: Mapped[int] = mapped_column()
    outgoing: Mapped[int] = mapped_column()
    taken_by: Mapped[int] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class BankEntry(Base):
    """Money that came to the shop's bank account, told once whichever files tell of it (`key`). Its
    `transfer_id` took it into the ledger. `attempt_id` is the payment that it names, or settled;
    `surplus_minor` of it was more than that and went to the shopper's account. `sent_to` is the
    account that it went back to. History but for its state and what follows from it."""

    __tablename__ = "bank_entries"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("surplus_minor >= 0 AND surplus_minor < amount_minor", name="surplus"),
        CheckConstraint(
            "state IN ('new', 'open', 'settled', 'account', 'returning', 'returned', 'repeated')",
            name="state",
        ),
        CheckConstraint("state <> 'open' OR problem <> ''", name="problem"),
        CheckConstraint(
            "state NOT IN ('settled', 'account') OR attempt_id IS NOT NULL", name="whose"
        ),
        CheckConstraint(
            "state NOT IN ('account', 'returning', 'returned', 'repeated') "
            "OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name="decided",
        ),
        CheckConstraint("(state = 'returned') = (sent_to <> '')", name="sent"),
        Index(
            "uq_bank_entries_settled",
            "attempt_id",
            unique=True,
            sqlite_where=text("state = 'settled'"),
            postgresql_where=text("state = 'settled'"),
        ),
        Index("ix_bank_entries_attempt_id", "attempt_id"),
        Index(
            "ix_bank_entries_lies",
            "state",
            "id",
            sqlite_where=text("state IN ('new', 'open', 'returning')"),
            postgresql_where=text("state IN ('new', 'open', 'returning')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("bank_files.id"))
    key: Mapped[str] = mapped_column(String(64), unique=True)
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    booked_on: Mapped[date] = mapped_column(Date)
    said: Mapped[str] = mapped_column(String(300))
    payer: Mapped[str] = mapped_column(String(140))
    payer_account: Mapped[str] = mapped_column(String(34))
    reference: Mapped[str] = mapped_column(String(25), default="")
    state: Mapped[str] = mapped_column(String(10), default="new")
    problem: Mapped[str] = mapped_column(String(16), default="")
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfers.id"), unique=True)
    attempt_id: Mapped[str | None] = mapped_column(ForeignKey("attempts.id"))
    surplus_minor: Mapped[int] = mapped_column(BigId, default=0)
    sent_to: Mapped[str] = mapped_column(String(34), default="")
    reason: Mapped[str] = mapped_column(String(200), default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
