"""Statements: what changed a shopper's account, and what it held then."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ..db import db
from .models import Account, Transfer


class Posting(NamedTuple):
    """A line of a statement: what changed the account, by how much, and what it held then."""

    id: int
    at: datetime
    reason: str
    amount_minor: int
    balance_minor: int
    sale_id: str | None


def statement(
    member_id: int, currency: str, *, before: int | None = None, limit: int = 50
) -> list[Posting]:
    """The newest postings of a member's account, before a transfer id, with running balances."""
    account = db.session.scalar(
        select(Account).where(Account.member_id == member_id, Account.currency == currency)
    )
    if account is None:
        return []
    sides = [
        select(
            Transfer.id, Transfer.at, Transfer.reason, Transfer.sale_id,
            (Transfer.amount_minor * sign).label("signed"),
        )
        .where(side == account.id, *([Transfer.id < before] if before else []))
        .order_by(Transfer.id.desc())
        .limit(limit)
        for side, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1))
    ]  # fmt: skip
    found = sorted(
        (row for side in sides for row in db.session.execute(side)), key=lambda row: -row.id
    )[:limit]
    balance = account.balance_minor or 0
    if found and before:
        balance -= _signed_sum_from(account.id, found[0].id + 1)
    postings = []
    for row in found:
        postings.append(Posting(row.id, row.at, row.reason, row.signed, balance, row.sale_id))
        balance -= row.signed
    return postings


def _signed_sum_from(account_id: int, transfer_id: int) -> int:
    def side(column: Any) -> int:
        query = select(func.coalesce(func.sum(Transfer.amount_minor), 0))
        return int(
            db.session.scalar(query.where(column == account_id, Transfer.id >= transfer_id)) or 0
        )

    return side(Transfer.credit_id) - side(Transfer.debit_id)
