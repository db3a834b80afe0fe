"""Ages of orders: what is not for everybody is handed over when somebody has looked: at the counter
under the shopper's code, or at the door by whoever brings it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from ... import catalogue, clock, logbook
from ...db import connection
from ...delivery import Shipment
from ..ages.ages import (
    AgeNotChecked,
    born_by,
    today,
    wrote,
)
from ..models import SaleLine

__all__ = ["REASON", "look", "needed", "not_for", "refused"]

REASON = "age check at the counter"

WAYS = {"hand_over": "counter", "deliver": "door"}
"""Steps with which goods come into somebody's hands."""


def needed(sale_id: str, goods: Mapping[int, int]) -> int:
    """From which age these goods of an order are, as they were sold; 0 is everybody."""
    return max(_ages(sale_id, goods).values(), default=0)


def not_for(sale_id: str, goods: Mapping[int, int], least_age: int) -> dict[int, int]:
    """Those of the goods that are not for somebody younger. Of a bundle all of it."""
    found = _ages(sale_id, goods)
    return {item: many for item, many in goods.items() if found.get(item, 0) >= least_age}


def look(
    shipment: Shipment, goods: Mapping[int, int], event: str, checked: int, made_by: int
) -> None:  # fmt: skip
    """Joiner: a step hands goods over. Raises AgeNotChecked unless somebody has looked."""
    least = needed(shipment.sale_id, goods) if event in WAYS else 0
    if not least:
        return
    if checked < least:
        born = born_by(least, today()).isoformat()
        raise AgeNotChecked(least_age=least, born_by=born, shipment=shipment.id)
    place = shipment.location_id
    wrote(shipment.sale_id, least, place, WAYS[event], "yes", made_by, clock.now())
    said = {"least_age": least}
    logbook.note("age.checked", shipment.sale_id, place_id=place, after=said)


def refused(shipment: Shipment, least_age: int, made_by: int) -> None:
    """Joiner: whoever came for it was not old enough."""
    place = shipment.location_id
    wrote(shipment.sale_id, least_age, place, "counter", "no", made_by, clock.now())
    said = {"least_age": least_age}
    logbook.note("age.refused", shipment.sale_id, place_id=place, after=said)


def _ages(sale_id: str, goods: Mapping[int, int]) -> dict[int, int]:
    """The age of each of these items; what is in a bundle has the bundle's."""
    line = SaleLine
    kept = line.quantity - line.quantity_refunded - line.quantity_opened
    query = select(line.item_id, line.least_age).where(
        line.sale_id == sale_id, line.least_age > 0, kept > 0
    )
    found: dict[int, int] = {}
    sold = connection().execute(query).all()
    inside = catalogue.parts_of({row.item_id for row in sold})
    for item, age in sold:
        for each in (item, *(part.item_id for part in inside.get(item, ()))):
            if each in goods:
                found[each] = max(age, found.get(each, 0))
    return found
