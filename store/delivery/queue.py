"""The queue: which shipments wait for what; questions of those who decide about orders."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from .. import ids
from ..db import connection, in_transaction
from ..prepared import Many, Prepared, one_of
from .models import Shipment, ShipmentLine

__all__ = [
    "came_back", "goods_in", "locked_of_sale", "open_at", "places_waiting_for", "sale_of",
    "states_of", "with_code",
]  # fmt: skip


def sale_of(shipment_id: str) -> str | None:
    """The sale that a shipment is of, or None where there is no such shipment."""
    query = select(Shipment.sale_id).where(Shipment.id == shipment_id[:20])
    found = connection().execute(query).scalar()
    return None if found is None else str(found)


def states_of(sale_id: str) -> set[str]:
    """The states that the shipments of a sale are in."""
    query = select(Shipment.state).where(Shipment.sale_id == sale_id)
    return set(connection().execute(query).scalars())


def came_back(sale_ids: Collection[str]) -> set[str]:
    """Those of these sales of which a parcel came back."""
    query = select(Shipment.sale_id).where(
        Shipment.sale_id.in_(sale_ids), Shipment.state == "put_back"
    )
    return set(connection().execute(query).scalars()) if sale_ids else set()


def goods_in(sale_id: str, states: Collection[str]) -> dict[str, dict[int, int]]:
    """What is in those shipments of a sale that are in one of these states: quantities by item, by
    the shipment's id."""
    query = (
        select(Shipment.id, ShipmentLine.item_id, ShipmentLine.quantity)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .where(
            Shipment.sale_id == sale_id, Shipment.state.in_(states), ShipmentLine.quantity > 0
        )
    )  # fmt: skip
    found: dict[str, dict[int, int]] = {}
    for row in connection().execute(query):
        found.setdefault(row[0], {})[row[1]] = row[2]
    return found


def locked_of_sale(sale_id: str) -> list[Shipment]:
    """Joiner: the shipments of a sale, ours until the commit, locked in order."""
    query = select(Shipment).where(Shipment.sale_id == sale_id).order_by(Shipment.id)
    found = in_transaction().scalars(
        query.with_for_update().execution_options(populate_existing=True)
    )
    return list(found)


_waiting_for = Prepared(
    lambda dialect: (
        select(ShipmentLine.item_id, Shipment.location_id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.state == "open", one_of(ShipmentLine.item_id, "items", dialect))
        .distinct()
    )
)


def places_waiting_for(item_ids: Collection[int]) -> set[tuple[int, int]]:
    """Where one of these items is still to be picked for an order, as (item, location)."""
    return {(row[0], row[1]) for row in _waiting_for.all(items=Many(item_ids))}


def open_at(item_id: int, location_id: int) -> list[str]:
    """Shipments that the item is still to be picked for at a location, the newest first."""
    query = (
        select(Shipment.id)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .where(
            ShipmentLine.item_id == item_id, ShipmentLine.quantity > 0,
            Shipment.location_id == location_id, Shipment.state == "open",
        )
        .order_by(Shipment.id.desc())
    )  # fmt: skip
    return [str(one) for one in connection().execute(query).scalars()]


def with_code(code: str) -> list[tuple[str, str, str]]:
    """The shipments under the code that a shopper shows, or of the sale with this number, wherever
    they are: id, kind and state, the newest first."""
    said = ids.normalise(code)
    if not said.isascii() or len(said) not in (8, 20):
        return []
    which = Shipment.code == said if len(said) == 8 else Shipment.sale_id == said
    query = select(Shipment.id, Shipment.kind, Shipment.state).where(which)
    rows = connection().execute(query.order_by(Shipment.id.desc()).limit(9))
    return [(row[0], row[1], row[2]) for row in rows]
