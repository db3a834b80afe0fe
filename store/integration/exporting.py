"""Files out: movements and sales as CSV, a row for each movement and for each line of a sale."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from .. import money, stock
from ..catalogue.models import Item
from ..catalogue.tables import write_table
from ..db import connection
from ..sales.models import Sale, SaleLine
from ..stock.models import Batch, Movement
from .payloads import moment

__all__ = ["KINDS", "export"]

AT_ONCE = 2000
HEADINGS = {
    "movements": (
        "movement", "at", "item", "gtin", "sku", "location", "change", "reason", "sale", "note",
        "batch", "expires",
    ),
    "sales": (
        "sale", "at", "state", "channel", "means", "location", "position", "item", "gtin", "sku",
        "quantity", "refunded", "price", "total", "tax", "currency",
    ),
}  # fmt: skip
KINDS = tuple(HEADINGS)


def export(kind: str, path: Path, since: datetime | None, until: datetime | None) -> int:
    """Write the file; answers how many rows. The file has its name when it is whole."""
    rows = _movements if kind == "movements" else _sales
    return write_table(path, HEADINGS[kind], rows(since, until))


def _movements(since: datetime | None, until: datetime | None) -> Iterator[list[str]]:
    place, last = stock.Location, 0
    query = (
        select(
            Movement.id, Movement.at, Item.code, Item.gtin, Item.sku, place.code,
            Movement.quantity, Movement.reason, Movement.sale_id, Movement.note,
            Batch.code, Batch.expires_on,
        )
        .join(Item, Item.id == Movement.item_id)
        .join(place, place.id == Movement.location_id)
        .outerjoin(Batch, Batch.id == Movement.batch_id)
        .order_by(Movement.id)
        .limit(AT_ONCE)
    )  # fmt: skip
    query = _between(query, Movement.at, since, until)
    while found := connection().execute(query.where(Movement.id > last)).all():
        last = found[-1][0]
        for row in found:
            yield [_text(value) for value in row]


def _sales(since: datetime | None, until: datetime | None) -> Iterator[list[str]]:
    place, last = stock.Location, ("", 0)
    query = (
        select(
            Sale.id, Sale.created_at, Sale.state, Sale.channel, Sale.means, place.code,
            SaleLine.position, Item.code, Item.gtin, Item.sku, SaleLine.quantity,
            SaleLine.quantity_refunded, SaleLine.unit_minor, SaleLine.total_minor,
            SaleLine.tax_minor, Sale.currency,
        )
        .join(SaleLine, SaleLine.sale_id == Sale.id)
        .join(Item, Item.id == SaleLine.item_id)
        .where(SaleLine.kind != "part")
        .join(place, place.id == Sale.location_id)
        .order_by(Sale.id, SaleLine.position)
        .limit(AT_ONCE)
    )  # fmt: skip
    query = _between(query, Sale.created_at, since, until)
    while True:
        after = (Sale.id > last[0]) | ((Sale.id == last[0]) & (SaleLine.position > last[1]))
        found = connection().execute(query.where(after)).all()
        if not found:
            return
        last = (found[-1][0], found[-1][6])
        for row in found:
            amounts = [money.text(minor, row[15]) for minor in row[12:15]]
            yield [*(_text(value) for value in row[:12]), *amounts, row[15]]


def _between(query: Any, at: Any, since: datetime | None, until: datetime | None) -> Any:
    if since is not None:
        query = query.where(at >= since)
    return query if until is None else query.where(at < until)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return "" if value is None else str(value)
