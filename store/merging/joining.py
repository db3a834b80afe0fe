"""Joining: one account of a person comes into another one of theirs, in one transaction.

Money, points, sales, orders, returns, cards, coupons, baskets, addresses and signs are the kept
account's; what was the other's is written down, so that the two can be told apart in the history.
Nothing is made and nothing is lost: each sum over both accounts is what it was. A payment on its
way must end first, because whoever began it is told what became of it.

A request of the other account that had begun before may write something in its name afterwards. The
worker goes once more over what was joined lately, and it follows.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import literal, select
from sqlalchemy.exc import IntegrityError

from .. import clock
from ..db import Base, db, in_transaction, insert_new, repeatable, transaction
from ..identity import merges, proving
from ..identity.merge_models import Merge
from ..identity.proving import MergeBlocked, ProofOver
from ..membership import consents
from ..membership import joining as points_joining
from ..payment import joining as money_joining
from ..reports.claimed import pass_on
from ..sales import joining as sales_joining
from .models import MergedSale
from .tables import GOES, MOVES

__all__ = ["blocks", "join", "sweep"]

AT_ONCE = 500
AGAIN = timedelta(days=40)
"""Longer than any payment is on its way."""


def blocks(gone_id: int) -> list[str]:
    """What must be ended before an account comes into another one, by code."""
    return ["open_payments"] if money_joining.is_paying(gone_id) else []


def join(member_id: int, visit: str, proof_id: str) -> str:
    """Opener: the account that this member has shown to be theirs, too, in the browser with this
    digest of the visit cookie, comes into theirs. Answers the merge; again the same. Raises
    ProofOver, MergeBlocked."""
    try:
        return _join(member_id, visit, proof_id)
    except (IntegrityError, ProofOver):
        # The kept account's own sale took the same key in between, or the same tap came twice at
        # once and the other one was faster: decided again.
        return _join(member_id, visit, proof_id)


@repeatable
def _join(member_id: int, visit: str, proof_id: str) -> str:
    with transaction() as session:
        done = select(Merge.id).where(Merge.id == proof_id, Merge.kept_id == member_id)
        if session.scalar(done) is not None:
            return proof_id
        found = proving.standing(member_id, visit)
        if found is None:
            raise ProofOver()
        merges.hold(member_id, found.other_id)  # Before the proof: so that nobody waits crosswise.
        gone_id, how = proving.take(member_id, visit, proof_id)
        sales_joining.sales_of(gone_id)  # Who gives back of one of them is first, or waits.
        if why := blocks(gone_id):
            raise MergeBlocked(why=why)
        merges.swallow(proof_id, member_id, gone_id, how)
        consents.move(gone_id, member_id)
        _bring(proof_id, gone_id, member_id)
        return proof_id


def _bring(merge_id: str, gone_id: int, kept_id: int) -> None:
    """Joiner: everything that is in the name of the account that has gone. Again brings what came
    since."""
    session = in_transaction()
    money_joining.join(gone_id, kept_id)
    came = sales_joining.sales_of(gone_id)
    sales_joining.join(gone_id, kept_id)
    for name, column in MOVES:
        table = Base.metadata.tables[name]
        mine = table.c[column] == gone_id
        session.execute(table.update().where(mine).values({column: kept_id}))
    for name, column in GOES:
        table = Base.metadata.tables[name]
        session.execute(table.delete().where(table.c[column] == gone_id))
    points_joining.join(gone_id, kept_id)
    for at in range(0, len(came), AT_ONCE):
        bite = came[at : at + AT_ONCE]
        rows = [{"merge_id": merge_id, "sale_id": sale} for sale in bite]
        session.execute(insert_new(MergedSale), rows)
        pass_on(bite, gone_id, kept_id)


def sweep() -> int:
    """Opener, many times: what was written down in the name of an account that had gone, by a
    request that had begun before, follows; answers for how many accounts."""
    since = clock.now() - AGAIN
    found = list(db.session.execute(select(Merge.id).where(Merge.at > since)).scalars())
    db.session.rollback()
    return sum(_follow(each) for each in found)


@repeatable
def _follow(merge_id: str) -> bool:
    with transaction() as session:
        found = session.get_one(Merge, merge_id, populate_existing=True)
        if not _is_left(found.gone_id):
            return False
        _bring(merge_id, found.gone_id, found.now_id)
        return True


def _is_left(gone_id: int) -> bool:
    """Whether an account that has gone holds something that nobody brought over."""
    tables = Base.metadata.tables
    accounts, points = tables["accounts"].c, tables["point_accounts"].c
    ways = [
        select(accounts.id).where(accounts.member_id == gone_id, accounts.balance_minor > 0),
        select(points.member_id).where(
            points.member_id == gone_id, points.spendable + points.owed > 0
        ),
    ]
    mine = [("sales", "member_id"), ("attempts", "member_id"), ("baskets", "member_id"), *MOVES]
    for name, column in mine:
        ways.append(select(literal(1)).where(tables[name].c[column] == gone_id))
    return any(in_transaction().execute(way.limit(1)).first() is not None for way in ways)
