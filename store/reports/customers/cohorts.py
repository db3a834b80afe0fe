"""Cohorts, kept as sales are summed up: a member's months leave them before their sums change, and
come back afterwards, by the first month that they then have.

So whatever changes a member's sums (sales told late, refunds, a guest's purchase that is claimed)
is right here too, with nothing to be known of it; and it is in the same commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    case,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ...prepared import Many, Prepared, one_of
from ..events import NOBODY
from ..models import WHOLE_MONTH, TakingsOfMember
from .customer_models import Cohort

__all__ = ["KEYS", "MEASURES", "anew", "changing", "counted"]

MEASURES = ("shoppers", "sales", "total_minor")
KEYS = ("currency", "first", "day")


@contextmanager
def changing(session: Session, member_ids: Collection[int]) -> Iterator[None]:
    """Joiner, with the roll-up's lock: the sums of these members change inside."""
    members = sorted(set(member_ids) - {NOBODY})
    _named[-1].run([{"members": Many(members)}])
    yield
    session.flush()
    _named[1].run([{"members": Many(members)}])
    _over.run([{}])


def anew(session: Session) -> None:
    """Joiner, with the roll-up's lock: from the sums as they are."""
    session.execute(delete(Cohort))
    session.execute(_adding(session.get_bind().dialect.name, counted(), 1))


# Kept, since making it takes longer than running it; and each sign is a text of its own.
_named = {
    sign: Prepared(
        lambda dialect, sign=sign: _adding(  # type: ignore[misc]
            dialect, counted(one_of(TakingsOfMember.member_id, "members", dialect)), sign
        )
    )
    for sign in (-1, 1)
}
_over = Prepared(
    lambda dialect: delete(Cohort).where(*(getattr(Cohort, name) == 0 for name in MEASURES))
)


def counted(*whose: ColumnElement[bool]) -> Select[Any]:
    """The rows that the sums of these members (of all) come to. A member's first month is the first
    that their sums have."""
    sums = TakingsOfMember
    of_month = (
        select(
            sums.currency, sums.member_id, sums.day, func.sum(sums.sales).label("sales"),
            func.sum(sums.total_minor).label("total_minor"),
        )
        .where(sums.months == WHOLE_MONTH, sums.member_id != NOBODY, *whose)
        .group_by(sums.currency, sums.member_id, sums.day)
        .having(or_(func.sum(sums.sales) != 0, func.sum(sums.total_minor) != 0))
        .subquery()
    )  # fmt: skip
    of = of_month.c
    first = func.min(of.day).over(partition_by=(of.currency, of.member_id)).label("first")
    months = select(of.currency, first, of.day, of.sales, of.total_minor).subquery()
    per = months.c
    measures = (case((per.sales > 0, 1), else_=0), per.sales, per.total_minor)
    return select(
        per.currency, per.first, per.day,
        *(cast(func.sum(each), BigInteger).label(name)
          for name, each in zip(MEASURES, measures, strict=True)),
    ).where(literal_column("1 = 1")).group_by(per.currency, per.first, per.day)  # fmt: skip


def _adding(dialect: str, rows: Select[Any], sign: int) -> Any:
    table: Any = Cohort.__table__
    found = rows.subquery().c
    signed = select(
        found.currency, found.first, found.day, *(found[name] * sign for name in MEASURES)
    ).where(literal_column("1 = 1"))
    insert: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    insert = insert.from_select([*KEYS, *MEASURES], signed)
    return insert.on_conflict_do_update(
        index_elements=list(KEYS),
        set_={name: table.c[name] + insert.excluded[name] for name in MEASURES},
    )
