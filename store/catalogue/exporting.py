"""Exporting: the catalogue as the table that an import takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from .. import money
from ..db import connection
from .bundles import Part, parts_of
from .costs import cost_at, cost_text
from .groups import write_pairs
from .models import Category, DepositKind, Item, ItemGroup, Seller
from .owners import owner_at
from .prices import price_in_force
from .tables import write_table

__all__ = ["HEADINGS", "export_items"]

HEADINGS = (
    "short_code", "gtin", "sku", "name_en", "name_zh", "brand", "category_en", "category_zh",
    "size", "price", "cost", "tax_rate", "batches", "description_en", "description_zh",
    "group_en", "group_zh", "options_en", "options_zh", "deposit", "parts", "seller",
    "least_age",
)  # fmt: skip
PAGE = 2000


def export_items(path: Path, currency: str) -> int:
    """Write every item for sale, with its price for all locations, to .csv, .csv.gz or .xlsx;
    answers how many. Importing the file into an empty shop gives the same catalogue; pictures and
    the prices of single locations are not in it."""
    return write_table(path, HEADINGS, _rows(currency))


def _rows(currency: str) -> Iterator[list[str]]:
    price = price_in_force(Item.id, None, currency=currency).label("price_minor")
    cost = cost_at(Item.id, currency).label("cost")
    query = (
        select(
            *Item.__table__.columns, Category.names.label("category_names"), price, cost,
            ItemGroup.names.label("group_names"), ItemGroup.options.label("group_options"),
            DepositKind.amount_minor.label("deposit_minor"), Seller.code.label("seller_code"),
        )
        .outerjoin(Category, Category.id == Item.category_id)
        .outerjoin(ItemGroup, ItemGroup.id == Item.group_id)
        .outerjoin(DepositKind, DepositKind.item_id == Item.deposit_id)
        .outerjoin(Seller, Seller.id == owner_at(Item.id))
        .where(Item.archived_at.is_(None))
        .order_by(Item.id)
        .limit(PAGE)
    )  # fmt: skip
    last = 0
    while page := connection().execute(query.where(Item.id > last)).all():
        parts = parts_of({row.id for row in page if row.is_bundle})
        yield from (_cells(row, currency) + _more(row, currency, parts) for row in page)
        last = page[-1].id


def _cells(row: Any, currency: str) -> list[str]:
    category = row.category_names or {}
    price = "" if row.price_minor is None else money.text(row.price_minor, currency)
    return [
        row.code, row.gtin or "", row.sku or "",
        row.names.get("en", ""), row.names.get("zh", ""), row.brand,
        category.get("en", ""), category.get("zh", ""), row.size_text, price,
        "" if row.cost is None else cost_text(row.cost, currency),
        rate_text(row.tax_rate_bp), "yes" if row.tracks_batches else "no",
        row.descriptions.get("en", ""), row.descriptions.get("zh", ""),
    ]  # fmt: skip


def _more(row: Any, currency: str, parts: Mapping[int, Sequence[Part]]) -> list[str]:
    group, options = row.group_names or {}, row.group_options or []
    deposit = "" if row.deposit_minor is None else money.text(row.deposit_minor, currency)
    return [
        group.get("en", ""), group.get("zh", ""),
        write_pairs(options, row.option_values, "en"),
        write_pairs(options, row.option_values, "zh"), deposit,
        ", ".join(f"{part.quantity} × {part.code}" for part in parts.get(row.id, ())),
        row.seller_code or "", str(row.least_age or ""),
    ]  # fmt: skip


def rate_text(rate_bp: int) -> str:
    """1300 is "13%", 550 is "5.5%"."""
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02}".rstrip("0").rstrip(".") + "%"
