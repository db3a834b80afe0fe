"""The list of sales and refunds that a figure is made of: who, what, where and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select

from .. import identity, stock
from ..catalogue.models import Item
from ..errors import Invalid
from ..sales.models import Refund, RefundLine, Sale, SaleLine
from .calendar import bounds, local_day, local_hour, microseconds, moment_of
from .events import NOBODY, of_member, owner_of
from .filters import Filters
from .reading import Books, open_books

__all__ = ["Entry", "all_entries", "entries", "read_place"]


@dataclass(frozen=True)
class Entry:
    """A sale, or a refund with its amounts below zero. One in nobody's name has NOBODY for a member
    and an empty `who`. Where goods are asked for, `what` and the
    amounts are those of these goods only, so that the list adds up to its figure."""

    id: str
    sale_id: str
    refund: bool
    at: datetime
    location_name: str
    channel: str
    means: str
    currency: str
    member_id: int
    who: str
    what: list[tuple[dict[str, str], int]]
    quantity: int
    total_minor: int
    tax_minor: int
    goods_minor: int
    costed_minor: int
    cost_minor: int

    @property
    def margin_minor(self) -> int | None:
        """What is left of these goods without tax when what they cost is paid, as far as it is
        known; None where nothing is."""
        return self.costed_minor - self.cost_minor if self.costed_minor or self.cost_minor else None

    @property
    def place(self) -> str:
        """Where the list goes on after this entry; see read_place."""
        return f"{microseconds(self.at)}-{self.id}"


Place = tuple[datetime, str]


def read_place(text: str) -> Place | None:
    """The place in the list that an address names. Raises Invalid."""
    if not text:
        return None
    moment, _, entry_id = text.partition("-")
    if not (text.isascii() and moment.isdigit() and len(moment) <= 16 and entry_id.isalnum()):
        raise Invalid("before does not name a place in the list", field="before")
    return moment_of(int(moment)), entry_id[:20]


def entries(filters: Filters, before: Place | None, limit: int) -> list[Entry]:
    """The newest entries, or those that come after a place in the list."""
    return _entries(open_books(), filters, before, limit)


def all_entries(filters: Filters) -> Iterator[Entry]:
    """Every entry, newest first, all of them from one moment; few at a time are in memory."""
    books = open_books()
    before: Place | None = None
    while True:
        found = _entries(books, filters, before, 1000)
        yield from found
        if len(found) < 1000:
            return
        before = (found[-1].at, found[-1].id)


def _entries(books: Books, filters: Filters, before: Place | None, limit: int) -> list[Entry]:
    found: list[Row[Any]] = []
    for refund, kind in ((False, "sales"), (True, "refunds")):
        if filters.kind in ("all", kind):
            found += books.connection.execute(_query(filters, before, limit, refund))
    found.sort(key=attrgetter("at", "id"), reverse=True)
    found = found[:limit]
    lines = _lines(books, filters, found)
    names: dict[int, str] = {}
    for at in range(0, len(found), 500):
        names |= identity.names_of({row.member_id for row in found[at : at + 500]})
    places = {place.id: place.name for place in stock.locations()}
    return [
        _entry(row, lines.get(row.id, []), names.get(row.member_id, ""), places[row.location_id])
        for row in found
    ]


def _query(filters: Filters, before: Place | None, limit: int, refund: bool) -> Select[Any]:
    source: Any = Refund if refund else Sale
    choice, span, at = filters.choice, filters.span, source.created_at
    since, until, exact = bounds(span)
    query = select(
        source.id, Sale.id.label("sale_id"), at.label("at"), Sale.location_id, Sale.channel,
        Sale.currency, func.coalesce(Sale.member_id, NOBODY).label("member_id"), Sale.means,
    ).where(at >= since, at < until)  # fmt: skip
    if not exact:
        query = query.where(local_day(at, span).between(*span))
    if refund:
        query = query.join(Sale, Sale.id == Refund.sale_id)
    if filters.hour is not None:
        query = query.where(local_hour(at, span) == filters.hour)
    if before is not None:
        query = query.where(or_(at < before[0], and_(at == before[0], source.id < before[1])))
    for column, wanted in (
        (Sale.currency, choice.currency), (Sale.location_id, choice.location_id),
        (Sale.channel, choice.channel), (Sale.means, choice.means),
        (Sale.sold_by, choice.sold_by),
    ):  # fmt: skip
        if wanted is not None:
            query = query.where(column == wanted)
    query = query.where(*of_member(choice))
    if choice.of_goods:
        lines = RefundLine.refund_id if refund else SaleLine.sale_id
        if choice.seller_id is None:
            query = query.where(source.id.in_(_of_goods(select(lines), filters, refund)))
        else:  # Whose it was depends on when the sale was made: asked of each sale by itself.
            mine = _of_goods(select(lines).where(lines == source.id), filters, refund)
            query = query.where(mine.exists())
    return query.order_by(at.desc(), source.id.desc()).limit(limit)


def _of_goods(query: Any, filters: Filters, refund: bool) -> Any:
    choice, item_id = filters.choice, RefundLine.item_id if refund else SaleLine.item_id
    if choice.item_id is not None:
        query = query.where(item_id == choice.item_id)
    if choice.category_id is not None:
        members = select(Item.id).where(Item.category_id == choice.category_id)
        query = query.where(item_id.in_(members))
    if choice.brand is not None:
        query = query.where(item_id.in_(select(Item.id).where(Item.brand == choice.brand)))
    if choice.seller_id is not None:
        query = query.where(owner_of(item_id) == choice.seller_id)
    return query


def _lines(
    books: Books, filters: Filters, entries: Sequence[Row[Any]]
) -> dict[str, list[Row[Any]]]:
    """The lines of these sales and refunds, by the id of either."""
    found: dict[str, list[Row[Any]]] = {}
    for refund in (False, True):
        wanted, line = _line_query(refund)
        ids = [row.id for row in entries if (row.id != row.sale_id) == refund]
        for at in range(0, len(ids), 500):
            query = _of_goods(wanted.where(line[0].in_(ids[at : at + 500])), filters, refund)
            for row in books.connection.execute(query.order_by(*line)):
                found.setdefault(row.id, []).append(row)
    return found


def _line_query(refund: bool) -> tuple[Any, tuple[Any, Any]]:
    """The lines of sales or of refunds, and what they are ordered by."""
    if not refund:
        of_sale = select(
            SaleLine.sale_id.label("id"), SaleLine.names, SaleLine.quantity, SaleLine.total_minor,
            SaleLine.tax_minor, SaleLine.cost_minor, SaleLine.kind,
        ).join(Sale, Sale.id == SaleLine.sale_id).where(SaleLine.kind != "part")  # fmt: skip
        return of_sale, (SaleLine.sale_id, SaleLine.position)
    of_refund = (
        select(
            RefundLine.refund_id.label("id"), SaleLine.names, RefundLine.quantity,
            RefundLine.total_minor, RefundLine.tax_minor, RefundLine.cost_minor, SaleLine.kind,
        )
        .join(Refund, Refund.id == RefundLine.refund_id)
        .join(Sale, Sale.id == Refund.sale_id)
        .join(
            SaleLine,
            and_(SaleLine.sale_id == Refund.sale_id, SaleLine.position == RefundLine.position),
        )
    )  # fmt: skip
    return of_refund, (RefundLine.refund_id, RefundLine.position)


def _entry(row: Row[Any], lines: list[Row[Any]], who: str, location_name: str) -> Entry:
    refund = row.id != row.sale_id
    sign = -1 if refund else 1
    goods = [line for line in lines if line.kind not in ("shipping", "deposit")]
    costed = [line for line in goods if line.cost_minor is not None]
    return Entry(
        id=row.id,
        sale_id=row.sale_id,
        refund=refund,
        at=row.at,
        location_name=location_name,
        channel=row.channel,
        means=row.means,
        currency=row.currency,
        member_id=row.member_id,
        who=who,
        what=[(line.names, line.quantity) for line in lines],
        quantity=sign * sum(line.quantity for line in lines),
        total_minor=sign * sum(line.total_minor for line in lines),
        tax_minor=sign * sum(line.tax_minor for line in lines),
        goods_minor=sign * sum(line.total_minor - line.tax_minor for line in goods),
        costed_minor=sign * sum(line.total_minor - line.tax_minor for line in costed),
        cost_minor=sign * sum(line.cost_minor for line in costed),
    )
