"""Letters: written down in the transaction of their cause, sent by the worker until they are taken.

A room says how its letters read with `writes`, and puts one into the post with `put`. A letter is
claimed in one short transaction, written and sent while none is open, and settled in another. One
that was claimed by a process that died is due again a minute later, with the same Message-ID.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, select, update

from .. import clock, ids, sweeping
from ..db import db, in_transaction, repeatable, transaction
from .carriers import PostFailed, PostRefused, can_mail, can_text, carry
from .faults import NotNow
from .mail import Mail
from .models import Letter
from .sms import Sms

__all__ = ["PAUSES_S", "again", "dead", "deliver", "forget", "put", "states_of", "sweep", "writes"]

log = logging.getLogger(__name__)

PAUSES_S = (10, 60, 300, 1800, 7200, 21_600, 43_200, 86_400)
"""After the first try fails, and so on; after the last one the letter is dead. About two days."""

LEASE_S = 60
KEPT = timedelta(days=30)

Message = Mail | Sms
Writer = Callable[[str, str, str], Message | None]
Speaking = Callable[[str], AbstractContextManager[object]]
_writers: dict[str, Writer] = {}


class _Claimed(NamedTuple):
    id: str
    kind: str
    subject: str
    to: str
    language: str
    tries: int


def writes(kind: str) -> Callable[[Writer], Writer]:
    """Register who writes letters of this kind. The writer gets (subject, to, language) inside a
    request of the shop's own in that language, so that templates work, and answers a Mail or Sms
    to `to`, or None where it is not wanted any more, or raises NotNow."""

    def register(writer: Writer) -> Writer:
        _writers[kind] = writer
        return writer

    return register


def put(kind: str, subject: str, to: str, language: str) -> str:
    """Joiner: a letter about `subject` (the id of a sale) to an e-mail address or a phone number.
    Answers its id."""
    if kind not in _writers:
        raise LookupError(f"nobody writes letters of the kind {kind}")
    now, letter_id = clock.now(), ids.new()
    in_transaction().add(
        Letter(id=letter_id, kind=kind, subject=subject, to=to, language=language, created_at=now,
               next_at=now)
    )  # fmt: skip
    return letter_id


def deliver(settings: Mapping[str, Any], speaking: Speaking, most: int = 100) -> int:
    """Send what is due, at most so many; answers how many were taken. Where a carrier does not
    answer the rest waits: it costs one time-out and no more."""
    if not (can_mail(settings) or can_text(settings)):
        return 0
    taken = 0
    for _ in range(most):
        claimed = _claim()
        if claimed is None:
            break
        db.session.rollback()  # Nothing is open while others are waited for.
        try:
            taken += _send(settings, speaking, claimed)
        except PostFailed as failure:
            _settle(claimed, "waits", str(failure))
            break
    return taken


def _send(settings: Mapping[str, Any], speaking: Speaking, claimed: _Claimed) -> bool:
    """Write the letter and send it; whether it was taken. Raises PostFailed."""
    try:
        with speaking(claimed.language):
            message = _writers[claimed.kind](claimed.subject, claimed.to, claimed.language)
    except NotNow as later:
        _put_back(claimed, later.until)
        return False
    except Exception as error:
        log.exception("post: a letter of the kind %s could not be written", claimed.kind)
        _settle(claimed, "waits", f"It could not be written: {type(error).__name__}")
        return False
    if message is None:
        _settle(claimed, "dropped", "")
        return False
    try:
        carry(settings, message, claimed.id)
    except PostRefused as refusal:
        _settle(claimed, "dead", str(refusal))
        return False
    _settle(claimed, "sent", "")
    return True


@repeatable
def _claim() -> _Claimed | None:
    now = clock.now()
    due = (
        select(Letter.id)
        .where(Letter.state == "waits", Letter.next_at <= now, Letter.kind.in_(list(_writers)))
        .order_by(Letter.next_at)
        .limit(1)
    )
    if db.session.scalar(due) is None:
        db.session.rollback()
        return None  # An idle worker must not take the writer's place every second.
    with transaction() as session:
        letter_id = session.scalar(due.with_for_update(skip_locked=True))
        if letter_id is None:
            return None
        session.execute(
            update(Letter)
            .where(Letter.id == letter_id)
            .values(tries=Letter.tries + 1, next_at=now + timedelta(seconds=LEASE_S))
        )
        columns = (Letter.id, Letter.kind, Letter.subject, Letter.to, Letter.language, Letter.tries)
        return _Claimed(*session.execute(select(*columns).where(Letter.id == letter_id)).one())


@repeatable
def _settle(claimed: _Claimed, state: str, error: str) -> None:
    if state == "waits" and claimed.tries > len(PAUSES_S):
        state = "dead"
    if error:
        log.warning("post: a letter of the kind %s is not sent: %s", claimed.kind, error)
    pause = timedelta(seconds=PAUSES_S[min(claimed.tries, len(PAUSES_S)) - 1])
    with transaction() as session:
        session.execute(
            update(Letter)
            .where(Letter.id == claimed.id, Letter.tries == claimed.tries, Letter.state == "waits")
            .values(state=state, error=error[:200], next_at=clock.now() + pause)
        )


@repeatable
def _put_back(claimed: _Claimed, until: datetime) -> None:
    """It is not to be sent before then; that it was looked at is no try."""
    with transaction() as session:
        session.execute(
            update(Letter)
            .where(Letter.id == claimed.id, Letter.tries == claimed.tries, Letter.state == "waits")
            .values(tries=Letter.tries - 1, next_at=until)
        )


def states_of(letter_ids: Collection[str]) -> dict[str, str]:
    """What became of these letters; one that is not there any more is left out."""
    query = select(Letter.id, Letter.state).where(Letter.id.in_(list(letter_ids)))
    return {row.id: row.state for row in db.session.execute(query)}


def dead() -> list[Letter]:
    """Letters that a person must look at, the newest first."""
    return list(
        db.session.scalars(
            select(Letter).where(Letter.state == "dead").order_by(Letter.id.desc()).limit(200)
        )
    )


@repeatable
def again(letter_ids: list[str]) -> None:
    """Try dead letters once more (opener)."""
    with transaction() as session:
        session.execute(
            update(Letter)
            .where(Letter.id.in_(letter_ids), Letter.state == "dead")
            .values(state="waits", tries=0, next_at=clock.now())
        )


def forget(to: str) -> None:
    """Joiner: nothing more is written to this address, and nothing says that anything was."""
    in_transaction().execute(delete(Letter).where(Letter.to == to))


def sweep() -> int:
    """Opener: remove letters of a month ago, whatever became of them; answers how many."""
    return sweeping.remove(Letter, Letter.created_at < clock.now() - KEPT)
