"""The goods that questions about stock are about: what is on hand of each, what that is worth, and
how it moved in the days that are looked at.

Sold is what left the shelf for sales, in bundles too, less what came back. What was on hand at the
end of a day, and its average over days, comes from the levels of now and what flowed since; no
picture of any day has to be kept. Values are at what one costs now, so that everything on a page,
now and before, fits together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    case,
    cast,
    func,
    or_,
    select,
)

from ... import catalogue
from ...catalogue.costs import cost_at
from ...catalogue.models import DepositKind, Item
from ...stock.models import Level
from ...stock.work_models import Slip, SlipLine
from .. import calendar
from ..reading import Books
from .flows import flows
from .stock_asked import Asked

__all__ = ["at_places", "by_item", "chosen", "is_dead", "on_hand", "to_order", "worth"]


def worth(pieces: Any, cost: Any) -> ColumnElement[int]:
    """In minor units, half up; NULL where the cost is not known."""
    value: ColumnElement[int] = (pieces * cost + 50) // 100
    return value


def on_hand(books: Books, asked: Asked) -> Select[Any]:
    """A row for each item and place that had any of it then: item_id, location_id, category_id,
    brand, on_hand, cost (of one, in hundredths of a minor unit) and value_minor; the last two may
    be NULL. Values are rounded here, so that every sum is the sum of what its list shows."""
    stood, cost = _stood(books, asked).c, cost_at(Item.id, asked.currency).label("cost")
    query = select(
        Item.id.label("item_id"), stood.location_id, Item.category_id, Item.brand, stood.on_hand,
        cost,
    ).join(Item, Item.id == stood.item_id)  # fmt: skip
    of = query.where(stood.on_hand > 0, *chosen(asked, stood.location_id)).subquery("levels").c
    return select(*of, worth(of.on_hand, of.cost).label("value_minor"))


def _stood(books: Books, asked: Asked) -> Any:
    """What was on hand of each item at each place at the end of the last day: the level of now,
    less what flowed since."""
    if asked.since is None:
        return select(Level.item_id, Level.location_id, Level.on_hand).subquery("stood")
    after = flows(books, asked.since, name="after")
    here = (after.c.item_id == Level.item_id) & (after.c.location_id == Level.location_id)
    then = (Level.on_hand - func.coalesce(after.c.quantity, 0)).label("on_hand")
    query = select(Level.item_id, Level.location_id, then).outerjoin(after, here)
    return query.subquery("stood")


def at_places(books: Books, asked: Asked) -> CTE:
    """A row for each item and place where it was on hand or any of it moved: item_id, location_id,
    on_hand, value_minor, cost, sold, `stood` (how many there were when the days began), `summed`
    (what was on hand at the end of each of the days, added up), `known` (for how many of the days
    the item was there) and archived_at."""
    span, none = asked.span, func.coalesce
    stood, flowed = _stood(books, asked).c, flows(books, span)
    flow, made = flowed.c, Item.created_at
    known = case(
        (made < calendar.midnight(span.first), asked.days),
        (made >= calendar.midnight(span.last), 1),
        else_=span.last - calendar.local_day(made, span) + 1,  # type: ignore[arg-type]
    )
    here = (flow.item_id == stood.item_id) & (flow.location_id == stood.location_id)
    places = (
        select(
            stood.item_id, stood.location_id, stood.on_hand, none(flow.sold, 0).label("sold"),
            (stood.on_hand - none(flow.quantity, 0)).label("stood"),
            (stood.on_hand * asked.days - none(flow.moved, 0)).label("summed"),
            known.label("known"), Item.archived_at,
        )
        .join(Item, Item.id == stood.item_id)
        .outerjoin(flowed, here)
        .where(*chosen(asked, stood.location_id), or_(stood.on_hand > 0, flow.item_id.is_not(None)))
        .subquery("places")
    )  # fmt: skip
    costs = select(Item.id, cost_at(Item.id, asked.currency).label("cost")).subquery("costs")
    value = worth(places.c.on_hand, costs.c.cost).label("value_minor")
    query = select(*places.c, costs.c.cost, value).join(costs, costs.c.id == places.c.item_id)
    return query.cte("at_places")


def by_item(books: Books, asked: Asked, places: CTE | None = None) -> Subquery:
    """The same, a row for each item in all the places that are asked for, with what is `incoming`
    now. `places` are those rows, where a statement has them already."""
    of, coming = (at_places(books, asked) if places is None else places).c, _incoming(asked)
    names = ("on_hand", "value_minor", "sold", "stood", "summed")
    found = (
        select(
            of.item_id, func.max(of.cost).label("cost"), func.max(of.known).label("known"),
            func.max(of.archived_at).label("archived_at"),
            *(cast(func.sum(of[name]), BigInteger).label(name) for name in names),
        )
        .group_by(of.item_id)
        .subquery("found")
    )  # fmt: skip
    return (
        select(*found.c, func.coalesce(coming.c.incoming, 0).label("incoming"))
        .outerjoin(coming, coming.c.item_id == found.c.item_id)
        .subquery("by_item")
    )


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
