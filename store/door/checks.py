"""Checks at the exit: a pass is looked at as often as one likes and used once.

Every check that is meant to use a pass is written down, with what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import identity, sales, stock
from ..db import connection, insert_new, repeatable, transaction
from . import passes
from .models import ExitCheck, PassUse
from .passes import PassInvalid, PassRefused

ACCEPTED = "accepted"
OLD_AFTER = timedelta(hours=4)
"""A sale this old was paid on another visit: its goods may have left long ago, unchecked, and
others like them be in the bag now. A person looks and decides."""


class PassElsewhere(PassRefused):
    """The sale is of another location. `data`: place (its name)."""

    code = "pass_elsewhere"
    title = "This was paid in another shop"


class PassRefunded(PassRefused):
    """The money went back, so the goods stay. `data`: refunded_at."""

    code = "pass_refunded"
    title = "This sale was refunded"


class PassUsed(PassRefused):
    """The sale has left the shop. `data`: used_at, by, place."""

    code = "pass_used"
    title = "This pass was used already"


class PassOld(PassRefused):
    """The pass is good, the sale is hours old: repeated with `although_old`, it is used.
    `data`: paid_at."""

    code = "pass_old"
    title = "This was paid long ago"


@dataclass(frozen=True, slots=True)
class Check:
    """Who checks, where, when; `key` names this check, so that its repetition is recognised.

    `seen_at` is when the pass was scanned, where that was before `at`: on the staff's own camera
    a person reads the page before they press the button. `although_old` is their decision.
    """

    staff_id: int
    location_id: int
    at: datetime
    key: str
    seen_at: datetime | None = None
    although_old: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """When, by whom and where a pass was used."""

    at: datetime
    by: str
    place: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of the door's history."""

    sale_id: str | None
    outcome: str
    at: datetime
    by: str


def look(text: str, asked: Check, secret: bytes) -> sales.Receipt:
    """The sale behind a pass that would be accepted now; changes nothing.

    Raises, in this order: PassInvalid, PassStale, PassElsewhere, PassRefunded, PassUsed, PassOld.
    A refusal about a sale carries its receipt.
    """
    receipt = _paid_here(passes.read(text), asked, secret)
    if (use := used(receipt.id)) is not None:
        raise _used(receipt, use)
    _not_old(receipt, asked)
    return receipt


def check(text: str, asked: Check, secret: bytes) -> sales.Receipt:
    """Opener: use the pass, once and for all; answers the sale that may leave.

    Raises what `look` raises, and writes the refusal down.
    """
    try:
        return _use(text, asked, secret)
    except PassRefused as refusal:
        _note(text, asked, refusal.code)
        raise


def used(sale_id: str) -> Use | None:
    """The use of a sale's pass, or None while it has not left the shop."""
    query = (
        select(PassUse.used_at, PassUse.staff_id, stock.Location.name)
        .join(stock.Location, stock.Location.id == PassUse.location_id)
        .where(PassUse.sale_id == sale_id)
    )
    row = connection().execute(query).first()
    if row is None:
        return None
    return Use(row[0], identity.names_of([row[1]]).get(row[1], ""), row[2])


def history(location_id: int, limit: int = 12) -> list[Noted]:
    """The newest checks at a location."""
    rows = (
        connection()
        .execute(
            select(ExitCheck.sale_id, ExitCheck.outcome, ExitCheck.at, ExitCheck.staff_id)
            .where(ExitCheck.location_id == location_id)
            .order_by(ExitCheck.at.desc(), ExitCheck.id.desc())
            .limit(limit)
        )
        .all()
    )
    names = identity.names_of({row[3] for row in rows})
    return [Noted(row[0], row[1], row[2], names.get(row[3], "")) for row in rows]


def tally(location_id: int, since: datetime) -> tuple[int, int]:
    """How many passes were accepted and how many refused at a location since a moment."""
    rows = connection().execute(
        select(ExitCheck.outcome, func.count())
        .where(ExitCheck.location_id == location_id, ExitCheck.at >= since)
        .group_by(ExitCheck.outcome)
    )
    counts = {row[0]: int(row[1]) for row in rows}
    accepted = counts.pop(ACCEPTED, 0)
    return accepted, sum(counts.values())


def _paid_here(shown: passes.Pass, asked: Check, secret: bytes) -> sales.Receipt:
    receipt = sales.receipt(shown.sale_id)
    if receipt is None:
        # The same words as for a forged code: the door is no place to try which sales exist.
        raise PassInvalid("The pass was not made by this shop")
    passes.verify(shown, receipt.location_id, asked.seen_at or asked.at, secret)
    if receipt.location_id != asked.location_id:
        raise _about(receipt, PassElsewhere(place=receipt.location_name))
    if receipt.state not in sales.STANDING:
        at = receipt.refunded_at.isoformat() if receipt.refunded_at else None
        raise _about(receipt, PassRefunded(refunded_at=at))
    return receipt


def _not_old(receipt: sales.Receipt, asked: Check) -> None:
    if asked.at - receipt.created_at > OLD_AFTER and not asked.although_old:
        raise _about(receipt, PassOld(paid_at=receipt.created_at.isoformat()))


@repeatable
def _use(text: str, asked: Check, secret: bytes) -> sales.Receipt:
    shown = passes.read(text)
    with transaction() as session:
        if (answered := _answered(session, shown.sale_id, asked)) is not None:
            return answered
        # A refund of the same moment comes before this check, and is seen, or waits for its end.
        sales.hold(shown.sale_id)
        receipt = _paid_here(shown, asked, secret)
        if not _take(session, receipt.id, asked):
            # Its own repetition may have come first, while this one still waited.
            if (answered := _answered(session, receipt.id, asked)) is not None:
                return answered
            raise _used(receipt, used(receipt.id))
        _not_old(receipt, asked)
        _add_check(session, receipt.id, asked, ACCEPTED)
        return receipt


def _answered(session: Session, sale_id: str, asked: Check) -> sales.Receipt | None:
    """A check whose answer was lost comes again with its key, and gets the same answer."""
    use = session.get(PassUse, sale_id)
    if use is None or (use.staff_id, use.key) != (asked.staff_id, asked.key):
        return None
    return sales.receipt(sale_id)


def _take(session: Session, sale_id: str, asked: Check) -> bool:
    """Claim the one row that a sale has here: of many at once, the table lets one through."""
    row = {
        "sale_id": sale_id,
        "location_id": asked.location_id,
        "staff_id": asked.staff_id,
        "key": asked.key,
        "used_at": asked.at,
    }
    claim = insert_new(PassUse).returning(PassUse.sale_id)
    return session.connection().execute(claim, row).first() is not None


@repeatable
def _note(text: str, asked: Check, outcome: str) -> None:
    sale_id = passes.read(text).sale_id if passes.is_pass(text) else None
    with transaction() as session:
        _add_check(session, sale_id, asked, outcome)


def _add_check(session: Session, sale_id: str | None, asked: Check, outcome: str) -> None:
    session.add(
        ExitCheck(
            sale_id=sale_id,
            location_id=asked.location_id,
            staff_id=asked.staff_id,
            outcome=outcome,
            at=asked.at,
        )
    )


def _used(receipt: sales.Receipt, use: Use | None) -> PassRefused:
    if use is None:
        raise RuntimeError("a use that stood in the way is not there")
    return _about(receipt, PassUsed(used_at=use.at.isoformat(), by=use.by, place=use.place))


def _about(receipt: sales.Receipt, refusal: PassRefused) -> PassRefused:
    """The refusal, with the sale that it is about: the door shows what was paid all the same."""
    refusal.receipt = receipt
    return refusal


__all__ = [
    "ACCEPTED", "Check", "Noted", "PassElsewhere", "PassOld", "PassRefunded", "PassUsed", "Use",
    "check", "history", "look", "tally", "used",
]  # fmt: skip
