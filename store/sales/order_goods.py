"""Goods of an order: which units of which lines they are, and what these cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from ..db import connection
from .models import SaleLine

__all__ = ["positions_of", "worth"]


def positions_of(sale_id: str, goods: Mapping[int, int]) -> list[tuple[int, int]]:
    """Which units of which lines these goods are, as (position, quantity): the last lines of an
    item first, and only what was not given back."""
    query = select(
        SaleLine.position, SaleLine.item_id, SaleLine.quantity - SaleLine.quantity_refunded
    ).where(SaleLine.sale_id == sale_id, SaleLine.kind == "goods")
    left, units = dict(goods), list[tuple[int, int]]()
    rows: Sequence[tuple[int, int, int]] = (
        connection().execute(query.order_by(SaleLine.position.desc())).all()
    )
    for position, item, kept in rows:
        many = min(left.get(item, 0), kept)
        if many:
            units.append((position, many))
            left[item] -= many
    return units


def worth(sale_id: str, goods: Mapping[int, int]) -> int:
    """What these goods of an order cost with their deposits, in minor units."""
    if not goods:
        return 0
    units = dict(positions_of(sale_id, goods))
    query = select(
        SaleLine.position, SaleLine.of_position, SaleLine.quantity, SaleLine.total_minor
    ).where(SaleLine.sale_id == sale_id)
    rows = connection().execute(query).all()
    ordered = {row.position: row.quantity for row in rows}
    total = 0
    for row in rows:
        # A deposit comes with the units of its line.
        line = row.position if row.of_position is None else row.of_position
        total += row.total_minor * units.get(line, 0) // ordered[line]
    return total
