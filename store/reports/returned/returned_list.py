"""The list of refunds behind the figures of returns: when, why, what, where, what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select

from ... import stock
from ...errors import Invalid
from ...sales.models import (
    Refund,
    RefundLine,
    Sale,
    SaleLine,
)
from ...sales.returns.return_models import Return, ReturnDecision
from ..calendar import bounds, local_day, microseconds
from ..events import goods_chosen, of_member
from ..filters import Filters
from ..listing import Place
from ..reading import Books, open_books
from .returned import AT, WHYS, why_of

__all__ = ["BECAME", "Asked", "Entry", "all_entries", "entries", "read_one_of"]

BECAME = ("resell", "quarantine", "scrap")
AT_ONCE = 1000


class Asked(NamedTuple):
    """The filters of a report, one reason, and what became of the units; None is all of them."""

    filters: Filters
    why: str | None = None
    became: str | None = None

    def address(self) -> dict[str, Any]:
        more = {"why": self.why, "became": self.became}
        return self.filters.address() | {name: one for name, one in more.items() if one}


class Unit(NamedTuple):
    """Units of a line: of goods with a decision, or of what went with them without."""

    names: dict[str, str]
    quantity: int
    decision: str
    total_minor: int


@dataclass(frozen=True)
class Entry:
    """A refund, as far as it is about what was asked for."""

    id: str
    sale_id: str
    at: datetime
    location_name: str
    handed_in: str
    channel: str
    currency: str
    why: str
    words: str
    units: tuple[Unit, ...]

    @property
    def place(self) -> str:
        return f"{microseconds(self.at)}-{self.id}"

    @property
    def quantity(self) -> int:
        return sum(unit.quantity for unit in self.units)

    @property
    def total_minor(self) -> int:
        return sum(unit.total_minor for unit in self.units)


def read_one_of(value: str, choices: Sequence[str], field: str) -> str | None:
    """A word of the address. Raises Invalid."""
    if value and value not in choices:
        raise Invalid(f"{field} must be one of: {', '.join(choices)}", field=field)
    return value or None


def read(filters: Filters, arguments: Any) -> Asked:
    """Raises Invalid."""
    return Asked(
        filters,
        read_one_of(arguments.get("why", ""), WHYS, "why"),
        read_one_of(arguments.get("became", ""), BECAME, "became"),
    )


def entries(asked: Asked, before: Place | None, limit: int) -> list[Entry]:
    """The newest, or those that come after a place in the list."""
    return _entries(open_books(), asked, before, limit)


def all_entries(asked: Asked) -> Iterator[Entry]:
    """Every entry, newest first, few at a time."""
    books, before = open_books(), None
    while True:
        found = _entries(books, asked, before, AT_ONCE)
        yield from found
        if len(found) < AT_ONCE:
            return
        before = (found[-1].at, found[-1].id)


def _entries(books: Books, asked: Asked, before: Place | None, limit: int) -> list[Entry]:
    rows = books.connection.execute(_query(asked, before, limit)).all()
    units: dict[str, list[Unit]] = {}
    for at in range(0, len(rows), 500):
        ids = [row.id for row in rows[at : at + 500]]
        for refund_id, unit in _units(books, asked, ids):
            units.setdefault(refund_id, []).append(unit)
    places = {place.id: place.name for place in stock.locations()}
    return [
        Entry(
            row.id, row.sale_id, row.at, places[row.location_id], places.get(row.handed_in, ""),
            row.channel, row.currency, row.why, row.words or row.reason,
            tuple(units.get(row.id, ())),
        )
        for row in rows
    ]  # fmt: skip


def _query(asked: Asked, before: Place | None, limit: int) -> Any:
    filters, at = asked.filters, AT
    choice, (since, until, exact) = filters.choice, bounds(filters.span)
    decided = select(ReturnDecision.id).where(ReturnDecision.refund_id == Refund.id)
    handed = select(func.min(ReturnDecision.location_id)).where(
        ReturnDecision.refund_id == Refund.id
    )
    words = (
        select(Return.reason)
        .join(ReturnDecision, ReturnDecision.return_id == Return.id)
        .where(ReturnDecision.refund_id == Refund.id)
        .limit(1)
    )
    query = (
        select(
            Refund.id, Refund.sale_id, at.label("at"), Refund.reason, Sale.location_id,
            Sale.channel, Sale.currency, why_of().label("why"),
            handed.scalar_subquery().label("handed_in"), words.scalar_subquery().label("words"),
        )
        .join(Sale, Sale.id == Refund.sale_id)
        .where(at >= since, at < until, *of_member(choice))
    )  # fmt: skip
    if not exact:
        query = query.where(local_day(at, filters.span).between(*filters.span))
    for column, wanted in (
        (Sale.currency, choice.currency), (Sale.location_id, choice.location_id),
        (Sale.channel, choice.channel), (Sale.means, choice.means),
        (Sale.sold_by, choice.sold_by),
    ):  # fmt: skip
        if wanted is not None:
            query = query.where(column == wanted)
    if choice.of_goods:
        some = select(RefundLine.position).where(RefundLine.refund_id == Refund.id)
        query = query.where(some.where(*goods_chosen(choice, RefundLine.item_id)).exists())
    if asked.why is not None:
        query = query.where(why_of() == asked.why)
    if asked.became is not None:
        query = query.where(decided.where(ReturnDecision.decision == asked.became).exists())
    if before is not None:
        query = query.where(or_(at < before[0], and_(at == before[0], Refund.id < before[1])))
    return query.order_by(at.desc(), Refund.id.desc()).limit(limit)


def _units(books: Books, asked: Asked, refund_ids: list[str]) -> Iterator[tuple[str, Unit]]:
    """The lines of these refunds, each divided among its decisions as `returned` does it."""
    decision = ReturnDecision
    query = (
        select(
            RefundLine.refund_id, RefundLine.position, SaleLine.names, SaleLine.kind,
            RefundLine.quantity, RefundLine.total_minor, decision.quantity.label("many"),
            decision.decision,
        )
        .join(Refund, Refund.id == RefundLine.refund_id)
        .join(Sale, Sale.id == Refund.sale_id)
        .join(SaleLine, and_(SaleLine.sale_id == Sale.id,
                             SaleLine.position == RefundLine.position))
        .outerjoin(decision, and_(decision.refund_id == RefundLine.refund_id,
                                  decision.position == RefundLine.position))
        .where(RefundLine.refund_id.in_(refund_ids))
        .where(*goods_chosen(asked.filters.choice, RefundLine.item_id))
        .order_by(RefundLine.refund_id, RefundLine.position, decision.id)
    )  # fmt: skip
    last, done = None, 0
    for row in books.connection.execute(query):
        if (row.refund_id, row.position) != last:
            last, done = (row.refund_id, row.position), 0
        many = row.quantity if row.many is None else row.many
        share = row.total_minor * (done + many) // row.quantity - (
            row.total_minor * done // row.quantity
        )
        done += many
        if asked.became in (None, row.decision):
            of_goods = row.kind in ("goods", "part")
            yield row.refund_id, Unit(row.names, many if of_goods else 0, row.decision or "", share)
