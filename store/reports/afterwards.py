"""Afterwards: what each of some people bought from a moment of their own on, until another one."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, and_, cast, func, select

from ..db import connection
from ..sales.models import Refund, Sale

__all__ = ["Bought", "bought"]


class Bought(NamedTuple):
    """Whose it is (`key`), in how many sales, for how much less all that came back of these."""

    key: int
    sales: int
    net_minor: int


def bought(people: Select[Any], currency: str) -> list[Bought]:
    """Of people who bought something; the others are left out. `people` names for each a `key`, the
    account (`person`), and the moments `since` (in it) and `until` (not in it). Sales count by when
    they were made, whatever way; what came back of them counts off, whenever it did."""
    who = people.subquery()
    back = select(func.coalesce(func.sum(Refund.total_minor), 0))
    back_of = back.where(Refund.sale_id == Sale.id).correlate(Sale).scalar_subquery()
    theirs = and_(
        Sale.member_id == who.c.person, Sale.currency == currency,
        Sale.created_at >= who.c.since, Sale.created_at < who.c.until,
    )  # fmt: skip
    net = cast(func.sum(Sale.total_minor - back_of), BigInteger)
    query = select(who.c.key, func.count(), net).select_from(who).join(Sale, theirs)
    return [Bought(*row) for row in connection().execute(query.group_by(who.c.key))]
