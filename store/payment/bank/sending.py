"""Sending: money that goes back by a transfer of the shop's own. Somebody sends it at the bank, and
says here to which account it went: then it leaves the books, too."""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlalchemy import insert, select
from stdnum import iban
from stdnum.exceptions import ValidationError

from ... import clock
from ...db import db, in_transaction, repeatable, transaction
from ...errors import Invalid, NotFound
from .. import ledger, paybacks
from ..costs.postings import BANK
from ..gateways import Approved, Declined
from ..gateways.bank import NAME
from ..models import Attempt, Payback, Transfer
from .matching import EntryDone, locked, lying, move, take_out
from .models import BankEntry
from .taking import SOURCE

__all__ = ["Due", "due", "give_to_account", "sent", "sent_refund"]


class Due(NamedTuple):
    """What somebody shall send: for a refund, or an entry that goes back whole. `to` is the account
    that it came from, where the statement told it."""

    payback_id: str
    entry_id: int
    amount_minor: int
    currency: str
    payer: str
    to: str
    reason: str


def due(limit: int = 100) -> list[Due]:
    """Everything that waits to be sent, the oldest first."""
    query = (
        select(Payback, BankEntry)
        .join(Attempt, Attempt.id == Payback.attempt_id)
        .outerjoin(BankEntry, (BankEntry.attempt_id == Attempt.id) & (BankEntry.state == "settled"))
        .where(Payback.state == "waiting", Attempt.gateway == NAME)
        .order_by(Payback.id)
        .limit(limit)
    )
    found = [
        Due(mine.id, 0, mine.amount_minor, mine.currency, came.payer if came else "",
            came.payer_account if came else "", mine.reason)
        for mine, came in db.session.execute(query)
    ]  # fmt: skip
    return found + [
        Due("", one.id, one.amount_minor, one.currency, one.payer, one.payer_account, one.reason)
        for one in lying("returning", limit=limit)
    ]


@repeatable
def sent(entry_id: int, to: str, *, made_by: int) -> None:
    """Opener: an entry went back to this account. Raises NotFound, EntryDone, Invalid."""
    account = _account(to)
    with transaction():
        mine = locked(entry_id)
        if mine.state != "returning":
            raise EntryDone(state=mine.state)
        take_out(mine, "bank_out")
        move(mine, "sent", made_by, sent_to=account)


@repeatable
def sent_refund(payback_id: str, to: str) -> None:
    """Opener: a refund went to this account. Raises NotFound, EntryDone, Invalid."""
    account = _account(to)
    with transaction():
        mine = _of_bank(payback_id)
        # Not the whole of it: a refund keeps nobody's account.
        if not paybacks.settle(mine.id, Approved(f"to …{account[-4:]}"), "staff"):
            raise EntryDone(state=mine.state)
        row = ledger.row_of(
            ledger.shop_account(SOURCE, mine.currency), ledger.shop_account(BANK, mine.currency),
            mine.amount_minor, mine.currency, "bank_out", clock.now(), note=f"payback {mine.id}",
        )  # fmt: skip
        in_transaction().connection().execute(insert(Transfer), [row])


@repeatable
def give_to_account(payback_id: str) -> None:
    """Opener: a refund cannot be sent, so the shopper's account has it. Raises NotFound,
    EntryDone."""
    with transaction():
        mine = _of_bank(payback_id)
        if not paybacks.settle(mine.id, Declined("no account to send it to"), "staff"):
            raise EntryDone(state=mine.state)


def _of_bank(payback_id: str) -> Payback:
    query = select(Payback).join(Attempt, Attempt.id == Payback.attempt_id)
    query = query.where(Payback.id == payback_id[:20], Attempt.gateway == NAME)
    found = in_transaction().scalar(query)
    if found is None:
        raise NotFound("There is no such refund")
    return found


def _account(said: str) -> str:
    """An IBAN with right check digits, or another bank's number. Raises Invalid."""
    plain = re.sub(r"[\s.\-]", "", said).upper()
    if not re.fullmatch(r"[0-9A-Z]{4,34}", plain):
        raise Invalid("Type the account to which it went", field="to")
    if re.match(r"[A-Z]{2}\d\d", plain):
        try:
            return str(iban.validate(plain))
        except ValidationError as error:
            raise Invalid("The check digits of this IBAN are wrong", field="to") from error
    return plain
