"""Ages that a shop remembers, where its owner allows it and the member wants it: that somebody
looked on a day, and how old the member was then at least. No date of birth; it ends with one tap,
and with the account."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from ... import clock, web
from ...db import (
    Base,
    Moment,
    db,
    in_transaction,
    insert_new,
    repeatable,
    transaction,
)

__all__ = ["KnownAge", "forget", "is_on", "knows", "of", "saw", "want"]


class KnownAge(Base):
    """A member who wants their age remembered, since `wanted_at`; once somebody has looked, they
    were at least `least_age` on that day. Ended, the row goes."""

    __tablename__ = "known_ages"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    wanted_at: Mapped[datetime] = mapped_column(Moment)
    least_age: Mapped[int] = mapped_column(default=0, server_default="0")
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    checked_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))


def is_on() -> bool:
    """Whether the owner lets the shop remember ages."""
    return web.setting("AGE_REMEMBERED") == "True"


def of(member_id: int) -> KnownAge | None:
    query = select(KnownAge).where(KnownAge.member_id == member_id)
    return db.session.scalar(query.execution_options(populate_existing=True))


def knows(member_id: int | None, least_age: int) -> bool:
    """Whether a member is known to be so old today: everybody has aged since."""
    found = of(member_id) if member_id is not None and is_on() else None
    if found is None or found.checked_at is None:
        return False
    day, seen = _day(clock.now()), _day(found.checked_at)
    years = day.year - seen.year - ((day.month, day.day) < (seen.month, seen.day))
    return found.least_age + years >= least_age


def saw(member_id: int | None, least_age: int, by: int, at: datetime) -> None:
    """Joiner: somebody has looked; kept where the member wants it, the higher age of the newest."""
    if member_id is None or not is_on():
        return
    in_transaction().execute(
        update(KnownAge)
        .where(KnownAge.member_id == member_id, KnownAge.least_age <= least_age)
        .values(least_age=least_age, checked_at=at, checked_by=by)
        .execution_options(synchronize_session=False)
    )


@repeatable
def want(member_id: int) -> None:
    """Opener: the member's yes. Said again it changes nothing."""
    with transaction() as session:
        row = {"member_id": member_id, "wanted_at": clock.now(), "least_age": 0,
               "checked_at": None, "checked_by": None}  # fmt: skip
        session.connection().execute(insert_new(KnownAge), row)


@repeatable
def forget(member_id: int) -> None:
    """Opener: the member's no: nothing of it is kept."""
    with transaction() as session:
        session.execute(delete(KnownAge).where(KnownAge.member_id == member_id))


def _day(at: datetime) -> date:
    return clock.day_of(at, web.setting("TIME_ZONE"))
