"""The outbox: what must still happen after a commit, written in the same transaction as its cause.

A room says what it does for a topic with `handles`; the worker (`flask outbox work`) hands each
event over at least once, in order for each key, or at once in batches where the handler works in
the events' own transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    Index,
    Select,
    String,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, aliased, mapped_column

from . import clock
from .db import (
    Base,
    BigId,
    Moment,
    db,
    in_transaction,
    is_passing,
    repeatable,
    transaction,
)
from .prepared import Many, Prepared, one_of

__all__ = ["Event", "Outbox", "handles", "pending", "put", "put_many", "work"]

log = logging.getLogger(__name__)

GIVE_UP_AFTER = 12
BATCH = 200


class Outbox(Base):
    """An event that waits. A row leaves the table when its handler has done it; after
    `GIVE_UP_AFTER` failures it stays as a dead letter for a person to look at."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_next_at_id", "next_at", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    topic: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40), index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    next_at: Mapped[datetime | None] = mapped_column(Moment)
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")


class Event(NamedTuple):
    """An event as handlers get it. `subject` is the id of what it is about (a sale)."""

    id: int
    topic: str
    subject: str
    body: dict[str, Any]
    created_at: datetime


Handler = Callable[[Sequence[Event]], None]
_handlers: dict[str, list[Handler]] = {}


def handles(*topics: str) -> Callable[[Handler], Handler]:
    """Register a handler of these topics. It gets a batch inside an open transaction and does all
    of it or raises: what it writes and the events' end are one commit. A topic may have several;
    they run in the order of their registration, all of them or none."""

    def register(handler: Handler) -> Handler:
        for topic in topics:
            _handlers.setdefault(topic, []).append(handler)
        return handler

    return register


_insert = Prepared(
    lambda dialect: insert(Outbox),
    ("topic", "subject", "body", "created_at", "next_at", "failures", "error"),
)


def put_many(
    topic: str, subjects: Sequence[str], at: datetime, body: Mapping[str, Any] | None = None
) -> None:
    """Joiner: write an event for each subject beside their cause."""
    in_transaction()
    fixed = {"topic": topic, "body": dict(body or {}), "created_at": at, "next_at": at,
             "failures": 0, "error": ""}  # fmt: skip
    _insert.run([fixed | {"subject": subject} for subject in subjects])


def put(topic: str, subject: str, body: Mapping[str, Any] | None = None) -> None:
    """Joiner: write one event beside its cause."""
    put_many(topic, [subject], clock.now(), body)


def pending() -> int:
    """How many events wait, dead letters included."""
    return int(db.session.scalar(select(func.count()).select_from(Outbox)) or 0)


def work(*, deadline_s: float | None = None, to_the_end: bool = True) -> int:
    """Do everything that is due; answers how many events were done. Unless it is to be done to the
    end, what comes in meanwhile waits for the next call: a batch of a few events takes the writer's
    place nearly as long as a full one."""
    began, done = time.monotonic(), 0
    while deadline_s is None or time.monotonic() - began < deadline_s:
        claimed, well = _work_one_batch()
        done += well
        if claimed < (1 if to_the_end else BATCH):
            break
    return done


@repeatable
def _work_one_batch() -> tuple[int, int]:
    """Opener: claim what is due, hand it over by topic, and end it, in one commit. Answers how
    many events were claimed, and how many of them were done."""
    if not _is_anything_due():
        return 0, 0  # An idle worker must not take the writer's place every second.
    with transaction():
        found = _claimed.all(topics=Many(_handlers), now=clock.now())
        events = [Event(*row) for row in found]
        done = 0
        for topic in dict.fromkeys(event.topic for event in events):
            done += _hand_over(topic, [event for event in events if event.topic == topic])
        return len(events), done


def _due(dialect: str) -> Select[int]:
    """What may be done now: each subject's oldest event, so that its order is kept even where an
    event had to be put off."""
    older = aliased(Outbox)
    waits = select(older.id).where(older.subject == Outbox.subject, older.id < Outbox.id).exists()
    now = bindparam("now", type_=Outbox.next_at.type)
    return (
        select(Outbox.id)
        .where(Outbox.next_at <= now, one_of(Outbox.topic, "topics", dialect), ~waits)
        .order_by(Outbox.id)
    )


_first_due = Prepared(lambda dialect: _due(dialect).limit(1))
_claimed = Prepared(
    lambda dialect: (
        select(Outbox.id, Outbox.topic, Outbox.subject, Outbox.body, Outbox.created_at)
        .where(Outbox.id.in_(_due(dialect).limit(BATCH).with_for_update(skip_locked=True)))
        .order_by(Outbox.id)
    )
)
_ended = Prepared(lambda dialect: delete(Outbox).where(one_of(Outbox.id, "ids", dialect)))


def _hand_over(topic: str, batch: list[Event]) -> int:
    """Joiner: let the handler do these events, and end them; answers how many were done. Where it
    fails each is tried alone, so that one bad event does not take the others down with it."""
    session = in_transaction()
    ids = [event.id for event in batch]
    try:
        with session.begin_nested():
            for handler in _handlers[topic]:
                handler(batch)
            _ended.run([{"ids": Many(ids)}])
    except Exception as error:
        if isinstance(error, DBAPIError) and is_passing(error):
            raise  # No fault of the events: the whole batch is repeated.
        if len(batch) > 1:
            return sum(_hand_over(topic, [event]) for event in batch)
        log.exception("outbox: %s failed", topic)
        _put_off(batch[0], error)
        return 0
    return len(batch)


def _is_anything_due() -> bool:
    return _first_due.first(topics=Many(_handlers), now=clock.now()) is not None


def _put_off(event: Event, error: Exception) -> None:
    """Try again later, at doubling distances; after the last try the row stays without a time."""
    session = in_transaction()
    mine = Outbox.id == event.id
    failures = (session.scalar(select(Outbox.failures).where(mine)) or 0) + 1
    wait = timedelta(seconds=min(5 * 2**failures, 6 * 3600))
    session.execute(
        update(Outbox)
        .where(mine)
        .values(
            failures=failures,
            error=_plain(f"{type(error).__name__}: {error}")[:500],
            next_at=None if failures >= GIVE_UP_AFTER else clock.now() + wait,
        )
    )


def _plain(text: str) -> str:
    """A message as both databases keep it: without NUL and halves of characters."""
    return text.replace("\x00", " ").encode(errors="replace").decode()
