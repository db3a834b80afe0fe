"""Ages of points: what is too old goes, the oldest first, and what was spent was the oldest.

Points may also move between two accounts of one person, and keep their ages.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import case, func, select, update

from .. import clock, ids
from ..db import connection, in_transaction, repeatable, transaction
from .point_models import PointAccount, PointEntry
from .points import add, entry, lock

__all__ = ["forgive", "move", "next_over", "settle_old", "sweep"]

BITE = 50
WENT = ("spent", "kept", "expired")
_NEVER = datetime.max.replace(tzinfo=UTC)


def next_over(member_id: int) -> tuple[int, datetime] | None:
    """How many of a member's points are too old next, within a day, and when; as it is now."""
    now, lives = clock.now(), PointEntry.expires_at
    old = _old(member_id, now)
    query = (
        select(lives, func.sum(PointEntry.points))
        .where(PointEntry.member_id == member_id, lives > now, PointEntry.kind.not_in(WENT))
        .group_by(lives)
        .order_by(lives)
    )
    lived, first = old.lived, _NEVER
    for row in connection().execute(query):
        at = row[0] or _NEVER
        if first is not _NEVER and at > first + timedelta(days=1):
            break
        lived += int(row[1])
        if first is _NEVER and lived > old.gone:
            first = at
    return (lived - old.gone, first) if first is not _NEVER else None


class _Old(NamedTuple):
    """What lived until a moment, and what was spent or is over."""

    lived: int
    gone: int

    @property
    def due(self) -> int:
        """What is too old then: the oldest were spent first."""
        return max(0, self.lived - self.gone)


def _old(member_id: int, at: datetime) -> _Old:
    entries, went = PointEntry, PointEntry.kind.in_(WENT)
    lived = ~went & (entries.expires_at <= at)
    row = connection().execute(
        select(
            func.coalesce(func.sum(case((lived, entries.points), else_=0)), 0),
            func.coalesce(func.sum(case((went, -entries.points), else_=0)), 0),
        ).where(entries.member_id == member_id)
    ).one()  # fmt: skip
    return _Old(*(int(each) for each in row))


def settle_old(member_id: int) -> int:
    """Joiner, with the account locked: what is too old goes. Answers how many."""
    at = clock.now()
    due = _old(member_id, at).due
    if due:
        add([entry(f"over:{ids.new()}", member_id, "expired", -due, at)])
    following = select(func.min(PointEntry.expires_at)).where(
        PointEntry.member_id == member_id, PointEntry.points > 0, PointEntry.expires_at > at
    )
    in_transaction().execute(
        update(PointAccount)
        .where(PointAccount.member_id == member_id)
        .values(over_at=following.scalar_subquery())
    )
    return due


def move(source_id: int, target_id: int) -> int:
    """Joiner: what one account of a person has is the other's from now on, each point as long as it
    lived; what it owes, too. What is kept for a payment stays until that has ended. Answers how
    many."""
    lock([source_id, target_id])
    settle_old(source_id)
    lives, at = PointEntry.expires_at, clock.now()
    query = (
        select(lives, func.sum(PointEntry.points))
        .where(PointEntry.member_id == source_id, PointEntry.kind.not_in(WENT))
        .group_by(lives)
    )
    left = {row[0] or _NEVER: int(row[1]) for row in connection().execute(query)}
    gone = _old(source_id, at).gone
    gone -= sum(_take_oldest(left, gone).values())
    if gone > 0:
        left[at] = left.get(at, 0) - gone  # Owed, and older than anything that comes.
    rows = [
        entry(f"moved:{ids.new()}", member_id, "moved", sign * many, at,
              expires_at=None if until == _NEVER else until)
        for until, many in sorted(left.items()) if many
        for member_id, sign in ((source_id, -1), (target_id, 1))
    ]  # fmt: skip
    add(rows)
    return sum(left.values())


def forgive(member_id: int, expires_at: datetime) -> int:
    """Joiner, with the account locked: goods came back whose points were too old. Those that went
    for that are not taken a second time. Answers how many."""
    many = _taken_twice(member_id, expires_at)
    if many:
        row = entry(f"over:{ids.new()}", member_id, "expired", many, clock.now())
        add([row | {"expires_at": expires_at}])
    return many


def _taken_twice(member_id: int, expires_at: datetime) -> int:
    """Of the points that live until a moment: how many went because they were too old, and were
    taken back with their goods as well. What goes is always the oldest that is left."""
    columns = (PointEntry.kind, PointEntry.points, PointEntry.expires_at, PointEntry.attempt_id)
    query = select(*columns).where(PointEntry.member_id == member_id).order_by(PointEntry.id)
    rows = list(connection().execute(query))
    kept: dict[str | None, int] = {}
    for row in rows:
        if row.kind == "kept":
            kept[row.attempt_id] = kept.get(row.attempt_id, 0) + row.points
    left = dict[datetime, int]()
    expired = missing = forgiven = 0
    for row in rows:
        lives = row.expires_at or _NEVER
        if row.kind == "expired" and row.points > 0:
            forgiven += row.points if lives == expires_at else 0
        elif row.kind in WENT:
            if row.kind != "kept" or kept[row.attempt_id]:
                mine = _take_oldest(left, -row.points).get(expires_at, 0)
                expired += mine if row.kind == "expired" else 0
        elif row.points > 0:
            left[lives] = left.get(lives, 0) + row.points
        else:
            back = min(-row.points, left.get(lives, 0))
            left[lives] = left.get(lives, 0) - back
            missing += -row.points - back if lives == expires_at else 0
    return max(0, min(expired, missing) - forgiven)


def _take_oldest(left: dict[datetime, int], many: int) -> dict[datetime, int]:
    """Take so many of what is left, the oldest first; answers how many of each."""
    taken: dict[datetime, int] = {}
    for lives in sorted(left):
        if many <= 0:
            break
        taken[lives] = min(many, left[lives])
        left[lives] -= taken[lives]
        many -= taken[lives]
    return taken


def sweep() -> int:
    """Opener, many times: what is too old goes, a few members in each commit; answers how many
    members were looked at. A run that was killed is gone on with by the next: an account that was
    done names a later moment."""
    done = 0
    while many := _bite():
        done += many
    return done


@repeatable
def _bite() -> int:
    old = select(PointAccount.member_id).where(PointAccount.over_at <= clock.now())
    members = sorted(connection().execute(old.limit(BITE)).scalars())
    if not members:
        return 0
    with transaction():
        lock(members)
        for member_id in members:
            settle_old(member_id)
    return len(members)
