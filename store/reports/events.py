"""Sales and refunds as rows that can be summed up: the one place that says what counts as takings.

A sale counts in the hour in which it was made, a refund (of all of the sale or of some units, at
the sale's location and in its channel) in the hour in which it was made. The roll-up sums these
rows, and what the roll-up does not have yet is read from them too, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from .. import catalogue
from ..catalogue.models import DepositKind, Item
from ..outbox import Outbox
from ..sales.models import Refund, RefundLine, Sale, SaleLine
from . import calendar
from .calendar import Span, local_day, local_hour

__all__ = [
    "HOUSE", "MEASURES", "NOBODY", "PAID", "REFUNDED", "Choice", "events", "goods_chosen",
    "of_member", "owner_of", "sums", "waiting",
]  # fmt: skip

NOBODY = 0
"""Stands for the member of a sale in nobody's name: what a till sold to somebody it did not know
adds up on one line among the shoppers."""

HOUSE = 0
"""Stands for the seller of what is the house's own. A bundle is: its parts may be many sellers'."""

PAID, REFUNDED = "sale.paid", "sale.refunded"
"""Topics of the outbox; their subjects are the ids of the sale and of the refund."""

_SHORT_DAYS = 35

MEASURES = (
    "sales", "refunds", "quantity", "total_minor", "tax_minor", "refunded_minor", "goods_minor",
    "costed_minor", "cost_minor",
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Which events are wanted; what is None does not matter.

    `settled` is False for those that still wait in the outbox, True for those that do not.
    `paid` and `refunded` name
    sales and refunds. `before` ends the span within its last day.
    """

    settled: bool | None = None
    paid: Sequence[str] | Select[Any] | None = None
    refunded: Sequence[str] | Select[Any] | None = None
    location_id: int | None = None
    channel: str | None = None
    means: str | None = None
    currency: str | None = None
    category_id: int | None = None
    item_id: int | None = None
    member_id: int | None = None
    brand: str | None = None
    seller_id: int | None = None
    sold_by: int | None = None
    by_somebody: bool = False
    before: datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether the events are found by their time; else they are named, or wait, and are few."""
        return self.settled is not False and self.paid is None and self.refunded is None

    @property
    def of_goods(self) -> bool:
        """Whether it is about some of the lines of a sale only."""
        goods = (self.item_id, self.category_id, self.brand, self.seller_id)
        return any(wanted is not None for wanted in goods)


def waiting(topic: str) -> Select[Any]:
    """The sales, or the refunds, whose event is still in the outbox."""
    return select(Outbox.subject).where(Outbox.topic == topic)


def events(span: Span, choice: Choice, *, by_item: bool) -> Subquery:
    """A row for each sale and each refund in the span, or for each item of each of them (with
    whose it was), with its day, hour, place, channel, means, currency, member and the measures."""
    sold = _half(Sale.created_at, span, choice, by_item)
    given_back = _half(Refund.created_at, span, choice, by_item, refund=True)
    both = union_all(sold, given_back).subquery("events")
    if choice.by_time and calendar.bounds(span).exact:
        return both
    return select(both).where(both.c.day.between(span.first, span.last)).subquery()


def sums(rows: FromClause) -> list[ColumnElement[int]]:
    """The measures summed; PostgreSQL makes a numeric of a sum of integers, so it is cast back."""
    return [
        cast(func.coalesce(func.sum(rows.c[name]), 0), BigInteger).label(name) for name in MEASURES
    ]


def _half(
    at: Any,
    span: Span,
    choice: Choice,
    by_item: bool,
    *,
    refund: bool = False,
) -> Select[Any]:
    sign = "-" if refund else ""
    of_lines = RefundLine.__table__ if refund else SaleLine.__table__
    lines = of_lines.c
    total = func.sum(lines.total_minor)
    columns: list[Any] = [
        local_day(at, span).label("day"),
        local_hour(at, span).label("hour"),
        Sale.location_id, Sale.channel, Sale.means, Sale.currency, Sale.sold_by,
        func.coalesce(Sale.member_id, NOBODY).label("member_id"),
        literal_column("0" if refund else "1", BigInteger).label("sales"),
        literal_column("1" if refund else "0", BigInteger).label("refunds"),
        *(
            (literal_column(f"{sign}1", BigInteger) * func.sum(measure)).label(name)
            for name, measure in (
                ("quantity", _counted(lines, all_kinds=by_item or choice.of_goods)),
                ("total_minor", lines.total_minor), ("tax_minor", lines.tax_minor),
                *_margin(lines),
            )
        ),
        (total if refund else literal_column("0", BigInteger)).label("refunded_minor"),
    ]  # fmt: skip
    # The moment leads, or SQLite walks through all sales in the order of their ids to group them.
    groups: list[Any] = [at, Refund.id, Sale.id] if refund else [at, Sale.id]
    if by_item:
        columns += [lines.item_id, owner_of(lines.item_id).label("seller_id")]
        groups.append(lines.item_id)
    tables: FromClause = Sale.__table__
    if refund:
        tables = Refund.__table__.join(tables)
    # SQLite keeps no figures of its tables and would rather read all lines there ever were. So the
    # order is said: for a short time its sales and then their lines, which is what an outer join
    # means to it; for a long time and few goods, the lines of these goods first.
    lines_first = span.days > _SHORT_DAYS and choice.of_goods
    goods = goods_chosen(choice, lines.item_id if lines_first else lines.item_id + 0)
    whose = lines.refund_id == Refund.id if refund else lines.sale_id == Sale.id
    fits = and_(whose, *([] if lines_first else goods), *([] if refund else [lines.kind != "part"]))
    tables = tables.join(of_lines, fits, isouter=not lines_first)
    query = select(*columns).select_from(tables).group_by(*groups)
    query = query.where(*_conditions(at, span, choice, refund), *(goods if lines_first else []))
    return query if lines_first or not goods else query.having(func.count(lines.position) > 0)


def _margin(lines: Any) -> tuple[tuple[str, Any], ...]:
    """What goods brought without tax, as much of it as is known what it cost, and that cost. What
    delivery costs and deposits are no goods."""
    net = lines.total_minor - lines.tax_minor
    if "kind" in lines:
        no_goods = or_(lines.kind == "shipping", lines.kind == "deposit")
    else:
        sold = aliased(SaleLine)
        no_goods = exists().where(
            sold.sale_id == Refund.sale_id, sold.position == lines.position,
            or_(sold.kind == "shipping", sold.kind == "deposit"),
        )  # fmt: skip
    return (
        ("goods_minor", case((no_goods, 0), else_=net)),
        ("costed_minor", case((lines.cost_minor.is_not(None), net), else_=0)),
        ("cost_minor", func.coalesce(lines.cost_minor, 0)),
    )


def _counted(lines: Any, *, all_kinds: bool) -> Any:
    """The units of a line that count as pieces: a bottle's deposit is none beside the bottle, and
    what comes back out of a bundle is not the bundle."""
    if "kind" in lines:
        return lines.quantity if all_kinds else case((lines.kind == "deposit", 0),
                                                     else_=lines.quantity)  # fmt: skip
    sold = aliased(SaleLine)
    of_bundle = exists().where(
        sold.sale_id == Refund.sale_id, sold.position == lines.position, sold.kind == "part"
    )
    none = [(of_bundle, 0)]
    if not all_kinds:
        none.append((lines.item_id.in_(select(DepositKind.item_id)), 0))
    return case(*none, else_=lines.quantity)


def goods_chosen(choice: Choice, item_id: Any) -> list[ColumnElement[bool]]:
    """Conditions on lines. A computed item_id keeps the index on it out of the matter."""
    found: list[ColumnElement[bool]] = []
    if choice.item_id is not None:
        found.append(item_id == choice.item_id)
    if choice.category_id is not None:
        members = select(Item.id).where(Item.category_id == choice.category_id)
        found.append(item_id.in_(members))
    if choice.brand is not None:
        found.append(item_id.in_(select(Item.id).where(Item.brand == choice.brand)))
    if choice.seller_id is not None:
        found.append(owner_of(item_id) == choice.seller_id)
    return found


def owner_of(item_id: Any) -> ColumnElement[int]:
    """Whose the item of a line was when it was sold."""
    return func.coalesce(catalogue.owner_at(item_id, Sale.created_at), HOUSE)


def _conditions(at: Any, span: Span, choice: Choice, refund: bool) -> list[ColumnElement[bool]]:
    subject: Any = Refund.id if refund else Sale.id
    topic = REFUNDED if refund else PAID
    subjects = choice.refunded if refund else choice.paid
    found: list[ColumnElement[bool]] = []
    if subjects is not None:
        found.append(subject.in_(subjects))
    if choice.settled is False:
        # Those that wait are few: they lead, and an index over time would only mislead.
        found.append(subject.in_(waiting(topic)))
    elif choice.settled is True:
        found.append(subject.not_in(waiting(topic)))
    if choice.by_time:
        since, until, _ = calendar.bounds(span)
        found += [at >= since, at < until]
    if choice.before is not None:
        found.append(at < choice.before)
    for column, wanted in (
        (Sale.location_id, choice.location_id), (Sale.channel, choice.channel),
        (Sale.currency, choice.currency), (Sale.means, choice.means),
        (Sale.sold_by, choice.sold_by),
    ):  # fmt: skip
        if wanted is not None:
            found.append(column == wanted)
    if choice.by_somebody:
        found.append(Sale.sold_by.is_not(None))
    return found + of_member(choice)


def of_member(choice: Choice) -> list[ColumnElement[bool]]:
    """The condition that the sales are the wanted member's, or nobody's."""
    if choice.member_id is None:
        return []
    member = None if choice.member_id == NOBODY else choice.member_id
    return [Sale.member_id == member]
