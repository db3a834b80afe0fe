"""Asides: the account's part of a purchase, while a provider is asked for the rest.

It leaves the account for the shop's account `aside`, so that nobody spends it twice, and comes back
in the transaction in which its attempt ends, once: `end`. Where the attempt was paid, the sale
charges the account for it in that same transaction, like any other. Money that comes when the part
has gone back already takes it again, if it is there.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Select, insert, select, update

from .. import clock
from ..db import connection, in_transaction
from . import ledger
from .models import Aside, Transfer

__all__ = ["ASIDE", "Part", "end", "of", "set_aside", "still_held"]

ASIDE = "aside"


class Part(NamedTuple):
    """What of a purchase the account pays. `is_confirmed`: no limit holds for it any more."""

    member_id: int
    amount_minor: int
    currency: str
    is_confirmed: bool


def set_aside(attempt_id: str, part: Part) -> None:
    """Joiner: nobody spends this until the attempt ends. Raises InsufficientFunds."""
    member_id, amount_minor, currency, _ = part
    at, own = clock.now(), in_transaction().connection()
    account_id = ledger.shopper_account(member_id, currency)
    if not ledger.take(member_id, amount_minor, currency):
        raise ledger.InsufficientFunds(
            balance_minor=ledger.balance_of(member_id, currency), needed_minor=amount_minor,
            currency=currency,
        )  # fmt: skip
    row = ledger.row_of(account_id, ledger.shop_account(ASIDE, currency), amount_minor, currency,
                        "set_aside", at, note=f"attempt {attempt_id}")  # fmt: skip
    own.execute(insert(Transfer), [row])
    own.execute(insert(Aside), [part._asdict() | {"attempt_id": attempt_id, "set_at": at}])


def end(attempt_id: str) -> Part | None:
    """Joiner: the account has its part back, if it had not before; answers the part, None where the
    provider was asked for all. The account is ours from here until the commit, so that what comes
    back is there for the sale which follows. Of a part that had come back before no limit was
    held back meanwhile: it is confirmed only by the PIN."""
    part = of(attempt_id)
    if part is None:
        return None
    ledger.lock_accounts([part.member_id], part.currency)
    at, own = clock.now(), in_transaction().connection()
    held = (Aside.attempt_id == attempt_id, Aside.ended_at.is_(None))
    if own.execute(update(Aside).where(*held).values(ended_at=at)).rowcount != 1:
        return part
    account_id = ledger.shopper_account(part.member_id, part.currency)
    row = ledger.row_of(ledger.shop_account(ASIDE, part.currency), account_id, part.amount_minor,
                        part.currency, "aside_back", at, note=f"attempt {attempt_id}")  # fmt: skip
    own.execute(insert(Transfer), [row])
    ledger.give(account_id, part.amount_minor)
    return part._replace(is_confirmed=True)


def of(attempt_id: str) -> Part | None:
    """The account's part of what an attempt is for."""
    columns = (Aside.member_id, Aside.amount_minor, Aside.currency, Aside.is_confirmed)
    found = connection().execute(select(*columns).where(Aside.attempt_id == attempt_id)).first()
    return Part(*found) if found else None


def still_held() -> Select[int, int]:
    """Members and what is held aside of theirs: spent, for whoever minds a limit. Other rooms add
    their conditions; `Aside` names its columns."""
    return select(Aside.member_id, Aside.amount_minor).where(Aside.ended_at.is_(None))
