"""Sign-ins: kept on the server, one row for each browser, so that any of them can be ended."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select, update
from sqlalchemy.orm import Session

from .. import clock, ids
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Invalid, Refusal
from . import identifiers, passwords, tries
from .members import new_member
from .models import Member, SignIn
from .tries import Limit

__all__ = [
    "Caller", "MemberDisabled", "WrongPassword", "confirm", "device_mark", "end", "end_one",
    "of_member", "see", "sign_in", "sign_up", "visitor_query",
]  # fmt: skip

# Many shoppers share the address of the shop's own network, so these are wide.
WRONG_BY_ADDRESS = 100
SIGN_UPS_BY_ADDRESS = 60
# Guesses at one person from all over the world, from devices that never signed in as them.
WRONG_BY_PERSON = 20
_SEEN_EVERY = timedelta(hours=1)


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


@dataclass(frozen=True)
class Caller:
    """Where a request comes from: all that signing in needs to know about it."""

    address: str
    browser: str
    key: bytes
    """The shop's secret key: what is counted is kept as an authentication code."""
    device: str = ""
    """The device cookie: an id and a mark for each member who signed in on the device."""
    most_wrong: int = 5
    days: int = 90

    def subject(self, *parts: str) -> str:
        return ids.mac(self.key, "try", *parts, length=32)

    @property
    def network(self) -> str:
        """The address; of IPv6 the /64, which is what one household has."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if address.version == 4:
            return self.address
        return str(ipaddress.ip_network(f"{address}/64", strict=False))


def visitor_query(
    digest: str | ColumnElement[str], at: datetime | ColumnElement[Any] | None = None
) -> Select[*tuple[Any, ...]]:
    """The live sign-in with this digest of the visit cookie: member_id, member_name, member_role,
    member_language, member_seen_at. Both may be bind parameters of a statement built once."""
    return (
        select(
            Member.id.label("member_id"),
            Member.name.label("member_name"),
            Member.role.label("member_role"),
            Member.language.label("member_language"),
            SignIn.seen_at.label("member_seen_at"),
        )
        .select_from(SignIn)
        .join(Member, Member.id == SignIn.member_id)
        .where(
            SignIn.digest == digest,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > (clock.now() if at is None else at),
            Member.disabled_at.is_(None),
        )
    )


def sign_in(identifier: str, password: str, digest: str, caller: Caller, *, old: str = "") -> int:
    """Check a password and keep a sign-in under the digest; returns the member's id. `old` is the
    digest of the browser's sign-in until now, which ends.

    Raises TooMany, WrongPassword, MemberDisabled.
    """
    member = identifiers.find(identifier)
    limits = _limits(identifier, member, caller)
    written = tries.begin(limits)
    kept = member.password_hash if member else None
    if not passwords.verify(kept, password) or member is None or kept is None:
        raise WrongPassword()
    if member.disabled_at:
        raise MemberDisabled()
    renewed = passwords.hashed(password) if passwords.is_weak(kept) else kept
    _admit(member.id, kept, renewed, digest, caller, old)
    _forgive(written, limits)
    return member.id


def confirm(member: Member, identifier: str, password: str, caller: Caller) -> None:
    """Check the password of somebody who is signed in, under the same limits.
    Raises TooMany, WrongPassword."""
    limits = _limits(identifier, member, caller)
    written = tries.begin(limits)
    if not passwords.verify(member.password_hash, password):
        raise WrongPassword()
    _forgive(written, limits)


def sign_up(
    identifier: str, password: str, name: str, digest: str, caller: Caller, *, language: str = ""
) -> int:
    """A new shopper, signed in at once. Returns the member's id.
    Raises Invalid, IdentifierTaken, TooMany."""
    _, value = identifiers.normalise(identifier)
    passwords.check(password, identifier, value, name)
    if identifiers.find(value):
        raise identifiers.IdentifierTaken()
    tries.begin(
        [Limit("sign_up", caller.subject("address", caller.network), SIGN_UPS_BY_ADDRESS, 3600)]
    )
    return _add_and_admit(value, passwords.hashed(password), name, digest, caller, language)


@repeatable
def _add_and_admit(
    identifier: str, kept: str, name: str, digest: str, caller: Caller, language: str
) -> int:
    with transaction() as session:
        added = new_member(identifier, kept, name=name)
        added.language = language or None
        _keep(session, added.id, digest, caller)
        return added.id


@repeatable
def _admit(member_id: int, kept: str, renewed: str, digest: str, caller: Caller, old: str) -> None:
    # The row is claimed by the hash that was verified: a password that was changed, or an account
    # that was closed, since then must not leave a sign-in behind.
    with transaction() as session:
        claimed = session.execute(
            update(Member)
            .where(
                Member.id == member_id,
                Member.password_hash == kept,
                Member.disabled_at.is_(None),
            )
            .values(password_hash=renewed)
        )
        if not claimed.rowcount:  # type: ignore[attr-defined]
            raise WrongPassword()
        end(old)
        _keep(session, member_id, digest, caller)


def _keep(session: Session, member_id: int, digest: str, caller: Caller) -> None:
    now = clock.now()
    session.add(
        SignIn(
            digest=digest, member_id=member_id, device=caller.browser[:200],
            address=caller.address[:45], created_at=now, seen_at=now,
            expires_at=now + timedelta(days=caller.days),
        )
    )  # fmt: skip


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
        .where(
            and_(SignIn.id == sign_in_id, SignIn.member_id == member_id),
            SignIn.ended_at.is_(None),
        )
        .values(ended_at=clock.now())
    )


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
    return clock.now() - seen_at > _SEEN_EVERY


@repeatable
def see(digest: str) -> None:
    """Note that the browser was here now (opener)."""
    with transaction() as session:
        session.execute(update(SignIn).where(SignIn.digest == digest).values(seen_at=clock.now()))


def device_mark(key: bytes, device_id: str, member_id: int) -> str:
    """What a device keeps once a member signed in on it: it has an allowance of its own, so that
    guesses from elsewhere never lock its owner out."""
    return ids.mac(key, "device", device_id, str(member_id), length=26)


def _limits(identifier: str, member: Member | None, caller: Caller) -> list[Limit]:
    try:
        person = identifiers.normalise(identifier)[1]
    except Invalid:
        person = identifier[:254]
    device_id, *marks = caller.device.split(".")
    if member and marks:
        expected = device_mark(caller.key, device_id, member.id)
        if any(ids.same(mark, expected) for mark in marks):
            subject = caller.subject("device", device_id, str(member.id))
            return [Limit("sign_in_device", subject, caller.most_wrong)]
    return [
        Limit("sign_in_pair", caller.subject("pair", person, caller.network), caller.most_wrong),
        Limit("sign_in_person", caller.subject("person", person), WRONG_BY_PERSON),
        Limit("sign_in_address", caller.subject("address", caller.network), WRONG_BY_ADDRESS),
    ]


@repeatable
def _forgive(written: list[int], limits: list[Limit]) -> None:
    # Whoever knows the password starts afresh; but the address does not, or a guesser would sign
    # in to an account of their own now and then.
    own = [limit for limit in limits if limit.scope in ("sign_in_pair", "sign_in_device")]
    with transaction():
        tries.forgive(written, *own)
