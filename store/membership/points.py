"""Points: what each member has, as the sum of entries that are only added.

Whoever books locks the members' accounts first, in order of their ids, and then reads: what one
entry depends on (how much of a sale came back before, what is too old) cannot change meanwhile. An
entry's key says what it is for, so that it is booked once.

Goods may come back whose points were spent. Then the account owes points (it never pays with what
it does not have), and the next ones make up for them: to buy and give back leaves exactly what was
there before. What is too old goes the oldest first, and what was spent was the oldest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, insert, select, update

from .. import clock
from ..db import connection, in_transaction, insert_new
from .point_models import PointAccount, PointEntry

__all__ = [
    "Balance", "Entry", "Row", "add", "balance_of", "entries_of", "entry", "lock", "statement",
]  # fmt: skip

Row = dict[str, Any]


class Balance(NamedTuple):
    """What a member has; where it is below zero, the next points make up for it."""

    spendable: int
    owed: int

    @property
    def points(self) -> int:
        return self.spendable - self.owed


class Entry(NamedTuple):
    """An entry as the member sees it."""

    id: int
    kind: str
    points: int
    at: datetime
    expires_at: datetime | None
    sale_id: str | None


def entry(key: str, member_id: int, kind: str, points: int, at: datetime, **more: Any) -> Row:
    """An entry that may be added; what it leaves out is nothing."""
    given = {"base_minor": 0, "rule_id": None, "factors": None, "sale_id": None,
             "attempt_id": None, "expires_at": None}  # fmt: skip
    return given | {"key": key, "member_id": member_id, "kind": kind, "points": points,
                    "at": at, "booked_at": clock.now(), **more}  # fmt: skip


def lock(member_ids: Collection[int]) -> None:
    """Joiner: the accounts of these members are ours until the commit; those they do not have yet
    are opened."""
    wanted = sorted(set(member_ids))
    if not wanted:
        return
    session = in_transaction()
    mine = PointAccount.member_id.in_(wanted)
    query = select(PointAccount.member_id).where(mine).order_by(PointAccount.member_id)
    found = set(session.execute(query.with_for_update()).scalars())
    new = [{"member_id": each} for each in wanted if each not in found]
    if new:
        session.execute(insert_new(PointAccount), new)
        session.execute(query.with_for_update())


_sum = PointAccount.spendable - PointAccount.owed + bindparam("change")
_soonest = bindparam("soonest", type_=PointAccount.over_at.type)
_change = (
    update(PointAccount)
    .where(PointAccount.member_id == bindparam("member"))
    .values(
        spendable=case((_sum > 0, _sum), else_=0),
        owed=case((_sum < 0, -_sum), else_=0),
        over_at=case(
            (_soonest.is_(None), PointAccount.over_at),
            (PointAccount.over_at.is_(None), _soonest),
            (PointAccount.over_at > _soonest, _soonest),
            else_=PointAccount.over_at,
        ),
    )
)


def add(rows: Sequence[Row]) -> None:
    """Joiner: these entries, and the accounts that they change, which the caller has locked. An
    IntegrityError says that one of them was booked before."""
    if not rows:
        return
    own = in_transaction().connection()
    own.execute(insert(PointEntry), list(rows))
    changes: dict[int, list[Any]] = {}
    for row in rows:
        sums = changes.setdefault(row["member_id"], [0, None])
        sums[0] += row["points"]
        ends = None if row["kind"] == "expired" else row["expires_at"]
        if ends is not None and row["points"] > 0 and (sums[1] is None or ends < sums[1]):
            sums[1] = ends
    own.execute(
        _change,
        [
            {"member": member, "change": points, "soonest": soonest}
            for member, (points, soonest) in sorted(changes.items())
        ],
    )


def entries_of(sale_ids: Collection[str]) -> list[Any]:
    """The entries of these sales, the oldest first."""
    query = select(*PointEntry.__table__.columns).where(PointEntry.sale_id.in_(sale_ids))
    return list(connection().execute(query.order_by(PointEntry.id))) if sale_ids else []


def balance_of(member_id: int) -> Balance:
    """What a member has."""
    query = select(PointAccount.spendable, PointAccount.owed)
    row = connection().execute(query.where(PointAccount.member_id == member_id)).first()
    return Balance(*row) if row is not None else Balance(0, 0)


def statement(member_id: int, *, before: int | None = None, limit: int = 30) -> list[Entry]:
    """How a member's points came and went, the newest first; without those that were 0."""
    query = select(
        PointEntry.id, PointEntry.kind, PointEntry.points, PointEntry.at, PointEntry.expires_at,
        PointEntry.sale_id,
    ).where(PointEntry.member_id == member_id, PointEntry.points != 0)  # fmt: skip
    if before is not None:
        query = query.where(PointEntry.id < before)
    query = query.order_by(PointEntry.id.desc()).limit(limit)
    return [Entry(*row) for row in connection().execute(query)]
