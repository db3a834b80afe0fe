"""History: which accounts came together, when, and what came from which."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, func, select

from ..db import connection
from ..identity.merge_models import Merge
from ..identity.models import IdentifierChange
from ..membership.point_models import PointEntry
from ..payment.joining import MERGED
from ..payment.models import Account, Transfer
from .models import MergedSale

__all__ = ["Merged", "count_sales", "of_member", "one", "sales_of"]


class Merged(NamedTuple):
    """An account that came into another one: what it was known by, and what it brought."""

    id: str
    at: datetime
    known_by: list[str]
    money: list[tuple[int, str]]
    points: int


def of_member(member_id: int, limit: int) -> list[Merged]:
    """What came into this member's account, the newest first; not what had come into that before,
    which is told with it."""
    query = _of(member_id).order_by(Merge.at.desc(), Merge.id.desc()).limit(limit)
    return [_read(*row) for row in connection().execute(query).all()]


def one(member_id: int, merge_id: str) -> Merged | None:
    row = connection().execute(_of(member_id).where(Merge.id == merge_id[:20])).first()
    return _read(*row) if row else None


def _of(member_id: int) -> Select[str, int, datetime]:
    return select(Merge.id, Merge.gone_id, Merge.at).where(Merge.now_id == member_id)


def _read(merge_id: str, gone_id: int, at: datetime) -> Merged:
    signs = select(IdentifierChange.value).where(
        IdentifierChange.member_id == gone_id, IdentifierChange.what == "moved",
        IdentifierChange.at >= at,
    )  # fmt: skip
    sums = (
        select(func.sum(Transfer.amount_minor), Transfer.currency)
        .join(Account, Account.id == Transfer.debit_id)
        .where(Account.member_id == gone_id, Transfer.reason == MERGED)
        .group_by(Transfer.currency)
        .order_by(Transfer.currency)
    )
    points = select(func.sum(PointEntry.points)).where(
        PointEntry.member_id == gone_id, PointEntry.kind == "moved", PointEntry.at >= at
    )
    return Merged(
        merge_id, at, list(connection().execute(signs.order_by(IdentifierChange.id)).scalars()),
        [(int(row[0]), row[1]) for row in connection().execute(sums)],
        -int(connection().execute(points).scalar() or 0),
    )  # fmt: skip


def sales_of(merge_id: str, limit: int) -> list[str]:
    """The sales that came over, the newest first."""
    query = select(MergedSale.sale_id).where(MergedSale.merge_id == merge_id)
    return list(
        connection().execute(query.order_by(MergedSale.sale_id.desc()).limit(limit)).scalars()
    )


def count_sales(merge_id: str) -> int:
    query = select(func.count()).select_from(MergedSale).where(MergedSale.merge_id == merge_id)
    return int(connection().execute(query).scalar() or 0)
