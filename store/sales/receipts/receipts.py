"""Receipts: a sale as people read it, in two statements; one more for what was given back, and one
for what offers took off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, or_, select

from ... import catalogue, membership, stock
from ...db import connection, in_transaction
from ..models import (
    REFUNDED,
    Refund,
    RefundLine,
    Sale,
    SaleLine,
)


@dataclass(frozen=True)
class ReceiptLine:
    """An item as it was sold. `names` maps languages to names; `picture` is today's."""

    position: int
    item_id: int
    item_code: str
    names: dict[str, str]
    picture: str | None
    quantity: int
    unit_minor: int
    total_minor: int
    tax_minor: int
    tax_rate_bp: int
    quantity_refunded: int = 0
    kind: str = "goods"
    of_position: int | None = None
    quantity_opened: int = 0
    is_bundle: bool = False
    off_minor: int = 0
    least_age: int = 0
    off: tuple[tuple[dict[str, str], int], ...] = ()
    """What was taken off: names of offers, and how much."""

    @property
    def on_top(self) -> bool:
        """Whether the tax came on top of the price."""
        priced = self.unit_minor * self.quantity - self.off_minor
        return is_on_top(priced, self.total_minor, self.tax_minor)

    @property
    def priced_minor(self) -> int:
        """What its prices came to, less what was taken off; the tax is in it, or came on top."""
        return self.total_minor - self.tax_minor if self.on_top else self.total_minor

    @property
    def kept(self) -> int:
        """How many of them were not given back. Those of a bundle that were opened are lines of
        their own, by parts."""
        return self.quantity - self.quantity_refunded - self.quantity_opened


def is_on_top(priced_minor: int, total_minor: int, tax_minor: int) -> bool:
    """Whether the tax of a line came on top of what its units were priced at. What a line was sold
    as is read from its own figures: the owner may change the setting, a sale stays as it was."""
    return tax_minor != 0 and priced_minor + tax_minor == total_minor


class TaxLine(NamedTuple):
    """All that was sold at one rate: net, tax and both together."""

    rate_bp: int
    net_minor: int
    tax_minor: int
    total_minor: int

    @property
    def rate_text(self) -> str:
        return f"{self.rate_bp / 100:g} %"


def tax_lines(lines: Iterable[tuple[int, int, int]]) -> list[TaxLine]:
    """Of lines (rate, total, tax) the sums by rate, the highest first. They add up exactly to the
    totals of the lines, because tax is only ever rounded for a line."""
    sums: dict[int, tuple[int, int]] = {}
    for rate, total, tax in lines:
        before = sums.get(rate, (0, 0))
        sums[rate] = (before[0] + total, before[1] + tax)
    return [
        TaxLine(rate, total - tax, tax, total)
        for rate, (total, tax) in sorted(sums.items(), reverse=True)
    ]


@dataclass(frozen=True)
class ReceiptRefund:
    """Money that went back, with (position, quantity, total, tax) of the units that it was for. Of
    a sale that the account alone had not paid, `account_minor` went to the account; in cash the
    rest went back, and `rounding_minor`."""

    id: str
    total_minor: int
    tax_minor: int
    reason: str
    created_at: datetime
    account_minor: int = 0
    rounding_minor: int = 0
    units: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def given_minor(self) -> int:
        """What went back to where it was paid from."""
        return self.total_minor - self.account_minor + self.rounding_minor


@dataclass(frozen=True)
class Receipt:
    id: str
    member_id: int | None
    location_id: int
    location_code: str
    location_name: str
    channel: str
    means: str
    state: str
    currency: str
    total_minor: int
    tax_minor: int
    sold_by: int | None
    created_at: datetime
    fulfilment: str
    account_minor: int = 0
    rounding_minor: int = 0
    lines: tuple[ReceiptLine, ...] = ()
    refunds: tuple[ReceiptRefund, ...] = ()

    @property
    def number(self) -> str:
        """The receipt's number for people: the id in groups of five."""
        return "-".join(self.id[at : at + 5] for at in range(0, len(self.id), 5))

    @property
    def paid(self) -> list[tuple[str, int]]:
        """By which means how much was paid: one, or the account and a gateway."""
        rest = (self.means, self.total_minor - self.account_minor)
        return [("account", self.account_minor), rest] if self.account_minor else [rest]

    @property
    def taxes(self) -> list[TaxLine]:
        """What was sold at which rate of tax."""
        return tax_lines(
            (line.tax_rate_bp, line.total_minor, line.tax_minor)
            for line in self.lines
            if line.kind != "part"
        )

    @property
    def on_top_minor(self) -> int:
        """The tax that came on top of the prices."""
        return sum(line.tax_minor for line in self.lines if line.on_top and line.kind != "part")

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines if line.kind == "goods")

    @property
    def kept_pieces(self) -> int:
        """Pieces that were not given back."""
        return sum(line.kept for line in self.lines if line.kind in ("goods", "part"))

    @property
    def least_age(self) -> int:
        """The highest age of what was not given back; 0 is everybody."""
        return max((line.least_age for line in self.lines if line.kept), default=0)

    @property
    def refunded_minor(self) -> int:
        return sum(refund.total_minor for refund in self.refunds)

    @property
    def refunded_at(self) -> datetime | None:
        """When money went back last."""
        return self.refunds[-1].created_at if self.refunds else None


def _query() -> Any:
    place = stock.Location
    return (
        select(
            Sale.id, Sale.member_id, Sale.location_id, place.code, place.name, Sale.channel,
            Sale.means, Sale.state, Sale.currency, Sale.total_minor, Sale.tax_minor, Sale.sold_by,
            Sale.created_at, Sale.fulfilment, Sale.account_minor, Sale.rounding_minor,
        )
        .join(place, place.id == Sale.location_id)
    )  # fmt: skip


def receipt(sale_id: str, member_id: int | None = None) -> Receipt | None:
    """A sale with its lines; with a member, only theirs. None when there is none."""
    if not sale_id.isascii() or len(sale_id) > 20:
        return None
    asked = {"sale": sale_id} if member_id is None else {"sale": sale_id, "member": member_id}
    found = _with_lines(_one(member_id is not None), asked)
    return found[0] if found else None


def sale_of_refund(refund_id: str) -> str | None:
    """The sale that a refund is for."""
    query = select(Refund.sale_id).where(Refund.id == refund_id)
    return connection().execute(query).scalar_one_or_none()


def buyer_of(sale_id: str) -> int | None:
    """In whose name a sale is."""
    query = select(Sale.member_id).where(Sale.id == sale_id)
    return connection().execute(query).scalar_one_or_none()


def hold(sale_id: str) -> None:
    """Joiner: let nothing else change this sale until the caller's transaction ends. What is read
    of it afterwards stays true."""
    in_transaction().execute(select(Sale.id).where(Sale.id == sale_id).with_for_update())


@cache
def _one(of_a_member: bool) -> Select[*tuple[Any, ...]]:
    """Built once: every sale of the API is read back, and putting the statement together costs
    more than running it."""
    query: Select[*tuple[Any, ...]] = _query().where(Sale.id == bindparam("sale"))
    return query.where(Sale.member_id == bindparam("member")) if of_a_member else query


def receipts(
    *,
    member_id: int | None = None,
    before: str | None = None,
    contains: str = "",
    limit: int = 50,
) -> list[Receipt]:
    """Sales with their lines, newest first, from before an id on; ids sort by time. `contains` is
    a part of the receipt's number, as people read it out."""
    query = _query().order_by(Sale.id.desc()).limit(limit)
    if member_id is not None:
        query = query.where(Sale.member_id == member_id)
    if before:
        query = query.where(Sale.id < before)
    if contains:
        wanted = "".join(c for c in contains.upper() if c.isascii() and c.isalnum())[:20]
        query = query.where(or_(Sale.id == wanted, Sale.id.endswith(wanted)))
    return _with_lines(query)


def receipts_of(sale_ids: Iterable[str]) -> list[Receipt]:
    """These sales, newest first."""
    return _with_lines(_query().where(Sale.id.in_(list(sale_ids))).order_by(Sale.id.desc()))


def _with_lines(query: Select[Any], asked: dict[str, Any] | None = None) -> list[Receipt]:
    heads = connection().execute(query, asked or {}).all()
    lines = _lines([str(head[0]) for head in heads])
    refunds = _refunds([str(head.id) for head in heads if head.state in REFUNDED])
    return [
        replace(Receipt(*head), lines=tuple(lines[head.id]), refunds=refunds.get(head.id, ()))
        for head in heads
    ]


def _lines(sale_ids: Sequence[str]) -> dict[str, list[ReceiptLine]]:
    lines: dict[str, list[ReceiptLine]] = {sale_id: [] for sale_id in sale_ids}
    if sale_ids:
        for row in connection().execute(_lines_query(), {"sales": sale_ids}):
            lines[row[0]].append(ReceiptLine(*row[1:]))
    reduced = {sale for sale, of_sale in lines.items() if any(one.off_minor for one in of_sale)}
    if not reduced:
        return lines
    reasons = membership.reduced_by(reduced)
    return lines | {
        sale: [
            replace(one, off=tuple(reasons.get((sale, one.position), ()))) for one in lines[sale]
        ]
        for sale in reduced
    }


@cache
def _lines_query() -> Select[*tuple[Any, ...]]:
    item = catalogue.Item
    return (
        select(
            SaleLine.sale_id, SaleLine.position, SaleLine.item_id, item.code, SaleLine.names,
            item.picture, SaleLine.quantity, SaleLine.unit_minor, SaleLine.total_minor,
            SaleLine.tax_minor, SaleLine.tax_rate_bp, SaleLine.quantity_refunded,
            SaleLine.kind, SaleLine.of_position, SaleLine.quantity_opened, item.is_bundle,
            SaleLine.off_minor, SaleLine.least_age,
        )
        .join(item, item.id == SaleLine.item_id)
        .where(SaleLine.sale_id.in_(bindparam("sales", expanding=True)))
        .order_by(SaleLine.sale_id, SaleLine.position)
    )  # fmt: skip


def _refunds(sale_ids: Sequence[str]) -> dict[str, tuple[ReceiptRefund, ...]]:
    """The refunds of these sales, the first one first."""
    if not sale_ids:
        return {}
    query = (
        select(
            Refund.sale_id, Refund.id, Refund.total_minor, Refund.tax_minor, Refund.reason,
            Refund.created_at, Refund.account_minor, Refund.rounding_minor, RefundLine.position,
            RefundLine.quantity, RefundLine.total_minor, RefundLine.tax_minor,
        )
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .where(Refund.sale_id.in_(sale_ids))
        .order_by(Refund.created_at, Refund.id, RefundLine.position)
    )  # fmt: skip
    found: dict[str, dict[str, ReceiptRefund]] = {}
    for row in connection().execute(query):
        of_sale = found.setdefault(row[0], {})
        known = of_sale.get(row[1]) or ReceiptRefund(*row[1:8])
        of_sale[known.id] = replace(known, units=(*known.units, (row[8], row[9], *row[10:])))
    return {sale_id: tuple(of_sale.values()) for sale_id, of_sale in found.items()}
