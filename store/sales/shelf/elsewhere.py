"""Elsewhere: what is sold out here, where else it is, and what it costs to have it brought."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, func, literal, not_

from ... import delivery, stock

__all__ = ["Elsewhere", "Near", "column", "elsewhere", "elsewhere_of", "far"]

SHOWN = 5
COLUMN = "elsewhere"


@dataclass(frozen=True)
class Near:
    """A place where goods can be collected now. `left` is how many times all that was asked for is
    there for orders; `km` is None where one of the two places has no coordinates."""

    location_id: int
    code: str
    name: str
    address: str
    hours: str
    left: int
    km: float | None


@dataclass(frozen=True)
class Elsewhere:
    """Places to collect at, the nearest first, and what delivery costs at least (None: the shop
    does not deliver this)."""

    places: tuple[Near, ...]
    home: delivery.Quoted | None

    def __bool__(self) -> bool:
        return bool(self.places) or self.home is not None


def elsewhere(
    wanted: Mapping[int, int], location_id: int, currency: str, weight_g: int
) -> Elsewhere:
    """What else there is for who stands at a location and wants these quantities by item. Three
    statements: places, what is free there, the table of rates."""
    spots = delivery.spots()
    free = stock.available(list(wanted), [one.location_id for one in spots])
    left = {place: level.available for place, level in free.items()}
    return _found(wanted, location_id, weight_g, spots, left, delivery.zones(currency))


def column(item: Any, on_hand: Any, currency: Any, dialect: str) -> ColumnElement[str]:
    """The same for one item, no bundle, as a column of its page's statement, looked for only where
    the shelf is empty: a JSON list of three, which `elsewhere_of` reads."""
    parts = (
        stock.available_text(item.id, dialect),
        delivery.spots_text(dialect),
        delivery.zones_text(currency, dialect),
    )
    free, spots, table = (func.coalesce(part, literal("[]", String())) for part in parts)
    comma = literal(",", String())
    text = literal("[", String()) + free + comma + spots + comma + table + literal("]", String())
    return case((and_(not_(item.is_bundle), func.coalesce(on_hand, 0) < 1), text)).label(COLUMN)


def elsewhere_of(row: Any, quantity: int, weight_g: int) -> Elsewhere:
    """What the column of an item's row says for so many of it."""
    levels, spots, table = json.loads(getattr(row, COLUMN))
    free = {(row.id, place): available for place, available in levels}
    return _found({row.id: quantity}, row.location_id, weight_g, delivery.spots_of(spots), free,
                  delivery.zones_of(table))  # fmt: skip


def _found(
    wanted: Mapping[int, int],
    location_id: int,
    weight_g: int,
    spots: Sequence[delivery.Spot],
    free: Mapping[tuple[int, int], int],
    table: Sequence[delivery.ZoneWithRates],
) -> Elsewhere:
    """`free` is what is available by item and place."""
    here = next((one.point for one in spots if one.location_id == location_id), None)

    def left(spot: delivery.Spot, item: int) -> int:
        return max(0, free.get((item, spot.location_id), 0) - spot.buffer)

    near = [
        Near(
            spot.location_id, spot.code, spot.name, spot.address, spot.hours,
            min(left(spot, item) // many for item, many in wanted.items()),
            delivery.distance_km(here, spot.point),
        )
        for spot in spots
        if spot.hands_over
    ]  # fmt: skip
    places = sorted(
        (one for one in near if one.left),
        key=lambda one: (float("inf") if one.km is None else one.km, one.location_id),
    )
    sent = all(
        sum(left(spot, item) for spot in spots if spot.ships) >= many
        for item, many in wanted.items()
    )
    return Elsewhere(tuple(places), delivery.cheapest(weight_g, table) if sent else None)


def far(km: float | None) -> str:
    """A distance as people say it: 350 m, 2.3 km, 14 km; nothing here, or where it is not
    known."""
    if km is None or km < 0.025:
        return ""
    if km < 0.975:
        return f"{round(km * 20) * 50} m"
    return f"{km:.1f} km" if km < 9.95 else f"{km:.0f} km"
