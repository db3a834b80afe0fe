"""Acts that are told late: read, held against what was told before, and taken once.

The row with the key is written by the first statement of the act's own transaction, so both are
there or neither is. Whoever comes second with the same key waits for the first, and is then told
that it is done. A refusal leaves no row: the same key may be tried again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select

from .. import clock, ids, sweeping
from ..db import connection, in_transaction, insert_new
from ..errors import Invalid, Refusal
from .models import LateAct

__all__ = [
    "FIELDS", "KEPT_DAYS", "LONGEST_HOURS", "Arrival", "Done", "KeptByAnother", "KeptKeyReused",
    "KeptTooLong", "Told", "lately", "mark_of", "read", "sweep", "take",
]  # fmt: skip

KEPT_DAYS = 90
LONGEST_HOURS = 24 * 30
"""No setting lets a device tell later than this, so no row is swept while its act may come."""

FIELDS = ("late_key", "late_person", "late_at", "late_now", "late_ask")
_KEY = re.compile(r"[0-9A-Za-z_-]{16,64}\Z", re.ASCII)
_MILLISECONDS = re.compile(r"\d{1,15}\Z", re.ASCII)


class KeptKeyReused(Refusal):
    """The key was used for something else: that was done, this was not."""

    code = "kept_key_reused"
    status = 409
    title = "Something else was told under this key"


class KeptByAnother(Refusal):
    """Somebody else did this on the same device. It is told when they are signed in there."""

    code = "kept_by_another"
    status = 409
    title = "Somebody else did this"


class KeptTooLong(Refusal):
    """It is too long ago to be taken as it is. `data`: hours."""

    code = "kept_too_long"
    status = 409
    title = "This was done too long ago"


class Done(Exception):
    """It was done when it was told before, at this moment."""

    def __init__(self, arrived_at: datetime) -> None:
        super().__init__("done already")
        self.arrived_at = arrived_at


class Told(NamedTuple):
    """What a device says of an act: its key, whose it is, and how long ago it was done; None for
    one that is done now. `ask` says how it wants to be answered: `now`, `later` or as a page."""

    key: str
    person: str
    age: timedelta | None
    ask: str


class Arrival(NamedTuple):
    """An act, ready to be taken."""

    member_id: int
    key: str
    what: str
    digest: str
    done_at: datetime | None


def read(form: Mapping[str, str], hours: int) -> Told:
    """Raises Invalid, KeptTooLong."""
    key = form.get("late_key", "")
    if not _KEY.match(key):
        raise Invalid("late_key has 16 to 64 letters and digits", field="late_key")
    ask = form.get("late_ask", "")
    if ask not in ("", "now", "later"):
        raise Invalid("late_ask is now or later", field="late_ask")
    age = _age(form)
    if age is not None and age > timedelta(hours=min(hours, LONGEST_HOURS)):
        raise KeptTooLong(f"It was done {age} ago", hours=age // timedelta(hours=1))
    return Told(key, form.get("late_person", ""), age, ask)


def _age(form: Mapping[str, str]) -> timedelta | None:
    """By the device's own clock, which need not be ours: both moments are its own."""
    at, now = form.get("late_at", ""), form.get("late_now", "")
    if not at and not now:
        return None
    if not _MILLISECONDS.match(at) or not _MILLISECONDS.match(now):
        raise Invalid("late_at and late_now are milliseconds", field="late_at")
    return timedelta(milliseconds=max(0, int(now) - int(at)))


def mark_of(secret: bytes, member_id: int) -> str:
    """Whose a device's queue is, in a word that tells nobody's number."""
    return ids.mac(secret, "late", str(member_id), length=20)


def digest_of(what: str, arguments: Mapping[str, Any], fields: Iterable[tuple[str, str]]) -> str:
    """Of all that was told but how: the form's token is another one after each sign-in."""
    said = sorted((name, value) for name, value in fields if name not in (*FIELDS, "csrf"))
    whole = [what, {name: str(value) for name, value in arguments.items()}, said]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def take(arrival: Arrival) -> None:
    """Joiner, before anything else: this call does the act, and no other does. Raises Done,
    KeptKeyReused."""
    now = clock.now()
    row = {
        "member_id": arrival.member_id, "key": arrival.key, "what": arrival.what,
        "digest": arrival.digest, "done_at": arrival.done_at or now, "arrived_at": now,
    }  # fmt: skip
    own = in_transaction().connection()
    new = insert_new(LateAct).execution_options(preserve_rowcount=True)
    if own.execute(new, row).rowcount == 1:
        return
    known = own.execute(
        select(LateAct.digest, LateAct.arrived_at).where(
            LateAct.member_id == arrival.member_id, LateAct.key == arrival.key
        )
    ).one()
    if known.digest != arrival.digest:
        raise KeptKeyReused()
    raise Done(known.arrived_at)


def lately(member_id: int, limit: int) -> list[Any]:
    """What of this member's came late, the newest first: (what, done_at, arrived_at)."""
    query = (
        select(LateAct.what, LateAct.done_at, LateAct.arrived_at)
        .where(LateAct.member_id == member_id, LateAct.done_at < LateAct.arrived_at)
        .order_by(LateAct.arrived_at.desc(), LateAct.key)
        .limit(limit)
    )
    return list(connection().execute(query).all())


def sweep() -> int:
    """Opener, many times: forget keys of long ago, which no device tells any more."""
    return sweeping.remove(LateAct, LateAct.arrived_at < clock.now() - timedelta(days=KEPT_DAYS))
