"""Signs: the phone numbers and e-mail addresses of one member, added with a code, taken off again.

What somebody proves here, by reading the code that was sent there, is theirs. Where another account
has it unproven, anybody may have typed it there: it moves, and the change is kept. Where another
account has proven it, it stays: the two belong to one person, who takes it off there first, or to
two, who both read it.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import clock
from ..db import repeatable, transaction
from ..errors import Refusal
from . import codes, notices, tries
from .callers import Caller
from .identifiers import IdentifierTaken, proven_mails
from .models import Identifier, IdentifierChange, Member, OutsideAccount, Passkey
from .outside import LastSign

__all__ = ["TooManySigns", "make_first", "prove", "remove"]

MOST = 10


class TooManySigns(Refusal):
    code = "too_many_signs"
    title = "There are as many addresses as one account can have"


def prove(member_id: int, visit: str, typed: str, caller: Caller) -> str:
    """The code that was sent to an address shows that it is this member's, new or known. Answers
    the address. Raises CodeOver, TooMany, WrongCode, IdentifierTaken, TooManySigns."""
    found, written = codes.try_code(visit, typed, caller)
    _prove(member_id, found)
    with transaction():
        tries.forgive(written)
    return found.value


@repeatable
def _prove(member_id: int, found: codes.Sent) -> None:
    try:
        with transaction() as session:
            codes.use(found.id, done=True)
            _lock(session, member_id)
            sign = session.scalar(
                select(Identifier)
                .where(Identifier.kind == found.kind, Identifier.value == found.value)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
            now, before = clock.now(), proven_mails(member_id)
            is_new = sign is None or sign.member_id != member_id or sign.proven_at is None
            if sign is None:
                _add(session, member_id, found)
            elif sign.member_id == member_id:
                sign.proven_at = now
            else:
                _move(session, sign, member_id, found)
            _note(session, member_id, found.kind, found.value, "proven")
            session.flush()
            if is_new:
                notices.tell(member_id, "sign_added", of=notices.masked(found.value), to=before)
    except IntegrityError as error:  # Another browser has proven the same address at this moment.
        raise IdentifierTaken() from error


def _add(session: Session, member_id: int, found: codes.Sent) -> None:
    _room_for_one(session, member_id)
    session.add(
        Identifier(
            member_id=member_id, kind=found.kind, value=found.value, proven_at=clock.now()
        )
    )  # fmt: skip


def _move(session: Session, sign: Identifier, member_id: int, found: codes.Sent) -> None:
    """From an account where it was only typed; never from somebody who works here."""
    other = session.get_one(Member, sign.member_id)
    if sign.proven_at is not None or other.role != "shopper":
        raise IdentifierTaken()
    _note(session, other.id, sign.kind, sign.value, "moved")
    session.delete(sign)
    session.flush()
    _add(session, member_id, found)


def _room_for_one(session: Session, member_id: int) -> None:
    mine = select(func.count(Identifier.id)).where(Identifier.member_id == member_id)
    if (session.scalar(mine) or 0) >= MOST:
        raise TooManySigns()


@repeatable
def make_first(member_id: int, sign_id: int) -> None:
    """The address by which the shop calls the member, and writes to them; a proven one of theirs
    (opener)."""
    with transaction() as session:
        session.execute(
            update(Identifier)
            .where(
                Identifier.id == sign_id, Identifier.member_id == member_id,
                Identifier.proven_at.is_not(None),
            )
            .values(first_at=clock.now())
        )  # fmt: skip


@repeatable
def remove(member_id: int, sign_id: int) -> None:
    """It opens nothing any more; another's is left alone. Raises LastSign where the member could
    not sign in again without it (opener)."""
    with transaction() as session:
        member = _lock(session, member_id)
        sign = session.scalar(
            select(Identifier).where(Identifier.id == sign_id, Identifier.member_id == member_id)
        )
        if sign is None:
            return
        other = (Identifier.member_id == member_id) & (Identifier.id != sign_id)
        ways = [
            select(Identifier.id).where(other, Identifier.proven_at.is_not(None)),
            select(Passkey.id).where(Passkey.member_id == member_id),
            select(OutsideAccount.id).where(OutsideAccount.member_id == member_id),
        ]
        if member.password_hash:  # A password opens under any address, proven or not.
            ways.append(select(Identifier.id).where(other))
        if all(session.scalar(way.limit(1)) is None for way in ways):
            raise LastSign()
        notices.tell(member_id, "sign_removed", of=notices.masked(sign.value))
        session.execute(delete(Identifier).where(Identifier.id == sign_id))
        _note(session, member_id, sign.kind, sign.value, "removed")


def _lock(session: Session, member_id: int) -> Member:
    return session.scalars(select(Member).where(Member.id == member_id).with_for_update()).one()


def _note(session: Session, member_id: int, kind: str, value: str, what: str) -> None:
    session.add(
        IdentifierChange(member_id=member_id, kind=kind, value=value, what=what, at=clock.now())
    )
