"""Counting: how much waits at every place, for whoever looks at the whole shop at once.

Each answer is a statement for `union_all`: what waits, the place, how many, and since when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, cast, func, literal, null, select
from sqlalchemy.orm import aliased

from .. import catalogue
from ..db import Moment, connection
from .models import Level, Location, Movement
from .work_models import Slip, Task

__all__ = ["SoldOut", "counts", "sold_out"]


class SoldOut(NamedTuple):
    """An item of which nothing is left at a place, and when the last one was sold there."""

    code: str
    names: dict[str, str]
    shelf: str
    at: datetime


def counts() -> list[Select[*tuple[Any, ...]]]:
    """Tasks by their kind, goods on their way in, counts that go on, and what lies in quarantine
    (at the place beside it)."""
    return [_tasks(), _transfers(), _counts(), _quarantine()]


def _tasks() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Task.kind, Task.location_id, func.count(Task.id).label("many"),
            func.min(Task.opened_at).label("since"),
        )
        .where(Task.closed_at.is_(None))
        .group_by(Task.kind, Task.location_id)
    )  # fmt: skip


def _transfers() -> Select[*tuple[Any, ...]]:
    return (
        select(literal("transfer"), Slip.target_id, func.count(Slip.id), func.min(Slip.sent_at))
        .where(Slip.kind == "transfer", Slip.sent_at.is_not(None), Slip.ended_at.is_(None))
        .group_by(Slip.target_id)
    )


def _counts() -> Select[*tuple[Any, ...]]:
    return (
        select(literal("counting"), Slip.location_id, func.count(Slip.id), func.min(Slip.opened_at))
        .where(Slip.kind == "count", Slip.ended_at.is_(None))
        .group_by(Slip.location_id)
    )


def _quarantine() -> Select[*tuple[Any, ...]]:
    beside = aliased(Location)
    return (
        select(literal("quarantine"), beside.id, func.count(Level.item_id), cast(null(), Moment))
        .join(Location, Location.id == Level.location_id)
        .join(beside, func.substr(beside.code, 1, 30) + "-Q" == Location.code)
        .where(Location.kind == "quarantine", Level.on_hand > 0)
        .group_by(beside.id)
    )


def sold_out(location_id: int, since: datetime, limit: int) -> Sequence[SoldOut]:
    """Items for sale that were sold at a place since a moment, and of which nothing is left there;
    what was sold last first."""
    item = catalogue.Item
    last = (
        select(func.max(Movement.at))
        .where(
            Movement.item_id == Level.item_id, Movement.location_id == Level.location_id,
            Movement.reason == "sold", Movement.at > since,
        )
        .correlate(Level)
        .scalar_subquery()
    )  # fmt: skip
    query = (
        select(item.code, item.names, Level.shelf, last.label("at"))
        .join(item, item.id == Level.item_id)
        .where(
            Level.location_id == location_id, Level.on_hand == 0, item.archived_at.is_(None),
            last.is_not(None),
        )
        .order_by(last.desc(), item.id)
        .limit(limit)
    )  # fmt: skip
    return [SoldOut(*row) for row in connection().execute(query)]
