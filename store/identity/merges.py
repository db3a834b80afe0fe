"""Merges: of two accounts of one person one is kept; what they are known by is together there.

This is the room's own part; the whole of it is `store/merging`. What opened the account that has
gone opens it no more: its sign-ins, keys, password and second factor end. Its addresses, outside
accounts and passkeys open the one that is kept. A merge gives no rights: who works here is never
the one that goes.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from .. import clock, logbook
from ..db import in_transaction
from . import members, notices
from .factor_models import Factor, RecoveryCode
from .identifiers import of_member, proven_mails
from .merge_models import Merge, MergeProof
from .models import (
    Challenge,
    Identifier,
    IdentifierChange,
    Member,
    OutsideAccount,
    Passkey,
    Pin,
    SignIn,
    Token,
)
from .proving import MergeBlocked, ProofOver

__all__ = ["hold", "swallow"]


def hold(kept_id: int, gone_id: int) -> None:
    """Joiner: both accounts are ours until the commit, and neither has been closed, or brought
    elsewhere, meanwhile. They are locked in order of their ids, so that of two merges, this way and
    that way, one waits, and then finds nobody. A sale in their name does not wait for that, but for
    its account. Raises ProofOver, MergeBlocked."""
    query = select(Member).where(Member.id.in_([kept_id, gone_id])).order_by(Member.id)
    found = in_transaction().scalars(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    both = {one.id: one for one in found}
    if len(both) != 2 or any(one.disabled_at is not None for one in both.values()):
        raise ProofOver()
    if both[gone_id].role != "shopper":
        raise MergeBlocked(why=["works_here"])


def swallow(merge_id: str, kept_id: int, gone_id: int, how: str) -> None:
    """Joiner: both accounts are held. Who knows one by any sign knows the other by it from now on;
    both hear of it by mail."""
    session, at = in_transaction(), clock.now()
    _tell(kept_id, gone_id)
    name = session.get_one(Member, gone_id).name
    session.execute(
        insert(Merge).values(
            id=merge_id, gone_id=gone_id, kept_id=kept_id, now_id=kept_id, how=how, at=at
        )
    )
    session.execute(update(Merge).where(Merge.now_id == gone_id).values(now_id=kept_id))
    _move_signs(session, kept_id, gone_id)
    _end_ways(session, kept_id, gone_id)
    closed = {"name": "", "password_hash": None, "language": None, "disabled_at": at}
    session.execute(update(Member).where(Member.id == gone_id).values(**closed))
    session.execute(update(Member).where(Member.id == kept_id, Member.name == "").values(name=name))
    logbook.note("person.merged", gone_id, after={"into": kept_id})


def _tell(kept_id: int, gone_id: int) -> None:
    """Who reads either address hears by which other one it came together with."""
    known = {one: of_member(one) for one in (kept_id, gone_id)}
    for one, other in ((kept_id, gone_id), (gone_id, kept_id)):
        of = notices.masked(known[other][0].value) if known[other] else ""
        what = "merged" if one == kept_id else "merged_away"
        notices.tell(one, what, of=of, to=proven_mails(one))


def _move_signs(session: Session, kept_id: int, gone_id: int) -> None:
    """Addresses, outside accounts, passkeys. What the shop calls them by stays what it was."""
    at, mine = clock.now(), of_member(kept_id)
    if mine and mine[0].first_at is None and mine[0].proven_at is not None:
        session.execute(update(Identifier).where(Identifier.id == mine[0].id).values(first_at=at))
    for sign in of_member(gone_id):
        changes = [(gone_id, "moved")] + ([(kept_id, "proven")] if sign.proven_at else [])
        rows = [
            {"member_id": who, "kind": sign.kind, "value": sign.value, "what": what, "at": at}
            for who, what in changes
        ]
        session.execute(insert(IdentifierChange), rows)
    theirs = Identifier.member_id == gone_id
    session.execute(update(Identifier).where(theirs).values(member_id=kept_id, first_at=None))
    for table in (OutsideAccount, Passkey):
        moved = update(table).where(table.member_id == gone_id).values(member_id=kept_id)
        session.execute(moved)


def _end_ways(session: Session, kept_id: int, gone_id: int) -> None:
    """What opened the account that has gone. Where it was open is the person's to see, as before;
    a PIN stays with what it guarded, where the kept account has none."""
    at = clock.now()
    members.end_sign_ins(session, gone_id)
    tokens = update(Token).where(Token.member_id == gone_id, Token.ended_at.is_(None))
    session.execute(tokens.values(ended_at=at))
    for past in (SignIn, Token):
        session.execute(update(past).where(past.member_id == gone_id).values(member_id=kept_id))
    if session.get(Pin, kept_id) is None:
        session.execute(update(Pin).where(Pin.member_id == gone_id).values(member_id=kept_id))
    for table in (Pin, Factor, RecoveryCode, Challenge):
        session.execute(delete(table).where(table.member_id == gone_id))
    of_either = MergeProof.member_id.in_([gone_id, kept_id]) | (MergeProof.other_id == gone_id)
    session.execute(delete(MergeProof).where(of_either))
