"""Tries: counted in the database, so that a limit survives a restart and counts every process.

A try is written and committed first and counted after: whatever order many arrive in, the one that
was written last sees all the others, so that never more than the limit go on. A try that is refused
is taken out again, so that hammering on does not lengthen the wait.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select

from .. import clock, sweeping
from ..db import connection, in_transaction, repeatable, transaction
from ..errors import TooMany
from .models import Try

__all__ = ["Limit", "begin", "forgive", "sweep"]

log = logging.getLogger(__name__)

_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """At most `most` tries of a subject in the last `window_s` seconds; `subject` is a digest."""

    scope: str
    subject: str
    most: int
    window_s: int = 900


@repeatable
def begin(limits: list[Limit]) -> list[int]:
    """Write a try under every limit, then count. Returns the ids of what was written, for
    `forgive`. Raises TooMany (opener)."""
    with transaction() as session:
        now = clock.now()
        rows = [Try(scope=limit.scope, subject=limit.subject, at=now) for limit in limits]
        session.add_all(rows)
        session.flush()
        written = [row.id for row in rows]
    waits = [(limit.scope, _wait_s(limit)) for limit in limits]
    if wait_s := max(wait for _, wait in waits):
        # The kinds only: whose tries they were is not told.
        log.warning("too many tries: %s", ", ".join(name for name, wait in waits if wait))
        with transaction():
            forgive(written)
        raise TooMany("Too many tries; wait a little", retry_after_s=wait_s)
    return written


def forgive(written: list[int], *limits: Limit) -> None:
    """Take tries out again: these, and everything counted under these limits (joiner)."""
    session = in_transaction()
    session.execute(delete(Try).where(Try.id.in_(written)))
    for limit in limits:
        session.execute(delete(Try).where(Try.scope == limit.scope, Try.subject == limit.subject))


def sweep() -> int:
    """Opener: remove tries that no window reaches back to; answers how many."""
    return sweeping.remove(Try, Try.at < clock.now() - _KEPT)


def _wait_s(limit: Limit) -> int:
    """0 while the limit holds, else the seconds until the oldest counted try leaves the window."""
    window = timedelta(seconds=limit.window_s)
    count, oldest = (
        connection()
        .execute(
            select(func.count(Try.id), func.min(Try.at)).where(
                Try.scope == limit.scope,
                Try.subject == limit.subject,
                Try.at > clock.now() - window,
            )
        )
        .one()
    )
    if count <= limit.most:
        return 0
    return max(1, math.ceil((oldest + window - clock.now()).total_seconds()))
