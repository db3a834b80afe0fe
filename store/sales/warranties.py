"""Warranties: until when what was bought has a guarantee, by the rules of the day it was sold."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select

from .. import catalogue
from ..catalogue.models import Item
from ..db import connection
from .models import Sale, SaleLine

__all__ = ["until"]


def until(sale_ids: Collection[str]) -> dict[str, date]:
    """The last day of the longest guarantee in each of these sales, of what was not given back;
    those without one are left out. One statement."""
    rule = catalogue.return_rule(Item.id, Item.category_id, Sale.created_at)
    shop = catalogue.rule_of(None).number
    query = (
        select(Sale.id, Sale.created_at, func.max(func.coalesce(rule, shop)))
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .join(Item, Item.id == SaleLine.item_id)
        .where(
            Sale.id.in_(sale_ids), SaleLine.kind.in_(("goods", "part")),
            SaleLine.quantity > SaleLine.quantity_refunded + SaleLine.quantity_opened,
        )
        .group_by(Sale.id, Sale.created_at)
    )  # fmt: skip
    found = {}
    for sale_id, at, number in connection().execute(query) if sale_ids else ():
        if day := catalogue.warranty_until(at, catalogue.rule_of(number).warranty_months):
            found[sale_id] = day
    return found
