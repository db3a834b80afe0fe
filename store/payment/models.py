"""Tables of payment: accounts, the transfers between them, attempts to pay and what went back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Account(Base):
    """An account of the ledger in one currency.

    Only a shopper's account keeps `balance_minor` as a value (credits − debits), because it must
    not go below zero. The shop's own accounts are the sums of their transfers: a row that every
    sale updates would make the whole shop wait in one line. `most_buy_minor` and `most_day_minor`
    are what the shopper lets leave it without their PIN.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("balance_minor >= 0", name="balance"),
        CheckConstraint("(member_id IS NULL) = (balance_minor IS NULL)", name="kept"),
        CheckConstraint("most_buy_minor > 0 AND most_day_minor > 0", name="limits"),
        UniqueConstraint("member_id", "currency"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    currency: Mapped[str] = mapped_column(String(3))
    balance_minor: Mapped[int | None] = mapped_column(BigId)
    most_buy_minor: Mapped[int | None] = mapped_column(BigId)
    most_day_minor: Mapped[int | None] = mapped_column(BigId)


class Transfer(Base):
    """Money from one account (debit) to another (credit). History: a transfer is reversed, at once
    or in parts, by other rows that name it in `reverses_id`. `reversed_before_minor` is how much of
    it had been reversed before this row: no two rows can both follow the same one, so that two
    refunds of one charge cannot pass each other unseen. `attempt_id` is the attempt that brought
    the money from outside: it is booked once, whoever brings the answer."""

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
    attempt_id: Mapped[str | None] = mapped_column(String(20), unique=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("transfers.id"))
    reversed_before_minor: Mapped[int | None] = mapped_column(BigId)
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(Moment)


class AccountMark(Base):
    """What had come to a busy account and gone from it, in all, up to a transfer, which happened at
    `at`; see `marks`. Rows are only added."""

    __tablename__ = "account_marks"
    __table_args__ = (
        CheckConstraint("came_minor >= 0 AND went_minor >= 0", name="sums"),
        Index("ix_account_marks_account_id_at", "account_id", "at"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfers.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    came_minor: Mapped[int] = mapped_column(BigId)
    went_minor: Mapped[int] = mapped_column(BigId)


PURPOSES = ("top_up", "sale")
STATES = (
    "created", "pending", "authorised", "captured", "partly_refunded", "refunded", "failed",
    "expired", "disputed",
)  # fmt: skip
OPEN = ("created", "pending", "authorised")
"""States in which we do not know yet whether the money comes."""
CAME = ("captured", "partly_refunded", "refunded", "disputed")
"""States of which the money has come and is booked."""


class Attempt(Base):
    """An attempt to pay with money from outside: written down first, then asked for, answered at
    once, late, twice or never. `id` is the order number that the provider gets. One key may be
    tried several times (`number`), where the first attempts came to nothing. At a till the key is
    the seller's (`sold_by`), and nobody's name may be known; a guest's is that of their device
    (`guest_id`). `refunded_minor` is
    what went back or is on its way back: the guard against sending more than came. `saved_id` is
    the kept card that pays; `keeps` says that the card which pays is to be kept. `back_to` is the
    page of this shop on which the shopper was when they went to top up."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("member_id", "key", "number"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded"),
        CheckConstraint("purpose IN ('top_up', 'sale')", name="purpose"),
        CheckConstraint(
            "member_id IS NOT NULL OR "
            "((sold_by IS NOT NULL OR guest_id IS NOT NULL) AND purpose = 'sale')",
            name="somebody",
        ),
        CheckConstraint("guest_id IS NULL OR sold_by IS NULL", name="guest"),
        CheckConstraint(
            "state IN ('created', 'pending', 'authorised', 'captured', 'partly_refunded', "
            "'refunded', 'failed', 'expired', 'disputed')",
            name="state",
        ),
        Index(
            "uq_attempts_sold_by_key_number",
            "sold_by",
            "key",
            "number",
            unique=True,
            sqlite_where=text("sold_by IS NOT NULL"),
            postgresql_where=text("sold_by IS NOT NULL"),
        ),
        Index(
            "uq_attempts_guest_id_key_number",
            "guest_id",
            "key",
            "number",
            unique=True,
            sqlite_where=text("guest_id IS NOT NULL"),
            postgresql_where=text("guest_id IS NOT NULL"),
        ),
        Index("ix_attempts_state_ask_at", "state", "ask_at"),
        Index("ix_attempts_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    sold_by: Mapped[int | None] = mapped_column(BigId)
    guest_id: Mapped[int | None] = mapped_column(BigId)
    purpose: Mapped[str] = mapped_column(String(8))
    key: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(default=1)
    gateway: Mapped[str] = mapped_column(String(16))
    way: Mapped[str] = mapped_column(String(16), default="")
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    refunded_minor: Mapped[int] = mapped_column(BigId, default=0)
    reference: Mapped[str] = mapped_column(String(128), default="")
    next_url: Mapped[str] = mapped_column(Text, default="")
    code: Mapped[str] = mapped_column(Text, default="")
    back_to: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="created")
    sale_id: Mapped[str | None] = mapped_column(String(20), index=True)
    keeps: Mapped[bool] = mapped_column(default=False)
    saved_id: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Moment)
    ask_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)


class Aside(Base):
    """The account's part of a purchase whose rest an attempt brings: out of the account, and held
    in the shop's account `aside`, until the attempt ends. `is_confirmed` says that no limit holds:
    the member's PIN was given."""

    __tablename__ = "asides"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index(
            "ix_asides_held",
            "member_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    set_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class AttemptEvent(Base):
    """Something that was said about an attempt, and what it led to. History: rows are only added.
    `source` is start, return, notice, query or staff. A notice is known by the digest of its body:
    one that was taken is not taken again. `refused` is the code of the refusal; the attempt is
    unknown where the notice is not the provider's."""

    __tablename__ = "attempt_events"
    __table_args__ = (
        CheckConstraint("source IN ('start', 'return', 'notice', 'query', 'staff')", name="source"),
        Index("ix_attempt_events_attempt_id_id", "attempt_id", "id"),
        Index("ix_attempt_events_refused_at", "refused", "at"),
        Index(
            "uq_attempt_events_gateway_digest",
            "gateway",
            "digest",
            unique=True,
            sqlite_where=text("refused = '' AND digest <> ''"),
            postgresql_where=text("refused = '' AND digest <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    attempt_id: Mapped[str | None] = mapped_column(String(20))
    gateway: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(8))
    event: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="")
    refused: Mapped[str] = mapped_column(String(32), default="")
    detail: Mapped[str] = mapped_column(String(200), default="")
    digest: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[datetime] = mapped_column(Moment)


class Payback(Base):
    """Money of an attempt on its way back to where it came from: booked here at once, asked of the
    provider until it answers. `id` is the number of the refund that the provider gets."""

    __tablename__ = "paybacks"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('waiting', 'done', 'refused')", name="state"),
        Index("ix_paybacks_state_next_at", "state", "next_at"),
        Index("ix_paybacks_attempt_id", "attempt_id"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"))
    amount_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    reason: Mapped[str] = mapped_column(String(200), default="")
    reference: Mapped[str] = mapped_column(String(128), default="")
    failures: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)
    next_at: Mapped[datetime] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)


class Dispute(Base):
    """A dispute over money that came, as its provider tells of it: open until it is decided. Its
    amount stands in the account `disputed` meanwhile. A `complaint` moves no money: it waits for
    us (open), for somebody else (answered), or is over; `told_at` is when its provider was asked,
    `words` and `phone` are the shopper's, the phone as long as it is not over.
    `withheld_minor`: what of a disputed top-up was left in the member's account and stands in the
    account `withheld`."""

    __tablename__ = "disputes"
    __table_args__ = (
        UniqueConstraint("gateway", "reference"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "(kind = 'dispute' AND state IN ('open', 'won', 'lost')) OR "
            "(kind = 'complaint' AND state IN ('open', 'answered', 'ended'))",
            name="state",
        ),
        CheckConstraint("(state IN ('open', 'answered')) = (closed_at IS NULL)", name="closed"),
        CheckConstraint("(kind = 'complaint') = (told_at IS NOT NULL)", name="told"),
        CheckConstraint("withheld_minor BETWEEN 0 AND amount_minor", name="withheld"),
        Index("ix_disputes_attempt_id", "attempt_id"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"))
    gateway: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(10), default="dispute")
    reference: Mapped[str] = mapped_column(String(128))
    amount_minor: Mapped[int] = mapped_column(BigId)
    withheld_minor: Mapped[int] = mapped_column(BigId, default=0)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(8), default="open")
    reason: Mapped[str] = mapped_column(String(64), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(String(32), default="")
    opened_at: Mapped[datetime] = mapped_column(Moment)
    told_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)


class DisputeAnswer(Base):
    """What the shop said to a complaint, written down before the provider gets it. `waiting`: it
    is not known whether the provider has it. One page says a thing once (`key`)."""

    __tablename__ = "dispute_answers"
    __table_args__ = (
        UniqueConstraint("dispute_id", "key"),
        CheckConstraint("state IN ('waiting', 'sent', 'refused')", name="state"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.id"))
    key: Mapped[str] = mapped_column(String(64))
    words: Mapped[str] = mapped_column(String(200), default="")
    outcome: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    reason: Mapped[str] = mapped_column(String(64), default="")
    said_by: Mapped[int] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(Moment)
