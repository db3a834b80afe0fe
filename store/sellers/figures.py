"""Figures: what was sold for each seller, what they are owed, and what their settlements hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, select

from .. import catalogue
from ..catalogue.models import Seller
from ..catalogue.owners import item_counts
from ..db import connection, db
from ..errors import NotFound
from ..payment.shares import owed_to
from .contracts import in_force
from .models import Payout, Settlement, Share

__all__ = [
    "Entry", "Listed", "Settled", "Sums", "all_entries", "entries", "list_sellers", "settlement",
    "settlements",
    "sums_by_item", "waiting_sums",
]  # fmt: skip

PAGE = 100


class Sums(NamedTuple):
    """What was sold and came back, and how it is divided, in minor units; `pieces` are those sold
    less those that came back."""

    pieces: int = 0
    total_minor: int = 0
    returned_minor: int = 0
    commission_minor: int = 0
    fee_minor: int = 0
    share_minor: int = 0


_SUMS = (
    func.sum(Share.quantity),
    func.sum(case((Share.refund_id == "", Share.total_minor), else_=0)),
    func.sum(case((Share.refund_id == "", 0), else_=-Share.total_minor)),
    func.sum(Share.commission_minor), func.sum(Share.fee_minor), func.sum(Share.share_minor),
)  # fmt: skip


def _sums(values: Any) -> Sums:
    return Sums(*(int(value or 0) for value in values))


@dataclass(frozen=True)
class Listed:
    """A seller as the list shows them: what was sold in the time that is looked at, what is owed
    and in no payout, and what is to be paid out."""

    seller: Any
    contract: Any
    items: int
    sums: Sums
    owed_minor: int
    due_minor: int


def list_sellers(since: datetime, until: datetime, currency: str) -> list[Listed]:
    """All sellers by code, with what was sold for them from `since` until `until`."""
    query = (
        select(Share.seller_id, *_SUMS)
        .where(Share.seller_id.is_not(None), Share.at >= since, Share.at < until)
        .where(Share.currency == currency)
        .group_by(Share.seller_id)
    )
    sums = {row[0]: _sums(row[1:]) for row in connection().execute(query)}
    found = catalogue.sellers(closed=True)
    owed = owed_to([one.code for one in found], currency)
    waiting = select(Payout.seller_id, func.sum(Payout.amount_minor)).where(
        Payout.state == "due", Payout.currency == currency
    )
    due = {row[0]: int(row[1]) for row in connection().execute(waiting.group_by(Payout.seller_id))}
    contracts, items = in_force(), item_counts()
    return [
        Listed(
            one, contracts.get(one.id), items.get(one.id, 0), sums.get(one.id, Sums()),
            owed.get(one.code, 0), due.get(one.id, 0),
        )
        for one in found
    ]  # fmt: skip


class Settled(NamedTuple):
    """A settlement with its seller and its payout, where there is one."""

    settlement: Settlement
    seller: Seller
    payout: Payout | None


def _settled() -> Any:
    return (
        select(Settlement, Seller, Payout)
        .join(Seller, Seller.id == Settlement.seller_id)
        .outerjoin(Payout, Payout.settlement_id == Settlement.id)
    )


def settlement(settlement_id: str) -> Settled:
    """Raises NotFound."""
    row = db.session.execute(_settled().where(Settlement.id == settlement_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such settlement", what="settlement")
    return Settled(*row)


def settlements(
    seller_id: int | None = None, *, before: str = "", limit: int = PAGE, due: bool = False
) -> list[Settled]:
    """Settlements, the newest first; those before one by its id; those whose payout is due."""
    query = _settled().order_by(Settlement.id.desc()).limit(limit)
    if seller_id is not None:
        query = query.where(Settlement.seller_id == seller_id)
    if before:
        query = query.where(Settlement.id < before)
    if due:
        query = query.where(Payout.state == "due")
    return [Settled(*row) for row in db.session.execute(query)]


class Entry(NamedTuple):
    """An entry as pages and files show it."""

    id: int
    at: datetime
    sale_id: str
    refund_id: str
    item_code: str
    names: dict[str, str]
    quantity: int
    currency: str
    total_minor: int
    commission_minor: int
    fee_minor: int
    share_minor: int


def entries(
    seller_id: int, settlement_id: str | None, *, after: int = 0, limit: int = PAGE
) -> list[Entry]:
    """Entries of a settlement, or those that are in none yet, in the order of their booking;
    `after` is the last one of the page before."""
    columns = (
        Share.id, Share.at, Share.sale_id, Share.refund_id, catalogue.Item.code,
        catalogue.Item.names, Share.quantity, Share.currency, Share.total_minor,
        Share.commission_minor, Share.fee_minor, Share.share_minor,
    )  # fmt: skip
    query = select(*columns).join(catalogue.Item, catalogue.Item.id == Share.item_id)
    query = query.where(_of(seller_id, settlement_id), Share.id > after)
    rows = connection().execute(query.order_by(Share.id).limit(limit))
    return [Entry._make(row) for row in rows]


def all_entries(seller_id: int, settlement_id: str) -> Iterator[Entry]:
    """All entries of a settlement, read two thousand at a time."""
    after = 0
    while page := entries(seller_id, settlement_id, after=after, limit=2000):
        yield from page
        after = page[-1].id


def waiting_sums(seller_id: int) -> Sums:
    """Of the entries that are in no settlement yet."""
    query = select(*_SUMS).where(_of(seller_id, None))
    return _sums(connection().execute(query).one())


def sums_by_item(one: Settlement, limit: int) -> list[tuple[str, dict[str, str], Sums]]:
    """(code, names, sums) for each item of a settlement, what brought most first."""
    of = (
        select(Share.item_id, *(column.label(f"sum_{at}") for at, column in enumerate(_SUMS)))
        .where(_of(one.seller_id, one.id))
        .group_by(Share.item_id)
        .subquery()
    )
    item = catalogue.Item
    query = (
        select(item.code, item.names, *(of.c[f"sum_{at}"] for at in range(len(_SUMS))))
        .join(of, of.c.item_id == item.id)
        .order_by(of.c.sum_5.desc(), item.id)
        .limit(limit)
    )
    return [(row[0], row[1], _sums(row[2:])) for row in connection().execute(query)]


def _of(seller_id: int, settlement_id: str | None) -> Any:
    settlement_ = (
        Share.settlement_id.is_(None)
        if settlement_id is None
        else Share.settlement_id == settlement_id
    )
    return and_(Share.seller_id == seller_id, settlement_)
