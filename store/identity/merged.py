"""Merged: which accounts came into which, for whoever asks. How they do is in `merges`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select

from ..db import connection
from .merge_models import Merge
from .models import Member

__all__ = ["all_of", "gone", "gone_into", "gone_of", "now_in", "now_of"]


def now_of(member_id: int) -> int:
    """Whose what was this member's is by now: their own, or the account's into which it came."""
    query = select(Merge.now_id).where(Merge.gone_id == member_id)
    return connection().execute(query).scalar() or member_id


def now_in(member_id: Any) -> ColumnElement[int]:
    """The same of a column, within a statement."""
    now = select(Merge.now_id).where(Merge.gone_id == member_id).scalar_subquery()
    return func.coalesce(now, member_id)


def gone_into(member_id: int) -> list[int]:
    """The accounts that came into this one, at once or by others; the first ones first."""
    query = select(Merge.gone_id).where(Merge.now_id == member_id).order_by(Merge.at, Merge.id)
    return list(connection().execute(query).scalars())


def gone_of(member_ids: Collection[int] | None) -> dict[int, int]:
    """The accounts that came into any of these, or into any at all, each with whose it is now."""
    query = select(Merge.gone_id, Merge.now_id)
    if member_ids is not None:
        query = query.where(Merge.now_id.in_(list(member_ids)))
    return {row.gone_id: row.now_id for row in connection().execute(query)}


def all_of(member_ids: Collection[int]) -> CompoundSelect[int]:
    """The ids of these accounts and of those that came into them, for what stays where it was."""
    wanted = list(member_ids)
    own = select(Member.id).where(Member.id.in_(wanted))
    return own.union_all(select(Merge.gone_id).where(Merge.now_id.in_(wanted)))


def gone() -> Select[int]:
    """The ids of accounts that came into others, for rooms that leave them alone."""
    return select(Merge.gone_id)
