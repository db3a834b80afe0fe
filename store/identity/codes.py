"""One-time codes: six digits to a phone or an e-mail address, for the browser that asked.

Whoever asks gets one, member or not, so that nothing tells who shops here. A code is good for five
minutes, five tries and one use, in the browser with the visit cookie that asked for it. It is kept
as an authentication code, and said nowhere but in the message.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import or_, select, true, update

from .. import clock, ids, sweeping
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Refusal
from . import identifiers, tries
from .callers import Caller
from .models import Code

__all__ = [
    "CodeOver", "WrongCode", "ask", "finish", "latest", "note_sent", "sweep", "try_code", "use",
    "waiting",
]  # fmt: skip

MINUTES = 5
TRIES = 5
MORE_MINUTES = 10
"""So long after the right code a second sign may follow, where one is asked for."""
_KEPT = timedelta(days=1)


class WrongCode(Refusal):
    """It is not the code that was sent. `data`: left, how many tries remain."""

    code = "wrong_one_time_code"
    status = 403
    title = "This is not the code that was sent"


class CodeOver(Refusal):
    """The code was used, is too old, was tried too often, or a newer one was sent; or this browser
    asked for none."""

    code = "code_over"
    title = "This code is not valid any more"


class Sent(NamedTuple):
    """What a browser was sent: to whom, and whether it has left (`soon`, `sent`, `failed`)."""

    id: str
    kind: str
    value: str
    sent: str


def ask(kind: str, value: str, visit: str, caller: Caller) -> tuple[str, str]:
    """A new code for the browser with this digest of the visit cookie; its older ones are over.
    Answers the id and the code, which is to be sent. `value` is in its one spelling. Raises
    TooMany."""
    known = identifiers.holder_of(kind, value)
    member = known[1] if known else None
    db.session.rollback()
    tries.begin(caller.codes(value, member))
    code_id, code = ids.new(), f"{secrets.randbelow(10**6):06}"
    _write(code_id, kind, value, visit, _mark(caller, code_id, code))
    return code_id, code


@repeatable
def _write(code_id: str, kind: str, value: str, visit: str, mark: str) -> None:
    now = clock.now()
    with transaction() as session:
        session.execute(
            update(Code).where(Code.visit == visit, Code.done_at.is_(None)).values(done_at=now)
        )
        session.add(
            Code(id=code_id, visit=visit, kind=kind, value=value, mark=mark, tries=0, sent="soon",
                 created_at=now, expires_at=now + timedelta(minutes=MINUTES))
        )  # fmt: skip


@repeatable
def note_sent(code_id: str, taken: bool) -> None:
    """Whether the message was taken on (opener)."""
    with transaction() as session:
        session.execute(
            update(Code).where(Code.id == code_id).values(sent="sent" if taken else "failed")
        )


def latest(visit: str, *, live: bool = False) -> Sent | None:
    """The code that this browser has asked for and not yet used; `live`: and is still good."""
    since = Code.expires_at > clock.now() if live else true()
    row = db.session.execute(
        select(Code.id, Code.kind, Code.value, Code.sent)
        .where(Code.visit == visit, Code.done_at.is_(None), Code.used_at.is_(None), since)
        .order_by(Code.id.desc())
        .limit(1)
    ).first()
    return Sent(*row) if row else None


def waiting(visit: str) -> Sent | None:
    """The address that this browser has proven just now, where a second sign is still asked for."""
    since = clock.now() - timedelta(minutes=MORE_MINUTES)
    row = db.session.execute(
        select(Code.id, Code.kind, Code.value, Code.sent)
        .where(Code.visit == visit, Code.done_at.is_(None), Code.used_at > since)
        .order_by(Code.id.desc())
        .limit(1)
    ).first()
    return Sent(*row) if row else None


def try_code(visit: str, typed: str, caller: Caller) -> tuple[Sent, list[int]]:
    """Whether this is the code that was sent to this browser. Every try is counted and committed
    before it is looked at, so that no two at once share one. Answers what it proves, and the tries
    to forgive. Raises CodeOver, TooMany, WrongCode."""
    found = latest(visit)
    if found is None:
        raise CodeOver()
    known = identifiers.holder_of(found.kind, found.value)
    member = known[1] if known else None
    db.session.rollback()
    written = tries.begin(caller.wrong_codes(found.value, member))
    mark, left = _count(found.id)
    # Wide digits, as Chinese keyboards give them, blanks and dashes.
    digits = unicodedata.normalize("NFKC", typed[:40])
    plain = "".join(digit for digit in digits if digit in "0123456789")
    if not ids.same(_mark(caller, found.id, plain), mark):
        raise WrongCode(left=left)
    return found, written


@repeatable
def _count(code_id: str) -> tuple[str, int]:
    with transaction() as session:
        row = session.execute(
            update(Code)
            .where(
                Code.id == code_id, Code.used_at.is_(None), Code.done_at.is_(None),
                Code.expires_at > clock.now(), Code.tries < TRIES,
            )
            .values(tries=Code.tries + 1)
            .returning(Code.mark, Code.tries)
        ).first()  # fmt: skip
        if row is None:
            raise CodeOver()
        return row.mark, TRIES - row.tries


def use(code_id: str, *, done: bool) -> None:
    """Joiner: the right code was typed; `done` where nothing more is asked for. Of two at once one
    goes on. Raises CodeOver."""
    now = clock.now()
    values = {"used_at": now} | ({"done_at": now} if done else {})
    changed = in_transaction().execute(
        update(Code)
        .where(Code.id == code_id, Code.used_at.is_(None), Code.done_at.is_(None))
        .values(**values)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise CodeOver()


def finish(code_id: str) -> None:
    """Joiner: the second sign was given. Raises CodeOver."""
    changed = in_transaction().execute(
        update(Code)
        .where(Code.id == code_id, Code.used_at.is_not(None), Code.done_at.is_(None))
        .values(done_at=clock.now())
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise CodeOver()


def sweep() -> int:
    """Opener: codes of yesterday say nothing any more; answers how many went."""
    old = clock.now() - _KEPT
    return sweeping.remove(Code, or_(Code.created_at < old, Code.expires_at < old))


def _mark(caller: Caller, code_id: str, code: str) -> str:
    return ids.mac(caller.key, "code", code_id, code, length=32)
