"""Reductions: what was taken off the lines of sales, and why, as it was then."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import insert, select

from .. import catalogue
from ..db import connection, in_transaction
from .models import Reduction

__all__ = ["points_on", "reduced_by", "write_reductions"]


def write_reductions(sale_id: str, lines: Iterable[tuple[int, Iterable[catalogue.Off]]]) -> None:
    """Joiner: what was taken off the lines of a sale, by position."""
    rows = [
        {"sale_id": sale_id, "position": position, "number": number,
         "offer_id": each.offer_id or None, "coupon_id": each.coupon_id, "points": each.points,
         "names": each.names, "amount_minor": each.amount_minor}
        for position, off in lines
        for number, each in enumerate(off, start=1)
    ]  # fmt: skip
    if rows:
        in_transaction().connection().execute(insert(Reduction), rows)


def reduced_by(
    sale_ids: Collection[str],
) -> dict[tuple[str, int], list[tuple[dict[str, str], int]]]:
    """Names and amounts of what was taken off, by sale and position."""
    query = (
        select(Reduction.sale_id, Reduction.position, Reduction.names, Reduction.amount_minor)
        .where(Reduction.sale_id.in_(sale_ids))
        .order_by(Reduction.sale_id, Reduction.position, Reduction.number)
    )
    found: dict[tuple[str, int], list[tuple[dict[str, str], int]]] = {}
    for sale, position, names, amount in connection().execute(query) if sale_ids else ():
        found.setdefault((sale, position), []).append((names, amount))
    return found


def points_on(sale_ids: Collection[str]) -> dict[str, dict[int, int]]:
    """How many points were spent on which line of these sales."""
    query = select(Reduction.sale_id, Reduction.position, Reduction.points).where(
        Reduction.sale_id.in_(sale_ids), Reduction.points.is_not(None)
    )
    found: dict[str, dict[int, int]] = {}
    for sale, position, many in connection().execute(query) if sale_ids else ():
        found.setdefault(sale, {})[position] = many or 0
    return found
