"""Transit: goods on their way between places stand at a place of their own kind.

They leave one place, are in transit, and arrive at the other: on hand at no moment says more or
less than there is. What does not arrive is written off from transit, what arrives too many is found
there; both are movements that say so. Of an item that is tracked by batch those leave that the pack
names, else the first to expire, and the same arrive.
"""

from __future__ import annotations

from sqlalchemy import select

from .. import clock, logbook
from ..db import in_transaction, insert_new
from ..errors import Invalid
from .arrivals import arrived, in_order, name_batches
from .changes import change, lock_levels, move
from .levels import Want
from .models import Location
from .slips import NothingScanned, by_item, claim, open_slip, scanned, settle, shown_lines
from .tasks import open_task
from .work_models import Slip, SlipLine
from .write_offs import lost_on_the_way

__all__ = ["TRANSIT", "arrive", "depart", "in_transit", "open_transfer"]

TRANSIT = "TRANSIT"


def open_transfer(
    source_id: int, target_id: int, member_id: int, *, key: str = "", note: str = ""
) -> int:
    """Joiner: goods are to go from one place to another. Raises Invalid where both are one."""
    if source_id == target_id:
        raise Invalid("A transfer goes to another place", field="target")
    return open_slip("transfer", source_id, member_id, key=key, target_id=target_id, note=note)


def depart(slip_id: int, member_id: int) -> int:
    """Joiner: what was scanned leaves and is in transit; answers how many pieces. Raises NotFound,
    SlipClosed, NothingScanned, OutOfStock."""
    slip = claim(slip_id, "transfer", member_id, send=True)
    lines = [one for one in scanned(slip_id) if one.quantity]
    sent = by_item(lines)
    if not sent:
        raise NothingScanned("A transfer has at least one item", field="code")
    settle(slip_id, [(item, many, 0) for item, many in sorted(sent.items())])
    going = [
        Want(one.item_id, slip.location_id, one.quantity, None, member_id, batch)
        for one, batch in in_order(lines)
    ]
    transit = in_transit()
    lock_levels([(item, place) for item in sent for place in (slip.location_id, transit)])
    name_batches(going, f"#{slip.id}")
    move(going, transit, f"#{slip.id}")
    lock_levels([(item, slip.target_id or 0) for item in sent])
    logbook.note("transfer.sent", slip_id, place_id=slip.location_id,
                 after={"to": slip.target_id, "items": sent})  # fmt: skip
    return sum(sent.values())


def arrive(slip_id: int, member_id: int) -> dict[int, int]:
    """Joiner: what was scanned at the arrival stands at the other place now; nothing of the slip is
    in transit any more. Answers the differences by item: less than zero is missing. Raises
    NotFound, SlipClosed."""
    slip = claim(slip_id, "transfer", member_id)
    if slip.sent_at is None or slip.target_id is None:
        raise Invalid("It has not left yet", field="slip")
    sent = {item: expected for item, expected, _ in shown_lines(slip_id)}
    lines = [one for one in scanned(slip_id, "in") if one.quantity]
    came, transit, note = by_item(lines), in_transit(), f"#{slip.id}"
    places = (transit, slip.target_id)
    lock_levels([(item, place) for item in {*sent, *came} for place in places])
    arrival = arrived(sorted(sent), in_order(lines), transit, note, member_id)
    change(arrival.renamed, "counted", note)
    # What came too many is found in transit first, so that it never holds less than nothing.
    change(arrival.found, "found", note)
    move(arrival.coming, slip.target_id, note)
    lost_on_the_way(slip.id, arrival.missing)
    _write_down(slip, came)
    off = {item: came.get(item, 0) - sent.get(item, 0) for item in {*sent, *came}}
    logbook.note("transfer.arrived", slip_id, place_id=slip.target_id, before={"items": sent},
                 after={"items": came})  # fmt: skip
    if any(off.values()):
        open_task("transfer_differs", slip.location_id, note=note)
    return {item: many for item, many in off.items() if many}


def _write_down(slip: Slip, came: dict[int, int]) -> None:
    session = in_transaction()
    rows = [{"slip_id": slip.id, "item_id": item, "expected": 0, "done": 0}
            for item in sorted(came)]  # fmt: skip
    if rows:
        session.connection().execute(insert_new(SlipLine), rows)
    for line in session.scalars(select(SlipLine).where(SlipLine.slip_id == slip.id)):
        line.done = came.get(line.item_id, 0)


def in_transit() -> int:
    """Joiner: the id of the place where goods in transit stand; made when the first ones leave."""
    session = in_transaction()
    session.connection().execute(
        insert_new(Location),
        [{"code": TRANSIT, "name": "In transit", "kind": "transit", "address": "",
          "created_at": clock.now()}],
    )  # fmt: skip
    return session.scalars(select(Location.id).where(Location.code == TRANSIT)).one()
