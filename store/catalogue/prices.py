"""Prices: which one is in force where, and how a new one begins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, insert, select

from .. import clock, logbook
from ..db import Moment, connection, db, in_transaction
from ..errors import Invalid
from ..money import LARGEST_MINOR, decimals
from ..prepared import Prepared
from .models import Item, Price

# Read when the statement runs, so that a statement that is built once stays right for ever.
_now = bindparam("price_now", type_=Moment(), callable_=clock.now)


def price_in_force(
    item_id: ColumnElement[int] | Any,
    location_id: Any,
    at: datetime | None = None,
    *,
    currency: Any = None,
) -> ColumnElement[int]:
    """An expression for any query over items: the amount in minor units, tax included; NULL where
    there is no price. Of those that have begun (by `at`, else by now, read at each run) the newest
    of this location counts, else the newest for all locations."""
    # Each of the two is the first row of an index, however many prices an item ever had.
    common = [Price.item_id == item_id, Price.starts_at <= (at or _now)]
    if currency is not None:
        common.append(Price.currency == currency)
    everywhere = _first(*common, Price.location_id.is_(None))
    if location_id is None:
        return everywhere
    return func.coalesce(_first(*common, Price.location_id == location_id), everywhere)


def _first(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(Price.amount_minor)
        .where(*conditions)
        .order_by(Price.starts_at.desc(), Price.id.desc())
        .limit(1)
        .correlate_except(Price)
        .scalar_subquery()
    )


def price_began(item_id: ColumnElement[int] | Any, since: datetime) -> ColumnElement[bool]:
    """An expression for any query over items: whether a price of theirs began since then."""
    began = select(Price.id).where(
        Price.item_id == item_id, Price.starts_at >= since, Price.starts_at <= _now
    )
    return began.correlate_except(Price).exists()


def quote(item_ids: Iterable[int], location_id: int | None, currency: str) -> dict[int, int]:
    """{item id: minor units} in one statement. An item that is archived, has no price in this
    currency or does not exist is left out: it is not for sale."""
    ids_ = sorted(set(item_ids))
    if not ids_:
        return {}
    amount = price_in_force(Item.id, location_id, currency=currency)
    query = select(Item.id, amount).where(Item.id.in_(ids_), Item.archived_at.is_(None))
    return {row[0]: row[1] for row in connection().execute(query) if row[1] is not None}


def prices_at(
    item_ids: Iterable[int], location_id: int, currency: str, at: datetime
) -> dict[int, int]:
    """{item id: minor units} as they were in force at a location at a moment, whether or not the
    items are for sale today; without those that had no price."""
    amount = price_in_force(Item.id, location_id, at, currency=currency)
    query = select(Item.id, amount).where(Item.id.in_(set(item_ids)))
    return {row[0]: row[1] for row in connection().execute(query) if row[1] is not None}


def set_price(
    item_id: int,
    amount_minor: int,
    currency: str,
    *,
    location_id: int | None = None,
    starts_at: datetime | None = None,
    made_by: int | None = None,
) -> bool:
    """Joiner: a new price from `starts_at` (now) on; for all locations, or one. Answers False,
    and adds nothing, where that price is in force there already. Raises Invalid."""
    in_transaction()
    decimals(currency)
    if not 0 <= amount_minor <= LARGEST_MINOR:
        raise Invalid("A price is 0 or more, and not larger than any price", field="price")
    begins = starts_at or clock.now()
    where = {"item_id": item_id, "location_id": location_id}
    if location_id is None:
        before = _before.first(item_id=item_id, begins=begins)
    else:
        before = _before_there.first(**where, begins=begins)
    if before == (amount_minor, currency):
        return False
    price = {"currency": currency, "amount_minor": amount_minor, "starts_at": begins}
    _begin.run([where | price | {"made_by": made_by}])
    logbook.note(
        "price.set", item_id, place_id=location_id,
        before=dict(zip(("price_minor", "currency"), before)) if before else None,
        after={"price_minor": amount_minor, "currency": currency}
        | ({"from": starts_at} if starts_at else {}),
    )  # fmt: skip
    return True


def _newest(own: ColumnElement[bool]) -> Any:
    begins = bindparam("begins", type_=Moment())
    return (
        select(Price.amount_minor, Price.currency)
        .where(Price.item_id == bindparam("item_id"), own, Price.starts_at <= begins)
        .order_by(Price.starts_at.desc(), Price.id.desc())
        .limit(1)
    )


# Feeds and imports set thousands of prices in a row: these are compiled once.
_before = Prepared(lambda dialect: _newest(Price.location_id.is_(None)))
_before_there = Prepared(lambda dialect: _newest(Price.location_id == bindparam("location_id")))
_begin = Prepared(
    lambda dialect: insert(Price),
    ("item_id", "location_id", "currency", "amount_minor", "starts_at", "made_by"),
)


def newest_start(item_id: int, location_id: int | None) -> datetime | None:
    """When the newest price that has begun, of this location or of all (None), began."""
    own = Price.location_id.is_(None) if location_id is None else Price.location_id == location_id
    newest = select(func.max(Price.starts_at)).where(
        Price.item_id == item_id, own, Price.starts_at <= clock.now()
    )
    return db.session.scalar(newest)


def prices_of(item_id: int, most: int = 50) -> list[Price]:
    """The newest prices of an item, for the desk."""
    query = select(Price).where(Price.item_id == item_id)
    newest = query.order_by(Price.starts_at.desc(), Price.id.desc()).limit(most)
    return list(db.session.scalars(newest))
