"""Sign-ins: kept on the server, one row for each browser, so that any of them can be ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, String, bindparam, case, or_, select, update

from .. import clock, sweeping
from ..db import Moment, db, in_transaction, repeatable, transaction
from ..errors import Refusal
from . import admitting, identifiers, passwords, tries
from .callers import Caller
from .members import end_sign_ins, new_member
from .models import Member, SignIn
from .tries import Limit

__all__ = [
    "MemberDisabled", "WrongPassword", "change_password", "count_look_up", "end", "end_one",
    "end_others", "is_stale", "of_member", "see", "sign_in", "sign_up", "sweep",
    "visitor_query", "visitors_query",
]  # fmt: skip

_SEEN_EVERY = timedelta(hours=1)
_KEPT = timedelta(days=30)


class WrongPassword(Refusal):
    """The password does not fit, or nobody is known by this: from outside the two are the same."""

    code = "wrong_password"
    status = 403
    title = "This does not fit"


class MemberDisabled(Refusal):
    """The password was right, but the account has been closed."""

    code = "member_disabled"
    status = 403
    title = "This account is closed"


# Read when a statement runs, not when it is built: pages keep theirs for as long as they serve.
_now = bindparam("visit_now", type_=Moment(), callable_=clock.now)
_asked = [
    bindparam(f"second_of_{at}", type_=String(), callable_=partial(admitting.asked_of, at))
    for at in range(2)
]
# Whoever owes the second factor that the shop asks of their role is a shopper until they give it.
_role = case(
    (SignIn.second_at.is_(None) & or_(*(Member.role == role for role in _asked)), "shopper"),
    else_=Member.role,
)


def visitor_query(digest: str | ColumnElement[str]) -> Select[*tuple[Any, ...]]:
    """The live sign-in with this digest of the visit cookie: member_id, member_name, member_role,
    member_language, member_seen_at. The digest may be a bind parameter of a kept statement."""
    return visitors_query(SignIn.digest == digest)


def visitors_query(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The same of several: the live sign-ins of which this is true."""
    return (
        select(
            Member.id.label("member_id"),
            Member.name.label("member_name"),
            _role.label("member_role"),
            Member.language.label("member_language"),
            SignIn.seen_at.label("member_seen_at"),
        )
        .select_from(SignIn)
        .join(Member, Member.id == SignIn.member_id)
        .where(
            which,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > _now,
            Member.disabled_at.is_(None),
        )
    )


def sign_in(
    identifier: str,
    password: str,
    fresh_digest: Callable[[], str],
    caller: Caller,
    *,
    old: str = "",
) -> Member:
    """Check a password and keep a sign-in under a fresh digest, asked for only once the password
    is right. `old` is the digest of the browser's sign-in until now, which ends.

    Raises TooMany, WrongPassword, MemberDisabled.
    """
    member = identifiers.find(identifier)
    limits = caller.wrong_passwords(identifier, member)
    written = tries.begin(limits)
    kept = member.password_hash if member else None
    if not passwords.verify(kept, password) or member is None or kept is None:
        raise WrongPassword()
    if member.disabled_at:
        raise MemberDisabled()
    renewed = passwords.hashed(password) if passwords.is_weak(kept) else kept
    _admit(member.id, kept, renewed, fresh_digest(), caller, old)
    _forgive(written, limits)
    return member


def sign_up(
    identifier: str,
    password: str,
    name: str,
    fresh_digest: Callable[[], str],
    caller: Caller,
    *,
    language: str = "",
) -> int:
    """A new shopper, signed in at once. Returns the member's id.
    Raises Invalid, IdentifierTaken, TooMany."""
    _kind, value = identifiers.normalise(identifier)
    passwords.check(password, identifier, value, name)
    tries.begin(caller.sign_ups())
    if identifiers.find(value):
        raise identifiers.IdentifierTaken()
    return _add_and_admit(value, passwords.hashed(password), name, fresh_digest(), caller, language)


def count_look_up(caller: Caller) -> None:
    """Whoever asks for many names, to learn who shops here, is stopped. Raises TooMany."""
    tries.begin(caller.look_ups())


def change_password(
    member: Member, known_by: str, old: str, new: str, fresh_digest: Callable[[], str],
    caller: Caller, *, visit: str,
) -> None:  # fmt: skip
    """Set another password, end every sign-in of the member, and keep a fresh one for the browser
    that asked, whose digest until now is `visit`. The old password is guessed under the same
    limits as at signing in.

    Raises Invalid, TooMany, WrongPassword.
    """
    passwords.check(new, known_by, member.name)
    limits = caller.wrong_passwords(known_by, member)
    written = tries.begin(limits)
    kept = member.password_hash or ""
    if not passwords.verify(member.password_hash, old):
        raise WrongPassword()
    _admit(member.id, kept, passwords.hashed(new), fresh_digest(), caller, anew=visit)
    _forgive(written, limits)


@repeatable
def _add_and_admit(
    identifier: str, kept: str, name: str, digest: str, caller: Caller, language: str
) -> int:
    with transaction() as session:
        added = new_member(identifier, kept, name=name)
        added.language = language or None
        admitting.admit(session, added, digest, caller)
        return added.id


@repeatable
def _admit(
    member_id: int, kept: str, new: str, digest: str, caller: Caller, old: str = "",
    *, anew: str | None = None,
) -> None:  # fmt: skip
    # `anew`: the member is signed in there already, and all other places end.
    # The row is claimed by the hash that was verified: a password that was changed, or an account
    # that was closed, since then must not leave a sign-in behind.
    with transaction() as session:
        claimed = session.scalar(
            select(Member)
            .where(
                Member.id == member_id, Member.password_hash == kept, Member.disabled_at.is_(None)
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if claimed is None:
            raise WrongPassword()
        if new != kept:
            session.execute(update(Member).where(Member.id == member_id).values(password_hash=new))
        if anew is not None:
            second = session.scalar(select(SignIn.second_at).where(SignIn.digest == anew))
            end_sign_ins(session, member_id)
            admitting.keep(session, member_id, digest, caller, second=second is not None)
            return
        end(old)
        admitting.admit(session, claimed, digest, caller)


@repeatable
def _forgive(written: list[int], limits: list[Limit]) -> None:
    # Whoever knows the password starts afresh; but the address does not, or a guesser would sign
    # in to an account of their own now and then.
    own = [limit for limit in limits if limit.scope in ("sign_in_pair", "sign_in_device")]
    with transaction():
        tries.forgive(written, *own)


def end(digest: str) -> None:
    """Sign out the browser with this digest (joiner)."""
    in_transaction().execute(
        update(SignIn)
        .where(SignIn.digest == digest, SignIn.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def end_one(member_id: int, sign_in_id: int) -> None:
    """Sign out one browser of this member; another's is left alone (joiner)."""
    in_transaction().execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.member_id == member_id, SignIn.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def end_others(member_id: int, digest: str) -> None:
    """Sign out every browser of this member but the one with this digest (joiner)."""
    end_sign_ins(in_transaction(), member_id, but=digest)


def of_member(member_id: int) -> list[SignIn]:
    """Where the member is signed in now, the latest first."""
    return list(
        db.session.scalars(
            select(SignIn)
            .where(
                SignIn.member_id == member_id,
                SignIn.ended_at.is_(None),
                SignIn.expires_at > clock.now(),
            )
            .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
        )
    )


def is_stale(seen_at: datetime) -> bool:
    """Whether it is time to note again that the browser was here."""
    return clock.now() - seen_at > _SEEN_EVERY


@repeatable
def see(digest: str) -> None:
    """Note that the browser was here now (opener)."""
    with transaction() as session:
        session.execute(update(SignIn).where(SignIn.digest == digest).values(seen_at=clock.now()))


def sweep() -> int:
    """Opener: remove sign-ins that are over for a month, so that what a thief did with one can be
    looked into for a while; answers how many."""
    before = clock.now() - _KEPT
    over = or_(SignIn.ended_at < before, SignIn.expires_at < before)
    return sweeping.remove(SignIn, over)
