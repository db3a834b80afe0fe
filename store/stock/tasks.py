"""Tasks: what somebody must look at, who took it, and that it is done.

Other rooms open them (a shopper found a shelf empty, a sale took more than the book had). However
often the same is asked for, one task is open for it; a done one stays as history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, select, update

from .. import catalogue, clock
from ..db import connection, in_transaction, insert_new
from ..errors import NotFound, Refusal
from .models import Level, Location
from .work_models import Task

__all__ = [
    "KINDS", "TAKEN_FOR", "Shown", "TaskTaken", "close_task", "close_tasks", "count_open",
    "done_tasks", "give_back_task", "open_task", "open_tasks", "take_task",
]  # fmt: skip

KINDS = (
    "shelf_empty", "count", "oversold", "recalled", "expired", "delivery_differs",
    "transfer_differs", "feed_conflict", "bring", "pick_up", "bad_sticker",
    "refill", "dead_label",
)  # fmt: skip
"""Each has its words in templates/stock/task_words.html."""

PAGE = 60
TAKEN_FOR = timedelta(minutes=30)
"""Who took a task and did not end it keeps it from others for so long."""


class TaskTaken(Refusal):
    """A colleague has it already."""

    code = "task_taken"
    status = 409
    title = "A colleague took this task"


class Shown(NamedTuple):
    """A task as people read it. What is of the item is None where it has none."""

    id: int
    kind: str
    note: str
    times: int
    opened_at: datetime
    taken_at: datetime | None
    taken_by: int | None
    closed_at: datetime | None
    closed_by: int | None
    location_name: str
    location_code: str
    item_code: str | None
    names: dict[str, str] | None
    picture: str | None
    on_hand: int | None
    shelf: str | None


def open_task(
    kind: str,
    location_id: int,
    item_id: int | None = None,
    note: str = "",
    *,
    member_id: int | None = None,
) -> int:
    """Joiner: see to it that one task of this kind is open for the place and item; answers its id.
    `member_id` is who asks, None for a guest or the shop itself. Raises ValueError for a kind
    that there is not."""
    if kind not in KINDS:
        raise ValueError(f"There is no kind of task {kind!r}")
    session = in_transaction()
    same = _same(kind, location_id, item_id)
    new = {"kind": kind, "location_id": location_id, "item_id": item_id, "note": note[:200],
           "times": 0, "opened_at": clock.now(), "opened_by": member_id}  # fmt: skip
    session.connection().execute(insert_new(Task), [new])
    if (
        not session.connection()
        .execute(update(Task).where(*same).values(times=Task.times + 1))
        .rowcount
    ):
        # The one that was in the way has just been closed: this asks for another look.
        session.connection().execute(insert(Task), [new | {"times": 1}])
    return int(session.scalars(select(Task.id).where(*same)).one())


def _same(kind: str, location_id: int, item_id: int | None) -> tuple[ColumnElement[bool], ...]:
    item = Task.item_id.is_(None) if item_id is None else Task.item_id == item_id
    return (Task.kind == kind, Task.location_id == location_id, item, Task.closed_at.is_(None))


def take_task(task_id: int, member_id: int) -> None:
    """Joiner: the member sees to it; again changes nothing. What somebody took long ago is free
    again. Raises NotFound for one that is not there or done, TaskTaken."""
    now = clock.now()
    free = Task.taken_by.is_(None) | (Task.taken_at <= now - TAKEN_FOR)
    found = in_transaction().execute(
        update(Task)
        .where(Task.id == task_id, Task.closed_at.is_(None), free)
        .values(taken_by=member_id, taken_at=now)
    )
    if found.rowcount:  # type: ignore[attr-defined]
        return
    task = _task(task_id)
    if task.closed_at is not None:
        raise NotFound("This task is done")
    if task.taken_by != member_id:
        raise TaskTaken("A colleague took this task")


def give_back_task(task_id: int, member_id: int) -> None:
    """Joiner: the member does not see to it after all. Of another's task it changes nothing.
    Raises NotFound."""
    _task(task_id)
    in_transaction().execute(
        update(Task)
        .where(Task.id == task_id, Task.closed_at.is_(None), Task.taken_by == member_id)
        .values(taken_by=None, taken_at=None)
    )


def close_task(task_id: int, member_id: int | None) -> None:
    """Joiner: it is done, whoever took it; again changes nothing. Raises NotFound."""
    _task(task_id)
    _close(Task.id == task_id, member_id)


def close_tasks(
    kinds: Sequence[str], location_id: int, item_ids: Sequence[int] | None, member_id: int | None
) -> None:
    """Joiner: what was to be done about these items there (None: what is of no item) has been done
    by other means: a count answers that the shelf looked empty."""
    what = Task.item_id.is_(None) if item_ids is None else Task.item_id.in_(item_ids)
    if item_ids is None or item_ids:
        _close(Task.kind.in_(kinds) & (Task.location_id == location_id) & what, member_id)


def _close(which: ColumnElement[bool], member_id: int | None) -> None:
    in_transaction().execute(
        update(Task)
        .where(which, Task.closed_at.is_(None))
        .values(closed_at=clock.now(), closed_by=member_id)
    )


def _task(task_id: int) -> Task:
    found = in_transaction().get(Task, task_id)
    if found is None:
        raise NotFound("There is no such task", what="task")
    return found


def open_tasks(location_id: int, *, limit: int = PAGE) -> list[Shown]:
    """What is to be done at a place, the oldest first."""
    return _shown(location_id, Task.closed_at.is_(None), Task.id, limit)


def done_tasks(location_id: int, *, limit: int = 12) -> list[Shown]:
    """What was done at a place, the newest first."""
    return _shown(location_id, Task.closed_at.is_not(None), Task.closed_at.desc(), limit)


def _shown(location_id: int, which: ColumnElement[bool], order: Any, limit: int) -> list[Shown]:
    item = catalogue.Item
    query: Any = (
        select(
            Task.id, Task.kind, Task.note, Task.times, Task.opened_at, Task.taken_at,
            Task.taken_by, Task.closed_at, Task.closed_by, Location.name, Location.code,
            item.code, item.names, item.picture, Level.on_hand, Level.shelf,
        )
        .join(Location, Location.id == Task.location_id)
        .outerjoin(item, item.id == Task.item_id)
        .outerjoin(
            Level, (Level.item_id == Task.item_id) & (Level.location_id == Task.location_id)
        )
        .where(Task.location_id == location_id, which)
        .order_by(order, Task.id)
        .limit(limit)
    )  # fmt: skip
    over = clock.now() - TAKEN_FOR
    found = [Shown(*row) for row in connection().execute(query).all()]
    return [
        each._replace(taken_by=None, taken_at=None) if each.closed_at is None
        and each.taken_at is not None and each.taken_at <= over else each
        for each in found
    ]  # fmt: skip


def count_open(location_code: str) -> int:
    """How many wait at the place with this code; 0 where there is no such place."""
    query = (
        select(func.count(Task.id))
        .join(Location, Location.id == Task.location_id)
        .where(Location.code == location_code, Task.closed_at.is_(None))
    )
    return int(connection().execute(query).scalar() or 0)
