"""Postings: what our own ledger says that a means owes us, one posting for each payment, refund or
dispute; and what a line of a provider's file books against it.

`gateway:<name>` (or `card`) is what the means owes us. A line takes its gross off it: what came
goes to `bank`, what the provider kept to `fees`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, insert, or_, select

from ... import clock
from ...db import connection, in_transaction
from .. import ledger
from ..models import Account, Attempt, Dispute, Payback, Transfer
from .models import BOOKED, SettlementLine

__all__ = [
    "BANK", "DIFFERENCES", "FEES", "OWN", "Legs", "Posting", "account_id", "book",
    "equal_card_payments", "is_ours", "is_settled", "of_orders", "own_line", "put_right", "signed",
]  # fmt: skip

BANK, FEES, DIFFERENCES = "bank", "fees", "settlement_differences"
OWN = ("settled", "settled_back", "fee", "fee_back", "unmatched", "unmatched_back")
"""The reasons of what we book here; every other posting of such an account is owed, or owes."""


class Posting(NamedTuple):
    """A posting that a means owes us for (`amount_minor` above 0) or we owe it for. `subject` is
    the attempt, or the sale where there was none."""

    id: int
    subject: str
    amount_minor: int
    at: datetime
    reason: str


def account_id(means: str, currency: str, *, lock: bool = False) -> int:
    """Joiner: the account of what a means owes us. Locked, nobody else settles anything of it
    until the commit; buys go on, for they only name it."""
    found = ledger.shop_account(ledger.account_of(means), currency)
    if lock:
        query = select(Account.id).where(Account.id == found)
        in_transaction().execute(query.with_for_update(key_share=True))
    return found


def signed(account: int) -> ColumnElement[int]:
    """What a transfer is for the account: more owed to us, or less."""
    return case((Transfer.debit_id == account, Transfer.amount_minor), else_=-Transfer.amount_minor)


def is_ours(account: int) -> ColumnElement[bool]:
    """Postings of an account that a provider's file can tell of."""
    return or_(
        Transfer.debit_id == account, Transfer.credit_id == account
    ) & Transfer.reason.notin_(OWN)


def of_orders(
    means: str, account: int, named: Collection[tuple[str, str]]
) -> dict[str, list[Posting]]:
    """The postings that lines name, by our order number or that of a refund, else by the
    provider's own; under each name the oldest first. A card has the number of the sale."""
    orders = {order for order, _ in named if order}
    if means == "card":
        return _of_sales(account, orders)
    names = _by_order(means, orders)
    unknown = {reference for order, reference in named if reference and order not in names}
    if unknown:
        names = _by_reference(means, unknown) | names
    postings = _of_attempts(account, set(names.values()))
    return {name: postings.get(attempt, []) for name, attempt in names.items()}


def _by_order(means: str, orders: Collection[str]) -> dict[str, str]:
    """The attempt that each of our own numbers stands for."""
    mine = select(Attempt.id).where(Attempt.gateway == means, Attempt.id.in_(orders))
    names = {row.id: row.id for row in connection().execute(mine)}
    back = (
        select(Payback.id, Payback.attempt_id)
        .join(Attempt, Attempt.id == Payback.attempt_id)
        .where(Attempt.gateway == means, Payback.id.in_(orders))
    )
    return names | {row.id: row.attempt_id for row in connection().execute(back)}


def _by_reference(means: str, references: Collection[str]) -> dict[str, str]:
    """The attempt that each of the provider's numbers stands for: no index helps here, and only
    what our own numbers do not tell is asked for."""
    back = (
        select(Payback.reference, Payback.attempt_id)
        .join(Attempt, Attempt.id == Payback.attempt_id)
        .where(Attempt.gateway == means, Payback.reference.in_(references))
    )
    claims = select(Dispute.reference, Dispute.attempt_id).where(
        Dispute.gateway == means, Dispute.reference.in_(references)
    )
    came = select(Attempt.reference, Attempt.id).where(
        Attempt.gateway == means, Attempt.reference.in_(references)
    )
    return {row[0]: row[1] for query in (back, claims, came) for row in connection().execute(query)}


def _of_attempts(account: int, attempts: Collection[str]) -> dict[str, list[Posting]]:
    """What came by an attempt, what went back of it, and what was disputed."""
    came = _rows(account, Transfer.attempt_id.in_(attempts))
    whose = {row.id: row.attempt_id for row in came}
    back = _rows(account, Transfer.reverses_id.in_(whose))
    found = [_posting(row, row.attempt_id) for row in came]
    found += [_posting(row, whose[row.reverses_id]) for row in back]
    disputes = select(Dispute.id, Dispute.attempt_id).where(Dispute.attempt_id.in_(attempts))
    notes = {f"dispute {row.id}": row.attempt_id for row in connection().execute(disputes)}
    if notes:
        moved = _rows(account, Transfer.note.in_(notes))
        found += [_posting(row, notes[row.note]) for row in moved]
    return _by_subject(found)


def _of_sales(account: int, sales: Collection[str]) -> dict[str, list[Posting]]:
    found = _rows(account, Transfer.sale_id.in_(sales))
    return _by_subject([_posting(row, row.sale_id) for row in found])


def equal_card_payments(
    account: int, amount_minor: int, since: datetime, until: datetime
) -> list[Posting]:
    """What a till took by card (or gave back) of exactly this amount then, that no line settles,
    the oldest first: all that a terminal's file tells of a payment."""
    side = Transfer.debit_id if amount_minor > 0 else Transfer.credit_id
    settled = select(SettlementLine.id).where(
        SettlementLine.transfer_id == Transfer.id, SettlementLine.state.in_(BOOKED),
        SettlementLine.kind != "fee",
    )  # fmt: skip
    rows = _rows(
        account, side == account, Transfer.amount_minor == abs(amount_minor),
        Transfer.at >= since, Transfer.at < until, ~settled.exists(),
    )  # fmt: skip
    return [_posting(row, row.sale_id or "") for row in rows]


def _rows(account: int, *where: ColumnElement[bool]) -> Sequence[Any]:
    query = select(
        Transfer.id, Transfer.attempt_id, Transfer.sale_id, Transfer.reverses_id, Transfer.note,
        Transfer.at, Transfer.reason, signed(account).label("amount"),
    )  # fmt: skip
    ours = query.where(*where, is_ours(account)).order_by(Transfer.id)
    return connection().execute(ours).all()


def _posting(row: Any, subject: str) -> Posting:
    return Posting(row.id, subject, int(row.amount), row.at, row.reason)


def _by_subject(postings: Iterable[Posting]) -> dict[str, list[Posting]]:
    found: dict[str, list[Posting]] = {}
    for one in sorted(postings):
        found.setdefault(one.subject, []).append(one)
    return found


class Legs(NamedTuple):
    """What a line books: the gross off what is owed, of it the fee, and the rest to the bank (or,
    where nothing came, to the differences)."""

    line_id: int
    gross_minor: int
    fee_minor: int
    came: bool = True


def book(account: int, currency: str, lines: Sequence[Legs], *, back: bool = False) -> None:
    """Joiner: book these lines, or take back what they booked. Each posting names its line."""
    at, rows = clock.now(), []
    names = (BANK, FEES, DIFFERENCES)
    bank, fees, differences = (ledger.shop_account(name, currency) for name in names)
    for line in lines:
        to, reason = (bank, "settled") if line.came else (differences, "unmatched")
        for other, what, amount in (
            (to, reason, line.gross_minor - line.fee_minor), (fees, "fee", line.fee_minor),
        ):  # fmt: skip
            if not amount:
                continue
            comes = (amount > 0) is not back
            pair = (other, account) if comes else (account, other)
            rows.append(
                ledger.row_of(*pair, abs(amount), currency, what if comes else f"{what}_back", at,
                              note=f"settlement {line.line_id}")
            )  # fmt: skip
    if rows:
        in_transaction().connection().execute(insert(Transfer), rows)


def put_right(account: int, currency: str, amount_minor: int, line_id: int) -> None:
    """Joiner: what is owed is so much less (or more, below 0) than our ledger said, and nobody
    knows why: it stands among the differences."""
    book(account, currency, [Legs(line_id, amount_minor, 0, came=False)])


def is_settled(transfer_id: int) -> bool:
    """Joiner: whether a line settles this posting."""
    query = select(SettlementLine.id).where(
        SettlementLine.transfer_id == transfer_id, SettlementLine.state.in_(BOOKED),
        SettlementLine.kind != "fee",
    )  # fmt: skip
    return in_transaction().scalar(query.limit(1)) is not None


def own_line(
    means: str, currency: str, transfer_id: int, kind: str, amount_minor: int
) -> dict[str, Any]:
    """A line of our own, without a file, about one of our postings."""
    return {
        "file_id": None, "number": None, "means": means, "key": f"ours:{transfer_id}",
        "kind": kind, "order_id": "", "reference": "", "gross_minor": amount_minor,
        "fee_minor": 0, "currency": currency, "at": clock.now(), "paid_on": None,
        "transfer_id": transfer_id, "agreed_minor": None,
    }  # fmt: skip
