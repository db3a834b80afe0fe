"""Entering by a code: who has proven a phone or an e-mail address, and which account that opens.

- Nobody has the address: a new account, to which it belongs, proven.
- A member has it, proven: theirs. But a phone number may have been given to somebody else since. So
  where a member was silent for `SILENT_DAYS` and has another sign (a password, another proven
  address), the number alone does not open the account on a device that does not know it; where
  the number is all they have, it does so for `SILENT_ALONE_DAYS`.
- A member has it, but it was never proven: anybody may have typed it. A device that knows them is
  enough; else the account's password.

Where more is asked for, the shopper gives the password, signs in in another way, or starts a new
account to which the address goes; what the old one holds stays with it, and the change is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import clock
from ..db import db, repeatable, transaction
from ..errors import Refusal
from . import admitting, codes, identifiers, notices, passwords, sign_ins, tries
from .callers import Caller
from .models import Identifier, IdentifierChange, Member, SignIn
from .sign_ins import MemberDisabled, WrongPassword

__all__ = [
    "Asked", "Entered", "MoreNeeded", "asked", "by_code", "by_password_too", "start_anew",
    "why_more",
]  # fmt: skip

SILENT_DAYS = 90
SILENT_ALONE_DAYS = 365


class MoreNeeded(Refusal):
    """The address is proven, and belongs to an account that it does not open alone."""

    code = "second_sign_needed"
    status = 403
    title = "This needs a second sign of who you are"


class Entered(NamedTuple):
    member_id: int
    language: str | None
    is_new: bool


class Asked(NamedTuple):
    """What somebody may do who has proven an address that is not enough."""

    value: str
    why: str
    """`unproven` or `silent`."""
    has_password: bool
    may_start_anew: bool


def by_code(
    visit: str, typed: str, fresh_digest: Callable[[], str], caller: Caller, *, language: str = ""
) -> Entered:
    """Sign in, or up, with the code that was sent to this browser. Raises CodeOver, TooMany,
    WrongCode, MemberDisabled, MoreNeeded."""
    found, written = codes.try_code(visit, typed, caller)
    digest = fresh_digest()
    for last in (False, True):
        try:
            entered = _enter(found, digest, caller, visit, language)
            break
        except identifiers.IdentifierTaken:
            # Another browser has proven the same new address at this moment: its account it is.
            if last:
                raise
    with transaction():
        tries.forgive(written)
    if entered is None:
        raise MoreNeeded()
    return entered


@repeatable
def _enter(
    found: codes.Sent, digest: str, caller: Caller, visit: str, language: str
) -> Entered | None:
    with transaction() as session:
        holder = _holder(session, found)
        if holder is None:
            codes.use(found.id, done=True)
            return _add(session, found, digest, caller, visit, language)
        sign, member = holder
        if member.disabled_at:
            codes.use(found.id, done=True)
            raise MemberDisabled()
        if why_more(session, sign, member, caller):
            codes.use(found.id, done=False)
            return None
        codes.use(found.id, done=True)
        _prove(session, sign)
        _admit(session, member, digest, caller, visit)
        return Entered(member.id, member.language, False)


def _holder(session: Session, found: codes.Sent) -> tuple[Identifier, Member] | None:
    """Whose it is; the member's row is held, so that an account that is closed at this moment is
    left without a sign-in."""
    row = session.execute(
        select(Identifier, Member)
        .join(Member, Member.id == Identifier.member_id)
        .where(Identifier.kind == found.kind, Identifier.value == found.value)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    return (row[0], row[1]) if row else None


def why_more(session: Session, sign: Identifier, member: Member, caller: Caller) -> str:
    """Why the sign is not enough; empty where it is."""
    if caller.knows(member.id):
        return ""
    if sign.proven_at is None:
        return "unproven"
    if sign.kind != "phone":
        return ""
    others = session.scalar(
        select(func.count(Identifier.id)).where(
            Identifier.member_id == member.id,
            Identifier.id != sign.id,
            Identifier.proven_at.is_not(None),
        )
    )
    alone = not others and member.password_hash is None
    most = timedelta(days=SILENT_ALONE_DAYS if alone else SILENT_DAYS)
    seen = session.scalar(select(func.max(SignIn.seen_at)).where(SignIn.member_id == member.id))
    last: datetime = max(filter(None, (sign.proven_at, seen)))
    return "silent" if clock.now() - last > most else ""


def _add(
    session: Session, found: codes.Sent, digest: str, caller: Caller, visit: str, language: str
) -> Entered:
    now = clock.now()
    added = Member(name="", role="shopper", created_at=now, language=language or None)
    session.add(added)
    session.flush()
    session.add(Identifier(member_id=added.id, kind=found.kind, value=found.value, proven_at=now))
    try:
        session.flush()
    except IntegrityError as error:
        raise identifiers.IdentifierTaken() from error
    _note(session, added.id, found.kind, found.value, "proven")
    _admit(session, added, digest, caller, visit)
    return Entered(added.id, added.language, True)


def _prove(session: Session, sign: Identifier) -> None:
    if sign.proven_at is None:
        _note(session, sign.member_id, sign.kind, sign.value, "proven")
    sign.proven_at = clock.now()


def _note(session: Session, member_id: int, kind: str, value: str, what: str) -> None:
    session.add(
        IdentifierChange(member_id=member_id, kind=kind, value=value, what=what, at=clock.now())
    )


def _admit(session: Session, member: Member, digest: str, caller: Caller, visit: str) -> None:
    sign_ins.end(visit)
    admitting.admit(session, member, digest, caller)


# Where the address alone was not enough


def asked(visit: str, caller: Caller) -> Asked | None:
    """What is asked of this browser, which has proven an address; None where nothing is."""
    found = codes.waiting(visit)
    holder = identifiers.holder_of(found.kind, found.value) if found else None
    if found is None or holder is None:
        return None
    sign, member = holder
    why = why_more(db.session(), sign, member, caller)
    return Asked(
        found.value, why or "unproven", member.password_hash is not None, member.role == "shopper"
    )


def by_password_too(
    visit: str, password: str, fresh_digest: Callable[[], str], caller: Caller
) -> Entered:
    """The account's password besides. Raises CodeOver, TooMany, WrongPassword, MemberDisabled."""
    found = codes.waiting(visit)
    holder = identifiers.holder_of(found.kind, found.value) if found else None
    if found is None or holder is None:
        raise codes.CodeOver()
    member = holder[1]
    kept = member.password_hash
    db.session.rollback()
    limits = caller.wrong_passwords(found.value, member)
    written = tries.begin(limits)
    if not passwords.verify(kept, password) or kept is None:
        raise WrongPassword()
    entered = _enter_with(found, kept, fresh_digest(), caller, visit)
    with transaction():
        tries.forgive(written)
    return entered


@repeatable
def _enter_with(found: codes.Sent, kept: str, digest: str, caller: Caller, visit: str) -> Entered:
    with transaction() as session:
        codes.finish(found.id)
        holder = _holder(session, found)
        # Claimed by the hash that was verified, as when signing in with a password.
        if holder is None or holder[1].password_hash != kept:
            raise WrongPassword()
        sign, member = holder
        if member.disabled_at:
            raise MemberDisabled()
        _prove(session, sign)
        _admit(session, member, digest, caller, visit)
        return Entered(member.id, member.language, False)


@repeatable
def _move(found: codes.Sent, digest: str, caller: Caller, visit: str, language: str) -> Entered:
    with transaction() as session:
        codes.finish(found.id)
        holder = _holder(session, found)
        if holder is None:
            return _add(session, found, digest, caller, visit, language)
        sign, old = holder
        if not why_more(session, sign, old, caller) and not old.disabled_at:
            # Proven again in another browser meanwhile: by whoever reads this address.
            _admit(session, old, digest, caller, visit)
            return Entered(old.id, old.language, False)
        if old.role != "shopper":
            raise MoreNeeded()
        now = clock.now()
        added = Member(name="", role="shopper", created_at=now, language=language or None)
        session.add(added)
        session.flush()
        _note(session, old.id, sign.kind, sign.value, "moved")
        _note(session, added.id, sign.kind, sign.value, "proven")
        session.execute(
            update(Identifier)
            .where(Identifier.id == sign.id)
            .values(member_id=added.id, proven_at=now)
        )
        rest = identifiers.proven_mails(old.id)
        notices.tell(old.id, "sign_moved", of=notices.masked(sign.value), to=rest)
        _admit(session, added, digest, caller, visit)
        return Entered(added.id, added.language, True)


def start_anew(
    visit: str, fresh_digest: Callable[[], str], caller: Caller, *, language: str = ""
) -> Entered:
    """A new account to which the proven address goes. Raises CodeOver, MoreNeeded (of staff)."""
    found = codes.waiting(visit)
    db.session.rollback()
    if found is None:
        raise codes.CodeOver()
    return _move(found, fresh_digest(), caller, visit, language)
