"""Receiving: an order has arrived, its shopper has it, or is not content with it; and what follows
for the money that is held meanwhile.

Whoever decides locks the sale first, as for every change of an order.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from ... import clock, logbook, stock
from ...db import in_transaction, repeatable, transaction
from ...delivery import queue
from ...delivery.states import UNDER_WAY, WAITING
from ...errors import Invalid, NotFound
from ...payment import escrow
from ..models import Refund, Sale, SaleLine
from ..refunds.refunds import (
    OnItsWay,
    Part,
    held,
    pay_back,
)

__all__ = ["complain", "decide", "left_to_hold", "moved_on", "received"]

COMING = {*WAITING, UNDER_WAY, "shipped", "failed"}
REASON_MOST = 1_000


def moved_on(sale_id: str) -> None:
    """Joiner: a shipment of an order took a step, or went. Once nothing is to come any more, the
    time of its money runs; what was all handed over at a counter, by the shopper's code, is
    received with that."""
    states = queue.states_of(sale_id)
    if states & COMING:
        return
    if "handed_over" in states and "delivered" not in states:
        escrow.release(sale_id, "counter")
    else:
        escrow.arrive(sale_id)


def left_to_hold(sale: Sale) -> int:
    """Joiner: what an order costs without what is owed for its empties, less what went back and
    what is held already, in minor units."""
    own = in_transaction()
    back = own.scalar(select(func.sum(Refund.total_minor)).where(Refund.sale_id == sale.id)) or 0
    kept = SaleLine.unit_minor * (SaleLine.quantity - SaleLine.quantity_refunded)
    owed = own.scalar(
        select(func.sum(kept)).where(SaleLine.sale_id == sale.id, SaleLine.kind == "deposit")
    )
    held = escrow.held_of([sale.id]).get(sale.id, 0)
    return max(0, sale.total_minor - int(back) - int(owed or 0) - held)


@repeatable
def received(sale_id: str, member_id: int) -> None:
    """Opener: the shopper has everything, and is content; saying it again changes nothing. Raises
    NotFound, OnItsWay (something has not left yet), EscrowOver (it is disputed, or went back)."""
    with transaction():
        _of(sale_id, member_id)
        _refuse_waiting(sale_id)
        if escrow.release(sale_id, "shopper"):
            return
        found = escrow.find(sale_id)
        if found is None or found.state != "released":
            raise escrow.EscrowOver(state=found.state if found else "none")


@repeatable
def complain(sale_id: str, member_id: int, reason: str, lines: Sequence[int] = ()) -> None:
    """Opener: something is wrong with these lines of an order, or with all of it. Raises NotFound,
    OnItsWay (what has not left yet is cancelled instead), Invalid, EscrowOver."""
    with transaction():
        _of(sale_id, member_id)
        _refuse_waiting(sale_id)
        if len(reason) > REASON_MOST:
            raise Invalid(f"At most {REASON_MOST} characters", field="reason")
        known = in_transaction().scalars(
            select(SaleLine.position).where(
                SaleLine.sale_id == sale_id, SaleLine.kind.in_(("goods", "shipping"))
            )
        )
        if not set(lines) <= set(known):
            raise Invalid("The sale has no such line", field="lines")
        escrow.complain(sale_id, reason, lines)


@repeatable
def decide(
    sale_id: str, decision: str, *, made_by: int, note: str, parts: Sequence[Part] | None = None
) -> None:
    """Opener: the owner decides about a complaint, once: "release", or "refund" of these units or
    of all that is left. The shopper keeps the goods; they are written off. What is not given back
    is the shop's. Raises NotFound, Invalid, EscrowOver, and what `refund` raises."""
    if decision not in ("release", "refund"):
        raise Invalid("It is released, or refunded", field="decision")
    if not note.strip():
        raise Invalid("Tell the shopper why", field="note")
    with transaction():
        _of(sale_id)
        found = escrow.find(sale_id)
        if found is None or found.state != "disputed":
            raise escrow.EscrowOver(state=found.state if found else "none")
        escrow.decide(sale_id, decision, note.strip(), made_by)
        if decision == "refund":
            at = clock.now()
            paid = pay_back(sale_id, made_by=made_by, reason=note.strip()[:200], parts=parts, at=at,
                            waits=False)  # fmt: skip
            escrow.name_refund(sale_id, paid.refund_id)
            goods = [
                stock.Want(line.item_id, paid.location_id, line.quantity, sale_id, made_by)
                for line in paid.goods
            ]
            stock.scrap(goods, at, note=note.strip()[:200])
        escrow.release(sale_id, "decision", "decide")
        logbook.note("complaint.decided", sale_id, after={"decision": decision})


def _of(sale_id: str, member_id: int | None = None) -> Sale:
    """Joiner: the order, ours until the commit. Raises NotFound."""
    sale = held(sale_id)
    if sale is None or (member_id is not None and sale.member_id != member_id):
        raise NotFound("There is no such order")
    return sale


def _refuse_waiting(sale_id: str) -> None:
    """What has not left yet can be cancelled; nobody has it."""
    waiting = queue.states_of(sale_id) & {*WAITING, UNDER_WAY}
    if waiting:
        raise OnItsWay(states=sorted(waiting))
