"""What other systems are told of a change: the same words in the change feed and in webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from .. import catalogue, money, sales, stock
from ..catalogue.models import Item, Price
from ..db import connection
from ..sales.guests.guest_models import Claim
from ..sales.models import Refund, RefundLine, Sale, SaleLine
from ..stock.models import Batch, Movement
from .changes import Happened

__all__ = ["amount", "moment", "tell"]


def tell(changes: Sequence[Happened]) -> list[dict[str, Any]]:
    """Each change with its data, read in one statement or two for each topic."""
    data: dict[tuple[str, str], dict[str, Any]] = {}
    for topic, read in _READERS.items():
        wanted = {change.of_id for change in changes if change.topic == topic}
        if wanted:
            data |= {(topic, of_id): told for of_id, told in read(wanted)}
    return [
        {
            "id": change.id,
            "topic": change.topic,
            "at": moment(change.at),
            "data": data.get((change.topic, change.of_id), {}),
        }
        for change in changes
    ]


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def amount(minor: int, currency: str) -> dict[str, Any]:
    return {"amount": money.text(minor, currency), "minor": minor, "currency": currency}


Told = Iterable[tuple[str, dict[str, Any]]]


def _moved(ids: set[str]) -> Told:
    place = stock.Location
    query = (
        select(
            Movement.id, Item.code, place.code, Movement.quantity, Movement.reason,
            Movement.sale_id, Movement.note, Movement.at, Batch.code, Batch.expires_on,
        )
        .join(Item, Item.id == Movement.item_id)
        .join(place, place.id == Movement.location_id)
        .outerjoin(Batch, Batch.id == Movement.batch_id)
        .where(Movement.id.in_(map(int, ids)))
    )  # fmt: skip
    for row in connection().execute(query):
        yield str(row[0]), {
            "movement": row[0], "item": row[1], "location": row[2], "change": row[3],
            "reason": row[4], "sale": row[5], "note": row[6], "moved_at": moment(row[7]),
            "batch": row[8], "expires_on": row[9].isoformat() if row[9] else None,
        }  # fmt: skip


def _paid(ids: set[str]) -> Told:
    for sale_id in sorted(ids):
        sale = sales.receipt(sale_id)
        if sale is None:
            continue
        of = sale.currency
        yield sale_id, {
            "sale": sale.id, "number": sale.number, "location": sale.location_code,
            "channel": sale.channel, "means": sale.means, "total": amount(sale.total_minor, of),
            "from_account": amount(
                sale.total_minor if sale.means == "account" else sale.account_minor, of
            ),
            "tax": amount(sale.tax_minor, of), "sold_at": moment(sale.created_at),
            "lines": [
                {
                    "position": line.position, "item": line.item_code, "kind": line.kind,
                    "quantity": line.quantity,
                    "price": amount(line.unit_minor, of), "total": amount(line.total_minor, of),
                    "tax": amount(line.tax_minor, of),
                }
                for line in sale.lines
                if line.kind != "part"
            ],
        }  # fmt: skip


def _refunded(ids: set[str]) -> Told:
    query = (
        select(
            Refund.id, Refund.sale_id, Sale.currency, Refund.total_minor, Refund.tax_minor,
            Refund.reason, Refund.created_at,
        )
        .join(Sale, Sale.id == Refund.sale_id)
        .where(Refund.id.in_(ids))
    )  # fmt: skip
    lines: dict[str, list[Any]] = {}
    goods = (
        select(RefundLine.refund_id, RefundLine.position, Item.code, RefundLine.quantity,
               RefundLine.total_minor)
        .join(Refund, Refund.id == RefundLine.refund_id)
        .join(SaleLine, (SaleLine.sale_id == Refund.sale_id)
              & (SaleLine.position == RefundLine.position))
        .join(Item, Item.id == SaleLine.item_id)
    )  # fmt: skip
    goods = goods.where(RefundLine.refund_id.in_(ids)).order_by(RefundLine.position)
    for line in connection().execute(goods):
        lines.setdefault(line[0], []).append(line)
    for row in connection().execute(query).all():
        yield row[0], {
            "refund": row[0], "sale": row[1], "total": amount(row[3], row[2]),
            "tax": amount(row[4], row[2]), "reason": row[5], "refunded_at": moment(row[6]),
            "lines": [
                {"position": line[1], "item": line[2], "quantity": line[3],
                 "total": amount(line[4], row[2])}
                for line in lines.get(row[0], ())
            ],
        }  # fmt: skip


def _claimed(ids: set[str]) -> Told:
    """A guest's sale is in a member's name now."""
    for row in connection().execute(
        select(Claim.sale_id, Claim.member_id, Claim.at).where(Claim.sale_id.in_(ids))
    ):
        yield row[0], {"sale": row[0], "member": row[1], "claimed_at": moment(row[2])}


def _priced(ids: set[str]) -> Told:
    place = stock.Location
    query = (
        select(Price.id, Item.code, place.code, Price.amount_minor, Price.currency, Price.starts_at)
        .join(Item, Item.id == Price.item_id)
        .outerjoin(place, place.id == Price.location_id)
        .where(Price.id.in_(map(int, ids)))
    )
    for row in connection().execute(query):
        yield str(row[0]), {
            "item": row[1], "location": row[2], "price": amount(row[3], row[4]),
            "starts_at": moment(row[5]),
        }  # fmt: skip


def _items(ids: set[str]) -> Told:
    """The item as it is now: what it was in between is not kept. A bundle is for nobody whom one of
    its parts is not for."""
    items = {int(each) for each in ids}
    columns = (Item.id, Item.code, Item.gtin, Item.sku, Item.names, Item.brand, Item.archived_at,
               Item.least_age)  # fmt: skip
    parts = catalogue.parts_of(items)
    for row in connection().execute(select(*columns).where(Item.id.in_(items))):
        inside = (part.least_age for part in parts.get(row[0], ()))
        yield str(row[0]), {
            "item": row[1], "gtin": row[2], "sku": row[3], "names": row[4], "brand": row[5],
            "retired": row[6] is not None, "least_age": max([row[7], *inside]),
        }  # fmt: skip


_READERS: dict[str, Callable[[set[str]], Told]] = {
    "stock.moved": _moved, "sale.paid": _paid, "sale.refunded": _refunded,
    "sale.claimed": _claimed,
    "price.changed": _priced, "item.changed": _items,
}  # fmt: skip
