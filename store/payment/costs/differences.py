"""Differences: what the provider's file and our ledger do not agree about, and the ways out.

Waiting is one: an unknown line is tried again with every file. The other is that somebody accepts
it with a reason and their name: then what the file tells is booked, and what is left of our own
figure stands in the account `settlement_differences`. A payment of which no file tells can be
written off the same way; should a file tell of it later, that is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, update

from ... import clock, logbook
from ...db import db, in_transaction, repeatable, transaction
from ...errors import Invalid, NotFound, Refusal
from ..ledger import account_of
from ..models import Account, Transfer
from . import postings
from .matching import difference_of
from .models import BOOKED, TRANSITIONS, SettlementLine
from .postings import Legs
from .terms import MEANS

__all__ = ["DifferenceDecided", "accept", "differing", "how_many", "ours", "write_off"]


class DifferenceDecided(Refusal):
    """Somebody decided on this difference before, or a file has settled it."""

    code = "difference_decided"
    status = 409
    title = "This was decided before"


def differing() -> Select[SettlementLine]:
    """The lines that wait for somebody, the oldest first."""
    waits = or_(
        SettlementLine.state == "open",
        (SettlementLine.state == "matched") & SettlementLine.accepted_at.is_(None),
    )
    return (
        select(SettlementLine)
        .where(SettlementLine.problem != "", waits)
        .order_by(SettlementLine.id)
    )


def how_many() -> dict[str, int]:
    """How many lines differ, by means."""
    found = differing().subquery()
    query = select(found.c.means, func.count()).group_by(found.c.means)
    return {row[0]: int(row[1]) for row in db.session.execute(query)}


def ours(lines: Sequence[SettlementLine]) -> dict[int, int]:
    """What our own ledger says of the postings that these lines name, by posting."""
    ids = {line.transfer_id for line in lines}
    rows = db.session.execute(
        select(Transfer.id, Transfer.amount_minor).where(Transfer.id.in_(ids))
    )
    return {row[0]: row[1] for row in rows}


@repeatable
def accept(line_id: int, reason: str, *, made_by: int) -> None:
    """Opener: so it is. The same person with the same reason again changes nothing. Raises Invalid
    (no reason), NotFound, DifferenceDecided."""
    said = _reason(reason)
    with transaction() as session:
        line = session.get(SettlementLine, line_id)
        if line is None or line.state == "staged":
            raise NotFound("There is no such line")
        account = postings.account_id(line.means, line.currency, lock=True)
        session.refresh(line)
        if (line.accepted_by, line.reason) == (made_by, said):
            return
        waits = line.problem and line.accepted_at is None
        if not waits or line.state not in ("open", "matched"):
            raise DifferenceDecided()
        values: dict[str, Any] = {"accepted_by": made_by, "accepted_at": clock.now(),
                                  "reason": said}  # fmt: skip
        if line.state == "open":
            if line.transfer_id is not None and postings.is_settled(line.transfer_id):
                values["transfer_id"] = line.transfer_id = None
            values["state"] = TRANSITIONS["open", "accepted"]
            _replace_key(line)
            legs = Legs(line.id, line.gross_minor, line.fee_minor or 0)
            postings.book(account, line.currency, [legs])
            rest = difference_of(account, line)
            if rest:
                postings.put_right(account, line.currency, rest, line.id)
        session.execute(update(SettlementLine).where(SettlementLine.id == line_id).values(**values))
        logbook.note("difference.accepted", line_id, after={"gross_minor": line.gross_minor})


def _replace_key(line: SettlementLine) -> None:
    """Told twice in one file and both accepted: the second gets a key of its own."""
    query = select(SettlementLine.id).where(
        SettlementLine.means == line.means, SettlementLine.key == line.key,
        SettlementLine.state.in_((*BOOKED, "noted")),
    )  # fmt: skip
    if in_transaction().scalar(query.limit(1)) is not None:
        own = f"{line.key[:140]}#{line.id}"
        in_transaction().execute(
            update(SettlementLine).where(SettlementLine.id == line.id).values(key=own)
        )


@repeatable
def write_off(transfer_id: int, reason: str, *, made_by: int) -> None:
    """Opener: no file tells of this posting, and none will. Raises Invalid (no reason), NotFound,
    DifferenceDecided."""
    said = _reason(reason)
    with transaction() as session:
        found = _means_of(transfer_id)
        if found is None:
            raise NotFound("There is no such payment")
        means, currency = found
        account = postings.account_id(means, currency, lock=True)
        query = select(Transfer.id, Transfer.reason, postings.signed(account)).where(
            Transfer.id == transfer_id, postings.is_ours(account)
        )
        posting = session.execute(query).one_or_none()
        if posting is None:
            raise NotFound("There is no such payment")
        if postings.is_settled(transfer_id):
            raise DifferenceDecided()
        amount, at = int(posting[2]), clock.now()
        kind = "payment" if amount > 0 else "refund"
        row = postings.own_line(means, currency, transfer_id, kind, amount) | {
            "state": "accepted", "problem": "not_told", "accepted_by": made_by, "accepted_at": at,
            "reason": said,
        }  # fmt: skip
        made = insert(SettlementLine).returning(SettlementLine.id)
        line_id = session.connection().execute(made, [row]).scalar_one()
        postings.put_right(account, currency, amount, line_id)
        told = {"amount_minor": amount, "currency": currency, "means": means}
        logbook.note("payment.written_off", transfer_id, after=told)


def _means_of(transfer_id: int) -> tuple[str, str] | None:
    """The means whose account a posting is on, and the currency."""
    session = in_transaction()
    transfer = session.get(Transfer, transfer_id)
    if transfer is None:
        return None
    codes = {f"{account_of(means)}:{transfer.currency}": means for means in MEANS}
    query = select(Account.code).where(
        Account.id.in_((transfer.debit_id, transfer.credit_id)), Account.code.in_(codes)
    )
    code = session.scalar(query.limit(1))
    return (codes[code], transfer.currency) if code is not None else None


def _reason(said: str) -> str:
    reason = said.strip()
    if not reason:
        raise Invalid("Say why", field="reason")
    return reason[:200]
