"""What is available: on hand, less what is kept for sales and what nobody may buy any more.

Nothing of it is written down: a reservation whose end has come counts for nothing from that moment
on. A buy at the shelf looks at what is on hand alone (the item in hand wins); what it ate of a
reservation, `overbooked` tells.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal, or_, select

from .. import catalogue, clock
from ..db import Moment, connection
from ..prepared import as_text
from .batches import blocked_expression
from .incoming import incoming_expression
from .levels import level_of
from .models import Level, Location, Reservation

# Read when the statement runs, so that a statement that is built once stays right for ever.
_now = bindparam("reservations_now", type_=Moment(), callable_=clock.now)

Place = tuple[int, int]
"""An item and a location."""


class Held(NamedTuple):
    """So many at a place are kept for a sale; `ends_at` None is until somebody ends it."""

    id: int
    item_id: int
    location_id: int
    quantity: int
    sale_id: str
    ends_at: datetime | None


class Available(NamedTuple):
    """A place's figures. Nothing of what is available is of an expired or recalled batch; it is
    below zero where a shopper at the shelf was faster than an order. `incoming` is under way to
    this place and counts for nothing until it is there."""

    on_hand: int
    reserved: int
    available: int
    incoming: int = 0


def kept_for(sale_id: str) -> list[Held]:
    """What is kept for a sale now, the oldest first."""
    rows = connection().execute(held_query().where(Reservation.sale_id == sale_id, is_live()))
    return [Held(*row) for row in rows]


def overbooked(item_id: int, location_id: int) -> list[Held]:
    """Reservations for which too few are on hand: the older one has it, the newer one is here."""
    place = (Reservation.item_id == item_id, Reservation.location_id == location_id)
    level = select(Level.on_hand).where(
        Level.item_id == item_id, Level.location_id == location_id
    )  # fmt: skip
    left = connection().execute(level).scalar() or 0
    without = []
    for row in connection().execute(held_query().where(*place, is_live())):
        held = Held(*row)
        if held.quantity <= left:
            left -= held.quantity
        else:
            without.append(held)
    return without


def available(
    item_ids: Collection[int], location_ids: Collection[int] | None = None
) -> dict[Place, Available]:
    """The figures of these items at these locations (None: all), in one statement; a place where
    an item never was is left out."""
    if not item_ids:
        return {}
    place = (Level.item_id, Level.location_id)
    query = select(
        *place, Level.on_hand, _reserved(*place), blocked_expression(*place),
        incoming_expression(*place),
    ).where(Level.item_id.in_(set(item_ids)))  # fmt: skip
    if location_ids is not None:
        query = query.where(Level.location_id.in_(set(location_ids)))
    else:
        transit = select(Location.id).where(Location.kind == "transit")
        query = query.where(Level.location_id.not_in(transit))
    return {
        (item, place): Available(
            on_hand, int(kept), on_hand - int(kept) - int(blocked), int(coming)
        )
        for item, place, on_hand, kept, blocked, coming in connection().execute(query)
    }


def sellable(item: type[catalogue.Item], location_id: Any) -> ColumnElement[int]:
    """An expression for pages: how many of what is on hand a shopper may buy, of a bundle as many
    as its parts make; NULL where the item never was. Only items that are tracked by batch, or
    bundles, pay for looking."""
    blocked = case((item.tracks_batches, blocked_expression(item.id, location_id)), else_=0)
    return case(
        (item.is_bundle, _bundles(item.id, location_id)),
        else_=level_of(item.id, location_id) - blocked,
    )


def _bundles(bundle_id: Any, location_id: Any) -> ColumnElement[int]:
    part = catalogue.BundlePart
    on_hand = func.coalesce(level_of(part.item_id, location_id), 0)
    left = on_hand - blocked_expression(part.item_id, location_id)
    return (
        select(func.min(left // part.quantity))
        .where(part.bundle_id == bundle_id)
        .correlate_except(part)
        .scalar_subquery()
    )


def available_expression(item_id: Any, location_id: Any) -> ColumnElement[int]:
    """An expression for other rooms' queries: on hand less what is kept, 0 where the item never
    was; below zero where more is kept than there is."""
    on_hand = func.coalesce(level_of(item_id, location_id), literal(0))
    return on_hand - _reserved(item_id, location_id) - blocked_expression(item_id, location_id)


def available_text(item_id: Any, dialect: str) -> Any:
    """What is free of an item at every place where it ever was, as a column of another statement: a
    JSON list of [location, available]; may be NULL where it never was anywhere."""
    place = (Level.item_id, Level.location_id)
    free = Level.on_hand - _reserved(*place) - blocked_expression(*place)
    return (
        select(as_text([Level.location_id, free], dialect))
        .where(Level.item_id == item_id)
        .correlate_except(Level)
        .scalar_subquery()
    )


def is_live(at: Any = _now) -> ColumnElement[bool]:
    return Reservation.ended_at.is_(None) & or_(
        Reservation.ends_at.is_(None), Reservation.ends_at > at
    )


def held_query() -> Select[*tuple[Any, ...]]:
    row = (
        Reservation.id, Reservation.item_id, Reservation.location_id, Reservation.quantity,
        Reservation.sale_id, Reservation.ends_at,
    )  # fmt: skip
    return select(*row).order_by(Reservation.id)


def _reserved(item_id: Any, location_id: Any) -> ColumnElement[int]:
    place = (Reservation.item_id == item_id, Reservation.location_id == location_id)
    total = select(func.coalesce(func.sum(Reservation.quantity), 0)).where(*place, is_live())
    return total.correlate_except(Reservation).scalar_subquery()
