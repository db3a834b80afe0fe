"""Joining: what one account of a person holds is the other's; each transfer stays where it was."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from .. import clock, ids
from ..db import connection, in_transaction
from . import ledger
from .models import OPEN, Account, Attempt, Transfer

__all__ = ["MERGED", "is_paying", "join"]

MERGED = "merged"
"""The reason of transfers from an account to the other one of the same person."""


def is_paying(member_id: int) -> bool:
    """Whether a payment of this member is on its way: it would be theirs who began it."""
    open_one = select(Attempt.id).where(Attempt.member_id == member_id, Attempt.state.in_(OPEN))
    return connection().execute(open_one.limit(1)).first() is not None


def join(gone_id: int, kept_id: int) -> None:
    """Joiner: money in every currency, the limits (of two the lower one), and the payments that
    brought it. The accounts are locked from here to the commit. Again moves what came since."""
    session, at = in_transaction(), clock.now()
    both = select(Account.id).where(Account.member_id.in_([gone_id, kept_id])).order_by(Account.id)
    session.execute(both.with_for_update()).all()
    columns = (Account.id, Account.currency, Account.balance_minor, Account.most_buy_minor,
               Account.most_day_minor)  # fmt: skip
    found = session.execute(select(*columns).where(Account.member_id == gone_id)).all()
    for account_id, currency, balance, most_buy, most_day in found:
        to = ledger.shopper_account(kept_id, currency)
        if balance:
            if not ledger.take(gone_id, balance, currency):
                raise ledger.InsufficientFunds()
            row = ledger.row_of(account_id, to, balance, currency, MERGED, at)
            session.connection().execute(insert(Transfer), [row])
            ledger.give(to, balance)
        _lower(to, Account.most_buy_minor, most_buy)
        _lower(to, Account.most_day_minor, most_day)
    _move_attempts(gone_id, kept_id)


def _lower(account_id: int, limit: InstrumentedAttribute[int | None], other: int | None) -> None:
    """A merge opens nothing: of two limits the lower one holds."""
    if other is not None:
        higher = limit.is_(None) | (limit > other)
        change = update(Account).where(Account.id == account_id, higher)
        in_transaction().execute(change.values({limit.key: other}))


def _move_attempts(gone_id: int, kept_id: int) -> None:
    """Where both have used one key, the payment that comes gets another."""
    session, theirs = in_transaction(), aliased(Attempt)
    same = (theirs.member_id == kept_id, theirs.key == Attempt.key, theirs.number == Attempt.number)
    mine = Attempt.member_id == gone_id
    for attempt_id in session.scalars(
        select(Attempt.id).where(mine, select(theirs.id).where(*same).exists())
    ):
        session.execute(update(Attempt).where(Attempt.id == attempt_id).values(key=ids.new()))
    session.execute(update(Attempt).where(mine).values(member_id=kept_id))
