"""Costs of slips: what was ordered or came costs so much, and moves the average of its item.

An order may say what each item costs, and a delivery may say otherwise: the invoice counts. When
the delivery is booked, its cost is averaged with all that the shop has of the item, wherever that
is. A delivery of which nobody says anything leaves the cost as it was.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select

from .. import web
from ..catalogue import costs
from ..db import connection, in_transaction, insert_new
from .levels import total_on_hand
from .slips import SlipClosed
from .work_models import Slip, SlipCost

__all__ = ["average_in", "costs_of_slip", "say_cost"]


def costs_of_slip(slip: Slip) -> dict[int, int]:
    """{item: hundredths} that a slip says, or, where a delivery does not, its order."""
    currency, found = web.setting("CURRENCY"), dict[int, int]()
    for slip_id in (slip.purchase_id, slip.id):
        query = select(SlipCost.item_id, SlipCost.hundredths).where(
            SlipCost.slip_id == slip_id, SlipCost.currency == currency
        )
        found |= {row[0]: row[1] for row in connection().execute(query)}
    return found


def say_cost(slip_id: int, item_id: int, hundredths: int | None) -> None:
    """Joiner: one of this item costs so much here; None is nothing said. Raises SlipClosed once an
    order went out or a delivery is booked; Invalid."""
    session = in_transaction()
    slip = session.get_one(Slip, slip_id, with_for_update=True, populate_existing=True)
    if slip.ended_at is not None:
        raise SlipClosed(slip=slip_id)
    here = (SlipCost.slip_id == slip_id, SlipCost.item_id == item_id)
    session.execute(delete(SlipCost).where(*here))
    if hundredths is not None:
        costs.refuse_wrong(hundredths)
        row = {"slip_id": slip_id, "item_id": item_id, "hundredths": hundredths,
               "currency": web.setting("CURRENCY")}  # fmt: skip
        session.connection().execute(insert_new(SlipCost), [row])


def average_in(slip: Slip, came: Mapping[int, int], member_id: int) -> None:
    """Joiner, with the levels as they are before the goods come: what came at its cost is averaged
    with what is there. What is sold elsewhere in the same moment may be in the average or not."""
    said = {item: cost for item, cost in costs_of_slip(slip).items() if item in came}
    if not said:
        return
    currency = web.setting("CURRENCY")
    known, there = costs.costs_of(said, currency), total_on_hand(list(said))
    new = {
        item: costs.averaged(there.get(item, 0), known.get(item), came[item], cost)
        for item, cost in said.items()
    }
    costs.put_costs(new, currency, "delivered", slip_id=slip.id, made_by=member_id)
