"""Webhooks: subscriptions of other systems, and the deliveries to them that stand in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from .. import clock, logbook, web
from ..db import connection, db, in_transaction, repeatable, transaction
from ..errors import Invalid, NotFound
from . import sending, signing
from .changes import TOPICS, newest
from .models import Change, Delivery, Webhook

__all__ = [
    "Made", "Shown", "Subscription", "add", "deliveries", "end", "fan_out", "replay",
    "subscription", "subscriptions", "switch",
]  # fmt: skip

MOST = 20
AT_ONCE = 1000


class Made(NamedTuple):
    """A new subscription; the secret is told this once."""

    id: int
    secret: str


@dataclass(frozen=True)
class Subscription:
    id: int
    url: str
    topics: list[str]
    state: str
    made_at: datetime
    waiting: int
    dead: int


@dataclass(frozen=True)
class Shown:
    """A delivery as people read it."""

    id: int
    change_id: int
    topic: str
    state: str
    tries: int
    next_at: datetime
    status: int | None
    error: str
    done_at: datetime | None
    happened_at: datetime


def allowed_networks() -> list[sending.Network]:
    return sending.networks(web.setting("WEBHOOK_NETWORKS"))


def add(url: str, topics: Sequence[str], member_id: int | None) -> Made:
    """Joiner: from now on these topics are sent there. Raises Invalid, AddressRefused."""
    session = in_transaction()
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown or not topics:
        raise Invalid("Choose topics: " + ", ".join(TOPICS), field="topics")
    url = sending.checked_url(url.strip(), allowed_networks())
    if (session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MOST:
        raise Invalid(f"A shop has at most {MOST} subscriptions", field="url")
    at, secret = clock.now(), signing.new_secret()
    made = Webhook(
        url=url, topics=[topic for topic in TOPICS if topic in topics], secret=secret, state="on",
        seen_id=newest(), failures=0, next_at=at, made_by=member_id, made_at=at,
    )  # fmt: skip
    session.add(made)
    session.flush()
    logbook.note("webhook.added", made.id, after={"url": url, "topics": made.topics})
    return Made(made.id, secret)


def switch(webhook_id: int, state: str) -> None:
    """Joiner: on or off. While it is off nothing is sent; what happens meanwhile waits. Raises
    NotFound."""
    values = {"state": state, "failures": 0, "next_at": clock.now()}
    done = in_transaction().execute(
        update(Webhook).where(Webhook.id == webhook_id).values(**values)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise NotFound("There is no such subscription")
    logbook.note("webhook.switched", webhook_id, after={"state": state})


def end(webhook_id: int) -> None:
    """Joiner: the subscription is gone, and what was on its way with it. Again changes nothing."""
    session = in_transaction()
    session.execute(delete(Delivery).where(Delivery.webhook_id == webhook_id))
    ended = session.execute(delete(Webhook).where(Webhook.id == webhook_id))
    if ended.rowcount:  # type: ignore[attr-defined]
        logbook.note("webhook.ended", webhook_id)


def replay(webhook_id: int, delivery_id: int | None) -> int:
    """Joiner: send this delivery again, or all dead ones (None), under the same id; answers how
    many. Raises NotFound."""
    mine = [Delivery.webhook_id == webhook_id]
    mine.append(Delivery.state == "dead" if delivery_id is None else Delivery.id == delivery_id)
    done = in_transaction().execute(
        update(Delivery)
        .where(*mine)
        .values(state="waits", tries=0, next_at=clock.now(), done_at=None)
    )
    count = int(done.rowcount)  # type: ignore[attr-defined]
    if delivery_id is not None and not count:
        raise NotFound("There is no such delivery")
    logbook.note("webhook.replayed", webhook_id, after={"deliveries": count})
    return count


def subscriptions() -> list[Subscription]:
    """All of them, with how many deliveries wait and how many are dead."""
    counts = {
        (row[0], row[1]): row[2]
        for row in connection().execute(
            select(Delivery.webhook_id, Delivery.state, func.count())
            .where(Delivery.state.in_(("waits", "dead")))
            .group_by(Delivery.webhook_id, Delivery.state)
        )
    }
    columns = (Webhook.id, Webhook.url, Webhook.topics, Webhook.state, Webhook.made_at)
    return [
        Subscription(*row, counts.get((row[0], "waits"), 0), counts.get((row[0], "dead"), 0))
        for row in connection().execute(select(*columns).order_by(Webhook.id))
    ]


def subscription(webhook_id: int) -> Subscription:
    """One of them. Raises NotFound."""
    found = [each for each in subscriptions() if each.id == webhook_id]
    if not found:
        raise NotFound("There is no such subscription")
    return found[0]


def deliveries(webhook_id: int, *, before: int | None = None, limit: int = 50) -> list[Shown]:
    """The newest deliveries of a subscription."""
    query: Any = (
        select(
            Delivery.id, Delivery.change_id, Delivery.topic, Delivery.state, Delivery.tries,
            Delivery.next_at, Delivery.status, Delivery.error, Delivery.done_at, Change.at,
        )
        .join(Change, Change.id == Delivery.change_id)
        .where(Delivery.webhook_id == webhook_id)
        .order_by(Delivery.id.desc())
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        query = query.where(Delivery.id < before)
    return [Shown(*row) for row in connection().execute(query)]


def fan_out() -> int:
    """Opener: make deliveries of the changes that the subscriptions have not seen; answers how
    many. For the worker."""
    ids = list(db.session.scalars(select(Webhook.id).where(Webhook.seen_id < newest())))
    db.session.rollback()
    return sum(_fan_out(webhook_id) for webhook_id in ids)


@repeatable
def _fan_out(webhook_id: int) -> int:
    with transaction() as session:
        hook = session.scalar(select(Webhook).where(Webhook.id == webhook_id).with_for_update())
        if hook is None:
            return 0
        query = select(Change.id, Change.topic, Change.subject).where(Change.id > hook.seen_id)
        found = session.execute(query.order_by(Change.id).limit(AT_ONCE)).all()
        if not found:
            return 0
        at = clock.now()
        # Sales and goods have numbers of their own: only the same kind of thing is one subject.
        rows = [
            {"webhook_id": hook.id, "change_id": row[0], "topic": row[1],
             "subject": f"{row[1].partition('.')[0]}:{row[2]}", "state": "waits", "tries": 0,
             "next_at": at, "status": None, "error": "", "done_at": None}
            for row in found
            if row[1] in hook.topics
        ]  # fmt: skip
        if rows:
            session.connection().execute(insert(Delivery), rows)
        hook.seen_id = found[-1][0]
        return len(rows)
