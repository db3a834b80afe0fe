"""What a till should hold: its sales, refunds, empties, couriers' cash and moves that no closed day
has counted yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, select

from ...db import connection, db
from ..models import Empties, Refund, Sale
from ..orders.courier_models import CourierHandIn
from ..returns.return_models import ReturnDecision
from .offline import BEFORE
from .till_models import (
    PayIn,
    Till,
    TillDay,
    TillEntry,
    TillMove,
)

SHOWN = 60
__all__ = ["Entry", "Sum", "days", "entries", "of_day", "seen_of", "sums"]


class Entry(NamedTuple):
    """Something that the till took (above 0) or gave."""

    kind: str
    source_id: str
    means: str
    amount_minor: int
    at: datetime
    late: bool


class Sum(NamedTuple):
    """All entries of one means: `took_minor` and `gave_minor` add up to the amount; of them so many
    were told of late."""

    means: str
    amount_minor: int
    took_minor: int
    gave_minor: int
    many: int
    late: int


def entries(till: Till, day: TillDay | None) -> list[Entry]:
    """What no day of this till has counted, in order of time. Late is what happened before the day
    was opened; without an open day nothing is."""
    since = _since(till)
    opened = day.opened_at if day is not None else None
    found = []
    for query in _queries(till, since):
        for row in connection().execute(query):
            late = opened is not None and row.at < opened
            found.append(Entry(row.kind, str(row.id), row.means, int(row.amount), row.at, late))
    return sorted(found, key=lambda one: (one.at, one.kind, one.source_id))


def _since(till: Till) -> datetime:
    """What is older than this is in a closed day, or can be told of no more."""
    query = select(func.max(TillDay.opened_at)).where(
        TillDay.till_id == till.id, TillDay.closed_at.is_not(None)
    )
    last = connection().scalar(query)
    return till.first_at if last is None else max(till.first_at, last - BEFORE)


def _queries(till: Till, since: datetime) -> Iterator[Select[Any]]:
    here, who, money = till.location_id, till.seller_id, till.currency
    yield _new("sale", Sale.id).add_columns(
        Sale.means.label("means"), (Sale.total_minor + Sale.rounding_minor).label("amount"),
        Sale.created_at.label("at"),
    ).where(
        Sale.sold_by == who, Sale.location_id == here, Sale.channel == "till",
        Sale.currency == money, Sale.created_at >= since,
    )  # fmt: skip
    # What went to the account is not out of the drawer.
    back = Refund.account_minor - Refund.total_minor - Refund.rounding_minor
    brought = (
        select(ReturnDecision.refund_id, func.min(ReturnDecision.location_id).label("place"))
        .group_by(ReturnDecision.refund_id)
        .subquery()
    )
    yield (
        _new("refund", Refund.id)
        .add_columns(
            Sale.means.label("means"), back.label("amount"),
            Refund.created_at.label("at"),
        )
        .join(Sale, Sale.id == Refund.sale_id)
        .outerjoin(brought, brought.c.refund_id == Refund.id)
        .where(
            Refund.made_by == who, Sale.channel == "till", Sale.currency == money,
            func.coalesce(brought.c.place, Sale.location_id) == here,
            Refund.created_at >= since,
        )
    )  # fmt: skip
    yield _new("empties", Empties.id).add_columns(
        Empties.means.label("means"),
        (-Empties.total_minor - Empties.rounding_minor).label("amount"), Empties.at.label("at"),
    ).where(
        Empties.made_by == who, Empties.location_id == here, Empties.currency == money,
        Empties.at >= since,
    )  # fmt: skip
    made = CourierHandIn
    yield (
        _new("courier", made.id)
        .add_columns(
            literal("cash").label("means"), made.counted_minor.label("amount"), made.at.label("at")
        )
        .where(
            made.counted_by == who,
            made.location_id == here,
            made.currency == money,
            made.at >= since,
        )
    )
    yield _new("pay_in", PayIn.id).add_columns(
        PayIn.means.label("means"), PayIn.amount_minor.label("amount"), PayIn.at.label("at")
    ).where(
        PayIn.made_by == who, PayIn.location_id == here, PayIn.currency == money,
        PayIn.at >= since,
    )  # fmt: skip
    yield _new("move", TillMove.id).add_columns(
        literal("cash").label("means"), TillMove.amount_minor.label("amount"),
        TillMove.at.label("at"),
    ).where(TillMove.till_id == till.id)  # fmt: skip


def _new(kind: str, id_: Any) -> Select[Any]:
    """Of things of this kind those that stand in no closed day."""
    counted = select(TillEntry.day_id).where(TillEntry.kind == kind, TillEntry.source_id == id_)
    query: Select[Any] = select(literal(kind).label("kind"), id_.label("id"))
    return query.where(~counted.exists())


def of_day(day_id: str) -> list[Entry]:
    """What a closed day was made of."""
    query = select(
        TillEntry.kind, TillEntry.source_id, TillEntry.means, TillEntry.amount_minor, TillEntry.at,
        TillEntry.late,
    ).where(TillEntry.day_id == day_id)  # fmt: skip
    rows = connection().execute(query.order_by(TillEntry.at, TillEntry.source_id))
    return [Entry(*row) for row in rows]


def sums(found: list[Entry]) -> dict[str, Sum]:
    """The entries by means, cash first."""
    by_means: dict[str, list[Entry]] = {"cash": []}
    for one in found:
        by_means.setdefault(one.means, []).append(one)
    return {
        means: Sum(
            means, sum(one.amount_minor for one in mine),
            sum(one.amount_minor for one in mine if one.amount_minor > 0),
            sum(one.amount_minor for one in mine if one.amount_minor < 0),
            len(mine), sum(one.late for one in mine),
        )
        for means, mine in by_means.items()
    }  # fmt: skip


def seen_of(day: TillDay, found: list[Entry]) -> str:
    """What a page has seen of the till: another sale makes it another."""
    return f"{day.id}:{len(found)}:{sum(one.amount_minor for one in found)}"


def days(
    location_id: int | None = None, seller_id: int | None = None
) -> list[tuple[TillDay, Till]]:
    """The newest closed days: of all tills, of a location, of one seller."""
    query = select(TillDay, Till).join(Till, Till.id == TillDay.till_id)
    if location_id is not None:
        query = query.where(Till.location_id == location_id)
    if seller_id is not None:
        query = query.where(Till.seller_id == seller_id)
    closed = query.where(TillDay.closed_at.is_not(None))
    rows = db.session.execute(closed.order_by(TillDay.closed_at.desc()).limit(SHOWN))
    return [(row[0], row[1]) for row in rows]
