"""The goods behind a figure of stock, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, Subquery, case, cast, func, select

from ...catalogue.models import Item
from ...stock.models import Level
from ...stock.work_models import Slip, SlipLine
from ..models import WHOLE_MONTH
from ..reading import Books, open_books
from .flow_models import Flow
from .flows import sold_of
from .stock_asked import Asked
from .stock_goods import by_item, is_dead, to_order

__all__ = ["KINDS", "Goods", "Listed", "listed"]

KINDS = ("items", "uncosted", "dead", "reorder", "fast", "slow")


class Goods(NamedTuple):
    """An item at the places that are asked for; `cost` is of one, in hundredths of a minor unit,
    and None with `value_minor` where it is not known. `known` is for how many of the days that are
    looked at it was there, `last_sold` the day, None if never since the flows began. `stood` is how
    many there were when these days began, `sold_before` how many were sold in as many days before
    them."""

    item_id: int
    code: str
    names: dict[str, str]
    on_hand: int
    cost: int | None
    value_minor: int | None
    sold: int
    known: int
    incoming: int
    order: int
    last_sold: int | None
    supplier: str
    elsewhere: int
    stood: int
    sold_before: int

    @property
    def days_left(self) -> int | None:
        """For how many days what is on hand lasts, as it was sold; None where none was."""
        return self.on_hand * self.known // self.sold if self.sold > 0 else None


class Listed(NamedTuple):
    """Some of a list, how many it has in all, and how many pieces and what worth that is."""

    goods: Sequence[Goods]
    many: int
    pieces: int
    value_minor: int


def listed(asked: Asked, kind: str, most: int | None, offset: int = 0) -> Listed:
    """One of the lists, from the line at `offset` on; all of it without `most`."""
    books = open_books()
    rows = by_item(books, asked)
    chosen = _chosen(asked, kind, rows)
    of = rows.c
    in_all = chosen.with_only_columns(func.count(), func.sum(of.on_hand), func.sum(of.value_minor))
    many, pieces, worth = books.connection.execute(in_all).one()
    ordered = chosen.order_by(*_order(asked, kind, of), of.item_id).limit(most).offset(offset)
    found = books.connection.execute(ordered).all()
    return Listed(_goods(books, asked, found), many, int(pieces or 0), int(worth or 0))


def _chosen(asked: Asked, kind: str, rows: Subquery) -> Select[Any]:
    of = rows.c
    query = select(
        of.item_id, of.on_hand, of.cost, of.value_minor, of.sold, of.known, of.incoming, of.stood,
        to_order(asked, of).label("to_order"),
    )  # fmt: skip
    if kind == "dead":
        return query.where(is_dead(of))
    if kind == "reorder":
        return query.where(to_order(asked, of) > 0)
    if kind == "fast":
        return query.where(of.sold > 0)
    query = query.where(of.on_hand > 0)
    if kind == "uncosted":
        return query.where(of.cost.is_(None))
    return query.where(of.sold > 0) if kind == "slow" else query


def _order(asked: Asked, kind: str, of: Any) -> list[Any]:
    by_value = func.coalesce(of.value_minor, 0).desc()
    if kind == "dead":
        return [func.coalesce(_last_sold(asked, of.item_id), 0), by_value]
    if kind == "reorder":
        # What is gone first, then what is gone soonest.
        return [(of.on_hand + of.incoming) * 1000 * of.known / of.sold, of.sold.desc()]
    if kind == "fast":
        return [(of.sold * 1000 / of.known).desc(), of.sold.desc()]
    if kind == "slow":
        return [(of.on_hand * 1000 * of.known / of.sold).desc(), by_value]
    return [by_value, of.on_hand.desc()]


def _last_sold(asked: Asked, item_id: Any) -> Any:
    """The last day until then on which any of an item was sold, as far as the flows are summed
    up."""
    # Asked for `months` as a range and in its order, both databases go to the newest day of the
    # item; where it is said to be WHOLE_DAY, SQLite walks through the days of all items instead.
    return (
        select(Flow.day)
        .where(Flow.item_id == item_id, Flow.months < WHOLE_MONTH, Flow.sold > 0)
        .where(Flow.day <= asked.span.last)
        .order_by(Flow.months.desc(), Flow.day.desc())
        .limit(1)
        .correlate_except(Flow)
        .scalar_subquery()
    )


def _goods(books: Books, asked: Asked, rows: Sequence[Any]) -> list[Goods]:
    """What is asked for the rows that are shown only: names, the last sale, where it comes from."""
    known: dict[int, Any] = {}
    before: dict[int, int] = {}
    supplier = (
        select(Slip.title)
        .join(SlipLine, SlipLine.slip_id == Slip.id)
        .where(SlipLine.item_id == Item.id, Slip.kind.in_(("purchase", "delivery")))
        .where(Slip.title != "")
        .order_by(Slip.id.desc()).limit(1).correlate(Item).scalar_subquery()
    )  # fmt: skip
    place = asked.location.id if asked.location else None
    other = case((Level.location_id == place, 0), else_=Level.on_hand) if place else 0
    elsewhere = (
        select(cast(func.coalesce(func.sum(other), 0), BigInteger))
        .where(Level.item_id == Item.id).correlate(Item).scalar_subquery()
    )  # fmt: skip
    columns = (Item.id, Item.code, Item.names, _last_sold(asked, Item.id), supplier, elsewhere)
    for at in range(0, len(rows), 500):
        some = [row.item_id for row in rows[at : at + 500]]
        before |= sold_of(books, asked.before.span, some, place)
        for row in books.connection.execute(select(*columns).where(Item.id.in_(some))):
            known[row[0]] = row
    found = []
    for row in rows:
        _, code, names, last, title, more = known[row.item_id]
        found.append(
            Goods(row.item_id, code, names, row.on_hand, row.cost, row.value_minor, row.sold,
                  row.known, row.incoming, max(0, row.to_order), last, title or "", more,
                  row.stood, before.get(row.item_id, 0))
        )  # fmt: skip
    return found
