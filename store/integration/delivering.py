"""Delivering: the deliveries that are due are sent, in order for each subject, and tried again at
growing distances until they are taken or a person must look.

A delivery is claimed in one short transaction, sent while none is open, and settled in another. One
that was claimed by a process that died is due again a minute later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from .. import clock
from ..db import db, repeatable, transaction
from . import sending, signing
from .changes import Happened
from .models import Change, Delivery, Webhook
from .payloads import moment, tell
from .webhooks import allowed_networks

__all__ = ["PAUSES_S", "deliver"]

PAUSES_S = (5, 30, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After the first try fails, and so on; after the last one the delivery is dead. About three days,
as Standard Webhooks recommends."""

LEASE_S = 60
BATCH = 20
LONGEST_PAUSE_S = 300


@dataclass(frozen=True)
class _Claimed:
    id: int
    tries: int
    change: Happened


@dataclass(frozen=True)
class _Hook:
    id: int
    url: str
    secret: str
    failures: int


def deliver() -> int:
    """Send what is due; answers how many were taken. At a receiver that fails the rest waits, so
    that one that is slow costs the others one time-out and no more."""
    now = clock.now()
    query = select(Webhook.id, Webhook.url, Webhook.secret, Webhook.failures).where(
        Webhook.state == "on", Webhook.next_at <= now
    )
    hooks = [_Hook(*row) for row in db.session.execute(query.order_by(Webhook.id))]
    db.session.rollback()
    return sum(_deliver_to(hook) for hook in hooks)


def _deliver_to(hook: _Hook) -> int:
    count = 0
    while claimed := _claim(hook.id):
        told = tell([each.change for each in claimed])
        db.session.rollback()  # Nothing is open while others are waited for.
        for place, (each, words) in enumerate(zip(claimed, told)):
            status, error = _send(hook, each.change, words)
            taken = status is not None and 200 <= status < 300
            _settle(hook, each, status, error, taken=taken)
            if not taken:
                _give_back([one.id for one in claimed[place + 1 :]])
                return count
            count += 1
    return count


@repeatable
def _claim(webhook_id: int) -> list[_Claimed]:
    now, older = clock.now(), aliased(Delivery)
    before_it = (
        select(older.id)
        .where(
            older.webhook_id == webhook_id, older.state == "waits",
            older.subject == Delivery.subject, older.id < Delivery.id,
        )
        .exists()
    )  # fmt: skip
    due = (
        select(Delivery.id, Delivery.tries, Delivery.change_id)
        .where(
            Delivery.webhook_id == webhook_id, Delivery.state == "waits", Delivery.next_at <= now,
            ~before_it,
        )
        .order_by(Delivery.id)
        .limit(BATCH)
    )  # fmt: skip
    if db.session.execute(due.limit(1)).first() is None:
        db.session.rollback()
        return []
    with transaction() as session:
        rows = session.execute(due.with_for_update(skip_locked=True)).all()
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_([row[0] for row in rows]))
            .values(tries=Delivery.tries + 1, next_at=now + timedelta(seconds=LEASE_S))
        )
        columns = (Change.id, Change.topic, Change.subject, Change.of_id, Change.at)
        wanted = select(*columns).where(Change.id.in_([row[2] for row in rows]))
        changes = {row[0]: Happened(*row) for row in session.execute(wanted)}
        return [_Claimed(row[0], row[1] + 1, changes[row[2]]) for row in rows]


def _send(hook: _Hook, change: Happened, words: dict[str, object]) -> tuple[int | None, str]:
    """The status, or None and why there is none."""
    body = json.dumps(
        {"type": change.topic, "timestamp": moment(change.at), "data": words["data"]},
        ensure_ascii=False, separators=(",", ":"),
    )  # fmt: skip
    # The id is the same in every try and every replay: the receiver knows it again.
    headers = signing.headers(hook.secret, f"change_{change.id}", clock.now(), body)
    try:
        status = sending.post(hook.url, body.encode(), headers, allowed_networks())
    except (sending.SendFailed, sending.AddressRefused) as error:
        return None, str(error)[:300]
    if 300 <= status < 400:
        return status, "Redirects are not followed"
    return status, "" if status < 300 else f"The answer was {status}"


@repeatable
def _settle(hook: _Hook, claimed: _Claimed, status: int | None, error: str, *, taken: bool) -> None:
    at = clock.now()
    with transaction() as session:
        mine = (Delivery.id == claimed.id, Delivery.tries == claimed.tries)
        if taken:
            values = {"state": "done", "status": status, "error": "", "done_at": at}
            session.execute(update(Delivery).where(*mine).values(**values))
            if hook.failures:
                session.execute(update(Webhook).where(Webhook.id == hook.id).values(failures=0))
            return
        is_last = claimed.tries > len(PAUSES_S)
        pause_s = PAUSES_S[min(claimed.tries, len(PAUSES_S)) - 1]
        session.execute(
            update(Delivery)
            .where(*mine)
            .values(
                state="dead" if is_last else "waits", status=status, error=error,
                next_at=at + timedelta(seconds=pause_s),
            )
        )  # fmt: skip
        session.execute(
            update(Webhook)
            .where(Webhook.id == hook.id)
            .values(
                failures=Webhook.failures + 1, next_at=_resting(at, hook.failures),
                state="off" if status == 410 else Webhook.state,
            )
        )  # fmt: skip


@repeatable
def _give_back(ids: list[int]) -> None:
    """What was claimed and not tried is due as before."""
    if ids:
        with transaction() as session:
            session.execute(
                update(Delivery)
                .where(Delivery.id.in_(ids), Delivery.state == "waits")
                .values(tries=Delivery.tries - 1, next_at=clock.now())
            )


def _resting(at: datetime, failures: int) -> datetime:
    """When an address that failed is tried again: soon at first, every five minutes at last."""
    return at + timedelta(seconds=min(5 * 2 ** min(failures, 10), LONGEST_PAUSE_S))
