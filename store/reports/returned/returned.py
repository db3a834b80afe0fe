"""What came back: by reason, over time, by goods and places, and what became of it.

Each refund is a return with the reason that was declared, or one without (`NO_RETURN`: by staff, an
order that was cancelled or not found, a correction at the exit). So all reasons together are what
the takings call refunded. Money of a unit is divided among its decisions without a remainder.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, literal, select

from ... import catalogue
from ...catalogue.models import DepositKind, Item
from ...sales.models import (
    Refund,
    RefundLine,
    Sale,
    SaleLine,
)
from ...sales.orders.ordering import SHIPPING_CODE
from ...sales.returns.return_models import REASONS, Return, ReturnDecision
from .. import breakdowns
from ..calendar import Span, bounds, local_day
from ..events import (
    HOUSE,
    Choice,
    goods_chosen,
    of_member,
    owner_of,
)
from ..figures import compared_days, parts_of
from ..filters import Filters
from ..reading import Books, open_books
from .returned_values import Back, Became, Row

__all__ = ["NO_RETURN", "UNSAID", "WHYS", "Back", "Became", "Returned", "Row", "in_all", "lines",
           "returned", "why_of"]  # fmt: skip

UNSAID, NO_RETURN = "unsaid", "no_return"
WHYS = (*REASONS, UNSAID, NO_RETURN)


AT: Any = Refund.created_at


@dataclass(frozen=True)
class Returned:
    """The whole report."""

    filters: Filters
    why: str | None
    figures: Back
    before: Back
    before_span: Span
    before_until: Any
    reasons: list[Row]
    series: list[Row]
    became: list[Became]
    tables: dict[str, list[Row]] = field(default_factory=dict)


def why_of() -> ColumnElement[str]:
    """The reason of a refund, as the database says it."""
    said = (
        select(func.coalesce(func.nullif(Return.why, ""), UNSAID))
        .join(ReturnDecision, ReturnDecision.return_id == Return.id)
        .where(ReturnDecision.refund_id == Refund.id)
        .limit(1)
        .correlate(Refund)
        .scalar_subquery()
    )
    return func.coalesce(said, NO_RETURN)


def returned(filters: Filters, why: str | None) -> Returned:
    """All of it, from one moment."""
    books = open_books()
    past, until = compared_days(filters)
    now = _by_day(books, filters, filters.span, why)
    then = _by_day(books, filters, past, why, until)
    backs = _by_goods(books, filters, filters.span, None)
    these = backs if why is None else _by_goods(books, filters, filters.span, why)
    sold = _sold(books, filters, filters.span, backs)
    earlier = _sold(books, filters, past, _by_goods(books, filters, past, None, until), until)
    before = _sum(then)._replace(sold=sum(earlier.values()))
    in_all_sold = sum(sold.values())
    reasons = [
        Row(key, key, {}, back._replace(sold=in_all_sold), _sum(then, why=key))
        for key in WHYS
        if (back := _sum(now, why=key)).refunds
    ]
    return Returned(
        filters, why, _sum(now)._replace(sold=in_all_sold), before, past, until,
        sorted(reasons, key=lambda row: -row.back.total_minor), _series(filters, now, past, then),
        _became(books, filters, why, _sum(now).total_minor), _tables(books, these, sold),
    )  # fmt: skip


def in_all(filters: Filters, why: str | None) -> Back:
    """The sums alone."""
    return _sum(_by_day(open_books(), filters, filters.span, why))


def lines(filters: Filters, span: Span, why: str | None, columns: Sequence[Any]) -> Select[Any]:
    """A select over the lines of refunds of a span, one row for each."""
    since, until, exact = bounds(span)
    choice = filters.choice
    query = (
        select(*columns)
        .select_from(Refund)
        .join(Sale, Sale.id == Refund.sale_id)
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .join(SaleLine, _sold_line())
        .where(since <= AT, until > AT, *_chosen(choice))
    )
    if not exact:
        query = query.where(local_day(AT, span).between(*span))
    return query if why is None else query.where(why_of() == why)


def _sold_line() -> ColumnElement[bool]:
    return and_(SaleLine.sale_id == Refund.sale_id, SaleLine.position == RefundLine.position)


def _chosen(choice: Choice) -> list[ColumnElement[bool]]:
    found = [
        column == wanted
        for column, wanted in (
            (Sale.currency, choice.currency), (Sale.location_id, choice.location_id),
            (Sale.channel, choice.channel), (Sale.means, choice.means),
            (Sale.sold_by, choice.sold_by),
        )
        if wanted is not None
    ]  # fmt: skip
    return [*found, *of_member(choice), *goods_chosen(choice, RefundLine.item_id)]


def _columns() -> list[Any]:
    units = case((SaleLine.kind.in_(("goods", "part")), RefundLine.quantity), else_=0)
    own = case((SaleLine.kind == "goods", RefundLine.quantity), else_=0)
    return [Refund.id.label("refund_id"), units.label("units"), own.label("own"),
            RefundLine.total_minor]  # fmt: skip


def _sums(of: Any) -> list[Any]:
    return [
        cast(func.count(func.distinct(of.refund_id)), BigInteger),
        *(cast(func.coalesce(func.sum(each), 0), BigInteger)
          for each in (of.units, of.own, of.total_minor)),
    ]  # fmt: skip


Days = list[tuple[int, str, Back]]


def _by_day(books: Books, filters: Filters, span: Span, why: str | None, until: Any = None) -> Days:
    day, reason = local_day(AT, span).label("day"), why_of().label("why")
    each = lines(filters, span, why, [day, reason, *_columns()])
    if until is not None:
        each = each.where(until > AT)
    of = each.subquery().c
    query = select(of.day, of.why, *_sums(of)).group_by(of.day, of.why)
    return [(row[0], row[1], Back(*row[2:])) for row in books.connection.execute(query)]


def _sum(days: Days, why: str | None = None, span: Span | None = None) -> Back:
    total = Back()
    for day, reason, back in days:
        if why in (None, reason) and (span is None or span.first <= day <= span.last):
            total += back
    return total


def _series(filters: Filters, now: Days, past: Span, then: Days) -> list[Row]:
    by = "day" if filters.by == "hour" else filters.by
    shift = filters.span.first - past.first
    return [
        Row(part.first, part.first_date.isoformat(), {}, _sum(now, span=part),
            _sum(then, span=part.moved(-shift)), part)
        for part in parts_of(filters.span, by)
    ]  # fmt: skip


Goods = tuple[int, int, str, int]
"""An item, the place and the channel of its sale, and whose it was then."""


def _by_goods(
    books: Books, filters: Filters, span: Span, why: str | None, until: Any = None
) -> dict[Goods, Back]:
    """What came back, by the goods."""
    # A shop without sellers is not asked of each line whose it was.
    whose = owner_of(RefundLine.item_id) if catalogue.has_sellers() else literal(HOUSE)
    keys = [RefundLine.item_id, Sale.location_id, Sale.channel, whose.label("seller_id")]
    each = lines(filters, span, why, [*keys, *_columns()])
    if until is not None:
        each = each.where(until > AT)
    of = each.subquery().c
    groups = [of.item_id, of.location_id, of.channel, of.seller_id]
    query = select(*groups, *_sums(of)).group_by(*groups)
    return {tuple(row[:4]): Back(*row[4:]) for row in books.connection.execute(query)}


def _sold(
    books: Books, filters: Filters, span: Span, backs: dict[Goods, Back], until: Any = None
) -> dict[Goods, int]:
    """Units sold, by the goods, before what came back of them in the same days."""
    keys = ("item_id", "location_id", "channel", "seller_id")
    no_goods = select(DepositKind.item_id).union_all(
        select(Item.id).where(Item.code == SHIPPING_CODE)
    )
    none = set(books.connection.scalars(no_goods))
    if until is None:
        rows = books.summed(span, filters.choice, keys)
    else:  # Only the last day ends in the middle.
        rows = books.summed(Span(span.last, span.last), filters.choice, keys, before=until)
        if span.days > 1:
            rows += books.summed(Span(span.first, span.last - 1), filters.choice, keys)
    sold: dict[Goods, int] = {}
    for key, many in (
        *((tuple(row[:4]), row.quantity) for row in rows),
        *((key, back.own) for key, back in backs.items()),
    ):
        if key[0] not in none:
            sold[key] = sold.get(key, 0) + many
    return sold


def _became(books: Books, filters: Filters, why: str | None, total: int) -> list[Became]:
    each = ReturnDecision
    running = func.sum(each.quantity).over(
        partition_by=(each.refund_id, each.position), order_by=each.id
    )
    # PostgreSQL makes a numeric of a sum, which would be divided with a fraction.
    so_far = cast(running, BigInteger)
    columns = [each.decision, each.quantity, so_far.label("so_far"),
               RefundLine.total_minor, RefundLine.quantity.label("whole")]  # fmt: skip
    query = lines(filters, filters.span, why, columns).join(
        each, and_(each.refund_id == Refund.id, each.position == RefundLine.position)
    )
    of = query.subquery().c
    share = of.total_minor * of.so_far // of.whole - (
        of.total_minor * (of.so_far - of.quantity) // of.whole
    )
    sums = [cast(func.sum(one), BigInteger) for one in (of.quantity, share)]
    rows = books.connection.execute(select(of.decision, *sums).group_by(of.decision)).all()
    found = {row[0]: Became(*row) for row in rows}
    became = [found[name] for name in ("resell", "quarantine", "scrap") if name in found]
    rest = total - sum(one.total_minor for one in became)
    return [*became, Became("", 0, rest)] if rest else became


def _tables(books: Books, backs: dict[Goods, Back], sold: dict[Goods, int]) -> dict[str, list[Row]]:
    items = {key[0] for key in (*backs, *sold)}
    keys: dict[str, Any] = {
        "items": operator.itemgetter(0), "categories": _category_of(books, items),
        "locations": operator.itemgetter(1), "channels": operator.itemgetter(2),
    }  # fmt: skip
    if catalogue.has_sellers():
        keys["sellers"] = operator.itemgetter(3)
    return {kind: _table(books, kind, backs, sold, key) for kind, key in keys.items()}


def _category_of(books: Books, items: set[int]) -> Any:
    rows = books.connection.execute(select(Item.id, Item.category_id)).all()
    of = {row[0]: row[1] for row in rows if row[0] in items}
    return lambda key: of.get(key[0])


def _table(
    books: Books, kind: str, backs: dict[Any, Back], sold: dict[Any, int], key: Any
) -> list[Row]:
    """What came back most in money first."""
    sums: dict[Any, Back] = {}
    for each, back in backs.items():
        sums[key(each)] = sums.get(key(each), Back()) + back
    of: dict[Any, int] = {}
    for each, many in sold.items():
        of[key(each)] = of.get(key(each), 0) + many
    names = breakdowns.names_of(books, kind, list(sums))
    rows = [Row(one, *names[one], back._replace(sold=of.get(one, 0))) for one, back in sums.items()]
    return sorted(rows, key=lambda row: (-row.back.total_minor, row.code))
