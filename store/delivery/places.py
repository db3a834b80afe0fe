"""What locations do for orders, and what the owner weighs when one is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from .. import logbook, stock
from ..db import connection, db, in_transaction, insert_new
from ..errors import Invalid
from ..prepared import as_text
from .models import Place, Weights
from .sourcing import Point, Weighing

__all__ = [
    "Spot", "check_point", "set_place", "set_weighing", "spot", "spots", "spots_of",
    "spots_text", "weighing",
]  # fmt: skip

MOST_DAYS = 365


@dataclass(frozen=True)
class Spot:
    """A location with what it does for orders."""

    location_id: int
    code: str
    name: str
    kind: str
    address: str
    point: Point | None
    hours: str
    buffer: int
    ships: bool
    hands_over: bool
    parcel_minor: int
    days: int


def spots() -> list[Spot]:
    """Every location whose goods are for sale, the first one first, in one statement: nobody is
    sent what lies in quarantine, or is under way itself."""
    return [_spot(row) for row in connection().execute(_ordered().where(_sells()))]


def spots_text(dialect: str) -> Any:
    """The same as a JSON list in another statement; `spots_of` reads its rows."""
    query = _query().with_only_columns(as_text(_columns(), dialect), maintain_column_froms=True)
    return query.where(_sells()).scalar_subquery()


def spots_of(rows: Iterable[Any]) -> list[Spot]:
    return sorted(map(_spot, rows), key=lambda one: one.location_id)


def spot(location_id: int) -> Spot | None:
    row = connection().execute(_ordered().where(stock.Location.id == location_id)).first()
    return None if row is None else _spot(row)


def _sells() -> ColumnElement[bool]:
    return or_(*(stock.Location.kind == kind for kind in stock.SELLING))


def _columns() -> tuple[Any, ...]:
    place = stock.Location
    return (
        place.id, place.code, place.name, place.kind, place.address, Place.latitude,
        Place.longitude, Place.hours, Place.buffer, Place.ships, Place.hands_over,
        Place.parcel_minor, Place.days,
    )  # fmt: skip


def _query() -> Select[*tuple[Any, ...]]:
    place = stock.Location
    return select(*_columns()).select_from(place).outerjoin(Place, Place.location_id == place.id)


def _ordered() -> Select[*tuple[Any, ...]]:
    return _query().order_by(stock.Location.id)


def _spot(row: Any) -> Spot:
    (location_id, code, name, kind, address, latitude, longitude, hours, buffer, ships, hands_over,
     parcel_minor, days) = row  # fmt: skip
    return Spot(
        location_id, code, name, kind, address,
        None if latitude is None else Point(latitude, longitude),
        hours or "", buffer or 0,
        # A location that nobody has described yet ships, and hands over where it is a shop.
        True if ships is None else ships, kind == "shop" if hands_over is None else hands_over,
        parcel_minor or 0, days or 0,
    )  # fmt: skip


def set_place(
    location_id: int,
    *,
    point: Point | None,
    hours: str,
    buffer: int,
    ships: bool,
    hands_over: bool,
    parcel_minor: int,
    days: int,
) -> None:
    """Joiner: say what a location does for orders. Raises Invalid, NotFound."""
    session = in_transaction()
    stock.location_by_id(location_id)
    check_point(point)
    if not (0 <= buffer <= 10**6 and 0 <= days <= MOST_DAYS and parcel_minor >= 0):
        raise Invalid("Buffer, days and cost are 0 or more", field="buffer")
    session.connection().execute(insert_new(Place), [{"location_id": location_id}])
    place = session.get_one(Place, location_id)
    before = _said(place)
    place.latitude, place.longitude = point or (None, None)
    place.hours, place.buffer = hours[:300], buffer
    place.ships, place.hands_over = ships, hands_over
    place.parcel_minor, place.days = parcel_minor, days
    session.flush()
    logbook.note("place.described", location_id, place_id=location_id, before=before,
                 after=_said(place))  # fmt: skip


def _said(place: Place) -> dict[str, Any]:
    names = ("latitude", "longitude", "hours", "buffer", "ships", "hands_over", "parcel_minor",
             "days")  # fmt: skip
    return {name: getattr(place, name) for name in names}


def check_point(point: Point | None) -> None:
    """Raises Invalid for what is not on the earth; NaN is not."""
    if point and not (-90 <= point.latitude <= 90 and -180 <= point.longitude <= 180):
        raise Invalid("Degrees are -90 to 90 north and -180 to 180 east", field="latitude")


def weighing() -> Weighing:
    """What the owner weighs; the defaults until they say otherwise."""
    row = db.session.get(Weights, 1)
    if row is None:
        return Weighing()
    return Weighing(row.cost_percent, row.parcel_minor, row.day_minor, row.km_minor)


def set_weighing(wanted: Weighing) -> None:
    """Joiner: weigh differently from now on. Raises Invalid."""
    session = in_transaction()
    values = {name: int(value) for name, value in vars(wanted).items()}
    if not all(0 <= value <= 10**9 for value in values.values()):
        raise Invalid("A weight is 0 or more", field="cost_percent")
    session.connection().execute(insert_new(Weights), [{"id": 1, **values}])
    row = session.get_one(Weights, 1)
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    logbook.note("weights.set", "sourcing", before=before, after=values)
