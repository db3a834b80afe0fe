"""Taking: what a statement file tells of is booked, in bites, each of them one transaction: from
the shop's account at the bank to what bank transfers owe us, where it lies until it is somebody's.

Who dies in between sends the same file again. An entry is known by what is told of it, so that a
later file that tells of it again, as a month after its weeks, books nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ... import clock, ids
from ...db import in_transaction, insert_new, repeatable, transaction
from ...errors import Unavailable
from .. import ledger
from ..costs.postings import BANK
from ..gateways.bank import NAME
from ..models import Transfer
from .entries import Entry, Statement
from .models import BankEntry, BankFile

__all__ = ["SOURCE", "Taken", "take"]

BITE = 200
SOURCE = f"gateway:{NAME}"
"""The account of what bank transfers owe us. Below 0: so much lies there and is nobody's yet."""


class Taken(NamedTuple):
    """`fresh` entries were not known before."""

    file_id: str
    fresh: int


def take(path: Path, found: Statement, *, name: str, taken_by: int) -> Taken:
    """Opener (often): book what a file tells of. The same file again books nothing. Raises
    Unavailable where another file with the same entries is taken at this moment."""
    file_id = _begin(hashlib.sha256(path.read_bytes()).hexdigest(), found, name[:120], taken_by)
    fresh = 0
    for start in range(0, len(found.entries), BITE):
        bite = found.entries[start : start + BITE]
        try:
            fresh += _book(file_id, bite)
        except IntegrityError:
            try:
                fresh += _book(file_id, bite)
            except IntegrityError as error:
                raise Unavailable("The same is taken in by somebody else just now") from error
    return Taken(file_id, fresh)


@repeatable
def _begin(digest: str, found: Statement, name: str, taken_by: int) -> str:
    row = {"id": ids.new(), "digest": digest, "layout": found.layout, "name": name,
           "incoming": len(found.entries), "outgoing": found.outgoing, "taken_by": taken_by,
           "at": clock.now()}  # fmt: skip
    with transaction() as session:
        session.connection().execute(insert_new(BankFile), [row])
        return str(session.scalars(select(BankFile.id).where(BankFile.digest == digest)).one())


@repeatable
def _book(file_id: str, bite: Sequence[Entry]) -> int:
    """Opener: the entries that nobody has told of; answers how many."""
    with transaction() as session:
        keys = [one.key for one in bite]
        known = set(session.scalars(select(BankEntry.key).where(BankEntry.key.in_(keys))))
        new = [one for one in bite if one.key not in known]
        for one in new:
            session.connection().execute(insert(BankEntry), _row(file_id, one))
        return len(new)


def _row(file_id: str, one: Entry) -> dict[str, Any]:
    """An entry whose money is in the ledger."""
    bank, source = (ledger.shop_account(each, one.currency) for each in (BANK, SOURCE))
    row = ledger.row_of(bank, source, one.amount_minor, one.currency, "bank_in", clock.now(),
                        note=f"bank {one.key}")  # fmt: skip
    book = insert(Transfer).returning(Transfer.id)
    transfer_id = in_transaction().connection().execute(book, [row]).scalar_one()
    return {
        "file_id": file_id, "key": one.key, "amount_minor": one.amount_minor,
        "currency": one.currency, "booked_on": one.booked_on, "said": one.said, "payer": one.payer,
        "payer_account": one.payer_account, "state": "new",
        "problem": "several" if len(one.names) > 1 else "",
        "reference": one.names[0] if len(one.names) == 1 else "",
        "transfer_id": transfer_id, "surplus_minor": 0, "sent_to": "",
        "reason": "",
    }  # fmt: skip
