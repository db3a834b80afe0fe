"""Members: adding them, their role, their password, closing and opening their account."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .. import clock, logbook
from ..db import connection, db, in_transaction, repeatable, transaction
from ..errors import Invalid, NotFound, Refusal
from . import merged, passwords, rights
from .factor_models import HalfSignIn
from .identifiers import IdentifierTaken, normalise
from .models import ROLES, Identifier, Member, SignIn
from .roles import PERMISSIONS, allows

__all__ = [
    "LastOwner", "add_member", "by_id", "closed", "disable", "enable", "end_sign_ins",
    "first_owner", "names_of", "new_member", "rename", "set_language", "set_password", "set_role",
    "staff",
]  # fmt: skip

FIRST_OWNER = "owner@shop.local"


class LastOwner(Refusal):
    """Without an owner nobody could make one again."""

    code = "last_owner"
    title = "A shop keeps at least one owner"


def add_member(
    identifier: str, password: str | None, *, role: str = "shopper", name: str = ""
) -> Member:
    """Add a member known by an e-mail address or phone number (joiner).

    Hashes inside the transaction; where many write at once use `new_member` with a hash made
    before. Raises Invalid, IdentifierTaken.
    """
    if password is not None:
        passwords.check(password, identifier)
    kept = None if password is None else passwords.hashed(password)
    return new_member(identifier, kept, role=role, name=name)


def new_member(
    identifier: str, password_hash: str | None, *, role: str = "shopper", name: str = ""
) -> Member:
    """The same with a finished hash. Raises Invalid, IdentifierTaken."""
    session = in_transaction()
    kind, value = normalise(identifier)
    if role not in ROLES:
        raise Invalid(f"A role is one of: {', '.join(ROLES)}", field="role")
    added = Member(name=name, role=role, password_hash=password_hash, created_at=clock.now())
    session.add(added)
    session.flush()
    session.add(Identifier(member_id=added.id, kind=kind, value=value))
    try:
        session.flush()
    except IntegrityError as error:
        raise IdentifierTaken() from error
    logbook.note("person.added", added.id, after={"role": role})
    return added


def by_id(member_id: int) -> Member:
    """Raises NotFound."""
    found = db.session.get(Member, member_id)
    if found is None:
        raise NotFound("There is no such member")
    return found


def closed() -> Select[int]:
    """The ids of members whose account is closed, for rooms that keep something for members."""
    return select(Member.id).where(Member.disabled_at.is_not(None))


def names_of(member_ids: Collection[int]) -> dict[int, str]:
    """How to call these members: their name, else the first thing that they are known by."""
    if not member_ids:
        return {}
    rows = connection().execute(
        select(Member.id, Member.name, func.min(Identifier.value))
        .outerjoin(Identifier, Identifier.member_id == Member.id)
        .where(Member.id.in_(member_ids))
        .group_by(Member.id, Member.name)
    )
    return {row[0]: row[1] or row[2] or "" for row in rows}


def staff() -> list[tuple[Member, str]]:
    """Staff and owners with what they sign in with, owners first."""
    rows = db.session.execute(
        select(Member, func.min(Identifier.value))
        .outerjoin(Identifier, Identifier.member_id == Member.id)
        .where(Member.role != "shopper")
        .group_by(Member.id)
        .order_by(Member.role, Member.name, Member.id)
    )
    return [(row[0], row[1] or "") for row in rows]


def others_who_may(permission: str, but: int) -> bool:
    """Whether somebody else than this member may do it."""
    roles = [role for role, held in PERMISSIONS.items() if permission in held]
    query = select(Member).where(
        Member.role.in_(roles), Member.disabled_at.is_(None), Member.id != but
    )
    # Owners first, of whom the first will do; of staff it is what each of them may.
    return any(allows(member, permission) for member in db.session.scalars(query.order_by("role")))


@repeatable
def first_owner() -> tuple[str, str] | None:
    """Where the shop has no owner: make one with a generated password, and return what they sign
    in with and the password, this once. None where there is one (opener)."""
    password = passwords.generate()
    kept = passwords.hashed(password)
    try:
        with transaction() as session:
            if session.scalar(select(Member.id).where(Member.role == "owner").limit(1)):
                return None
            new_member(FIRST_OWNER, kept, role="owner", name="Owner")
    except IdentifierTaken:
        return None
    return FIRST_OWNER, password


@repeatable
def set_password(member_id: int, password_hash: str) -> None:
    """Set another password and end every sign-in of the member (opener)."""
    with transaction() as session:
        session.execute(
            update(Member).where(Member.id == member_id).values(password_hash=password_hash)
        )
        end_sign_ins(session, member_id)
        logbook.note("password.reset", member_id)


@repeatable
def rename(member_id: int, name: str) -> None:
    with transaction() as session:
        session.execute(update(Member).where(Member.id == member_id).values(name=name))


@repeatable
def set_language(member_id: int, language: str) -> None:
    with transaction() as session:
        session.execute(update(Member).where(Member.id == member_id).values(language=language))


@repeatable
def set_role(member_id: int, role: str) -> None:
    """Raises LastOwner (opener)."""
    with transaction() as session:
        if role != "owner":
            _keep_an_owner(session, member_id)
        locked = select(Member.role).where(Member.id == member_id).with_for_update()
        before = session.scalar(locked)
        session.execute(update(Member).where(Member.id == member_id).values(role=role))
        if role != before:
            rights.take_all(member_id)
        logbook.note("role.set", member_id, before={"role": before}, after={"role": role})


@repeatable
def disable(member_id: int) -> None:
    """Close the account and end every sign-in of it at once; its tokens are dead with it.
    Raises LastOwner (opener)."""
    with transaction() as session:
        _keep_an_owner(session, member_id)
        closed = session.execute(
            update(Member)
            .where(Member.id == member_id, Member.disabled_at.is_(None))
            .values(disabled_at=clock.now())
        )
        end_sign_ins(session, member_id)
        if closed.rowcount:  # type: ignore[attr-defined]
            logbook.note("person.closed", member_id)


@repeatable
def enable(member_id: int) -> None:
    with transaction() as session:
        opened = session.execute(
            update(Member)
            .where(
                Member.id == member_id, Member.disabled_at.is_not(None),
                Member.erased_at.is_(None), Member.id.not_in(merged.gone()),
            )
            .values(disabled_at=None)
        )  # fmt: skip
        if opened.rowcount:  # type: ignore[attr-defined]
            logbook.note("person.opened", member_id)


def end_sign_ins(session: Session, member_id: int, *, but: str = "") -> None:
    session.execute(
        update(SignIn)
        .where(SignIn.member_id == member_id, SignIn.ended_at.is_(None), SignIn.digest != but)
        .values(ended_at=clock.now())
    )
    session.execute(delete(HalfSignIn).where(HalfSignIn.member_id == member_id))


def _keep_an_owner(session: Session, member_id: int) -> None:
    # The owners' rows are locked in id order: two owners who close each other's account at the
    # same moment must not both succeed.
    owners = session.scalars(
        select(Member.id)
        .where(Member.role == "owner", Member.disabled_at.is_(None))
        .order_by(Member.id)
        .with_for_update()
    ).all()
    if list(owners) == [member_id]:
        raise LastOwner("This is the only owner: make another owner first")
