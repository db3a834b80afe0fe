"""Shipments as people read them: the shopper on the receipt, the staff on the desk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from .. import catalogue, stock
from ..db import connection
from ..stock import Location
from .models import Place, Shipment, ShipmentLine, ShipmentStep
from .states import UNDER_WAY, WAITING

__all__ = ["Goods", "Step", "Tracked", "of_sale", "of_sales", "one", "waiting", "waiting_many"]

PAGE = 100

_Target = aliased(Location)


@dataclass(frozen=True)
class Goods:
    """So many of an item in a shipment. `shelf` is where it stands at that place."""

    item_id: int
    code: str
    names: dict[str, str]
    picture: str | None
    quantity: int
    shelf: str


@dataclass(frozen=True)
class Step:
    """What happened, and the state that it led to."""

    event: str
    state: str
    note: str
    made_by: int | None
    at: datetime


@dataclass(frozen=True)
class Tracked:
    """A shipment with its goods, by shelf, and its steps, the first one first."""

    id: str
    sale_id: str
    member_id: int
    location_id: int
    location_code: str
    location_name: str
    location_address: str
    hours: str
    kind: str
    state: str
    code: str
    carrier: str
    tracking: str
    created_at: datetime
    changed_at: datetime
    target_name: str | None = None
    goods: tuple[Goods, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def pieces(self) -> int:
        return sum(each.quantity for each in self.goods)


def of_sales(sale_ids: Collection[str]) -> dict[str, list[Tracked]]:
    """The shipments of these sales, in three statements; sales without one are left out."""
    if not sale_ids:
        return {}
    found: dict[str, list[Tracked]] = {}
    for each in _whole(_query().where(Shipment.sale_id.in_(sale_ids)).order_by(Shipment.id)):
        found.setdefault(each.sale_id, []).append(each)
    return found


def of_sale(sale_id: str) -> list[Tracked]:
    return of_sales([sale_id]).get(sale_id, [])


def one(shipment_id: str) -> Tracked | None:
    """One shipment, or None."""
    if not shipment_id.isascii() or len(shipment_id) > 20:
        return None
    return next(iter(_whole(_query().where(Shipment.id == shipment_id))), None)


def waiting(location_id: int, states: Sequence[str], limit: int = PAGE) -> list[Tracked]:
    """What is in these states at a location, or under way to it, what waits longest first."""
    query = _query().where(_at(location_id), Shipment.state.in_(states))
    return _whole(query.order_by(Shipment.changed_at, Shipment.id).limit(limit))


def waiting_many(location_id: int) -> int:
    """How many shipments wait to leave a location, or are under way to it."""
    query = select(func.count()).select_from(Shipment)
    here = query.where(_at(location_id), Shipment.state.in_((*WAITING, UNDER_WAY)))
    return int(connection().execute(here).scalar() or 0)


def _at(location_id: int) -> ColumnElement[bool]:
    to = (Shipment.target_id == location_id) & (Shipment.state == UNDER_WAY)
    return (Shipment.location_id == location_id) | to


def _query() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Shipment.id, Shipment.sale_id, Shipment.member_id, Shipment.location_id, Location.code,
            Location.name, Location.address, func.coalesce(Place.hours, ""), Shipment.kind,
            Shipment.state, Shipment.code, Shipment.carrier, Shipment.tracking,
            Shipment.created_at, Shipment.changed_at, _Target.name,
        )
        .join(Location, Location.id == Shipment.location_id)
        .outerjoin(Place, Place.location_id == Shipment.location_id)
        .outerjoin(_Target, _Target.id == Shipment.target_id)
    )  # fmt: skip


def _whole(query: Select[Any]) -> list[Tracked]:
    heads = [Tracked(*row) for row in connection().execute(query)]
    if not heads:
        return []
    goods, steps = _goods(heads), _steps([head.id for head in heads])
    return [
        replace(head, goods=tuple(goods.get(head.id, ())), steps=tuple(steps.get(head.id, ())))
        for head in heads
    ]


def _goods(heads: Sequence[Tracked]) -> dict[str, list[Goods]]:
    item = catalogue.Item
    at = {head.id: head.location_id for head in heads}
    query = (
        select(
            ShipmentLine.shipment_id, item.id, item.code, item.names, item.picture,
            ShipmentLine.quantity,
        )
        .join(item, item.id == ShipmentLine.item_id)
        .where(ShipmentLine.shipment_id.in_(at), ShipmentLine.quantity > 0)
    )  # fmt: skip
    rows = connection().execute(query).all()
    shelves = {
        place: stock.shelves([row[1] for row in rows if at[row[0]] == place], place)
        for place in sorted(set(at.values()))
    }
    found: dict[str, list[Goods]] = {}
    for row in rows:
        shelf = shelves[at[row[0]]].get(row[1], "")
        found.setdefault(row[0], []).append(Goods(*row[1:], shelf))
    for each in found.values():
        each.sort(key=lambda one: (one.shelf == "", one.shelf, one.code))
    return found


def _steps(shipment_ids: Sequence[str]) -> dict[str, list[Step]]:
    query = (
        select(
            ShipmentStep.shipment_id, ShipmentStep.event, ShipmentStep.state, ShipmentStep.note,
            ShipmentStep.made_by, ShipmentStep.at,
        )
        .where(ShipmentStep.shipment_id.in_(shipment_ids))
        .order_by(ShipmentStep.id)
    )  # fmt: skip
    found: dict[str, list[Step]] = {}
    for row in connection().execute(query):
        found.setdefault(row[0], []).append(Step(*row[1:]))
    return found
