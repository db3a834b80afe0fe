"""Spending points: a guarded statement in the transaction of the sale.

Two phones at once cannot both have the same points. For a payment from outside they are kept from
the moment in which its goods are, and come back where nobody pays.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, insert, select, update

from .. import clock
from ..db import connection, in_transaction
from ..errors import Refusal
from . import points
from .point_models import PointAccount, PointEntry

__all__ = ["PointsRefused", "kept", "release", "settle", "spend", "spendable"]


class PointsRefused(Refusal):
    """So many points are not there, or points cannot be spent here. `data`: asked, left."""

    code = "points_refused"
    status = 409
    title = "These points are not there"


def spendable(member_ids: Collection[int]) -> dict[int, int]:
    """What these members may spend; who has nothing is left out."""
    query = select(PointAccount.member_id, PointAccount.spendable)
    mine = (PointAccount.member_id.in_(member_ids), PointAccount.spendable > 0)
    return {row[0]: row[1] for row in connection().execute(query.where(*mine))}


def spend(
    member_id: int, many: int, *, sale_id: str | None = None, attempt_id: str | None = None
) -> bool:
    """Joiner: so many points go for a sale, or are kept for an attempt to pay for one. False where
    they are not there (any more)."""
    if not _take(member_id, many):
        return False
    if sale_id is not None:
        row = points.entry(f"spent:{sale_id}", member_id, "spent", -many, clock.now(),
                           sale_id=sale_id)  # fmt: skip
    else:
        key = f"kept:{attempt_id}:{_many_of(attempt_id)}"
        row = points.entry(key, member_id, "kept", -many, clock.now(), attempt_id=attempt_id)
    in_transaction().connection().execute(insert(PointEntry), [row])
    return True


def _take(member_id: int, many: int) -> bool:
    """The guard: only where so many are there."""
    taken = (
        update(PointAccount)
        .where(PointAccount.member_id == member_id, PointAccount.spendable >= many)
        .values(spendable=PointAccount.spendable - many)
    )
    return bool(in_transaction().execute(taken).rowcount == 1)  # type: ignore[attr-defined]


def _many_of(attempt_id: str | None) -> int:
    query = select(func.count()).where(PointEntry.attempt_id == attempt_id)
    return int(connection().execute(query).scalar_one())


def kept(attempt_id: str) -> tuple[int, int] | None:
    """Whose points are kept for an attempt, and how many."""
    query = (
        select(PointEntry.member_id, -func.sum(PointEntry.points))
        .where(PointEntry.attempt_id == attempt_id, PointEntry.kind == "kept")
        .group_by(PointEntry.member_id)
        .having(func.sum(PointEntry.points) < 0)
    )
    row: Any = connection().execute(query).first()
    return None if row is None else (row[0], int(row[1]))


def settle(attempt_id: str, sale_id: str) -> None:
    """Joiner: what was kept for an attempt is spent on the sale."""
    found = kept(attempt_id)
    if found is None:
        return
    member_id, many = found
    rows = [
        _free(attempt_id, member_id, many),
        points.entry(f"spent:{sale_id}", member_id, "spent", -many, clock.now(), sale_id=sale_id),
    ]
    in_transaction().connection().execute(insert(PointEntry), rows)


def release(attempt_id: str) -> None:
    """Joiner: nobody pays, so what was kept for the attempt may be spent again."""
    found = kept(attempt_id)
    if found is not None:
        points.lock([found[0]])
        points.add([_free(attempt_id, *found)])


def _free(attempt_id: str, member_id: int, many: int) -> points.Row:
    key = f"free:{attempt_id}:{_many_of(attempt_id)}"
    return points.entry(key, member_id, "kept", many, clock.now(), attempt_id=attempt_id)
