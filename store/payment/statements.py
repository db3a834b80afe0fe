"""Statements: what changed a shopper's account, and what it held then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from .. import ids, web
from ..db import db
from . import marks
from .models import Account, Transfer

BITE = 250
SIDES = ((Transfer.credit_id, 1), (Transfer.debit_id, -1))
"""What comes to an account, and what goes from it."""


class Posting(NamedTuple):
    """A line of a statement: what changed the account, by how much, and what it held then."""

    id: int
    at: datetime
    reason: str
    amount_minor: int
    balance_minor: int
    sale_id: str | None


class Mark(NamedTuple):
    """Where a page of a statement goes on: before a transfer, when the account held so much."""

    before: int
    balance_minor: int


def mark_of(text: str, member_id: int, currency: str) -> Mark | None:
    """A mark that `text_of` wrote for this account; None where it is none of ours."""
    before, _, rest = text.partition(".")
    balance = rest.partition(".")[0]
    if not all(each.isascii() and each.isdigit() and len(each) < 17 for each in (before, balance)):
        return None
    mark = Mark(int(before), int(balance))
    return mark if ids.same(text_of(mark, member_id, currency), text) else None


def text_of(mark: Mark, member_id: int, currency: str) -> str:
    """A mark for an address. It is signed: nobody shall be shown a balance that an address says."""
    key, (before, balance) = web.setting("SECRET_KEY").encode(), map(str, mark)
    return (
        f"{before}.{balance}.{ids.mac(key, 'statement', str(member_id), currency, before, balance)}"
    )


def statement(
    member_id: int, currency: str, *, before: int | None = None, limit: int = 50,
    held_minor: int | None = None,
) -> list[Posting]:  # fmt: skip
    """The newest postings of a member's account, before a transfer id, with running balances.
    `held_minor` is what the account held then, where a mark tells it: without one all that came
    later is summed up."""
    account = db.session.scalar(
        select(Account).where(Account.member_id == member_id, Account.currency == currency)
    )
    if account is None:
        return []
    there = [Transfer.id < before] if before else []
    sides = [
        _side(account.id, side, sign, *there).order_by(Transfer.id.desc()).limit(limit)
        for side, sign in SIDES
    ]
    found = sorted(
        (row for side in sides for row in db.session.execute(side)), key=lambda row: -row.id
    )[:limit]
    balance = account.balance_minor or 0
    if found and before and held_minor is not None:
        balance = held_minor
    elif found and before:
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


class Month(NamedTuple):
    """A month of an account: what it held at the beginning and at the end, and what came and went
    in between; `postings` are its movements, the oldest first."""

    opening_minor: int
    closing_minor: int
    came_minor: int
    went_minor: int
    postings: Iterator[Posting]


def month(member_id: int, currency: str, since: datetime, until: datetime) -> Month:
    """A member's account from a moment to another. What moved is the difference of what had come
    and gone by then, so that opening, movements and closing fit each other while others buy."""
    account = Account.member_id == member_id
    query = select(Account.id).where(account, Account.currency == currency)
    account_id = db.session.scalar(query)
    if account_id is None:
        return Month(0, 0, 0, 0, iter(()))
    marks.lay_along(account_id)
    before, then = marks.sums_until(account_id, since), marks.sums_until(account_id, until)
    opening = before.came_minor - before.went_minor
    return Month(
        opening, then.came_minor - then.went_minor, then.came_minor - before.came_minor,
        then.went_minor - before.went_minor, _postings(account_id, since, until, opening),
    )  # fmt: skip


def _postings(account_id: int, since: datetime, until: datetime, opening: int) -> Iterator[Posting]:
    """By bites: a year of a busy account does not stand in memory."""
    balance, last = opening, marks.transfer_before(account_id, since)
    end = marks.transfer_after(account_id, until)
    while True:
        rows = _next_rows(account_id, last, end, since, until)
        for row in rows:
            balance += row.signed
            yield Posting(row.id, row.at, row.reason, row.signed, balance, row.sale_id)
        if len(rows) < BITE:
            return
        last = rows[-1].id


def _next_rows(
    account_id: int, last: int, end: int | None, since: datetime, until: datetime
) -> list[Any]:
    """The next of a month after a transfer, each side as far as it is needed."""
    there = [Transfer.id > last, *([Transfer.id <= end] if end else []),
             Transfer.at >= since, Transfer.at < until]  # fmt: skip
    found = (
        row
        for side, sign in SIDES
        for row in db.session.execute(_side(account_id, side, sign, *there).order_by(Transfer.id))
    )
    return sorted(found, key=lambda row: row.id)[:BITE]


def _side(account_id: int, side: Any, sign: int, *where: Any) -> Any:
    signed = (Transfer.amount_minor * sign).label("signed")
    columns = (Transfer.id, Transfer.at, Transfer.reason, Transfer.sale_id, signed)
    return select(*columns).where(side == account_id, *where).limit(BITE)
