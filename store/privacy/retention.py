"""Retention: who has not been here for as long as the shop says is told, and later erased.

The worker does this every hour, by bites, each person in a transaction of their own; a killed run
is gone on with by the next one. What must be ended first (`blocks`) keeps an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, insert, or_, select

from .. import clock, identity, post, web
from ..db import connection, db, repeatable, transaction
from ..identity import Member
from ..identity.merged import gone
from ..identity.models import SignIn
from ..payment.models import Account, Transfer
from ..sales.models import Sale
from .erasing import blocks, erase, forget
from .models import ErasureNotice

__all__ = ["NOTICE", "sweep"]

NOTICE = "erasure_notice"
AT_ONCE = 100
MONTH = timedelta(days=30)
AGAIN = timedelta(days=2)


def sweep() -> int:
    """Opener, many times: answers how many people were erased."""
    _once_more()
    months = int(web.setting("KEEP_MEMBERS_MONTHS"))
    if months <= 0:
        return 0
    before = clock.now() - months * MONTH
    for member_id in _each(_unused(before).where(_not_told())):
        _tell(member_id, before)
    told = clock.now() - timedelta(days=int(web.setting("ERASURE_NOTICE_DAYS")))
    known = select(ErasureNotice.member_id).where(ErasureNotice.told_at <= told)
    erased = 0
    for member_id in _each(_unused(before).where(Member.id.in_(known))):
        if not blocks(member_id):
            erase(member_id)
            erased += 1
    return erased


def _unused(before: datetime) -> Select[Any]:
    """Shoppers of whom nothing has been heard since: no visit, no sale, no movement of money."""
    seen = select(SignIn.id).where(SignIn.member_id == Member.id, SignIn.seen_at >= before)
    bought = select(Sale.id).where(Sale.member_id == Member.id, Sale.created_at >= before)
    moved = (
        select(Transfer.id)
        .join(Account, or_(Account.id == Transfer.debit_id, Account.id == Transfer.credit_id))
        .where(Account.member_id == Member.id, Transfer.at >= before)
    )
    return (
        select(Member.id)
        .where(
            Member.role == "shopper", Member.erased_at.is_(None), Member.created_at < before,
            Member.id.not_in(gone()),
            ~seen.exists(), ~bought.exists(), ~moved.exists(),
        )
        .order_by(Member.id)
    )  # fmt: skip


def _not_told() -> Any:
    return Member.id.not_in(select(ErasureNotice.member_id))


def _each(query: Select[Any]) -> Iterator[int]:
    """All whom the query finds, read by bites; nothing is open while one is dealt with."""
    last = 0
    while True:
        bite = query.where(Member.id > last).limit(AT_ONCE)
        found = list(connection().execute(bite).scalars())
        db.session.rollback()
        yield from found
        if len(found) < AT_ONCE:
            return
        last = found[-1]


@repeatable
def _tell(member_id: int, before: datetime) -> None:
    with transaction() as session:
        member = session.scalar(select(Member).where(Member.id == member_id).with_for_update())
        still = session.scalar(_unused(before).where(Member.id == member_id))
        if member is None or still is None or session.get(ErasureNotice, member_id) is not None:
            return
        row = {"member_id": member_id, "told_at": clock.now()}
        session.connection().execute(insert(ErasureNotice), [row])
        to = identity.proven_mail(member_id)
        if to is not None:
            post.put(NOTICE, str(member_id), to, member.language or web.setting("LANGUAGE"))


@repeatable
def _once_more() -> None:
    """Whoever was erased lately may have sent something off at that very moment; and whoever came
    back after being told is not told of any more."""
    with transaction() as session:
        lately = select(Member.id).where(Member.erased_at > clock.now() - AGAIN)
        for member_id in session.scalars(lately).all():
            forget(member_id)
        back = select(SignIn.id).where(
            SignIn.member_id == ErasureNotice.member_id, SignIn.seen_at > ErasureNotice.told_at
        )
        session.execute(
            delete(ErasureNotice).where(back.exists()).execution_options(synchronize_session=False)
        )
