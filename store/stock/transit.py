"""Transit: goods on their way between places stand at a place of their own kind.

They leave one place, are in transit, and arrive at the other: on hand at no moment says more or
less than there is. What does not arrive is written off from transit, what arrives too many is found
there; both are movements that say so.
"""

from __future__ import annotations

from sqlalchemy import select

from .. import clock
from ..db import in_transaction, insert_new
from ..errors import Invalid
from .changes import change, lock_levels, move
from .levels import Want
from .models import Location
from .slips import NothingScanned, claim, open_slip, scanned, settle, shown_lines
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
    sent = {one.item_id: one.quantity for one in scanned(slip_id) if one.quantity}
    if not sent:
        raise NothingScanned("A transfer has at least one item", field="code")
    settle(slip_id, [(item, many, 0) for item, many in sorted(sent.items())])
    transit = in_transit()
    going = [Want(item, slip.location_id, many, None, member_id) for item, many in sent.items()]
    move(going, transit, f"#{slip.id}")
    lock_levels([(item, slip.target_id or 0) for item in sent])
    return sum(sent.values())


def arrive(slip_id: int, member_id: int) -> dict[int, int]:
    """Joiner: what was scanned at the arrival stands at the other place now; nothing of the slip is
    in transit any more. Answers the differences by item: less than zero is missing. Raises
    NotFound, SlipClosed."""
    slip = claim(slip_id, "transfer", member_id)
    if slip.sent_at is None or slip.target_id is None:
        raise Invalid("It has not left yet", field="slip")
    sent = {item: expected for item, expected, _ in shown_lines(slip_id)}
    came = {one.item_id: one.quantity for one in scanned(slip_id, "in")}
    off = {item: came.get(item, 0) - sent.get(item, 0) for item in {*sent, *came}}
    transit = in_transit()
    # What came too many is found in transit first, so that it never holds less than nothing.
    found = [Want(item, transit, many, None, member_id) for item, many in off.items() if many > 0]
    change(found, "found", f"#{slip.id}")
    coming = [Want(item, transit, many, None, member_id) for item, many in came.items()]
    move(coming, slip.target_id, f"#{slip.id}")
    missing = {item: -many for item, many in off.items() if many < 0}
    lost_on_the_way(slip.id, transit, missing, member_id)
    _write_down(slip, came)
    if any(off.values()):
        open_task("transfer_differs", slip.location_id, note=f"#{slip.id}")
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
