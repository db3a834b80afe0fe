"""Days of a till: opened with what is in the drawer, counted, and closed once.

What was counted is held against what the till should hold, means by means. The cash that is missing
or too much is booked with a name and a reason; of what a terminal or a provider took a difference
is written down only: what these owe us is told by their own files. A closed day is never touched
again: what comes in late, from a till that was away, stands in the next one, marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, update

from ... import (
    clock,
    ids,
    logbook,
    money,
    payment,
)
from ...db import (
    db,
    in_transaction,
    insert_new,
    repeatable,
    transaction,
)
from ...errors import Invalid, NotFound, Refusal
from ...payment import tills as cash
from ...payment.gateways import NAMES
from .till_models import (
    Till,
    TillCount,
    TillDay,
    TillEntry,
    TillMove,
    TillTry,
)
from .till_sums import (
    Entry,
    entries,
    seen_of,
    sums,
)

__all__ = [
    "COUNTED", "Closing", "Moved", "TillChanged", "TillClosed", "close_day", "count", "latest_try",
    "left_in", "move", "open_day", "open_day_of", "till_of",
]  # fmt: skip

COUNTED = ("cash", "card", *NAMES)
"""What can be counted; what was paid from accounts needs no counting."""


class TillChanged(Refusal):
    """Something was sold or given back since the count. `data`: none."""

    code = "till_changed"
    status = 409
    title = "The till has changed since it was counted"


class TillClosed(Refusal):
    """This day is closed already, or none is open. `data`: day."""

    code = "till_closed"
    status = 409
    title = "This day of the till is closed already"


def till_of(location_id: int, seller_id: int, currency: str) -> Till | None:
    """The drawer of somebody at a location, once its first day was opened."""
    query = select(Till).where(
        Till.location_id == location_id, Till.seller_id == seller_id, Till.currency == currency
    )
    return db.session.scalar(query)


def open_day_of(till: Till | None) -> TillDay | None:
    """The day of a till that is open, if one is."""
    if till is None:
        return None
    query = select(TillDay).where(TillDay.till_id == till.id, TillDay.closed_at.is_(None))
    return db.session.scalar(query)


def left_in(till: Till | None) -> int | None:
    """What the last close left in the drawer; None before the first."""
    if till is None:
        return None
    query = select(TillDay.closing_minor).where(
        TillDay.till_id == till.id, TillDay.closed_at.is_not(None)
    )
    return db.session.scalar(query.order_by(TillDay.number.desc()).limit(1))


@repeatable
def open_day(
    location_id: int, seller_id: int, currency: str, opening_minor: int, reason: str, *,
    made_by: int,
) -> str:  # fmt: skip
    """Opener: a day of a till begins; answers its id, of the one that is open already where there
    is one. The first float comes from the safe; what differs later from what the last close left
    needs a reason. Raises Invalid."""
    if not 0 <= opening_minor <= money.LARGEST_MINOR:
        raise Invalid("Say how much is in the drawer", field="opening")
    with transaction() as session:
        row = {"location_id": location_id, "seller_id": seller_id, "currency": currency,
               "first_at": clock.now()}  # fmt: skip
        session.connection().execute(insert_new(Till), [row])
        till = _locked(location_id, seller_id, currency)
        known = open_day_of(till)
        if known is not None:
            return known.id
        left, day_id, said = left_in(till), ids.new(), reason.strip()[:200]
        found = opening_minor if left is None else left
        if opening_minor != found and not said:
            raise Invalid("Say why it is not what was left in the drawer", field="reason")
        session.connection().execute(insert(TillDay), [{
            "id": day_id, "till_id": till.id, "number": None, "left_minor": found,
            "opening_minor": opening_minor, "reason": said, "opened_by": made_by,
            "opened_at": clock.now(), "closed_by": None, "closed_at": None,
            "closing_minor": None, "banked_minor": None,
        }])  # fmt: skip
        note = f"{day_id} {made_by}: {said}"
        if left is None:
            cash.move(cash.SAFE, opening_minor, currency, note)
        cash.differ(opening_minor - found, currency, note)
        told = {"till": till.id, "in_drawer_minor": opening_minor, "currency": currency}
        logbook.note("till.opened", day_id, place_id=location_id,
                     before=None if left is None else {"in_drawer_minor": left},
                     after=told)  # fmt: skip
        return day_id


def _locked(location_id: int, seller_id: int, currency: str) -> Till:
    """Joiner: the till, ours until the commit."""
    query = select(Till).where(
        Till.location_id == location_id, Till.seller_id == seller_id, Till.currency == currency
    )
    return in_transaction().scalars(query.with_for_update()).one()


@dataclass(frozen=True)
class Moved:
    """Cash put in (above 0) or taken out of a drawer; `place` is safe or expenses."""

    day_id: str
    amount_minor: int
    place: str
    reason: str
    key: str


@repeatable
def move(asked: Moved, *, made_by: int) -> str:
    """Opener: cash comes in or goes out during the day; answers the move's id. The same key is the
    same move. Raises Invalid, NotFound, KeyReused, TillClosed."""
    reason = asked.reason.strip()[:200]
    if not 0 < abs(asked.amount_minor) <= money.LARGEST_MINOR:
        raise Invalid("Say how much", field="amount")
    if not reason:
        raise Invalid("Say what for", field="reason")
    if asked.place not in (cash.SAFE, cash.EXPENSES) or (
        asked.place == cash.EXPENSES and asked.amount_minor > 0
    ):
        raise Invalid("Cash comes from the safe; it goes there, or is spent", field="place")
    with transaction() as session:
        till, day = _day(asked.day_id)
        query = select(TillMove).where(TillMove.made_by == made_by, TillMove.key == asked.key)
        known = session.scalar(query)
        if known is not None:
            said = (known.till_id, known.amount_minor, known.place, known.reason)
            if said != (till.id, asked.amount_minor, asked.place, reason):
                raise payment.KeyReused("This page was sent before, with another amount")
            return known.id
        if day.closed_at is not None:
            raise TillClosed(day=day.id)
        made = {"id": ids.new(), "key": asked.key, "till_id": till.id,
                "amount_minor": asked.amount_minor, "place": asked.place, "reason": reason,
                "made_by": made_by, "at": clock.now()}  # fmt: skip
        session.connection().execute(insert(TillMove), [made])
        cash.move(asked.place, asked.amount_minor, till.currency, f"{made['id']} {reason}")
        told = {"move": made["id"], "amount_minor": asked.amount_minor, "to": asked.place}
        logbook.note("till.cash_moved", day.id, place_id=till.location_id, after=told)
        return str(made["id"])


def _day(day_id: str) -> tuple[Till, TillDay]:
    """Joiner: a day and its till, which is ours until the commit. Raises NotFound."""
    session = in_transaction()
    query = select(Till).join(TillDay, TillDay.till_id == Till.id).where(TillDay.id == day_id)
    till = session.scalar(query.with_for_update(of=Till))
    if till is None:
        raise NotFound("There is no such day of a till")
    return till, session.get_one(TillDay, day_id, populate_existing=True)


@repeatable
def count(day_id: str, counted: Mapping[str, int], *, made_by: int) -> str:
    """Opener: what somebody has counted, written down before they see what should be there; answers
    the count's id. A page sent twice is one count. Raises Invalid, NotFound, TillClosed."""
    if "cash" not in counted or not all(
        means in COUNTED and 0 <= abs(minor) <= money.LARGEST_MINOR
        for means, minor in counted.items()
    ):
        raise Invalid("Count the cash", field="cash")
    if counted["cash"] < 0:
        raise Invalid("Count the cash", field="cash")
    with transaction() as session:
        till, day = _day(day_id)
        if day.closed_at is not None:
            raise TillClosed(day=day.id)
        now = entries(till, day)
        last = latest_try(day, now)
        if last is not None and (last.counted, last.made_by) == (dict(counted), made_by):
            return last.id
        found = {"id": ids.new(), "day_id": day_id, "counted": dict(counted),
                 "seen": seen_of(day, now), "made_by": made_by,
                 "at": clock.now()}  # fmt: skip
        session.connection().execute(insert(TillTry), [found])
        logbook.note("till.counted", day_id, place_id=till.location_id, after=counted)
        return str(found["id"])


def latest_try(day: TillDay, found: list[Entry]) -> TillTry | None:
    """The newest count of a day, if nothing has happened since."""
    query = select(TillTry).where(TillTry.day_id == day.id).order_by(TillTry.id.desc()).limit(1)
    last = db.session.scalar(query)
    return last if last is not None and last.seen == seen_of(day, found) else None


@dataclass(frozen=True)
class Closing:
    """A day's end: the count (`try_id`) that it is closed with, why it differs, by means, and how
    much of the counted cash goes to the safe."""

    day_id: str
    try_id: str
    banked_minor: int
    reasons: Mapping[str, str] = field(default_factory=dict)


@repeatable
def close_day(asked: Closing, *, made_by: int) -> int:
    """Opener: close a day, once; answers its number. The same close by the same person again is the
    same. Raises Invalid (no reason for a difference, more banked than counted), NotFound,
    TillClosed, TillChanged."""
    with transaction() as session:
        till, day = _day(asked.day_id)
        mine = session.get(TillTry, asked.try_id)
        if mine is None or mine.day_id != day.id:
            raise NotFound("There is no such count")
        if day.closed_at is not None:
            if (day.closed_by, day.banked_minor) == (made_by, asked.banked_minor):
                return day.number or 0
            raise TillClosed(day=day.id)
        found = entries(till, day)
        if mine.seen != seen_of(day, found):
            raise TillChanged()
        counts = _counts(day, found, mine, asked.reasons)
        counted = int(mine.counted["cash"])
        if not 0 <= asked.banked_minor <= counted:
            raise Invalid("More would go to the safe than was counted", field="banked")
        number = _write(till, day, found, counts, counted, asked.banked_minor, made_by)
        [drawer] = [one for one in counts if one["means"] == "cash"]
        note = f"{day.id} {made_by}: {drawer['reason']}"
        cash.differ(counted - int(drawer["expected_minor"]), till.currency, note)
        cash.bank(asked.banked_minor, till.currency, note)
        expected, said = int(drawer["expected_minor"]), {"banked_minor": asked.banked_minor}
        logbook.note("till.closed", day.id, place_id=till.location_id,
                     before={"cash_minor": expected},
                     after={"cash_minor": counted, "number": number} | said)  # fmt: skip
        return number


def _counts(
    day: TillDay, found: list[Entry], mine: TillTry, reasons: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A row for each means that the day had, or that was counted. Raises Invalid."""
    by_means, rows = sums(found), []
    for means in dict.fromkeys([*by_means, *mine.counted]):
        expected = by_means[means].amount_minor if means in by_means else 0
        expected += day.opening_minor if means == "cash" else 0
        counted = mine.counted.get(means)
        reason = reasons.get(means, "").strip()[:200]
        if counted not in (None, expected) and not reason:
            raise Invalid("Say why it is not what it should be", field=f"reason-{means}")
        if counted in (None, expected):
            reason = ""
        rows.append({"day_id": day.id, "means": means, "expected_minor": expected,
                     "counted_minor": counted, "reason": reason})  # fmt: skip
    return rows


def _write(
    till: Till, day: TillDay, found: list[Entry], counts: list[dict[str, Any]],
    counted_minor: int, banked_minor: int, made_by: int,
) -> int:  # fmt: skip
    session = in_transaction()
    own = session.connection()
    rows = [
        {"kind": one.kind, "source_id": one.source_id, "day_id": day.id, "means": one.means,
         "amount_minor": one.amount_minor, "at": one.at, "late": one.late}
        for one in found
    ]  # fmt: skip
    if rows:
        own.execute(insert(TillEntry), rows)
    own.execute(insert(TillCount), counts)
    last = select(func.coalesce(func.max(TillDay.number), 0)).where(TillDay.till_id == till.id)
    number = int(session.scalar(last) or 0) + 1
    values = {"number": number, "closed_by": made_by, "closed_at": clock.now(),
              "closing_minor": counted_minor - banked_minor,
              "banked_minor": banked_minor}  # fmt: skip
    closed = own.execute(
        update(TillDay).where(TillDay.id == day.id, TillDay.closed_at.is_(None)).values(**values)
    )
    if closed.rowcount != 1:
        raise TillClosed(day=day.id)
    return number
