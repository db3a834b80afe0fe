"""Matching: what a provider's file says, held against what our ledger says, and booked where both
agree. Where they do not, the line stands among the differences, and nothing of it is booked.

It goes in bites, each of them one transaction that decides and books some lines: whoever dies in
between leaves no half of anything, and the next one goes on. What is owed by a means is decided by
one at a time (its account is locked); behind that the tables let no posting be settled twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select, update

from ... import clock
from ...db import db, in_transaction, repeatable, transaction
from ..models import Transfer
from . import postings
from .deciding import Decision, Desk
from .models import TRANSITIONS, SettlementFile, SettlementLine
from .pairing import pair_off
from .postings import Legs

__all__ = ["again", "difference_of", "work"]

BITE = 200


def work(zone: str, *, bites: int = 5) -> int:
    """Opener (often): go on with the files that wait, the oldest first; answers how many lines were
    decided. What no file could name before is tried again when a file is done."""
    done = 0
    for _ in range(bites):
        query = select(SettlementFile.id).where(SettlementFile.state == "matching")
        file_id = db.session.scalar(query.order_by(SettlementFile.at).limit(1))
        db.session.rollback()
        if file_id is None:
            break
        done += _bite(file_id, ZoneInfo(zone))
    return done


@repeatable
def _bite(file_id: str, zone: ZoneInfo) -> int:
    with transaction() as session:
        file = session.get_one(SettlementFile, file_id, with_for_update=True)
        query = select(SettlementLine).where(
            SettlementLine.file_id == file_id, SettlementLine.state == "staged"
        )
        lines = session.scalars(query.order_by(SettlementLine.number).limit(BITE)).all()
        if lines:
            _decide(file.means, lines, zone)
        ended = not lines and file.state == "matching"
        if ended:
            done = {"state": "done", "done_at": clock.now()}
            session.execute(
                update(SettlementFile).where(SettlementFile.id == file_id).values(**done)
            )
        means, currency, many = file.means, file.currency, len(lines)
    if ended:
        again(means, zone.key)
        pair_off(currency)
    return many


def again(means: str, zone: str) -> int:
    """Opener (often): try anew what was unknown: the till that was away may have told of it by now.
    Answers how many lines fit now."""
    after, fitted = 0, 0
    while True:
        after, more = _again(means, after, ZoneInfo(zone))
        fitted += more
        if not after:
            return fitted


@repeatable
def _again(means: str, after: int, zone: ZoneInfo) -> tuple[int, int]:
    with transaction() as session:
        where = (
            SettlementLine.means == means, SettlementLine.state == "open",
            SettlementLine.problem.in_(("unknown", "other_currency")), SettlementLine.id > after,
        )  # fmt: skip
        for currency in session.scalars(select(SettlementLine.currency).where(*where).distinct()):
            postings.account_id(means, currency, lock=True)  # Whoever was faster has decided.
        query = select(SettlementLine).where(*where)
        lines = session.scalars(query.order_by(SettlementLine.id).limit(BITE)).all()
        if not lines:
            return 0, 0
        decided = _decide(means, lines, zone)
        return lines[-1].id, sum(one.event == "fits" for one in decided)


def _decide(means: str, lines: Sequence[SettlementLine], zone: ZoneInfo) -> list[Decision]:
    """Joiner: decide these lines and book what fits, one currency after the other."""
    decided: list[Decision] = []
    for currency in sorted({line.currency for line in lines}):
        account = postings.account_id(means, currency, lock=True)
        mine = [line for line in lines if line.currency == currency]
        desk = Desk(means, currency, account, mine, zone)
        found = [desk.decide(line) for line in mine]
        _write(account, currency, found)
        decided += found
    return decided


def _write(account: int, currency: str, decided: Sequence[Decision]) -> None:
    """The decisions become true: first what is replaced is taken back, then what fits is booked."""
    gone = [line for one in decided for line in one.replaced]
    _undo(account, currency, gone)
    fitting = [one for one in decided if one.event == "fits"]
    lines = [Legs(one.line.id, one.line.gross_minor, one.line.fee_minor or 0) for one in fitting]
    postings.book(account, currency, lines)
    rows = [
        {"line": one.line.id, "state_": TRANSITIONS[one.line.state, one.event],
         "problem_": one.problem, "transfer": one.posting.id if one.posting else None,
         "agreed": one.agreed_minor}
        for one in decided
    ]  # fmt: skip
    table: Any = SettlementLine.__table__
    changed = (
        update(table)
        .where(table.c.id == bindparam("line"))
        .values(state=bindparam("state_"), problem=bindparam("problem_"),
                transfer_id=bindparam("transfer"), agreed_minor=bindparam("agreed"))
    )  # fmt: skip
    session = in_transaction()
    session.connection().execute(changed, rows)
    session.expire_all()


def _undo(account: int, currency: str, lines: Sequence[SettlementLine]) -> None:
    """What these lines booked is taken back; they stay as history."""
    if not lines:
        return
    for line in lines:
        if line.state == "matched":
            legs = Legs(line.id, line.gross_minor, line.fee_minor or 0)
            postings.book(account, currency, [legs], back=True)
        elif line.state == "accepted":
            unbook_accepted(account, line)
    session = in_transaction()
    for line in lines:
        state = TRANSITIONS[line.state, "corrected"]
        values = {"state": state, "problem": "", "transfer_id": line.transfer_id}
        session.execute(update(SettlementLine).where(SettlementLine.id == line.id).values(**values))


def unbook_accepted(account: int, line: SettlementLine) -> None:
    """Joiner: what was booked when somebody accepted a difference goes back."""
    if line.file_id is not None:
        legs = Legs(line.id, line.gross_minor, line.fee_minor or 0)
        postings.book(account, line.currency, [legs], back=True)
    rest = difference_of(account, line)
    if rest:
        back = [Legs(line.id, rest, 0, came=False)]
        postings.book(account, line.currency, back, back=True)


def difference_of(account: int, line: SettlementLine) -> int:
    """What an accepted line leaves of what our ledger says: all of it where nothing came, less
    than 0 where more came than we knew of."""
    came = line.gross_minor if line.file_id is not None else 0
    if line.kind == "fee":
        return 0
    if line.transfer_id is None:
        return -came
    query = select(func.sum(postings.signed(account))).where(Transfer.id == line.transfer_id)
    return int(in_transaction().scalar(query) or 0) - came
