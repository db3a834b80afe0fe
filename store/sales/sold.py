"""What was sold and what came back of it, as those see it who divide the money afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, or_, select

from .. import catalogue
from ..prepared import Many, Prepared, one_of
from .models import Refund, RefundLine, Sale, SaleLine

__all__ = ["CameBack", "Sold", "came_back", "goods_sold", "unpaid_sales"]


class Sold(NamedTuple):
    """Goods on a line of a sale. `seller_id` is whose they were when they were sold; of a bundle
    its parts say it."""

    sale_id: str
    position: int
    item_id: int
    quantity: int
    total_minor: int
    currency: str
    means: str
    location_id: int
    at: datetime
    is_bundle: bool
    seller_id: int | None


_sold = Prepared(
    lambda dialect: (
        select(
            Sale.id, SaleLine.position, SaleLine.item_id, SaleLine.quantity, SaleLine.total_minor,
            Sale.currency, Sale.means, Sale.location_id, Sale.created_at, catalogue.Item.is_bundle,
            catalogue.owner_at(SaleLine.item_id, Sale.created_at).label("seller_id"),
        )
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .join(catalogue.Item, catalogue.Item.id == SaleLine.item_id)
        .where(one_of(Sale.id, "sales", dialect), SaleLine.kind == "goods")
        .order_by(Sale.id, SaleLine.position)
    )
)  # fmt: skip


def goods_sold(sale_ids: Iterable[str]) -> list[Sold]:
    """The lines of goods of these sales: no shipping, no deposit, no part of an opened bundle."""
    return [
        Sold(*row)._replace(is_bundle=bool(row.is_bundle))
        for row in _sold.all(sales=Many(sale_ids))
    ]


class CameBack(NamedTuple):
    """Units of a line whose money went back, of the `sold` that the line has. Where they are pieces
    out of a bundle, `position` is the bundle's line and `part_id` the item; else it is None."""

    refund_id: str
    sale_id: str
    position: int
    part_id: int | None
    sold: int
    quantity: int
    total_minor: int
    at: datetime


_back = Prepared(
    lambda dialect: (
        select(
            Refund.id, Refund.sale_id, SaleLine.position, SaleLine.kind, SaleLine.of_position,
            SaleLine.item_id, SaleLine.quantity.label("sold"), RefundLine.quantity,
            RefundLine.total_minor, Refund.created_at,
        )
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .join(
            SaleLine,
            (SaleLine.sale_id == Refund.sale_id) & (SaleLine.position == RefundLine.position),
        )
        .where(one_of(Refund.id, "refunds", dialect))
        .where(or_(SaleLine.kind == "goods", SaleLine.kind == "part"))
        .order_by(Refund.created_at, Refund.id, RefundLine.position)
    )
)  # fmt: skip


def came_back(refund_ids: Iterable[str]) -> list[CameBack]:
    """The goods of these refunds, the first refunds first."""
    return [
        CameBack(
            refund, sale, of_position if kind == "part" else position,
            item if kind == "part" else None, *rest,
        )
        for refund, sale, position, kind, of_position, item, *rest in _back.all(
            refunds=Many(refund_ids)
        )
    ]  # fmt: skip


def unpaid_sales() -> Select[str]:
    """The sales that are still to be paid at the door."""
    return select(Sale.id).where(Sale.state == "due")
