"""Passkeys: a key on the phone that its owner unlocks with a finger, a face or a number.

What a passkey signs is bound to the shop's own address by the browser, so there are none at an
address that is no name, or without TLS (`site_of`). A challenge is kept here for one browser, some
minutes long, and leaves the table when it is answered: no answer counts twice. Every passkey must
have checked its owner itself (user verification), so that it is a sign of two kinds in one touch.
Source of the rules: W3C Web Authentication, level 2, sections 7.1 and 7.2.
"""

from __future__ import annotations

import ipaddress
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from .. import clock, ids, strict, sweeping
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Refusal
from . import admitting, merged, notices, sign_ins, tries
from .callers import Caller
from .models import Challenge, Member, Passkey
from .sign_ins import MemberDisabled

__all__ = [
    "PasskeyRefused", "Signed", "Site", "TooManyPasskeys", "add", "enter", "of_member", "remove",
    "rename", "signed", "site_of", "sweep", "to_add", "to_enter", "use",
]  # fmt: skip

log = logging.getLogger(__name__)

MINUTES = 10
MOST = 20
LONGEST = 20_000
"""What a browser answers takes one or two thousand characters."""
CHOICE = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED,
    require_resident_key=True,
    user_verification=UserVerificationRequirement.REQUIRED,
)


class PasskeyRefused(Refusal):
    """What came is not an answer to what this browser was asked, or not of a passkey known here."""

    code = "passkey_refused"
    status = 403
    title = "This passkey does not fit"


class TooManyPasskeys(Refusal):
    code = "too_many_passkeys"
    title = "There are as many passkeys as one account can have"


class Site(NamedTuple):
    """What passkeys are bound to: the name, and the whole origin, of the shop."""

    name: str
    origin: str


def site_of(base_url: str) -> Site | None:
    """None where there can be no passkeys: at an IP address, or without TLS (but on this machine
    itself)."""
    parts = urlsplit(base_url)
    name = parts.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if name == "localhost" or (parts.scheme == "https" and "." in name):
            return Site(name, base_url)
    return None


# Adding


def to_add(member: Member, known_by: str, visit: str, site: Site, caller: Caller) -> dict[str, Any]:
    """What the browser is asked, to make a passkey. Raises TooMany, TooManyPasskeys."""
    kept = of_member(member.id)
    db.session.rollback()
    if len(kept) >= MOST:
        raise TooManyPasskeys()
    tries.begin(caller.challenges())
    options = webauthn.generate_registration_options(
        rp_id=site.name, rp_name=site.name, user_name=known_by or str(member.id),
        user_display_name=member.name or known_by or str(member.id),
        user_id=_handle(caller, member.id), authenticator_selection=CHOICE,
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=_bytes(each.credential)) for each in kept
        ],
    )  # fmt: skip
    _keep(options.challenge, visit, member.id)
    return options_to_json_dict(options)


def add(
    member_id: int, answer: str, name: str, visit: str, site: Site,
    fresh_digest: Callable[[], str] | None = None, caller: Caller | None = None,
) -> int:  # fmt: skip
    """Keep the passkey that the browser has made. With a fresh digest and caller for somebody who
    is halfway in, and is in with it: their first second factor. Answers its id. Raises
    PasskeyRefused, TooManyPasskeys, HalfOver."""
    said = _read(answer)
    challenge = _taken(said, visit, member_id)
    try:
        proven = webauthn.verify_registration_response(
            credential=said, expected_challenge=challenge, expected_rp_id=site.name,
            expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
    except Exception as error:  # The library meets rubbish with errors of many kinds.
        raise _refused("added", error) from error
    return _add(
        Passkey(
            member_id=member_id, credential=_text(proven.credential_id),
            public_key=_text(proven.credential_public_key), sign_count=proven.sign_count,
            name=name, created_at=clock.now(),
        ),
        (visit, fresh_digest(), caller) if fresh_digest and caller else None,
    )  # fmt: skip


def _add(passkey: Passkey, halfway: tuple[str, str, Caller] | None) -> int:
    try:
        with transaction() as session:
            session.scalar(
                select(Member.id).where(Member.id == passkey.member_id).with_for_update()
            )
            mine = Passkey.member_id == passkey.member_id
            if (session.scalar(select(func.count(Passkey.id)).where(mine)) or 0) >= MOST:
                raise TooManyPasskeys()
            if halfway:
                if admitting.has_one(passkey.member_id):
                    raise admitting.HalfOver()  # Another browser was faster.
                admitting.finish(*halfway)
            session.add(passkey)
            session.flush()
            notices.tell(passkey.member_id, "passkey_added")
            return passkey.id
    except IntegrityError as error:
        raise _refused("added", error) from error


# Signing in


def to_enter(visit: str, site: Site, caller: Caller) -> dict[str, Any]:
    """What the browser is asked, to sign in with whatever passkey its owner chooses. Raises
    TooMany."""
    tries.begin(caller.challenges())
    options = webauthn.generate_authentication_options(
        rp_id=site.name, user_verification=UserVerificationRequirement.REQUIRED
    )
    _keep(options.challenge, visit, None)
    return options_to_json_dict(options)


class Signed(NamedTuple):
    """A passkey that has signed what this browser was asked: how often it had signed before, and by
    now. It is `use`d in the transaction of what it opens."""

    passkey_id: int
    before: int
    now: int


def signed(answer: str, visit: str, site: Site, caller: Caller) -> tuple[Signed, list[int]]:
    """The passkey that has answered, and the tries to forgive. Raises PasskeyRefused, TooMany."""
    written = tries.begin(caller.wrong_passkeys())
    said = _read(answer)
    challenge = _taken(said, visit, None)
    passkey = db.session.scalar(select(Passkey).where(Passkey.credential == said["id"]))
    theirs = [passkey.member_id, *merged.gone_into(passkey.member_id)] if passkey else []
    db.session.rollback()
    if passkey is None:
        raise _refused("used", LookupError())
    try:
        proven = webauthn.verify_authentication_response(
            credential=said, expected_challenge=challenge, expected_rp_id=site.name,
            expected_origin=site.origin, credential_public_key=_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count, require_user_verification=True,
        )  # fmt: skip
    except Exception as error:
        raise _refused("used", error) from error
    handle = said["response"].get("userHandle")
    # It goes on calling its member what it did, when their account came into another one of theirs.
    if handle and handle.rstrip("=") not in (_text(_handle(caller, each)) for each in theirs):
        raise _refused("used", ValueError())
    return Signed(passkey.id, passkey.sign_count, proven.new_sign_count), written


def use(signed: Signed) -> int:
    """Joiner: whose it is, only where the count is still the one that was looked at: a copied key
    that signs at the same moment is refused, and so is one that was removed meanwhile. Raises
    PasskeyRefused."""
    member_id = in_transaction().scalar(
        update(Passkey)
        .where(Passkey.id == signed.passkey_id, Passkey.sign_count == signed.before)
        .values(sign_count=signed.now, used_at=clock.now())
        .returning(Passkey.member_id)
    )
    if member_id is None:
        raise _refused("used", LookupError())
    return int(member_id)


def enter(
    answer: str, visit: str, site: Site, fresh_digest: Callable[[], str], caller: Caller
) -> tuple[int, str | None]:
    """Sign in with a passkey; answers the member's id and language. Raises PasskeyRefused,
    MemberDisabled, TooMany."""
    found, written = signed(answer, visit, site, caller)
    entered = _enter(found, fresh_digest(), caller, visit)
    with transaction():
        tries.forgive(written)
    return entered


@repeatable
def _enter(found: Signed, digest: str, caller: Caller, visit: str) -> tuple[int, str | None]:
    with transaction() as session:
        member_id = use(found)
        member = session.scalar(select(Member).where(Member.id == member_id).with_for_update())
        if member is None or member.disabled_at:
            raise MemberDisabled()
        sign_ins.end(visit)
        admitting.keep(session, member.id, digest, caller, second=True)
        return member.id, member.language


# What a member has


def of_member(member_id: int) -> list[Passkey]:
    return list(
        db.session.scalars(
            select(Passkey).where(Passkey.member_id == member_id).order_by(Passkey.id)
        )
    )


@repeatable
def rename(member_id: int, passkey_id: int, name: str) -> None:
    """Another's is left alone (opener)."""
    with transaction() as session:
        session.execute(
            update(Passkey)
            .where(Passkey.id == passkey_id, Passkey.member_id == member_id)
            .values(name=name)
        )


@repeatable
def remove(member_id: int, passkey_id: int) -> None:
    """It opens nothing any more; another's is left alone (opener)."""
    with transaction() as session:
        gone = session.execute(
            delete(Passkey).where(Passkey.id == passkey_id, Passkey.member_id == member_id)
        )
        if gone.rowcount:  # type: ignore[attr-defined]
            notices.tell(member_id, "passkey_removed")


# Challenges


@repeatable
def _keep(challenge: bytes, visit: str, member_id: int | None) -> None:
    with transaction() as session:
        session.add(
            Challenge(digest=ids.digest(_text(challenge)), visit=visit, member_id=member_id,
                      expires_at=clock.now() + timedelta(minutes=MINUTES))
        )  # fmt: skip


def _taken(said: dict[str, Any], visit: str, member_id: int | None) -> bytes:
    """The challenge that the answer is to, which leaves the table. Raises PasskeyRefused."""
    try:
        client = strict.read(_bytes(said["response"]["clientDataJSON"]))
        challenge = client["challenge"]
        digest = ids.digest(challenge)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused("read", error) from error
    if not _take(digest, visit, member_id):
        raise _refused("asked for", LookupError())
    return _bytes(challenge)


@repeatable
def _take(digest: str, visit: str, member_id: int | None) -> bool:
    whose = Challenge.member_id.is_(None) if member_id is None else Challenge.member_id == member_id
    with transaction() as session:
        gone = session.execute(
            delete(Challenge).where(
                Challenge.digest == digest, Challenge.visit == visit, whose,
                Challenge.expires_at > clock.now(),
            )
        )  # fmt: skip
        return gone.rowcount == 1  # type: ignore[attr-defined,no-any-return]


def sweep() -> int:
    """Opener: challenges that nobody answered; answers how many."""
    return sweeping.remove(Challenge, Challenge.expires_at < clock.now())


def _read(answer: str) -> dict[str, Any]:
    """What a browser says of a credential, as an object with the fields that are always there."""
    try:
        if len(answer) > LONGEST:
            raise ValueError("this is too long")
        said = strict.read(answer)
        fits = isinstance(said["id"], str) and isinstance(said["response"], dict)
        texts = all(value is None or isinstance(value, str) for value in said["response"].values())
        _bytes(said["id"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused("read", error) from error
    if not fits or not texts or len(said["id"]) > 1400:
        raise _refused("read", ValueError())
    return dict(said) | {"id": said["id"].rstrip("="), "rawId": said["id"].rstrip("=")}


def _refused(what: str, error: Exception) -> PasskeyRefused:
    # The kind of the error tells enough; its text may quote what was sent.
    log.warning("a passkey was not %s: %s", what, type(error).__name__)
    return PasskeyRefused()


def _handle(caller: Caller, member_id: int) -> bytes:
    """What a passkey calls its member: it tells nothing to who finds the phone."""
    return ids.mac(caller.key, "passkey", str(member_id), length=32).encode()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    if not text.isascii():
        raise ValueError("this is no base 64")
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
