"""How fast stock turns: what was sold of it, what lay there on average, and what does not move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, case, cast, func, literal, select, union_all

from ...catalogue.costs import cost_at
from ...catalogue.models import Item
from .. import calendar
from ..calendar import Span, months_of
from ..reading import Books, open_books
from .flows import flow_rows
from .stock_asked import Asked
from .stock_goods import (
    at_places,
    by_item,
    chosen,
    is_dead,
    on_hand,
    to_order,
)

__all__ = ["Month", "Turnover", "months", "turnover", "with_places"]

MONTHS = 12
IN_ALL = 0


@dataclass(frozen=True)
class Turnover:
    """Of goods whose cost is known, at that cost: `sold_minor` is what was sold in the days, and
    `average_minor` what was on hand at the end of each of them, on average. `known` is for how many
    of the days there was anything."""

    days: int
    known: int
    value_minor: int
    sold_minor: int
    average_minor: int
    dead: int
    dead_minor: int
    to_order: int

    @property
    def turns_tenths(self) -> int | None:
        """How many times a year the stock is sold, in tenths, half up. None where there was none,
        and where more came back than was sold, as in quarantine."""
        if self.average_minor <= 0 or self.sold_minor < 0:
            return None
        whole = self.average_minor * self.days
        return (20 * self.sold_minor * 365 + whole) // (2 * whole)

    @property
    def days_left(self) -> int | None:
        """For how many days what is on hand lasts, as it was sold."""
        return self.value_minor * self.known // self.sold_minor if self.sold_minor > 0 else None


def turnover(asked: Asked) -> Turnover:
    """Of all places together: what lies dead here and is sold there is not dead."""
    return with_places(asked)[0]


def with_places(asked: Asked) -> tuple[Turnover, dict[int, Turnover]]:
    """The same, and of each place by itself, by its id; of these what to order is not said. One
    statement, which adds up the rows of items at places once for both."""
    books = open_books()
    places = at_places(books, asked)
    of, here = by_item(books, asked, places).c, places.c
    wanted = case((to_order(asked, of) > 0, 1), else_=0) if asked.since is None else literal(0)
    whole = select(literal(IN_ALL, BigInteger).label("place"), *_sums(of, wanted))
    each = select(here.location_id, *_sums(here, literal(0))).group_by(here.location_id)
    rows = books.connection.execute(union_all(whole, each)).all()
    found = {int(row[0]): _turnover(asked, row[1:]) for row in rows}
    return found.pop(IN_ALL), found


def _sums(of: Any, wanted: Any) -> list[Any]:
    known, dead = of.cost.is_not(None), is_dead(of)
    sums = (
        case((known, of.value_minor), else_=0),
        case((known, of.sold * of.cost), else_=0),
        case((known, of.summed * of.cost), else_=0),
        case((dead, 1), else_=0),
        case((dead, func.coalesce(of.value_minor, 0)), else_=0),
        wanted,
    )
    return [
        func.coalesce(func.max(of.known), 0),
        *(cast(func.coalesce(func.sum(each), 0), BigInteger) for each in sums),
    ]


def _turnover(asked: Asked, row: Sequence[Any]) -> Turnover:
    days, value, sold, summed, many, dead_minor, wanted = row
    return Turnover(
        asked.days, days, value, (sold + 50) // 100,
        (summed + 50 * asked.days) // (100 * asked.days), many, dead_minor, wanted,
    )  # fmt: skip


class Month(NamedTuple):
    """What stock was worth at the end of a month, or of the day that is asked for; at what one
    costs now."""

    span: Span
    value_minor: int


def months(asked: Asked) -> list[Month]:
    """The last twelve months as far as there was anything, the one that runs last: the value of
    the day that is asked for less what flowed since."""
    books = open_books()
    last = asked.span.last
    first = calendar.month_start(last)
    for _ in range(MONTHS - 1):
        first = calendar.month_start(first - 1)
    spans = list(months_of(Span(first, last)))
    flowed = _flowed(books, asked, Span(first, last))
    value, shown = _worth(books, asked)
    found = []
    for span in reversed(spans):
        found.append(Month(span, (value + 50) // 100))
        value -= flowed.get(span.first, 0)
    found[0] = Month(spans[-1], shown)
    found.reverse()
    begun = next((at for at, one in enumerate(found) if one.value_minor), len(found) - 1)
    return found[begun:]


def _worth(books: Books, asked: Asked) -> tuple[int, int]:
    """What stock was worth then: in hundredths of a minor unit, exactly, and as the page says it,
    each line rounded by itself."""
    of = on_hand(books, asked).subquery().c
    sums = (func.sum(of.on_hand * of.cost), func.sum(of.value_minor))
    query = select(*(cast(func.coalesce(each, 0), BigInteger) for each in sums))
    row: Any = books.connection.execute(query).one()
    return row[0], row[1]


def _flowed(books: Books, asked: Asked, span: Span) -> dict[int, int]:
    """{first day of a month: what its flows come to, in hundredths}."""
    rows, costs = (
        flow_rows(books, span, ("day", "item_id", "location_id", "quantity")),
        _costs(asked),
    )
    of = rows.c
    query = (
        select(of.day, cast(func.sum(of.quantity * costs.c.cost), BigInteger))
        .join(Item, Item.id == of.item_id)
        .join(costs, costs.c.id == Item.id)
        .where(*chosen(asked, of.location_id))
        .group_by(of.day)
    )
    sums: dict[int, int] = {}
    for day, value in books.connection.execute(query):
        start = calendar.month_start(day)
        sums[start] = sums.get(start, 0) + int(value or 0)
    return sums


def _costs(asked: Asked) -> Any:
    return select(Item.id, cost_at(Item.id, asked.currency).label("cost")).subquery("costs")
