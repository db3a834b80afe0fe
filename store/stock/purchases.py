"""Purchases: what was ordered from a supplier, and deliveries, with or without an order.

An order is a slip that is scanned or typed together and sent; from then on its open rest is
incoming. A delivery is a slip, too: what was scanned comes onto the shelf when it is booked, once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from .. import catalogue, clock, logbook
from ..db import in_transaction, insert_new
from ..errors import NotFound
from .batch_codes import batch_needed, open_batch
from .batches import tracked
from .changes import change, lock_levels
from .levels import Want
from .slip_costs import average_in
from .slips import NothingScanned, Scanned, by_item, claim, find, scanned, settle, shown_lines
from .tasks import close_tasks, open_task
from .work_models import Slip, SlipLine

__all__ = [
    "book_delivery",
    "close_purchase",
    "delivered",
    "send_purchase",
    "still_to_come",
]


def send_purchase(slip_id: int, member_id: int) -> None:
    """Joiner: the order went out to the supplier; what it names is incoming now. Raises NotFound,
    SlipClosed, NothingScanned, ItemRetired."""
    slip = claim(slip_id, "purchase", member_id, send=True)
    wanted = [(one.item_id, one.quantity, 0) for one in scanned(slip_id) if one.quantity]
    if not wanted:
        raise NothingScanned("An order names at least one item", field="code")
    for item, _, _ in wanted:
        catalogue.refuse_retired(item)
    settle(slip_id, sorted(wanted))
    # Where nothing of an item ever was, it has a level from now on, at which it is incoming.
    lock_levels([(item, slip.location_id) for item, _, _ in wanted])
    ordered = {item: many for item, many, _ in wanted}
    logbook.note("purchase.sent", slip_id, place_id=slip.location_id, after={"items": ordered})


def close_purchase(slip_id: int, member_id: int) -> None:
    """Joiner: nothing more will come of it. Raises NotFound, SlipClosed."""
    claim(slip_id, "purchase", member_id)
    logbook.note("purchase.closed", slip_id)


def book_delivery(slip_id: int, member_id: int) -> int:
    """Joiner: what was scanned comes onto the shelf, and off the open rest of its order; answers
    how many pieces came. Where order and delivery differ, a task says so. Raises NotFound,
    SlipClosed, NothingScanned, Invalid; ItemRetired, BatchNeeded and BatchDiffers for what became
    so after it was scanned."""
    slip = claim(slip_id, "delivery", member_id)
    lines = [one for one in scanned(slip_id) if one.quantity]
    came = by_item(lines)
    if not came:
        raise NothingScanned("A delivery has at least one item", field="code")
    for item in came:
        catalogue.refuse_retired(item)
    rest = _take_off_order(slip, came, member_id) if slip.purchase_id else came
    lacking = {item for item, many in rest.items() if many}
    settle(
        slip_id,
        [(item, rest.get(item, 0), came.get(item, 0)) for item in sorted({*came, *lacking})],
    )
    wants = [
        Want(one.item_id, slip.location_id, one.quantity, None, member_id, batch)
        for one, batch in _in_batches(lines)
    ]
    average_in(slip, came, member_id)
    change(wants, "received", f"#{slip.id} {slip.title} {slip.note}".strip()[:200])
    if slip.purchase_id and any(many > rest.get(item, 0) for item, many in came.items()):
        open_task("delivery_differs", slip.location_id, note=f"#{slip.id} {slip.title}")
    close_tasks(("shelf_empty",), slip.location_id, list(came), member_id)
    logbook.note("delivery.booked", slip_id, place_id=slip.location_id, after={"items": came})
    return sum(came.values())


def _in_batches(lines: Sequence[Scanned]) -> list[tuple[Scanned, int | None]]:
    """Joiner: each line with its batch, made where it is new; of items that are not tracked by
    batch, None. In one order, so that two deliveries do not wait for each other crosswise."""
    of_batches = tracked(by_item(lines))
    found: list[tuple[Scanned, int | None]] = []
    for one in sorted(lines, key=lambda one: (one.item_id, one.batch)):
        if one.item_id not in of_batches:
            found.append((one, None))
        elif not one.batch:
            raise batch_needed(one.item_id)
        else:
            found.append((one, open_batch(one.item_id, one.batch, one.expires_on)))
    return found


def _take_off_order(slip: Slip, came: dict[int, int], member_id: int) -> dict[int, int]:
    """Joiner: what came is received on its order's lines; answers what was still to come before.
    What nobody ordered gets a line of its own. The order ends when nothing is to come any more."""
    session = in_transaction()
    order = session.scalars(
        select(Slip).where(Slip.id == slip.purchase_id).with_for_update()
    ).one()  # Two deliveries of one order are booked one after the other.
    mine = SlipLine.slip_id == order.id
    session.connection().execute(
        insert_new(SlipLine),
        [{"slip_id": order.id, "item_id": item, "expected": 0, "done": 0} for item in sorted(came)],
    )
    rows = session.connection().execute(
        select(SlipLine.item_id, SlipLine.expected, SlipLine.done).where(mine)
    )
    rest = {row[0]: max(0, row[1] - row[2]) for row in rows}
    for item, many in sorted(came.items()):
        session.connection().execute(
            update(SlipLine).where(mine, SlipLine.item_id == item).values(done=SlipLine.done + many)
        )
    if order.ended_at is None and all(came.get(item, 0) >= many for item, many in rest.items()):
        order.ended_at, order.ended_by, order.how = clock.now(), member_id, "done"
    return rest


def still_to_come(slip_id: int) -> dict[int, int]:
    """The open rest of an order, by item."""
    return {item: max(0, ordered - came) for item, ordered, came in shown_lines(slip_id)}


def delivered(slip_id: int) -> tuple[int, dict[int, int]]:
    """Where a booked delivery came, and how many of each item. Raises NotFound."""
    slip = find(slip_id, "delivery")
    if slip.how != "done":
        raise NotFound("This delivery is not booked", what="slip")
    return slip.location_id, {item: came for item, _, came in shown_lines(slip_id) if came}
