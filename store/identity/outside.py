"""Outside accounts: who somebody is elsewhere, and which account that opens here.

- The outside account was here before: its member.
- Somebody who is signed in comes back with it: from now on it is theirs.
- The provider says that it has proven an e-mail address, and a shopper here has proven the same:
  it is theirs from now on. An address that was only typed, here or there, joins nothing; and staff
  connect theirs when they are signed in.
- Else a new account; the proven address belongs to it, where nobody here has it.

The state that travels to the provider and back is an authentication code over the browser's visit,
so nothing is written before somebody comes back, and it is of use once and for a few minutes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import clock, ids, sweeping
from ..db import db, repeatable, transaction
from ..errors import Invalid, Refusal
from . import admitting, identifiers, sign_ins
from .callers import Caller
from .entering import Entered, MoreNeeded
from .models import Identifier, IdentifierChange, Member, OutsideAccount, Passkey, UsedState
from .oidc import Claims, OutsideRefused
from .sign_ins import MemberDisabled

__all__ = [
    "LastSign", "OutsideTaken", "check_state", "enter", "new_state", "nonce_of", "of_member",
    "remove", "sweep", "verifier_of",
]  # fmt: skip

log = logging.getLogger(__name__)

MINUTES = 15


class OutsideTaken(Refusal):
    """The outside account opens another account of this shop already."""

    code = "outside_account_taken"
    title = "This outside account belongs to another account here"


class LastSign(Refusal):
    """Without it the member could never sign in again."""

    code = "last_sign"
    title = "This is the only way into this account"


# The state


def new_state(provider: str, visit: str, caller: Caller) -> str:
    """53 letters and digits: WeChat takes no other signs and at most 128 of them."""
    chance = ids.new()
    until = ids.encode(int(clock.timestamp_s()) + 60 * MINUTES, 7)
    return chance + until + _mark(provider, visit, caller, chance + until)


def check_state(state: str, provider: str, visit: str, caller: Caller) -> None:
    """Whether this browser was sent there a short while ago with this state, which is used up by
    it. Raises OutsideRefused."""
    begins, mark = state[:27], state[27:]
    fits = ids.same(mark.encode(errors="replace").decode(), _mark(provider, visit, caller, begins))
    now = ids.encode(int(clock.timestamp_s()), 7)
    if not visit or not fits or begins[20:] < now:
        log.warning("an outside account was refused: state")
        raise OutsideRefused()
    _use(ids.digest(state))


@repeatable
def _use(digest: str) -> None:
    try:
        with transaction() as session:
            until = clock.now() + timedelta(minutes=MINUTES)
            session.add(UsedState(digest=digest, expires_at=until))
            session.flush()
    except IntegrityError as error:
        log.warning("an outside account was refused: state again")
        raise OutsideRefused() from error


def nonce_of(state: str, caller: Caller) -> str:
    return ids.mac(caller.key, "outside nonce", state, length=32)


def verifier_of(state: str, caller: Caller) -> str:
    """RFC 7636 wants 43 to 128 characters."""
    return ids.mac(caller.key, "outside verifier", state, length=51)


def _mark(provider: str, visit: str, caller: Caller, begins: str) -> str:
    plain = begins.encode(errors="replace").decode()
    return ids.mac(caller.key, "outside", provider, visit, plain, length=26)


def sweep() -> int:
    """Opener: states that are too old to come back; answers how many."""
    return sweeping.remove(UsedState, UsedState.expires_at < clock.now())


# Coming back


def enter(
    provider: str, claims: Claims, fresh_digest: Callable[[], str], caller: Caller, visit: str,
    *, already: int | None, language: str = "",
) -> Entered:  # fmt: skip
    """Sign in, sign up, or (for a member who is signed in, `already`) connect. Raises
    MemberDisabled, MoreNeeded, OutsideTaken."""
    digest = "" if already else fresh_digest()
    for last in (False, True):
        try:
            return _enter(provider, claims, digest, caller, visit, already, language)
        except IntegrityError:
            # The same person, or the same address, came in in another browser at this moment.
            if last:
                raise
    raise AssertionError


@repeatable
def _enter(
    provider: str, claims: Claims, digest: str, caller: Caller, visit: str, already: int | None,
    language: str,
) -> Entered:  # fmt: skip
    with transaction() as session:
        known = session.scalar(
            select(OutsideAccount).where(
                OutsideAccount.provider == provider, OutsideAccount.subject == claims.subject
            )
        )
        if known is not None and already not in (None, known.member_id):
            raise OutsideTaken()
        if known is None:
            member_id = already or _by_address(session, claims)
            is_new = member_id is None
            if member_id is None:
                member_id = _add(session, claims, language)
            known = OutsideAccount(
                provider=provider, subject=claims.subject, member_id=member_id,
                created_at=clock.now(),
            )  # fmt: skip
            session.add(known)
        else:
            is_new = False
        known.used_at = clock.now()
        known.openid = claims.openid or known.openid
        session.flush()
        member = session.scalar(
            select(Member).where(Member.id == known.member_id).with_for_update()
        )
        if member is None or member.disabled_at:
            raise MemberDisabled()
        if not already:
            sign_ins.end(visit)
            admitting.admit(session, member, digest, caller)
        return Entered(member.id, member.language, is_new)


def _by_address(session: Session, claims: Claims) -> int | None:
    """The shopper who has proven the address that the provider has proven."""
    kind, value = _address(claims)
    row = session.execute(
        select(Member.id, Member.role, Identifier.proven_at)
        .join(Identifier, Identifier.member_id == Member.id)
        .where(Identifier.kind == kind, Identifier.value == value)
    ).first()
    if row is not None and row.role != "shopper":
        raise MoreNeeded()
    return row.id if row is not None and row.proven_at is not None else None


def _add(session: Session, claims: Claims, language: str) -> int:
    now, (kind, value) = clock.now(), _address(claims)
    added = Member(name="", role="shopper", created_at=now, language=language or None)
    session.add(added)
    session.flush()
    taken = select(Identifier.id).where(Identifier.kind == kind, Identifier.value == value)
    if value and session.scalar(taken) is None:
        session.add(Identifier(member_id=added.id, kind=kind, value=value, proven_at=now))
        session.add(
            IdentifierChange(member_id=added.id, kind=kind, value=value, what="proven", at=now)
        )
        session.flush()
    return added.id


def _address(claims: Claims) -> tuple[str, str]:
    try:
        return identifiers.normalise(claims.email) if "@" in claims.email else ("email", "")
    except Invalid:
        return "email", ""


# What a member has


def of_member(member_id: int) -> list[OutsideAccount]:
    return list(
        db.session.scalars(
            select(OutsideAccount)
            .where(OutsideAccount.member_id == member_id)
            .order_by(OutsideAccount.id)
        )
    )


@repeatable
def remove(member_id: int, account_id: int) -> None:
    """It opens nothing any more; another's is left alone. Raises LastSign (opener)."""
    with transaction() as session:
        kept = session.scalar(
            select(Member.password_hash).where(Member.id == member_id).with_for_update()
        )
        mine, proven = Identifier.member_id == member_id, Identifier.proven_at.is_not(None)
        another = OutsideAccount.id != account_id
        others = (
            select(Identifier.id).where(mine, proven),
            select(Passkey.id).where(Passkey.member_id == member_id),
            select(OutsideAccount.id).where(OutsideAccount.member_id == member_id, another),
        )
        if not kept and all(session.scalar(one.limit(1)) is None for one in others):
            raise LastSign()
        session.execute(
            delete(OutsideAccount).where(
                OutsideAccount.id == account_id, OutsideAccount.member_id == member_id
            )
        )
