"""PINs: six digits that confirm what is above a limit. Kept as Argon2id, guessed under a limit.

Six digits are few, so the limit is what makes them safe: five wrong ones in a quarter of an hour,
fifteen in a day; whoever is locked out signs in again and sets another. A PIN is only set by
somebody who has signed in a moment ago: a phone that was left lying is not enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, insert, select

from .. import clock, ids, web
from ..db import connection, db, repeatable, transaction
from ..errors import Invalid, Refusal
from . import passwords, tries
from .models import Member, Pin, SignIn
from .tries import Limit

__all__ = [
    "FRESH",
    "PinMissing",
    "PinWrong",
    "SignInAgain",
    "check",
    "has_pin",
    "is_fresh",
    "set_pin",
]

FRESH = timedelta(minutes=10)
MOST_WRONG, MOST_WRONG_IN_A_DAY = 5, 15

_SIX = re.compile(r"[0-9]{6}\Z", re.ASCII)


class PinWrong(Refusal):
    """This is not the member's PIN. Nothing was charged."""

    code = "pin_wrong"
    status = 403
    title = "This is not the PIN of the account"


class PinMissing(Refusal):
    """The member has no PIN yet."""

    code = "pin_missing"
    status = 403
    title = "This account has no PIN yet"


class SignInAgain(Refusal):
    """What is asked for needs a sign-in of the last minutes."""

    code = "sign_in_again"
    status = 403
    title = "Please sign in again"


def has_pin(member_id: int) -> bool:
    return _kept(member_id) is not None


def is_fresh(digest: str) -> bool:
    """Whether this visit began with a sign-in a moment ago."""
    query = select(SignIn.created_at).where(SignIn.digest == digest, SignIn.ended_at.is_(None))
    at = connection().execute(query).scalar_one_or_none()
    return at is not None and at > clock.now() - FRESH


def check(member_id: int, pin: str) -> None:
    """Opener: raises Invalid, PinMissing, TooMany, PinWrong. The hash is worked out with no
    transaction open."""
    if not _SIX.match(pin):
        raise Invalid("A PIN has six digits", field="pin")
    kept = _kept(member_id)
    if kept is None:
        raise PinMissing()
    limits = _limits(member_id)
    written = tries.begin(limits)
    db.session.rollback()
    if not passwords.verify(kept, pin):
        raise PinWrong()
    _forgive(written, limits)


def set_pin(member_id: int, pin: str, may: Callable[[], bool]) -> None:
    """Opener: another PIN, and what was guessed at the last one is forgotten. `may` says whether
    the member signed in a moment ago. Raises Invalid, SignInAgain."""
    steps = {ord(right) - ord(left) for left, right in zip(pin, pin[1:], strict=False)}
    if not _SIX.match(pin):
        raise Invalid("A PIN has six digits", field="pin", fault="length")
    if len(set(pin)) < 3 or steps in ({1}, {-1}):
        raise Invalid("This PIN is among the first tried", field="pin", fault="common")
    if not may():
        raise SignInAgain()
    db.session.rollback()
    _set(member_id, passwords.hashed(pin))


@repeatable
def _set(member_id: int, kept: str) -> None:
    with transaction() as session:
        # Of two at once the second waits, and its own is the one that holds.
        session.execute(select(Member.id).where(Member.id == member_id).with_for_update())
        session.execute(delete(Pin).where(Pin.member_id == member_id))
        row = {"member_id": member_id, "hash": kept, "set_at": clock.now()}
        session.execute(insert(Pin).values(**row))
        tries.forgive([], *_limits(member_id))


@repeatable
def _forgive(written: list[int], limits: list[Limit]) -> None:
    """What was right is no guess; wrong ones of the day still count, so that a thief gains nothing
    by waiting for the owner's own PIN."""
    with transaction():
        tries.forgive(written, limits[0])


def _kept(member_id: int) -> str | None:
    query = select(Pin.hash).where(Pin.member_id == member_id)
    return connection().execute(query).scalar_one_or_none()


def _limits(member_id: int) -> list[Limit]:
    subject = ids.mac(web.setting("SECRET_KEY").encode(), "pin", str(member_id), length=32)
    return [
        Limit("pin", subject, MOST_WRONG),
        Limit("pin_day", subject, MOST_WRONG_IN_A_DAY, 24 * 3600),
    ]
