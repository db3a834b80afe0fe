"""Tables of identity: members, what they are known by, where they are signed in, what was tried."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

ROLES = ("shopper", "staff", "owner")


class Member(Base):
    """A person: shopper, staff or owner. The sale stands in this row's name. `erased_at`: they have
    gone, and the row is nobody's."""

    __tablename__ = "members"
    __table_args__ = (CheckConstraint("role IN ('shopper', 'staff', 'owner')", name="role"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    role: Mapped[str] = mapped_column(String(16), default="shopper")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(Moment)
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)
    erased_at: Mapped[datetime | None] = mapped_column(Moment)


class StaffRight(Base):
    """What an owner has said that one person of the staff may; without a row it is what staff
    usually may."""

    __tablename__ = "staff_rights"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    rights: Mapped[list[str]] = mapped_column(JSON)
    set_at: Mapped[datetime] = mapped_column(Moment)


class Identifier(Base):
    """One sign that a member is known by: an e-mail address or a phone number, proven or not. The
    one that was made first last (`first_at`) is what the shop calls them by."""

    __tablename__ = "identifiers"
    __table_args__ = (UniqueConstraint("kind", "value"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(254))
    proven_at: Mapped[datetime | None] = mapped_column(Moment)
    first_at: Mapped[datetime | None] = mapped_column(Moment)


class IdentifierChange(Base):
    """What became of a sign: `proven` by a member, `removed` by one, or `moved` away from one, to
    whom it belonged until then, because somebody else has proven it. Only added to."""

    __tablename__ = "identifier_changes"
    __table_args__ = (CheckConstraint("what IN ('proven', 'moved', 'removed')", name="what"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(254))
    what: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(Moment)


class Code(Base):
    """A one-time code that was sent, for the browser with this visit cookie alone. The code itself
    is kept as an authentication code under the shop's key. `used_at`: the right one was typed;
    `done_at`: it led to a sign-in, or was put aside by a newer one."""

    __tablename__ = "codes"
    __table_args__ = (
        CheckConstraint("tries BETWEEN 0 AND 5", name="tries"),
        CheckConstraint("sent IN ('soon', 'sent', 'failed')", name="sent"),
        Index(
            "ix_codes_open", "visit",
            sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    visit: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(254))
    mark: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    sent: Mapped[str] = mapped_column(String(8), default="soon")
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    done_at: Mapped[datetime | None] = mapped_column(Moment)


class Passkey(Base):
    """A passkey: its id and public key in URL-safe base 64, and how often it has signed, where it
    counts."""

    __tablename__ = "passkeys"
    __table_args__ = (CheckConstraint("sign_count >= 0", name="sign_count"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    credential: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[str] = mapped_column(Text)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class Challenge(Base):
    """What a browser was asked to sign with a passkey: to add it to the member, or to sign in. It
    leaves the table with the answer."""

    __tablename__ = "challenges"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    visit: Mapped[str] = mapped_column(String(64))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class OutsideAccount(Base):
    """An account elsewhere that opens this one: the provider's name for a person. `openid` is what
    WeChat calls them inside its own app, where they pay."""

    __tablename__ = "outside_accounts"
    __table_args__ = (UniqueConstraint("provider", "subject"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    provider: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(255))
    openid: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class UsedState(Base):
    """A state that came back from a provider, so that it does so once."""

    __tablename__ = "used_states"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class SignIn(Base):
    """A place where a member is signed in: one browser. The cookie's secret is kept as a digest.
    `second_at`: when a second factor was given there."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    device: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    second_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class Token(Base):
    """A key for the API, shown once; it carries scopes and is kept as a digest."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    name: Mapped[str] = mapped_column(String(80), default="")
    scopes: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class Try(Base):
    """One counted try (a wrong password, a sign-up), so that limits hold over all processes and
    restarts. `subject` is a digest: the table says nothing about people."""

    __tablename__ = "tries"
    __table_args__ = (Index("ix_tries_scope_subject_at", "scope", "subject", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, index=True)


class Pin(Base):
    """The six digits with which a member confirms what is above a limit, as a hash."""

    __tablename__ = "pins"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(Moment)
