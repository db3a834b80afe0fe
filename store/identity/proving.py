"""Proving that another account is one's own, too, while signed in to the first.

What opens the other account proves it: a code to an address that it has proven, its password, or
its passkey; and its second factor, where it has one. The proof counts in this browser alone, for
ten minutes, once. Nothing of the other account is told before that, not even that there is one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from .. import clock, ids, sweeping
from ..db import db, in_transaction, repeatable, transaction
from ..errors import Refusal
from . import codes, entering, factors, identifiers, passkeys, passwords, tries
from .callers import Caller
from .entering import MoreNeeded
from .factor_models import Factor
from .merge_models import MergeProof
from .models import Identifier, Member
from .sign_ins import MemberDisabled, WrongPassword

__all__ = [
    "MINUTES", "MergeBlocked", "NoOtherAccount", "Proof", "ProofOver", "by_code", "by_passkey",
    "by_password", "let_go", "second", "standing", "sweep", "take",
]  # fmt: skip

MINUTES = 10


class NoOtherAccount(Refusal):
    """Who has proven this address, or given this key, has no account there beside their own."""

    code = "no_other_account"
    title = "There is no other account to bring here"


class MergeBlocked(Refusal):
    """Something must be ended first. `data`: why, a list of works_here, open_payments."""

    code = "merge_blocked"
    title = "Something must be ended before the accounts can come together"


class ProofOver(Refusal):
    """The other account was not shown in this browser in the last minutes; or one of the two has
    been closed, or brought elsewhere, meanwhile."""

    code = "merge_proof_over"
    title = "Please show once more that the other account is yours"


class Proof(NamedTuple):
    """What was shown of another account. `owes_second`: its second factor is still asked for."""

    id: str
    other_id: int
    how: str
    owes_second: bool


def by_code(member_id: int, visit: str, typed: str, caller: Caller) -> None:
    """With the code that was sent to an address which the other account has proven. Raises
    CodeOver, TooMany, WrongCode, NoOtherAccount, MoreNeeded, MemberDisabled, MergeBlocked."""
    found, written = codes.try_code(visit, typed, caller)
    refusal = _by_code(member_id, visit, found, caller)
    with transaction():
        tries.forgive(written)
    if refusal is not None:
        raise refusal


@repeatable
def _by_code(member_id: int, visit: str, found: codes.Sent, caller: Caller) -> Refusal | None:
    """The code is used, whatever it leads to."""
    with transaction() as session:
        codes.use(found.id, done=True)
        row = session.execute(
            select(Identifier, Member)
            .join(Member, Member.id == Identifier.member_id)
            .where(Identifier.kind == found.kind, Identifier.value == found.value)
        ).first()
        if row is None:
            return NoOtherAccount()
        sign, other = row
        if other.id != member_id and (
            sign.proven_at is None or entering.why_more(session, sign, other, caller)
        ):
            return MoreNeeded()
        refusal = _why_not(member_id, other)
        if refusal is None:
            _keep(session, member_id, other.id, visit, "code")
        return refusal


def by_password(member_id: int, typed: str, password: str, visit: str, caller: Caller) -> None:
    """With its password, guessed under the limits of signing in; whether it fits nobody or there is
    nobody is the same from outside. Raises TooMany, WrongPassword, NoOtherAccount, MemberDisabled,
    MergeBlocked."""
    other = identifiers.find(typed)
    written = tries.begin(caller.wrong_passwords(typed, other))
    kept = other.password_hash if other else None
    if not passwords.verify(kept, password) or other is None or kept is None:
        raise WrongPassword()
    if refusal := _why_not(member_id, other):
        raise refusal
    _by_password(member_id, other.id, kept, visit)
    with transaction():
        tries.forgive(written)


@repeatable
def _by_password(member_id: int, other_id: int, kept: str, visit: str) -> None:
    with transaction() as session:
        # Claimed by the hash that was verified, as when signing in.
        query = select(Member).where(Member.id == other_id, Member.password_hash == kept)
        other = session.scalar(query.with_for_update().execution_options(populate_existing=True))
        if other is None:
            raise WrongPassword()
        if refusal := _why_not(member_id, other):
            raise refusal
        _keep(session, member_id, other_id, visit, "password")


def by_passkey(
    member_id: int, answer: str, visit: str, site: passkeys.Site, caller: Caller
) -> None:
    """With its passkey, which is both factors at once. Raises PasskeyRefused, TooMany,
    NoOtherAccount, MemberDisabled, MergeBlocked."""
    signed, written = passkeys.signed(answer, visit, site, caller)
    _by_passkey(member_id, signed, visit)
    with transaction():
        tries.forgive(written)


@repeatable
def _by_passkey(member_id: int, signed: passkeys.Signed, visit: str) -> None:
    with transaction() as session:
        other = session.get_one(Member, passkeys.use(signed), populate_existing=True)
        if refusal := _why_not(member_id, other):
            raise refusal
        _keep(session, member_id, other.id, visit, "passkey", second_at=clock.now())


def _why_not(member_id: int, other: Member) -> Refusal | None:
    """What keeps this account, which somebody has just opened, from coming into theirs."""
    if other.id == member_id:
        return NoOtherAccount()
    if other.disabled_at is not None:
        return MemberDisabled()
    return MergeBlocked(why=["works_here"]) if other.role != "shopper" else None


def _keep(
    session: Session, member_id: int, other_id: int, visit: str, how: str,
    second_at: datetime | None = None,
) -> None:  # fmt: skip
    session.execute(delete(MergeProof).where(MergeProof.visit == visit))
    session.add(
        MergeProof(id=ids.new(), visit=visit, member_id=member_id, other_id=other_id, how=how,
                   second_at=second_at, expires_at=clock.now() + timedelta(minutes=MINUTES))
    )  # fmt: skip


def second(member_id: int, visit: str, typed: str, caller: Caller) -> None:
    """The other account's second factor: a code of its app or of its paper. Raises ProofOver,
    TooMany, WrongFactor."""
    found = standing(member_id, visit)
    db.session.rollback()
    if found is None:
        raise ProofOver()
    written = tries.begin(caller.wrong_factors(found.other_id))
    _second(found, typed, caller)
    with transaction():
        tries.forgive(written)


@repeatable
def _second(found: Proof, typed: str, caller: Caller) -> None:
    with transaction() as session:
        factors.use(session, found.other_id, typed, caller)
        session.execute(
            update(MergeProof).where(MergeProof.id == found.id).values(second_at=clock.now())
        )


def standing(member_id: int, visit: str) -> Proof | None:
    """What this member has shown in this browser, while it counts."""
    query = select(MergeProof.id, MergeProof.other_id, MergeProof.how, ~_whole()).where(
        *_live(member_id, visit)
    )
    row = db.session.execute(query).first()
    return Proof(row[0], row[1], row[2], bool(row[3])) if row else None


def take(member_id: int, visit: str, proof_id: str) -> tuple[int, str]:
    """Joiner, and the guard: the proof leads to one merge. Answers the other account, and how it
    was shown. Raises ProofOver."""
    taken = delete(MergeProof).where(
        *_live(member_id, visit), MergeProof.id == proof_id, _whole()
    ).returning(MergeProof.other_id, MergeProof.how)  # fmt: skip
    row = in_transaction().execute(taken).first()
    if row is None:
        raise ProofOver()
    return row[0], row[1]


@repeatable
def let_go(member_id: int, visit: str) -> None:
    """Opener: they leave it at two accounts."""
    with transaction() as session:
        session.execute(delete(MergeProof).where(*_live(member_id, visit)))


def _live(member_id: int, visit: str) -> tuple[ColumnElement[bool], ...]:
    return (
        MergeProof.visit == visit, MergeProof.member_id == member_id,
        MergeProof.expires_at > clock.now(),
    )  # fmt: skip


def _whole() -> ColumnElement[bool]:
    """Whether the other account's second factor was given, or it has none."""
    has_one = exists().where(Factor.member_id == MergeProof.other_id)
    return or_(MergeProof.second_at.is_not(None), ~has_one)


def sweep() -> int:
    """Opener: proofs of yesterday count no more; answers how many went."""
    return sweeping.remove(MergeProof, MergeProof.expires_at < clock.now())
