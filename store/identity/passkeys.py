"""Passkeys: a key on the phone that its owner unlocks with a finger, a face or a number.

What a passkey signs is bound to the shop's own address by the browser, so there are none at an
address that is no name, or without TLS (`site_of`). What a browser is asked counts once
(`passkey_answers`). Every passkey must have checked its owner itself (user verification), so that
it is a sign of two kinds in one touch.
Source of the rules: W3C Web Authentication, level 2, sections 7.1 and 7.2.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
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

from .. import clock, ids
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Refusal
from . import admitting, merged, notices, sign_ins, tries
from .callers import Caller
from .models import Member, Passkey
from .passkey_answers import PasskeyRefused, as_bytes, as_text, keep, read, refused, taken
from .sign_ins import MemberDisabled

__all__ = [
    "PasskeyRefused", "Signed", "Site", "TooManyPasskeys", "add", "enter", "of_member", "remove",
    "rename", "signed", "site_of", "to_add", "to_enter", "use",
]  # fmt: skip

log = logging.getLogger(__name__)

MOST = 20
CHOICE = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED,
    require_resident_key=True,
    user_verification=UserVerificationRequirement.REQUIRED,
)


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
            PublicKeyCredentialDescriptor(id=as_bytes(each.credential)) for each in kept
        ],
    )  # fmt: skip
    keep(options.challenge, visit, member.id)
    return options_to_json_dict(options)


def add(
    member_id: int, answer: str, name: str, visit: str, site: Site,
    fresh_digest: Callable[[], str] | None = None, caller: Caller | None = None,
) -> int:  # fmt: skip
    """Keep the passkey that the browser has made. With a fresh digest and caller for somebody who
    is halfway in, and is in with it: their first second factor. Answers its id. Raises
    PasskeyRefused, TooManyPasskeys, HalfOver."""
    said = read(answer)
    challenge = taken(said, visit, member_id)
    try:
        proven = webauthn.verify_registration_response(
            credential=said, expected_challenge=challenge, expected_rp_id=site.name,
            expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
    except Exception as error:  # The library meets rubbish with errors of many kinds.
        raise refused("added", error) from error
    return _add(
        Passkey(
            member_id=member_id, credential=as_text(proven.credential_id),
            public_key=as_text(proven.credential_public_key), sign_count=proven.sign_count,
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
        raise refused("added", error) from error


# Signing in


def to_enter(visit: str, site: Site, caller: Caller) -> dict[str, Any]:
    """What the browser is asked, to sign in with whatever passkey its owner chooses. Raises
    TooMany."""
    tries.begin(caller.challenges())
    options = webauthn.generate_authentication_options(
        rp_id=site.name, user_verification=UserVerificationRequirement.REQUIRED
    )
    keep(options.challenge, visit, None)
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
    said = read(answer)
    challenge = taken(said, visit, None)
    passkey = db.session.scalar(select(Passkey).where(Passkey.credential == said["id"]))
    theirs = [passkey.member_id, *merged.gone_into(passkey.member_id)] if passkey else []
    db.session.rollback()
    if passkey is None:
        raise refused("used", LookupError())
    try:
        proven = webauthn.verify_authentication_response(
            credential=said, expected_challenge=challenge, expected_rp_id=site.name,
            expected_origin=site.origin, credential_public_key=as_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count, require_user_verification=True,
        )  # fmt: skip
    except Exception as error:
        raise refused("used", error) from error
    handle = said["response"].get("userHandle")
    # It goes on calling its member what it did, when their account came into another one of theirs.
    if handle and handle.rstrip("=") not in (as_text(_handle(caller, each)) for each in theirs):
        raise refused("used", ValueError())
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
        raise refused("used", LookupError())
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


def _handle(caller: Caller, member_id: int) -> bytes:
    """What a passkey calls its member: it tells nothing to who finds the phone."""
    return ids.mac(caller.key, "passkey", str(member_id), length=32).encode()
