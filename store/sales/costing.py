"""Costing: what the goods of a sale cost the shop, by what was known when they were sold.

A sale pays nothing for it: its lines are costed afterwards, with its event, once. What is not known
then stays unknown. A refund takes its share of the cost back with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.orm import aliased

from .. import catalogue
from ..catalogue.costs import cost_at, whole_minor
from ..catalogue.models import BundlePart
from ..db import BigId
from ..prepared import Many, Prepared, one_of
from .models import Refund, RefundLine, Sale, SaleLine

__all__ = ["Costed", "GivenBack", "costed", "given_back", "keep_back", "keep_costs"]

Place = tuple[str, int]
"""A line: the sale, or the refund, and the position."""


class Costed(NamedTuple):
    """A line of goods that is not costed yet. `parts` are (item, cost of all of it or None): one,
    or those of a bundle."""

    sale_id: str
    position: int
    net_minor: int
    total_minor: int
    parts: Sequence[tuple[int, int | None]]

    @property
    def cost_minor(self) -> int | None:
        known = [cost for _, cost in self.parts if cost is not None]
        return sum(known) if len(known) == len(self.parts) else None


_lines = Prepared(
    lambda dialect: (
        select(
            Sale.id, SaleLine.position, SaleLine.item_id, SaleLine.quantity, SaleLine.total_minor,
            SaleLine.tax_minor, catalogue.Item.is_bundle,
            cost_at(SaleLine.item_id, Sale.currency, Sale.created_at).label("hundredths"),
        )
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .join(catalogue.Item, catalogue.Item.id == SaleLine.item_id)
        .where(one_of(Sale.id, "sales", dialect), SaleLine.kind == "goods",
               SaleLine.cost_minor.is_(None))
    )
)  # fmt: skip
_parts = Prepared(
    lambda dialect: (
        select(
            Sale.id, SaleLine.position, BundlePart.item_id, BundlePart.quantity,
            cost_at(BundlePart.item_id, Sale.currency, Sale.created_at).label("hundredths"),
        )
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .join(BundlePart, BundlePart.bundle_id == SaleLine.item_id)
        .where(one_of(Sale.id, "sales", dialect), SaleLine.kind == "goods")
    )
)  # fmt: skip
_keep = Prepared(
    lambda dialect: (
        update(SaleLine)
        .where(SaleLine.sale_id == bindparam("sale"), SaleLine.position == bindparam("at"))
        .values(cost_minor=bindparam("cost", type_=BigId))
    )
)


def costed(sale_ids: Iterable[str]) -> list[Costed]:
    """The lines of these sales that are not costed, with what they cost as far as it is known."""
    ids = list(sale_ids)
    lines = _lines.all(sales=Many(ids))
    inside: dict[Place, list[Any]] = {}
    if any(line.is_bundle for line in lines):
        for row in _parts.all(sales=Many(ids)):
            inside.setdefault((row.id, row.position), []).append(row)
    return [
        Costed(
            line.id, line.position, line.total_minor - line.tax_minor, line.total_minor,
            [_part(part.item_id, line.quantity * part.quantity, part.hundredths)
             for part in inside.get((line.id, line.position), ())]
            if line.is_bundle else [_part(line.item_id, line.quantity, line.hundredths)],
        )
        for line in lines
    ]  # fmt: skip


def _part(item_id: int, quantity: int, hundredths: int | None) -> tuple[int, int | None]:
    return item_id, None if hundredths is None else whole_minor(quantity, hundredths)


def keep_costs(costs: Mapping[Place, int]) -> None:
    """Joiner: these lines cost so much, from now on and for good."""
    if costs:
        _keep.run([{"sale": sale, "at": at, "cost": costs[sale, at]} for sale, at in sorted(costs)])


class GivenBack(NamedTuple):
    """A line of a refund whose sale's line is costed: of `sold` units (of a bundle that was opened,
    of so much money) the next `many` after `before`."""

    refund_id: str
    sale_id: str
    position: int
    net_minor: int
    sold: int
    before: int
    many: int
    line_cost_minor: int

    @property
    def cost_minor(self) -> int:
        if not self.sold:
            return 0
        upto = self.line_cost_minor * (self.before + self.many) // self.sold
        return upto - self.line_cost_minor * self.before // self.sold


def _back(dialect: str) -> Any:
    whole, earlier, other = aliased(SaleLine), aliased(Refund), aliased(RefundLine)
    before = (
        select(func.coalesce(func.sum(other.quantity), 0))
        .join(earlier, earlier.id == other.refund_id)
        .where(
            earlier.sale_id == Refund.sale_id, other.position == RefundLine.position,
            or_(earlier.created_at < Refund.created_at,
                and_(earlier.created_at == Refund.created_at, earlier.id < Refund.id)),
        )
        .correlate(Refund, RefundLine).scalar_subquery()
    )  # fmt: skip
    of_line = and_(
        SaleLine.sale_id == Refund.sale_id, SaleLine.position == RefundLine.position
    )  # fmt: skip
    return (
        select(
            Refund.id, Refund.sale_id, RefundLine.position, RefundLine.quantity,
            RefundLine.total_minor, RefundLine.tax_minor, SaleLine.kind,
            SaleLine.quantity.label("sold"), whole.total_minor.label("whole_minor"),
            whole.cost_minor, before.label("before"),
        )
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .join(SaleLine, of_line)
        .join(whole, and_(
            whole.sale_id == Refund.sale_id,
            whole.position == func.coalesce(SaleLine.of_position, SaleLine.position),
        ))
        .where(one_of(Refund.id, "refunds", dialect), whole.cost_minor.is_not(None))
        .where(or_(SaleLine.kind == "goods", SaleLine.kind == "part"))
    )  # fmt: skip


_given_back = Prepared(_back)
_keep_back = Prepared(
    lambda dialect: (
        update(RefundLine)
        .where(RefundLine.refund_id == bindparam("refund"), RefundLine.position == bindparam("at"))
        .values(cost_minor=bindparam("cost", type_=BigId))
    )
)


def given_back(refund_ids: Iterable[str]) -> Iterator[GivenBack]:
    """The goods of these refunds of which is known what they cost. Units go by units; pieces out of
    a bundle by their money, since a bundle's cost is not kept by piece."""
    for row in _given_back.all(refunds=Many(refund_ids)):
        net = row.total_minor - row.tax_minor
        how = (row.sold, row.before, row.quantity)
        if row.kind == "part":
            how = (row.whole_minor, 0, row.total_minor)
        yield GivenBack(row.id, row.sale_id, row.position, net, *how, row.cost_minor)


def keep_back(costs: Mapping[Place, int]) -> None:
    """Joiner: so much of the cost went back with these lines of refunds."""
    if costs:
        _keep_back.run(
            [{"refund": one, "at": at, "cost": costs[one, at]} for one, at in sorted(costs)]
        )
