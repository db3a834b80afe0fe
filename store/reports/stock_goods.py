"""The goods that questions about stock are about: what is on hand of each, what that is worth, and
how it moved in the days that are looked at.

Sold is what left the shelf for sales, in bundles too, less what came back. The average of what was
on hand over the days comes from the levels of now and what flowed since; no picture of any day has
to be kept. Values are at what one costs now, so that everything on a page fits together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, case, cast, func, or_, select

from .. import catalogue
from ..catalogue.costs import cost_at
from ..catalogue.models import DepositKind, Item
from ..stock.models import Level, Location
from ..stock.work_models import Slip, SlipLine
from . import calendar
from .flows import flows
from .reading import Books
from .stock_asked import Asked

__all__ = ["by_item", "chosen", "is_dead", "on_hand", "places_of", "to_order", "worth"]


def worth(pieces: Any, cost: Any) -> ColumnElement[int]:
    """In minor units, half up; NULL where the cost is not known."""
    value: ColumnElement[int] = (pieces * cost + 50) // 100
    return value


def on_hand(asked: Asked) -> Select[Any]:
    """A row for each item and place that has any of it: item_id, location_id, category_id, brand,
    on_hand, cost (of one, in hundredths of a minor unit) and value_minor; the last two may be
    NULL. Values are rounded here, so that every sum is the sum of what its list shows."""
    cost = cost_at(Item.id, asked.currency).label("cost")
    query = select(
        Item.id.label("item_id"), Level.location_id, Item.category_id, Item.brand, Level.on_hand,
        cost,
    ).join(Item, Item.id == Level.item_id)  # fmt: skip
    of = query.where(Level.on_hand > 0, *chosen(asked, Level.location_id)).subquery("levels").c
    return select(*of, worth(of.on_hand, of.cost).label("value_minor"))


def by_item(books: Books, asked: Asked) -> Subquery:
    """A row for each item that is on hand or was sold: item_id, on_hand, value_minor, cost, sold,
    `stood` (how many there were when the days began), `summed` (what was on hand at the end of each
    of the days, added up), incoming, `known` (for how many of the days the item was there)."""
    span = asked.span
    flowed = flows(books, span)
    flow = flowed.c
    none = func.coalesce
    places = (
        select(
            Level.item_id, Level.location_id, Level.on_hand, none(flow.sold, 0).label("sold"),
            (Level.on_hand - none(flow.quantity, 0)).label("stood"),
            (Level.on_hand * asked.days - none(flow.moved, 0)).label("summed"),
        )
        .join(Item, Item.id == Level.item_id)
        .outerjoin(
            flowed, (flow.item_id == Level.item_id) & (flow.location_id == Level.location_id)
        )
        .where(*chosen(asked, Level.location_id), or_(Level.on_hand > 0, flow.sold != 0))
        .subquery("places")
    )  # fmt: skip
    costs = select(Item.id, cost_at(Item.id, asked.currency).label("cost")).subquery("costs")
    of, coming = places.c, _incoming(asked)
    total = [
        cast(func.sum(each), BigInteger).label(name)
        for name, each in (
            ("on_hand", of.on_hand), ("value_minor", worth(of.on_hand, costs.c.cost)),
            ("sold", of.sold), ("stood", of.stood), ("summed", of.summed),
        )
    ]  # fmt: skip
    found = (
        select(of.item_id, func.max(costs.c.cost).label("cost"), *total)
        .join(costs, costs.c.id == of.item_id)
        .group_by(of.item_id)
        .subquery("found")
    )
    made: Any = Item.created_at
    known = case(
        (made < calendar.midnight(span.first), asked.days),
        else_=span.last - calendar.local_day(made, span) + 1,
    )
    return (
        select(
            *found.c, none(coming.c.incoming, 0).label("incoming"), Item.archived_at,
            known.label("known"),
        )
        .join(Item, Item.id == found.c.item_id)
        .outerjoin(coming, coming.c.item_id == found.c.item_id)
        .subquery("by_item")
    )  # fmt: skip


def is_dead(goods: Any) -> ColumnElement[bool]:
    """It lay there all the days, and none was sold. What is new, or came in these days, is not."""
    dead: ColumnElement[bool] = (goods.on_hand > 0) & (goods.sold <= 0) & (goods.stood > 0)
    return dead


def to_order(asked: Asked, goods: Any) -> ColumnElement[int]:
    """How many to order; 0 or less is none. What is sold in a day goes on until the order is here
    (lead time) with something to spare (safety); where what is on hand and on its way does not last
    for that, as much is ordered as lasts for the days of cover besides, rounded up."""
    plan = asked.plan
    have = goods.on_hand + goods.incoming
    wanted = goods.sold * (plan.lead + plan.safety + plan.cover)
    reached = goods.sold * (plan.lead + plan.safety) >= have * goods.known
    many = (wanted + goods.known - 1) // goods.known - have
    sells = (goods.sold > 0) & goods.archived_at.is_(None)
    return case((sells & reached, many), else_=0)


def _incoming(asked: Asked) -> Subquery:
    """What is under way to the places, by open orders and by transfers that have left."""
    place = func.coalesce(Slip.target_id, Slip.location_id)
    query = (
        select(
            SlipLine.item_id,
            cast(func.sum(SlipLine.expected - SlipLine.done), BigInteger).label("incoming"),
        )
        .join(Slip, Slip.id == SlipLine.slip_id)
        .where(
            Slip.sent_at.is_not(None), Slip.ended_at.is_(None), SlipLine.expected > SlipLine.done,
            Slip.kind.in_(("purchase", "transfer")),
        )
        .group_by(SlipLine.item_id)
    )  # fmt: skip
    if asked.location is None:
        # What goes from one place to another is in the levels already, as stock in transit.
        query = query.where(Slip.kind == "purchase")
    else:
        query = query.where(place == asked.location.id)
    return query.subquery("coming")


def chosen(asked: Asked, location_id: Any) -> list[ColumnElement[bool]]:
    """The house's own goods, at the places and of the kind that are asked for."""
    found: list[Any] = [Item.id.not_in(select(DepositKind.item_id))]
    if catalogue.has_sellers():
        found.append(catalogue.owner_at(Item.id).is_(None))
    if asked.location is not None:
        found.append(location_id == asked.location.id)
    if asked.category is not None:
        found.append(Item.category_id == asked.category.id)
    if asked.brand is not None:
        found.append(Item.brand == asked.brand)
    return found


def places_of(books: Books, item_id: int) -> list[tuple[str, str, int]]:
    """(code, name, on hand) of the places that have any of an item."""
    query = (
        select(Location.code, Location.name, Level.on_hand)
        .join(Location, Location.id == Level.location_id)
        .where(Level.item_id == item_id, Level.on_hand > 0)
        .order_by(Location.id)
    )
    return [(row[0], row[1], row[2]) for row in books.connection.execute(query)]
