"""The daily mail: who wants it, and that each of them gets one a day, however many workers there
are and however long they were away.

A day is claimed by a guarded statement on the person's row, in the transaction that puts the letter
into the post. Only yesterday is ever told: after a week without a worker comes one mail, not seven.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, or_, select, update

from ... import (
    clock,
    identity,
    ids,
    post,
    web,
)
from ...db import (
    connection,
    db,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import NotFound, Refusal
from ..calendar import day_number, zone
from .daily_models import DailyMail

__all__ = ["KIND", "MailNotProven", "Subject", "at", "put_due", "read_mark", "read_time", "stop",
           "stop_path", "test", "to_of", "wanted_by", "wish"]  # fmt: skip

KIND = "daily"
TEST_PAUSE = timedelta(minutes=1)
_MARK = re.compile(r"([1-9]\d{0,14})-([0-9A-Z]{16})\Z", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)
_SUBJECT = re.compile(r"(\d+) (\d+)( test)?\Z", re.ASCII)


class MailNotProven(Refusal):
    """Figures of the shop go to no address that might be somebody else's."""

    code = "mail_not_proven"
    status = 409
    title = "There is no proven e-mail address"


class TestedJustNow(Refusal):
    """Another test went out less than a minute ago."""

    code = "tested_just_now"
    status = 429
    title = "A test was sent just now"


class Subject(NamedTuple):
    """What a letter is about: whose, and which day."""

    member_id: int
    day: int
    is_test: bool = False

    @classmethod
    def read(cls, text: str) -> Subject:
        found = _SUBJECT.match(text)
        assert found, text
        return cls(int(found[1]), int(found[2]), bool(found[3]))

    def __str__(self) -> str:
        return f"{self.member_id} {self.day}" + (" test" if self.is_test else "")


def at() -> time:
    """When it goes out, on the shop's clock."""
    return read_time(web.setting("DAILY_MAIL_AT"))


def read_time(text: str) -> time:
    """A time of day like 07:00. Raises ValueError."""
    if not _TIME.match(text):
        raise ValueError(f"DAILY_MAIL_AT must be a time of day like 07:00, not {text!r}")
    return time.fromisoformat(text)


def wanted_by(member_id: int) -> bool:
    query = select(DailyMail.member_id).where(DailyMail.member_id == member_id)
    return connection().execute(query).first() is not None


def to_of(member_id: int) -> str | None:
    """Where somebody's mail goes: an address that is proven."""
    return identity.proven_mail(member_id)


@repeatable
def wish(member_id: int, wanted: bool) -> None:
    """Opener: from tomorrow on, or no more. Raises MailNotProven."""
    if wanted and to_of(member_id) is None:
        raise MailNotProven()
    with transaction() as session:
        known = session.scalar(select(DailyMail.member_id).where(DailyMail.member_id == member_id))
        if wanted and known is None:
            row = {"member_id": member_id, "since": clock.now(), "last_day": _yesterday()}
            session.execute(insert(DailyMail).values(row))
        elif not wanted:
            session.execute(delete(DailyMail).where(DailyMail.member_id == member_id))


@repeatable
def test(member_id: int) -> str:
    """Opener: yesterday's, at once, to whoever wants the mail; answers the address. Raises
    NotFound, MailNotProven, TestedJustNow."""
    to = to_of(member_id)
    if to is None:
        raise MailNotProven()
    now = clock.now()
    with transaction() as session:
        if session.get(DailyMail, member_id) is None:
            raise NotFound("You do not get this mail")
        free = or_(DailyMail.tested_at.is_(None), DailyMail.tested_at <= now - TEST_PAUSE)
        claimed = session.execute(
            update(DailyMail).where(DailyMail.member_id == member_id, free).values(tested_at=now)
        )
        if not claimed.rowcount:  # type: ignore[attr-defined]
            raise TestedJustNow()
        _put(Subject(member_id, _yesterday(), True), to)
    return to


def put_due(settings: Mapping[str, Any]) -> int:
    """Opener, for each who is due: their mails about yesterday go into the post; answers how many.
    A shop that sends no mail puts none, so that none pile up."""
    local = clock.now().astimezone(zone())
    if local.time() < at() or not post.can_mail(settings):
        return 0
    day = _yesterday()
    due = select(DailyMail.member_id).where(DailyMail.last_day < day)
    members = list(db.session.scalars(due))
    db.session.rollback()
    return sum(_put_one(member_id, day) for member_id in members)


@repeatable
def _put_one(member_id: int, day: int) -> bool:
    """Whoever moves the row on puts the letter; the others find it moved."""
    with transaction() as session:
        claimed = session.execute(
            update(DailyMail)
            .where(DailyMail.member_id == member_id, DailyMail.last_day < day)
            .values(last_day=day)
        )
        to = to_of(member_id)
        if not claimed.rowcount or to is None:  # type: ignore[attr-defined]
            return False
        _put(Subject(member_id, day), to)
        return True


def _put(subject: Subject, to: str) -> None:
    language = identity.by_id(subject.member_id).language or web.setting("LANGUAGE")
    post.put(KIND, str(subject), to, language)


def _yesterday() -> int:
    today: datetime = clock.now().astimezone(zone())
    return day_number(today.date()) - 1


# The link in the mail


def stop_path(member_id: int) -> str:
    """The path that ends it, for the mail to this person: only this shop can make it."""
    return f"/stop/daily/{member_id}-{_code(member_id)}"


def read_mark(mark: str) -> int:
    """Whose mail it ends. Raises NotFound."""
    found = _MARK.match(mark)
    if found is None or not ids.same(found[2], _code(int(found[1]))):
        raise NotFound("This link is not one of this shop")
    return int(found[1])


@repeatable
def stop(member_id: int) -> None:
    """Opener: no more of it."""
    with transaction():
        in_transaction().execute(delete(DailyMail).where(DailyMail.member_id == member_id))


def _code(member_id: int) -> str:
    return ids.mac(web.setting("SECRET_KEY").encode(), "daily", str(member_id))
