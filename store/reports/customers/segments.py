"""Segments: which members something is true of, said by what they bought, where, when, how often.

All that is said must be true at once. What counts sales and money reads the roll-up and what waits
in the outbox, as the pages of takings do, so a figure here is theirs; goods of a category are
looked for in the lines, by the item. One statement answers, however many they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import FromClause, Select, Subquery, except_, func, intersect, select

from ... import clock
from ...catalogue.models import Item
from ...identity.models import Member
from ...sales.models import (
    Basket,
    BasketLine,
    Sale,
    SaleLine,
)
from .. import calendar
from ..calendar import Span, day_number, today
from ..events import NOBODY, Choice
from ..reading import Books, open_books

__all__ = ["LEFT_FOR", "Segment", "count", "members"]

FIRST_DAY = day_number(calendar.FIRST_DATE)
LEFT_FOR = timedelta(hours=1)
"""Goods that are in a basket for less are not left there: their shopper is still in the shop."""


@dataclass(frozen=True)
class Segment:
    """What is true of its members; None does not matter. In the last `days` (or ever) they bought
    `least_times` to `most_times` times, for `least_minor` to `most_minor` less what went back, at
    this place, by this channel, goods of this category among it. They bought nothing anywhere for
    `quiet_days`. They put goods into a basket in the last `left_days`, left them there, and bought
    nothing since. Money is of one currency; sales in others count in nothing but `quiet_days`."""

    currency: str
    days: int | None = None
    least_times: int | None = None
    most_times: int | None = None
    least_minor: int | None = None
    most_minor: int | None = None
    category_id: int | None = None
    location_id: int | None = None
    channel: str | None = None
    quiet_days: int | None = None
    left_days: int | None = None

    @property
    def of_purchases(self) -> bool:
        """Whether its members have bought something at all."""
        asked = (self.days, self.least_times, self.most_times, self.least_minor, self.most_minor,
                 self.location_id, self.channel, self.quiet_days)  # fmt: skip
        return any(one is not None for one in asked)


def count(segment: Segment, *among: Select[Any]) -> list[int]:
    """How many there are, and how many of them are among each of these, which name nobody twice
    (as `member_id`)."""
    books = open_books()
    found = _query(books, segment)
    sides, joined = [one.subquery() for one in among], cast(FromClause, found)
    for side in sides:
        joined = joined.outerjoin(side, side.c.member_id == found.c.id)
    each = [func.count(side.c.member_id) for side in sides]
    return list(books.connection.execute(select(func.count(), *each).select_from(joined)).one())


def members(segment: Segment) -> list[int]:
    """Their numbers, in order."""
    books = open_books()
    found = _query(books, segment)
    return list(books.connection.execute(select(found.c.id).order_by(found.c.id)).scalars())


def _query(books: Books, segment: Segment) -> Subquery:
    """Sets that are cut with each other: each is made once, whatever a planner believes of it."""
    sets = [select(Member.id).where(Member.disabled_at.is_(None), Member.erased_at.is_(None))]
    if segment.of_purchases:
        sets.append(_bought(books, segment))
    if segment.category_id is not None:
        sets.append(_of_category(segment))
    if segment.left_days is not None:
        sets.append(_left(segment.left_days))
    found = (intersect(*sets) if len(sets) > 1 else sets[0]).subquery()
    if segment.quiet_days is None:
        return found
    return except_(select(found.c.id), _not_quiet(books, segment.quiet_days)).subquery()


def _bought(books: Books, segment: Segment) -> Select[Any]:
    """Those whose sales are so many and so much."""
    choice = Choice(
        currency=segment.currency, location_id=segment.location_id, channel=segment.channel
    )
    rows = books.rows(_last(segment.days), choice, ("member_id",))
    times, total = func.sum(rows.c.sales), func.sum(rows.c.total_minor)
    least = 1 if segment.least_times is None else segment.least_times
    query = select(rows.c.member_id).where(rows.c.member_id != NOBODY)
    query = query.group_by(rows.c.member_id).having(times >= least)
    for measure, low, high in (
        (times, None, segment.most_times), (total, segment.least_minor, segment.most_minor),
    ):  # fmt: skip
        if low is not None:
            query = query.having(measure >= low)
        if high is not None:
            query = query.having(measure <= high)
    return query


def _not_quiet(books: Books, days: int) -> Select[Any]:
    """Those who bought something in the last days, in any currency."""
    rows: Subquery = books.rows(_last(days), Choice(), ("member_id",))
    bought = select(rows.c.member_id).where(rows.c.member_id != NOBODY)
    return bought.group_by(rows.c.member_id).having(func.sum(rows.c.sales) > 0)


def _of_category(segment: Segment) -> Select[Any]:
    """Those who bought goods of a category and kept some."""
    query = (
        select(Sale.member_id)
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .join(Item, Item.id == SaleLine.item_id)
        .where(
            Item.category_id == segment.category_id, SaleLine.kind == "goods",
            SaleLine.quantity_refunded < SaleLine.quantity, Sale.member_id.is_not(None),
            Sale.currency == segment.currency,
        )
    )  # fmt: skip
    if segment.days is not None:
        query = query.where(Sale.created_at >= calendar.midnight(_last(segment.days).first))
    if segment.location_id is not None:
        query = query.where(Sale.location_id == segment.location_id)
    if segment.channel is not None:
        query = query.where(Sale.channel == segment.channel)
    return query


def _left(days: int) -> Select[Any]:
    """Those whose basket has goods in it since then, without a sale after it."""
    now = clock.now()
    since = select(Sale.id).where(
        Sale.member_id == Basket.member_id, Sale.created_at >= Basket.updated_at
    )
    return (
        select(Basket.member_id)
        .join(BasketLine, BasketLine.basket_id == Basket.id)
        .where(
            Basket.member_id.is_not(None),
            Basket.updated_at.between(calendar.midnight(_last(days).first), now - LEFT_FOR),
            ~since.exists(),
        )
    )


def _last(days: int | None) -> Span:
    """The last so many days of the shop's calendar, today among them; or all there were."""
    now = day_number(today())
    return Span(FIRST_DAY if days is None else max(now - days + 1, FIRST_DAY), now)
