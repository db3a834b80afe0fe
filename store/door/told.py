"""What an exit checked without a network, told later: each check stands once, and what does not fit
is flagged for a person.

The bag is gone when this is heard, so nothing is refused: the use of the pass is booked where it
was free. A second use, a sale whose money went back, a pass of another place, a bag that the rules
had chosen and nobody looked at, an exit that was away for too long or whose clock was wrong stand
on the page of flagged checks, with time and place.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from .. import identity, ids, logbook, sales, stock, ticks
from ..db import connection, db, in_transaction, insert_new, repeatable, transaction
from ..errors import NotFound
from . import away_ages, passes, rules, spots
from .away import LEFT, Told
from .models import AwayCheck, PassUse, SpotCheck
from .uses import ACCEPTED, Check, Use, note, take, used

FLAGS = ("forged", "double", "refunded", "elsewhere", "skipped", "age", "over", "clock")
"""What is wrong with a check; the first that is true is named."""
SKEW = timedelta(minutes=1)
MILLISECOND = timedelta(microseconds=999)


class Flagged(NamedTuple):
    """A check that a person is to look at; `use` is the one that the pass has, `refunded_at` when
    the money went back."""

    id: int
    flag: str
    sale_id: str | None
    at: datetime
    place: str
    by: str
    scanner: str
    use: Use | None
    refunded_at: datetime | None


class Heard(NamedTuple):
    """A check as it is booked: by whom it was made where, and its sale if its pass is real."""

    told: Told
    asked: Check
    shown: passes.Pass | None
    receipt: sales.Receipt | None


@repeatable
def take_in(told: Told, now: datetime, minutes: int, secret: bytes) -> tuple[bool, str | None]:
    """Opener: a check that was told. Answers whether it was known already, and its flag. An exit
    may be away for so many `minutes`."""
    at = min(told.at - told.ahead if abs(told.ahead) > SKEW else told.at, now)
    asked = Check(told.ticket.staff_id, told.ticket.location_id, at, told.key)
    with transaction() as session:
        number = _claim(told, asked, now)
        if number is None:
            return True, _flag_of(told)
        heard = _heard(told, asked, secret)
        flag = _booked(session, heard, secret) or _late(heard, minutes)
        if flag is not None:
            session.execute(update(AwayCheck).where(AwayCheck.id == number).values(flag=flag))
        return False, flag


def _claim(told: Told, asked: Check, now: datetime) -> int | None:
    """Joiner: the row of this check; None where it was told before."""
    row = {
        "scanner": told.scanner, "key": told.key, "sale_id": _sale_id(told.text),
        "location_id": asked.location_id, "staff_id": asked.staff_id, "outcome": told.outcome,
        "at": asked.at, "skew_s": int(told.ahead.total_seconds()), "told_at": now,
    }  # fmt: skip
    claim = insert_new(AwayCheck).returning(AwayCheck.id)
    number: int | None = in_transaction().connection().execute(claim, row).scalar()
    return number


def _sale_id(text: str) -> str | None:
    return passes.read(text).sale_id if passes.is_pass(text) else None


def _flag_of(told: Told) -> str | None:
    query = select(AwayCheck.flag)
    query = query.where(AwayCheck.scanner == told.scanner, AwayCheck.key == told.key)
    return connection().execute(query).scalar()


def _heard(told: Told, asked: Check, secret: bytes) -> Heard:
    """Joiner: the sale behind the pass, held, where this shop made the pass."""
    if not passes.is_pass(told.text):
        return Heard(told, asked, None, None)
    shown = passes.read(told.text)
    sales.hold(shown.sale_id)
    receipt = sales.receipt(shown.sale_id)
    if receipt is None or not passes.is_ours(shown, receipt.location_id, secret):
        return Heard(told, asked, shown, None)
    return Heard(told, asked, shown, receipt)


def _booked(session: Session, heard: Heard, secret: bytes) -> str | None:
    """Joiner: what the exit let out or kept here; answers what is wrong with it."""
    told, asked, receipt = heard.told, heard.asked, heard.receipt
    if told.outcome not in LEFT:
        if told.outcome == "looked_refused" and receipt is not None:
            _checked(session, heard, secret)
        aged = None
        if told.age is not None and receipt is not None and receipt.state in sales.STANDING:
            aged = away_ages.take_in(told, asked, receipt)
        outcome = "check_refused" if told.outcome == "looked_refused" else told.outcome
        note(heard.shown.sale_id if heard.shown else None, asked, outcome)
        return aged
    if receipt is None:
        note(heard.shown.sale_id if heard.shown else None, asked, passes.PassInvalid.code)
        return "forged"
    done, free = _checked(session, heard, secret)
    if not free:
        note(receipt.id, asked, "check_first")
        return "skipped"
    if not _used_now(session, receipt.id, asked):
        return "double"
    if receipt.state not in sales.STANDING:
        return "refunded"
    aged = away_ages.take_in(told, asked, receipt)
    if receipt.location_id != asked.location_id:
        return "elsewhere"
    return aged if done else "skipped"


def _used_now(session: Session, sale_id: str, asked: Check) -> bool:
    """Joiner: whether this use is the one of the pass: it is booked now, or the exit had asked the
    shop with the same key before the network went."""
    if take(sale_id, asked):
        note(sale_id, asked, ACCEPTED)
        return True
    use = session.get(PassUse, sale_id)
    if use is not None and (use.staff_id, use.key) == (asked.staff_id, asked.key):
        return True
    note(sale_id, asked, "pass_used")
    return False


def _late(heard: Heard, minutes: int) -> str | None:
    told = heard.told
    if told.outcome not in LEFT:
        return None
    if heard.asked.at > told.ticket.at + timedelta(minutes=minutes) + SKEW:
        return "over"
    wrong = heard.shown is not None and ticks.age_s(heard.shown.step, told.at) is not None
    return "clock" if wrong or abs(told.ahead) > SKEW else None


# What the rules asked of the bag


def _checked(session: Session, heard: Heard, secret: bytes) -> tuple[bool, bool]:
    """Joiner: whether what the rules asked was done, and whether no check keeps the bag here. The
    exit knew the rules of chance and of the amount, and asked for a look; so much is kept."""
    receipt, told = heard.receipt, heard.told
    assert receipt is not None
    known = session.get(SpotCheck, receipt.id, with_for_update=True, populate_existing=True)
    if known is not None:
        return _moved_on(session, known, heard)
    # The exit knows moments by the millisecond.
    version = rules.in_force(min(ids.made_at(receipt.id), told.ticket.at) + MILLISECOND)
    if version is None or not version.rules.hold:
        return True, True
    decision = rules.Decision(None, 0, "none")
    if receipt.sold_by is None:
        facts = rules.Facts(receipt.total_minor, receipt.kept_pieces)
        decision = rules.decide(version.rules, version.id, facts, receipt.id, secret)
    chosen, looked = decision.kind != "none", told.outcome in ("looked", "looked_refused")
    if chosen and not looked:
        return False, True
    if chosen:
        decision = decision._replace(kind="sight", sample=0)
    state = "refused" if chosen and told.outcome == "looked_refused" else "ended"
    spots.keep(receipt, version, decision, heard.asked, newcomer=spots.is_newcomer(receipt),
               state=state)  # fmt: skip
    return True, True


def _moved_on(session: Session, known: SpotCheck, heard: Heard) -> tuple[bool, bool]:
    """Joiner: a check that had begun before, and ended without a network."""
    if known.state == "ended":
        return True, True
    if heard.told.outcome not in ("looked", "looked_refused"):
        return False, False
    refused = heard.told.outcome == "looked_refused"
    session.execute(
        update(SpotCheck)
        .where(SpotCheck.sale_id == known.sale_id, SpotCheck.state != "ended")
        .values(state="refused" if refused else "ended", outcome=None if refused else "ok",
                charged_minor=0, refunded_minor=0, unpaid=0, absent=0,
                ended_by=heard.asked.staff_id, ended_at=heard.asked.at)
    )  # fmt: skip
    return True, True


# For a person


def flagged(location_id: int, limit: int = 100) -> list[Flagged]:
    """The checks of a place that a person has not looked at yet, the newest first."""
    query = (
        select(AwayCheck, stock.Location.name)
        .join(stock.Location, stock.Location.id == AwayCheck.location_id)
        .where(AwayCheck.location_id == location_id)
        .where(AwayCheck.flag.is_not(None), AwayCheck.seen_at.is_(None))
        .order_by(AwayCheck.at.desc(), AwayCheck.id.desc())
        .limit(limit)
    )
    found = db.session.execute(query).all()
    names = identity.names_of({row[0].staff_id for row in found})
    return [_flagged(check, place, names.get(check.staff_id, "")) for check, place in found]


def _flagged(check: AwayCheck, place: str, by: str) -> Flagged:
    use = used(check.sale_id) if check.sale_id else None
    receipt = sales.receipt(check.sale_id) if check.sale_id and check.flag == "refunded" else None
    return Flagged(
        check.id, str(check.flag), check.sale_id if check.flag != "forged" else None, check.at,
        place, by, check.scanner[:4].upper(), use, receipt.refunded_at if receipt else None,
    )  # fmt: skip


def to_see(location_id: int) -> int:
    """How many checks of a place wait for a person."""
    query = select(func.count()).where(
        AwayCheck.location_id == location_id, AwayCheck.seen_at.is_(None),
        AwayCheck.flag.is_not(None),
    )  # fmt: skip
    return int(connection().execute(query).scalar_one())


@repeatable
def see(number: int, member_id: int, now: datetime) -> None:
    """Opener: somebody has looked at it. Raises NotFound; a second time changes nothing."""
    with transaction() as session:
        check = session.get(AwayCheck, number)
        if check is None or check.flag is None:
            raise NotFound("There is no such check")
        changed = session.execute(
            update(AwayCheck).where(AwayCheck.id == number, AwayCheck.seen_at.is_(None))
            .values(seen_by=member_id, seen_at=now).returning(AwayCheck.id)
        )  # fmt: skip
        if changed.first() is None:
            return
        logbook.note("exit.flag_seen", check.sale_id or check.key, after={"flag": check.flag})
