"""Warranties: until when what was bought has a guarantee, by the rules of the day it was sold.

Goods have one, and parts of bundles; deposits and delivery have none, and what was given back has
none any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select

from ... import catalogue
from ...catalogue.models import Item
from ...db import connection
from ..models import Sale, SaleLine

__all__ = ["of_lines", "until"]


def of_lines(sale_ids: Collection[str]) -> dict[str, dict[int, date]]:
    """The last day of the guarantee of each line that has one, by sale and position. One
    statement."""
    if not sale_ids:
        return {}
    rule = catalogue.return_rule(Item.id, Item.category_id, Sale.created_at)
    shop = catalogue.rule_of(None).number
    query = (
        select(Sale.id, SaleLine.position, Sale.created_at, func.coalesce(rule, shop))
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .join(Item, Item.id == SaleLine.item_id)
        .where(
            Sale.id.in_(sale_ids), SaleLine.kind.in_(("goods", "part")),
            SaleLine.quantity > SaleLine.quantity_refunded + SaleLine.quantity_opened,
        )
    )  # fmt: skip
    found: dict[str, dict[int, date]] = {}
    for sale_id, position, at, number in connection().execute(query):
        if day := catalogue.warranty_until(at, catalogue.rule_of(number).warranty_months):
            found.setdefault(sale_id, {})[position] = day
    return found


def until(sale_ids: Collection[str]) -> dict[str, date]:
    """The last day of the longest guarantee in each of these sales; those without one are left out.
    One statement."""
    return {sale_id: max(days.values()) for sale_id, days in of_lines(sale_ids).items()}
