"""Settling: by each seller's calendar, what is theirs of what was sold goes into a settlement.

A settlement is opened with its cut-off, gathers the entries before it by and by, and is closed in
one step: its sums, what is paid out, the ledger's transfer. Each step is a transaction of its own,
guarded by the settlement's row: whoever is killed in between is followed by the next run, and two
at the same time work on the same settlement. An entry is taken once, where it is in no settlement
yet. What is not paid for, held for the shopper, or disputed waits for a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, insert, select, update

from .. import catalogue, clock, ids, logbook, web
from ..catalogue.models import Seller
from ..db import connection, in_transaction, repeatable, transaction
from ..payment.shares import held_sales, settle_with
from ..sales.sold import unpaid_sales
from .contracts import cut_off, in_force
from .models import Payout, Settlement, Share
from .shares import catch_up

__all__ = ["Progress", "due_now", "settle", "sweep"]

BITE = 5_000


class Progress(NamedTuple):
    """How far a run is: entries gathered of those that there are, for one seller; or the sales
    that are booked first, for none."""

    seller: str
    done: int
    in_all: int


def settle(
    codes: Iterable[str] | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[str]:
    """Opener, once for every few thousand entries: settle what the calendars of these sellers, or
    of all, say is to be settled today. Answers the ids of the settlements that were closed."""
    if not catalogue.has_sellers():
        return []
    wanted = None if codes is None else {catalogue.seller_with(code).id for code in codes}
    catch_up(lambda done: on_progress(Progress("", done, 0)))
    closed = []
    for seller in catalogue.sellers(closed=True):
        if wanted is None or seller.id in wanted:
            settlement_id = _open(seller.id)
            if settlement_id is None:
                continue
            _gather(seller.code, settlement_id, on_progress)
            if _close(settlement_id):
                closed.append(settlement_id)
    return closed


def sweep() -> None:
    """What the worker does every hour: a day that has begun is settled without being told."""
    settle()


def due_now(seller_id: int, until: datetime, currency: str) -> ColumnElement[bool]:
    """A condition on entries: the seller's, before the cut-off, in no settlement, and of sales that
    are paid and not held."""
    return and_(
        Share.seller_id == seller_id, Share.settlement_id.is_(None), Share.at < until,
        Share.currency == currency, Share.sale_id.not_in(unpaid_sales()),
        Share.sale_id.not_in(held_sales()),
    )  # fmt: skip


@repeatable
def _open(seller_id: int) -> str | None:
    """Opener: the settlement that gathers, a new one where there is something to settle."""
    contract = in_force()[seller_id]
    today = clock.day_of(clock.now(), web.setting("TIME_ZONE"))
    until, currency = cut_off(contract.calendar, contract.calendar_day, today), _currency()
    begun = _gathering(seller_id)
    if begun is None and not _anything(seller_id, until, currency):
        return None
    with transaction() as session:
        session.execute(select(Seller.id).where(Seller.id == seller_id).with_for_update())
        begun = _gathering(seller_id)
        if begun is not None:
            return begun
        # Asked again: somebody may have settled everything since the first look.
        if not _anything(seller_id, until, currency):
            return None
        last = select(func.max(Settlement.number)).where(Settlement.seller_id == seller_id)
        row = dict.fromkeys(
            ("entries", "total_minor", "returned_minor", "commission_minor", "fee_minor",
             "share_minor", "carried_minor", "payout_minor", "left_minor"), 0,
        ) | {
            "id": ids.new(), "seller_id": seller_id, "number": (session.scalar(last) or 0) + 1,
            "until": until, "state": "gathering", "currency": currency,
            "began_at": clock.now(), "closed_at": None,
        }  # fmt: skip
        session.connection().execute(insert(Settlement), [row])
        return str(row["id"])


def _gathering(seller_id: int) -> str | None:
    query = select(Settlement.id).where(
        Settlement.seller_id == seller_id, Settlement.state == "gathering"
    )
    found: str | None = connection().execute(query).scalar()
    return found


def _anything(seller_id: int, until: datetime, currency: str) -> bool:
    query = select(Share.id).where(due_now(seller_id, until, currency)).limit(1)
    return connection().execute(query).first() is not None


def _gather(code: str, settlement_id: str, on_progress: Callable[[Progress], None]) -> None:
    done, in_all = 0, _left(settlement_id)
    while many := _gather_some(settlement_id):
        done += many
        on_progress(Progress(code, done, max(done, in_all)))


def _left(settlement_id: str) -> int:
    one = connection().execute(select(Settlement.__table__).filter_by(id=settlement_id)).one()
    query = select(func.count()).where(due_now(one.seller_id, one.until, one.currency))
    return int(connection().execute(query).scalar_one())


@repeatable
def _gather_some(settlement_id: str) -> int:
    """Opener: so many entries more go into the settlement, unless it is closed by now; answers how
    many."""
    with transaction() as session:
        one = _locked(settlement_id)
        if one.state != "gathering":
            return 0
        some = select(Share.id).where(due_now(one.seller_id, one.until, one.currency))
        taken = session.execute(
            update(Share)
            .where(Share.id.in_(some.limit(BITE)), Share.settlement_id.is_(None))
            .values(settlement_id=settlement_id)
            .execution_options(synchronize_session=False)
        )
        return int(taken.rowcount)  # type: ignore[attr-defined]


@repeatable
def _close(settlement_id: str) -> bool:
    """Opener: say what the settlement comes to, and that it is to be paid out; answers False where
    somebody else did."""
    with transaction() as session:
        one = _locked(settlement_id)
        sums = _sums(one)
        carried = _carried(one)
        balance = carried + sums["share_minor"]
        values = {
            **sums, "carried_minor": carried, "payout_minor": max(0, balance),
            "left_minor": min(0, balance), "state": "closed", "closed_at": clock.now(),
        }  # fmt: skip
        closed = session.execute(
            update(Settlement)
            .where(Settlement.id == settlement_id, Settlement.state == "gathering")
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        if closed.rowcount != 1:  # type: ignore[attr-defined]
            return False
        if balance > 0:
            _pay(one, balance)
        said = {"settlement": settlement_id, "payout_minor": max(0, balance)}
        logbook.note("seller.settled", one.seller_id, after=said)
        return True


def _sums(one: Any) -> dict[str, int]:
    total = Share.total_minor
    query = select(
        func.count(), func.sum(case((Share.refund_id == "", total), else_=0)),
        func.sum(case((Share.refund_id == "", 0), else_=-total)),
        func.sum(Share.commission_minor), func.sum(Share.fee_minor), func.sum(Share.share_minor),
    ).where(Share.seller_id == one.seller_id, Share.settlement_id == one.id)  # fmt: skip
    names = ("entries", "total_minor", "returned_minor", "commission_minor", "fee_minor",
             "share_minor")  # fmt: skip
    found = in_transaction().execute(query).one()
    return {name: int(amount or 0) for name, amount in zip(names, found)}


def _carried(one: Any) -> int:
    """What the settlement before this one left below zero."""
    query = (
        select(Settlement.left_minor)
        .where(
            Settlement.seller_id == one.seller_id, Settlement.number < one.number,
            Settlement.currency == one.currency,
        )
        .order_by(Settlement.number.desc())
        .limit(1)
    )  # fmt: skip
    return int(in_transaction().scalar(query) or 0)


def _pay(one: Any, amount_minor: int) -> None:
    """Joiner: so much is to be paid out: the payout, and the ledger's transfer."""
    session = in_transaction()
    row = {"settlement_id": one.id, "seller_id": one.seller_id, "amount_minor": amount_minor,
           "currency": one.currency, "state": "due", "reference": "", "steps": 0,
           "created_at": clock.now()}  # fmt: skip
    session.connection().execute(insert(Payout), [row])
    code = session.scalar(select(Seller.code).where(Seller.id == one.seller_id))
    settle_with(str(code), amount_minor, one.currency, one.id)


def _locked(settlement_id: str) -> Any:
    table = Settlement.__table__
    query = select(table).where(table.c.id == settlement_id).with_for_update()
    return in_transaction().execute(query).one()


def _currency() -> str:
    return web.setting("CURRENCY")
