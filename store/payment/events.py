"""Events: everything that was said about attempts, believed or not. History: only added to.

A notice is known by the digest of its body. One that was taken is not taken again, so that a
provider that tells twice, and somebody who sends on what they have overheard, change nothing and
cost no write. Of what is refused only so many a minute are written down: whoever floods the shop
with forgeries must not fill its disk.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select

from .. import clock, sweeping
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Refusal
from .models import Attempt, AttemptEvent

__all__ = [
    "digest_of",
    "known",
    "last_notice",
    "newest_refused",
    "note",
    "of_attempt",
    "plain",
    "refuse",
    "refused",
    "sweep",
    "taken",
]

log = logging.getLogger(__name__)

MOST_A_MINUTE = 60
KEPT_DAYS = 90


def plain(text: str, most: int) -> str:
    """A provider's words as both databases keep them: without NUL and halves of characters."""
    return text.replace("\x00", " ").encode(errors="replace").decode()[:most]


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def note(
    mine: Attempt, source: str, event: str, state: str, *, detail: str = "", digest: str = ""
) -> None:
    """Joiner: write down what was said about an attempt and the state that it led to."""
    in_transaction().add(
        AttemptEvent(
            attempt_id=mine.id, gateway=mine.gateway, source=source, event=event, state=state,
            detail=plain(detail, 200), digest=digest, at=clock.now(),
        )
    )  # fmt: skip
    in_transaction().flush()


def taken(gateway: str, digest: str) -> bool:
    """Joiner: whether a notice of this digest was taken before."""
    return in_transaction().scalar(_taken(gateway, digest)) is not None


def known(gateway: str, digest: str) -> bool:
    """The same, before a transaction is opened for it."""
    found = db.session.scalar(_taken(gateway, digest)) is not None
    db.session.rollback()
    return found


def _taken(gateway: str, digest: str) -> Select[int]:
    mine = (AttemptEvent.gateway == gateway, AttemptEvent.digest == digest)
    return select(AttemptEvent.id).where(*mine, AttemptEvent.refused == "").limit(1)


@repeatable
def refuse(
    gateway: str, source: str, refusal: Refusal, *, attempt_id: str | None = None, digest: str = ""
) -> None:
    """Opener: count what was not believed, and why."""
    log.warning("gateway %s: a %s was refused: %s", gateway, source, refusal.code)
    at = clock.now()
    lately = (AttemptEvent.refused != "", AttemptEvent.at > at - timedelta(minutes=1))
    db.session.rollback()
    if (db.session.scalar(select(func.count()).where(*lately)) or 0) >= MOST_A_MINUTE:
        return
    with transaction() as session:
        session.add(
            AttemptEvent(
                attempt_id=attempt_id, gateway=gateway, source=source, event="refused",
                refused=refusal.code, detail=plain(refusal.message, 200), digest=digest, at=at,
            )
        )  # fmt: skip


def refused(days: int = 7) -> dict[tuple[str, str], int]:
    """How many were refused lately, by gateway and code."""
    query = (
        select(AttemptEvent.gateway, AttemptEvent.refused, func.count())
        .where(AttemptEvent.refused != "", AttemptEvent.at > clock.now() - timedelta(days=days))
        .group_by(AttemptEvent.gateway, AttemptEvent.refused)
    )
    return {(row[0], row[1]): int(row[2]) for row in db.session.execute(query)}


def newest_refused(limit: int = 10) -> list[AttemptEvent]:
    """What was refused last, the newest first: when, by which gateway, and why."""
    query = select(AttemptEvent).where(AttemptEvent.refused != "")
    newest = query.order_by(AttemptEvent.at.desc(), AttemptEvent.id.desc()).limit(limit)
    return list(db.session.scalars(newest))


def last_notice(gateway: str, days: int = 7) -> datetime | None:
    """When a notice of this gateway was last believed, if lately."""
    query = (
        select(AttemptEvent.at)
        .where(AttemptEvent.refused == "", AttemptEvent.at > clock.now() - timedelta(days=days))
        .where(AttemptEvent.gateway == gateway, AttemptEvent.source == "notice")
        .order_by(AttemptEvent.at.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def of_attempt(attempt_id: str) -> list[AttemptEvent]:
    """What was said about one attempt, in order."""
    query = select(AttemptEvent).where(AttemptEvent.attempt_id == attempt_id)
    return list(db.session.scalars(query.order_by(AttemptEvent.id)))


def sweep() -> int:
    """Remove refusals that are too old to tell anything; answers how many."""
    old = clock.now() - timedelta(days=KEPT_DAYS)
    return sweeping.remove(AttemptEvent, (AttemptEvent.refused != "") & (AttemptEvent.at < old))
