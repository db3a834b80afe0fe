"""Checks at the exit: a pass is looked at as often as one likes and used once.

Every check that is meant to use a pass is written down, with what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import identity, sales
from ..db import connection, repeatable, transaction
from . import ages, passes, spots
from .models import ExitCheck, PassUse
from .passes import PassInvalid, PassRefused
from .uses import ACCEPTED, Check, Use, note, take, used

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


class CheckFirst(PassRefused):
    """The pass is good, and the rules chose this bag: it is looked at before it leaves. `data`:
    rule, rate_bp, kind ("sight" or "rescan"), pieces (to scan)."""

    code = "check_first"
    title = "This bag is to be looked at"


NEITHER = (CheckFirst.code, "check_refused", ages.AgeFirst.code, ages.AgeRefused.code)
"""What is neither a pass let through nor one refused: somebody looks first."""


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

    Raises what `look` raises, then AgeFirst, CheckFirst, and writes the refusal down. What the
    rules decide is kept before anybody hears of it, and stays as it is.
    """
    try:
        receipt, first = _use(text, asked, secret)
        if first is not None:
            raise _about(receipt, first)
        return receipt
    except PassRefused as refusal:
        _note(text, asked, refusal.code)
        raise


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
    counts = {row[0]: int(row[1]) for row in rows if row[0] not in NEITHER}
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
def _use(text: str, asked: Check, secret: bytes) -> tuple[sales.Receipt, PassRefused | None]:
    shown = passes.read(text)
    with transaction() as session:
        if (answered := _answered(session, shown.sale_id, asked)) is not None:
            return answered, None
        # A refund of the same moment comes before this check, and is seen, or waits for its end.
        sales.hold(shown.sale_id)
        receipt = _paid_here(shown, asked, secret)
        if (first := _first(session, receipt, asked, secret)) is not None:
            return receipt, first
        if not take(receipt.id, asked):
            # Its own repetition may have come first, while this one still waited.
            if (answered := _answered(session, receipt.id, asked)) is not None:
                return answered, None
            raise _used(receipt, used(receipt.id))
        _not_old(receipt, asked)
        note(receipt.id, asked, ACCEPTED)
        return receipt, None


def _first(
    session: Session, receipt: sales.Receipt, asked: Check, secret: bytes
) -> PassRefused | None:
    """Joiner: what this bag needs before it leaves, the age first: both are decided and kept."""
    if session.get(PassUse, receipt.id) is not None:
        return None
    _not_old(receipt, asked)
    spot = spots.due(receipt, asked, secret)
    if (question := ages.due(receipt, ages.waits_for(receipt), asked)) is not None:
        if question.state == "no":
            return ages.AgeRefused(least_age=question.least_age)
        return ages.first(question.least_age, spot.kind if spot else "none")
    if spot is None:
        return None
    return CheckFirst(rule=spot.rule, rate_bp=spot.rate_bp, kind=spot.kind, pieces=spot.sample)


def _answered(session: Session, sale_id: str, asked: Check) -> sales.Receipt | None:
    """A check whose answer was lost comes again with its key, and gets the same answer."""
    use = session.get(PassUse, sale_id)
    if use is None or (use.staff_id, use.key) != (asked.staff_id, asked.key):
        return None
    return sales.receipt(sale_id)


@repeatable
def _note(text: str, asked: Check, outcome: str) -> None:
    sale_id = passes.read(text).sale_id if passes.is_pass(text) else None
    with transaction():
        note(sale_id, asked, outcome)


def _used(receipt: sales.Receipt, use: Use | None) -> PassRefused:
    if use is None:
        raise RuntimeError("a use that stood in the way is not there")
    return _about(receipt, PassUsed(used_at=use.at.isoformat(), by=use.by, place=use.place))


def _about(receipt: sales.Receipt, refusal: PassRefused) -> PassRefused:
    """The refusal, with the sale that it is about: the door shows what was paid all the same."""
    refusal.receipt = receipt
    return refusal


__all__ = [
    "ACCEPTED", "Check", "CheckFirst", "Noted", "PassElsewhere", "PassOld", "PassRefunded",
    "PassUsed", "Use", "check", "history", "look", "take", "tally", "used",
]  # fmt: skip
