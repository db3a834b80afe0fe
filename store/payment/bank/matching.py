"""Matching: whose money it is that came in. What names a payment, in its amount and currency,
settles it as any provider's answer would, in one transaction with the entry; everything else waits
for somebody who looks at it, and has four ways out.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ... import clock
from ...db import db, in_transaction, repeatable, transaction
from ...errors import NotFound, Refusal, Unavailable
from .. import attempts, ledger
from ..costs.postings import BANK
from ..gateways import Approved
from ..gateways.bank import NAME, order_id_of
from ..models import Attempt, Transfer
from .models import TRANSITIONS, BankEntry
from .taking import SOURCE

__all__ = [
    "EntryDone", "NotThisPayment", "assign", "keep", "locked", "lying", "many_open", "move",
    "send_for", "take_out", "told_twice", "work",
]  # fmt: skip


log = logging.getLogger(__name__)


class EntryDone(Refusal):
    """Somebody has decided on this transfer. `data`: state."""

    code = "entry_done"
    status = 409
    title = "This transfer was dealt with already"


class NotThisPayment(Refusal):
    """This transfer cannot pay for that: `why` is too_little, other_currency or paid_already."""

    code = "not_this_payment"
    status = 409
    title = "This transfer cannot pay for that"


def work(limit: int = 500) -> int:
    """Opener (often): settle what was read and names a payment; answers how many were settled. The
    rest stands open."""
    query = select(BankEntry.id).where(BankEntry.state == "new").order_by(BankEntry.id)
    found = list(db.session.scalars(query.limit(limit)))
    db.session.rollback()
    return sum(_tried(entry_id) == "settled" for entry_id in found)


def _tried(entry_id: int) -> str:
    """What is fought over is decided again; what cannot be settled just now stays as it is, and
    keeps nothing else from being settled."""
    for _ in range(4):
        try:
            return _match(entry_id)
        except (Unavailable, IntegrityError):
            db.session.rollback()
        except Exception:
            db.session.rollback()
            log.exception("bank: entry %s", entry_id)
            break
    return "new"


@repeatable
def _match(entry_id: int) -> str:
    with transaction():
        mine = locked(entry_id)
        if mine.state != "new":
            return mine.state
        paid = _named(mine.reference)
        problem = mine.problem or (_problem(mine, paid) if paid else "unknown")
        attempt_id = paid.id if paid else None
        if problem or paid is None:
            move(mine, "differs", problem=problem, attempt_id=attempt_id)
            return "open"
        _settle(mine, paid, "notice")
        move(mine, "fits", attempt_id=attempt_id)
        return "settled"


def _named(reference: str) -> Attempt | None:
    """Joiner: the payment of a reference, locked."""
    order_id = order_id_of(reference)
    if order_id is None:
        return None
    query = select(Attempt).where(Attempt.id == order_id, Attempt.gateway == NAME)
    query = query.with_for_update().execution_options(populate_existing=True)
    return in_transaction().scalar(query)


def _problem(mine: BankEntry, paid: Attempt) -> str:
    """Why an entry does not settle a payment by itself, or ""."""
    if (paid.state, "paid") not in attempts.TRANSITIONS:
        return "paid_already"
    if mine.currency != paid.currency:
        return "other_currency"
    if mine.amount_minor != paid.amount_minor:
        return "too_little" if mine.amount_minor < paid.amount_minor else "too_much"
    return ""


def _settle(mine: BankEntry, paid: Attempt, source: str) -> None:
    """Joiner: as every other means settles; late money finds the goods, or goes back."""
    answer = Approved(mine.reference or f"bank {mine.id}", paid.amount_minor, paid.currency)
    attempts.step(paid, "paid", source, answer=answer, digest=mine.key)


def assign(entry_id: int, said: str, *, made_by: int) -> None:
    """Opener: an open entry pays for the payment of this reference; what it is more goes to the
    shopper's account. Raises NotFound, EntryDone, NotThisPayment, Unavailable."""
    for last in (False, False, True):
        try:
            return _assign(entry_id, said, made_by)
        except (Unavailable, IntegrityError) as error:
            db.session.rollback()
            if last:
                raise Unavailable("The payment could not be settled just now") from error
    raise AssertionError("unreachable")


@repeatable
def _assign(entry_id: int, said: str, made_by: int) -> None:
    with transaction():
        mine, paid = _open(entry_id), _known(said)
        problem = _problem(mine, paid)
        if problem and problem != "too_much":
            raise NotThisPayment(why=problem)
        surplus = mine.amount_minor - paid.amount_minor
        if surplus:
            _give(mine, paid, surplus)
        _settle(mine, paid, "staff")
        move(mine, "assigned", made_by, attempt_id=paid.id, surplus_minor=surplus)


@repeatable
def keep(entry_id: int, said: str, *, made_by: int) -> None:
    """Opener: an open entry goes to the account of whoever shall make the payment of this
    reference. Raises NotFound, EntryDone, NotThisPayment for another currency."""
    with transaction():
        mine, paid = _open(entry_id), _known(said)
        if mine.currency != paid.currency:
            raise NotThisPayment(why="other_currency")
        _give(mine, paid, mine.amount_minor)
        move(mine, "kept", made_by, attempt_id=paid.id)


@repeatable
def send_for(entry_id: int, *, made_by: int, reason: str = "") -> None:
    """Opener: an open entry shall go back to who sent it. Raises NotFound, EntryDone."""
    with transaction():
        move(_open(entry_id), "sent_for", made_by, reason=reason[:200])


@repeatable
def told_twice(entry_id: int, *, made_by: int, reason: str) -> None:
    """Opener: this money never came a second time, or the bank has taken it back: it leaves the
    books as it came. Raises NotFound, EntryDone."""
    with transaction():
        mine = _open(entry_id)
        take_out(mine, "bank_repeated")
        move(mine, "told_twice", made_by, reason=reason[:200])


def take_out(mine: BankEntry, reason: str) -> None:
    """Joiner: the whole of an entry leaves the ledger again, against the row that took it in."""
    row = ledger.row_of(
        ledger.shop_account(SOURCE, mine.currency), ledger.shop_account(BANK, mine.currency),
        mine.amount_minor, mine.currency, reason, clock.now(), note=f"bank entry {mine.id}",
    )  # fmt: skip
    row |= {"reverses_id": mine.transfer_id, "reversed_before_minor": 0}
    in_transaction().connection().execute(insert(Transfer), [row])


def locked(entry_id: int) -> BankEntry:
    """Joiner: an entry, ours until the commit. Raises NotFound."""
    query = select(BankEntry).where(BankEntry.id == entry_id).with_for_update()
    found = in_transaction().scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is no such transfer")
    return found


def _open(entry_id: int) -> BankEntry:
    mine = locked(entry_id)
    if mine.state != "open":
        raise EntryDone(state=mine.state)
    return mine


def _known(said: str) -> Attempt:
    """Joiner: the payment that somebody names. Raises NotFound."""
    found = _named(said)
    if found is None or found.member_id is None:
        raise NotFound("There is no payment with this reference")
    return found


def _give(mine: BankEntry, paid: Attempt, amount_minor: int) -> None:
    ledger.deposit(
        paid.member_id or 0, amount_minor, mine.currency, SOURCE, reason="transfer_in",
        note=f"bank entry {mine.id}",
    )  # fmt: skip


def move(mine: BankEntry, event: str, made_by: int | None = None, **values: Any) -> None:
    """Joiner, and the guard: each step is taken once, from where it leads on. Raises EntryDone."""
    state = TRANSITIONS.get((mine.state, event))
    if state is None:
        raise EntryDone(state=mine.state)
    if made_by is not None:
        values |= {"decided_by": made_by, "decided_at": clock.now()}
    moved = in_transaction().execute(
        update(BankEntry)
        .where(BankEntry.id == mine.id, BankEntry.state == mine.state)
        .values(state=state, **values)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise EntryDone(state=mine.state)
    in_transaction().refresh(mine)


def lying(*states: str, limit: int = 100) -> list[BankEntry]:
    """Entries in these states, the oldest first."""
    query = select(BankEntry).where(BankEntry.state.in_(states)).order_by(BankEntry.id)
    return list(db.session.scalars(query.limit(limit)))


def many_open() -> int:
    """How many transfers wait for somebody."""
    query = select(func.count(BankEntry.id)).where(BankEntry.state == "open")
    return int(db.session.scalar(query) or 0)
