"""Tables of costs: the terms of each means, the settlement files of providers, and their lines."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ...db import Base, BigId, Moment

KINDS = ("payment", "refund", "dispute", "fee", "payout", "other")
"""What a line of a provider's file tells of. A fee stands alone where the file tells it so; a
payout is the provider's own transfer to the bank, of money that its other lines tell of."""
TRANSITIONS = {
    ("staged", "fits"): "matched",
    ("staged", "differs"): "open",
    ("staged", "told_before"): "repeated",
    ("staged", "tells_nothing"): "noted",
    ("open", "fits"): "matched",
    ("open", "differs"): "open",
    ("open", "told_before"): "repeated",
    ("open", "accepted"): "accepted",
    ("open", "corrected"): "replaced",
    ("matched", "corrected"): "replaced",
    ("accepted", "corrected"): "replaced",
    ("noted", "corrected"): "replaced",
}
"""A line's life. What is booked is booked once: by "fits" and "accepted"; "corrected" takes it
back, as the provider has told it anew in a later file."""
BOOKED = ("matched", "accepted")
GONE = ("staged", "repeated", "replaced")
"""States of lines that say nothing (yet, or any more) about a payment."""
PROBLEMS = (
    "unknown", "other_amount", "other_currency", "told_twice", "other_fee", "not_told",
)  # fmt: skip
"""Why a line stands among the differences: we know no such payment; it was another amount, or
currency; the payment was settled by another line; the fee is not what was agreed; or it is ours,
and the provider never told of it."""


class MeansTerms(Base):
    """What a means of payment costs, and how long its money takes, from a day on. History: rows are
    only added; of those that begin on the same day the newest counts. `fee_ppm` are millionths of
    the amount (6,000 is 0.6 %); `most_minor` is NULL where nothing caps the fee. `days` are counted
    from the day of the payment, in the shop's time zone, Monday to Friday where `working_days`."""

    __tablename__ = "means_terms"
    __table_args__ = (
        CheckConstraint("fee_ppm BETWEEN 0 AND 1000000", name="fee"),
        CheckConstraint("fixed_minor >= 0 AND least_minor >= 0", name="amounts"),
        CheckConstraint("most_minor IS NULL OR most_minor >= least_minor", name="most"),
        CheckConstraint("days BETWEEN 0 AND 400", name="days"),
        Index("ix_means_terms_means_valid_from", "means", "currency", "valid_from", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    means: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(3))
    valid_from: Mapped[date] = mapped_column(Date)
    fee_ppm: Mapped[int] = mapped_column()
    fixed_minor: Mapped[int] = mapped_column(BigId, default=0)
    least_minor: Mapped[int] = mapped_column(BigId, default=0)
    most_minor: Mapped[int | None] = mapped_column(BigId)
    days: Mapped[int] = mapped_column()
    working_days: Mapped[bool] = mapped_column(default=False)
    fee_back: Mapped[bool] = mapped_column(default=False)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class SettlementFile(Base):
    """A provider's file. Its rows are staged by bites (`staged` of them so far), then matched by
    bites, in order; whoever dies in between leaves it where the next one goes on."""

    __tablename__ = "settlement_files"
    __table_args__ = (
        UniqueConstraint("means", "digest"),
        CheckConstraint("state IN ('staging', 'matching', 'done')", name="state"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done"),
        Index(
            "ix_settlement_files_state",
            "at",
            sqlite_where=text("state = 'matching'"),
            postgresql_where=text("state = 'matching'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    means: Mapped[str] = mapped_column(String(16))
    layout: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(8), default="staging")
    staged: Mapped[int] = mapped_column(default=0)
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    done_at: Mapped[datetime | None] = mapped_column(Moment)


class SettlementLine(Base):
    """A line of such a file: from our side, `gross_minor` is what the provider owed us for it
    (less than 0 for what went back), `fee_minor` what it kept, NULL where the line does not say.
    `key` names what it tells of, the same in every file of the means. `transfer_id` is the posting
    of our ledger that it settles; a line without a file is one of ours that the owner wrote off.
    `agreed_minor` is the fee by the terms of that day."""

    __tablename__ = "settlement_lines"
    __table_args__ = (
        UniqueConstraint("file_id", "number"),
        CheckConstraint(
            "kind IN ('payment', 'refund', 'dispute', 'fee', 'payout', 'other')", name="kind"
        ),
        CheckConstraint(
            "state IN ('staged', 'matched', 'open', 'repeated', 'noted', 'accepted', 'replaced')",
            name="state",
        ),
        CheckConstraint("state <> 'open' OR problem <> ''", name="problem"),
        CheckConstraint(
            "state <> 'accepted' OR (reason <> '' AND accepted_at IS NOT NULL)", name="reason"
        ),
        CheckConstraint("kind <> 'fee' OR (gross_minor = 0 AND fee_minor <> 0)", name="fee"),
        Index(
            "uq_settlement_lines_means_key",
            "means",
            "key",
            unique=True,
            sqlite_where=text("state IN ('matched', 'noted', 'accepted')"),
            postgresql_where=text("state IN ('matched', 'noted', 'accepted')"),
        ),
        Index(
            "uq_settlement_lines_transfer_id",
            "transfer_id",
            unique=True,
            sqlite_where=text("state IN ('matched', 'accepted') AND kind <> 'fee'"),
            postgresql_where=text("state IN ('matched', 'accepted') AND kind <> 'fee'"),
        ),
        Index("ix_settlement_lines_key", "key"),
        Index("ix_settlement_lines_transfer", "transfer_id"),
        Index(
            "ix_settlement_lines_problem",
            "means",
            "id",
            sqlite_where=text("problem <> ''"),
            postgresql_where=text("problem <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    file_id: Mapped[str | None] = mapped_column(ForeignKey("settlement_files.id"))
    number: Mapped[int | None] = mapped_column()
    means: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(8))
    order_id: Mapped[str] = mapped_column(String(64), default="")
    reference: Mapped[str] = mapped_column(String(128), default="")
    gross_minor: Mapped[int] = mapped_column(BigId)
    fee_minor: Mapped[int | None] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime | None] = mapped_column(Moment)
    paid_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8), default="staged")
    problem: Mapped[str] = mapped_column(String(16), default="")
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfers.id"))
    agreed_minor: Mapped[int | None] = mapped_column(BigId)
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(String(200), default="")


class SettlementReject(Base):
    """A row of a file that could not be read, and why. The rest of the file was taken."""

    __tablename__ = "settlement_rejects"

    file_id: Mapped[str] = mapped_column(ForeignKey("settlement_files.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    why: Mapped[str] = mapped_column(String(200))
    said: Mapped[str] = mapped_column(String(300))
