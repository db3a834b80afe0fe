"""Identifiers: e-mail addresses and phone numbers, each in one spelling only."""

from __future__ import annotations

import re
import unicodedata

import email_validator
import phonenumbers
from sqlalchemy import Select, select

from ..db import db
from ..errors import Invalid, Refusal
from .models import Identifier, Member, OutsideAccount

__all__ = [
    "IdentifierTaken", "find", "first_of", "holder_of", "home_region", "is_proven", "normalise",
    "of_member", "proven_by", "proven_mail", "proven_mails", "region_of", "set_region",
]  # fmt: skip

# A shop that runs in its own house may give its people addresses of its own network; no mail has
# to reach them for signing in.
for _local in ("local", "test"):
    if _local in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_local)

_PHONE = re.compile(r"[+\d\s().\-/]{3,40}\Z", re.ASCII)

# Where a number without its country code belongs: the shop's own region, told once at the start.
_region: str | None = None


class IdentifierTaken(Refusal):
    """Somebody has an account under this e-mail address or phone number already."""

    code = "identifier_taken"
    title = "There is an account with this e-mail address or phone number already"


def set_region(region: str | None) -> None:
    """The ISO 3166 region of phone numbers that are written without a country code."""
    global _region
    _region = region


def normalise(text: str) -> tuple[str, str]:
    """("email" | "phone", value): small letters and a punycode domain, or E.164.

    Wide letters and digits, as Chinese keyboards give them, are read as plain ones. Letters beyond
    ASCII before the @ are refused: two addresses that look the same would be two members.
    Raises Invalid.
    """
    if len(text) > 254 or any("\ud800" <= character <= "\udfff" for character in text):
        raise _unreadable()
    plain = unicodedata.normalize("NFKC", text).strip()
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cn") for character in plain):
        raise _unreadable()
    return ("email", _email(plain)) if "@" in plain else ("phone", _phone(plain))


def _email(text: str) -> str:
    try:
        read = email_validator.validate_email(
            text, check_deliverability=False, allow_smtputf8=False
        )
    except email_validator.EmailNotValidError as error:
        raise _unreadable() from error
    return (read.ascii_email or read.normalized).lower()


def _phone(text: str) -> str:
    if not _PHONE.match(text):
        raise _unreadable()
    try:
        number = phonenumbers.parse(text, _region)
    except phonenumbers.NumberParseException as error:
        raise _unreadable() from error
    # Possible, not valid: a range that was handed out last month is nobody's typing error.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise _unreadable()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _unreadable() -> Invalid:
    return Invalid("This is neither an e-mail address nor a phone number", field="identifier")


def find(text: str) -> Member | None:
    """The member known by this e-mail address or phone number, in any spelling."""
    try:
        kind, value = normalise(text)
    except Invalid:
        return None
    return db.session.scalar(
        select(Member).join(Identifier).where(Identifier.kind == kind, Identifier.value == value)
    )


def holder_of(kind: str, value: str) -> tuple[Identifier, Member] | None:
    """The sign with this value in its one spelling, and whose it is."""
    row = db.session.execute(
        select(Identifier, Member)
        .join(Member, Member.id == Identifier.member_id)
        .where(Identifier.kind == kind, Identifier.value == value)
    ).first()
    return (row[0], row[1]) if row else None


def region_of(number: str) -> str:
    """The country of a number in E.164, as ISO 3166 has it; empty where nobody can tell."""
    read = phonenumbers.parse(number)
    return (
        phonenumbers.region_code_for_number(read)
        or phonenumbers.region_code_for_country_code(read.country_code or 0)
        or ""
    )


def home_region() -> str:
    """The country of numbers that are written without one."""
    return _region or ""


_FIRST = (Identifier.first_at.is_(None), Identifier.first_at.desc(), Identifier.id)


def first_of(member_id: int) -> str:
    """What a member is known by first; empty where all their signs have gone to somebody else."""
    found = of_member(member_id)
    return found[0].value if found else ""


def of_member(member_id: int) -> list[Identifier]:
    return list(
        db.session.scalars(
            select(Identifier).where(Identifier.member_id == member_id).order_by(*_FIRST)
        )
    )


def is_proven(member_id: int) -> bool:
    """Whether a member has shown an address, or an account elsewhere, to be theirs."""
    mine = (Identifier.member_id == member_id, Identifier.proven_at.is_not(None))
    ways = (
        select(Identifier.id).where(*mine),
        select(OutsideAccount.id).where(OutsideAccount.member_id == member_id),
    )
    return any(db.session.scalar(way.limit(1)) is not None for way in ways)


def proven_mails(member_id: int) -> list[str]:
    """The e-mail addresses that a member has shown to be theirs."""
    query = select(Identifier.value).where(
        Identifier.member_id == member_id, Identifier.kind == "email",
        Identifier.proven_at.is_not(None),
    )  # fmt: skip
    return list(db.session.scalars(query))


def proven_mail(member_id: int) -> str | None:
    """The e-mail address that a member has shown to be theirs; of several the first."""
    return _proven(member_id, "email")


def proven_phone(member_id: int) -> str | None:
    """The phone number that a member has shown to be theirs; of several the first."""
    return _proven(member_id, "phone")


def proven_by(kind: str) -> Select[int]:
    """A query of all members who have proven an address of this kind: email or phone."""
    query = select(Identifier.member_id).where(
        Identifier.kind == kind, Identifier.proven_at.is_not(None)
    )
    return query.distinct()


def _proven(member_id: int, kind: str) -> str | None:
    query = select(Identifier.value).where(
        Identifier.member_id == member_id, Identifier.kind == kind,
        Identifier.proven_at.is_not(None),
    )  # fmt: skip
    return db.session.scalar(query.order_by(*_FIRST).limit(1))
