"""Admitting: whoever has given a first sign of who they are is signed in, or halfway in.

A second one is asked for of whoever has set one up, and of those of whom the shop asks it (setting
SECOND_FACTOR). A passkey is both at once: a thing that somebody has, and their finger or number.
Halfway in is not in: the browser is nobody's until the second sign is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from .. import clock, sweeping
from ..db import db, in_transaction
from ..errors import Refusal
from .callers import Caller
from .factor_models import Factor, HalfSignIn
from .models import Member, Passkey, SignIn

__all__ = [
    "HalfOver", "admit", "asked_of", "finish", "has_one", "having", "is_asked", "keep", "set_asked",
    "sweep", "waiting",
]  # fmt: skip

MINUTES = 15
LEVELS: dict[str, tuple[str, ...]] = {"off": (), "owners": ("owner",), "staff": ("owner", "staff")}

# Of which roles this shop asks a second factor, told once at the start.
_asked: tuple[str, ...] = ()


class HalfOver(Refusal):
    """The first sign was given too long ago, or in another browser."""

    code = "half_sign_in_over"
    title = "Please sign in from the beginning"


def set_asked(level: str) -> None:
    """`off`, `owners`, or `staff` (who are owners, too)."""
    global _asked
    _asked = LEVELS[level]


def asked_of(at: int) -> str:
    """One of the roles of whom the shop asks it, or nothing: for statements that are kept."""
    return _asked[at] if at < len(_asked) else ""


def is_asked(role: str) -> bool:
    return role in _asked


def has_one(member_id: int) -> bool:
    """Whether the member has a second factor of any kind."""
    query = select(
        exists().where(Factor.member_id == member_id)
        | exists().where(Passkey.member_id == member_id)
    )
    return bool(db.session.scalar(query))


def having(member_ids: Sequence[int]) -> set[int]:
    """Which of these have a second factor."""
    kinds = (Factor.member_id, Passkey.member_id)
    queries = (select(one).where(one.in_(member_ids)) for one in kinds)
    return {member_id for query in queries for member_id in db.session.scalars(query)}


def keep(
    session: Session, member_id: int, digest: str, caller: Caller, *, second: bool = False
) -> None:
    """Joiner: the browser with this digest is signed in from now on; `second` where two signs were
    given."""
    now = clock.now()
    session.add(
        SignIn(
            digest=digest, member_id=member_id, device=caller.browser[:200],
            address=caller.address[:45], created_at=now, seen_at=now,
            second_at=now if second else None, expires_at=now + timedelta(days=caller.days),
        )
    )  # fmt: skip


def admit(session: Session, member: Member, digest: str, caller: Caller) -> None:
    """Joiner: the member has given one sign in the browser with this digest."""
    if not is_asked(member.role) and session.get(Factor, member.id) is None:
        keep(session, member.id, digest, caller)
        return
    until = clock.now() + timedelta(minutes=MINUTES)
    session.add(HalfSignIn(digest=digest, member_id=member.id, expires_at=until))


def waiting(visit: str) -> int | None:
    """Who is halfway in, in the browser with this digest of the visit cookie."""
    return db.session.scalar(
        select(HalfSignIn.member_id)
        .join(Member, Member.id == HalfSignIn.member_id)
        .where(
            HalfSignIn.digest == visit, HalfSignIn.expires_at > clock.now(),
            Member.disabled_at.is_(None),
        )
    )  # fmt: skip


def finish(visit: str, digest: str, caller: Caller) -> Member:
    """Joiner: the second sign was given; of two at once one goes on. Raises HalfOver."""
    session = in_transaction()
    member_id = session.scalar(
        delete(HalfSignIn)
        .where(HalfSignIn.digest == visit, HalfSignIn.expires_at > clock.now())
        .returning(HalfSignIn.member_id)
    )
    # The row is held: an account that is closed at this moment is left without a sign-in.
    member = session.scalar(
        select(Member).where(Member.id == member_id, Member.disabled_at.is_(None)).with_for_update()
    )
    if member is None:
        raise HalfOver()
    keep(session, member.id, digest, caller, second=True)
    return member


def sweep() -> int:
    """Opener: who never gave the second sign; answers how many."""
    return sweeping.remove(HalfSignIn, HalfSignIn.expires_at < clock.now())
