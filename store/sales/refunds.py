"""Refunds: the whole sale goes back, money and goods in one transaction, once."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from .. import clock, ids, outbox, payment, stock
from ..db import in_transaction, repeatable, transaction
from ..errors import NotFound, Refusal
from .models import TRANSITIONS, Refund, Sale, SaleLine


class NotRefundable(Refusal):
    """The sale is in a state from which no refund leads on. `data`: state."""

    code = "not_refundable"
    status = 409
    title = "This sale was refunded already"


@repeatable
def refund(sale_id: str, *, made_by: int, reason: str = "") -> str:
    """Opener: give back everything that a sale cost and put its goods back where they were sold.
    Answers the refund's id. Raises NotFound, NotRefundable."""
    with transaction():
        return give_back(sale_id, made_by=made_by, reason=reason)


def give_back(sale_id: str, *, made_by: int, reason: str = "") -> str:
    """Joiner: the same, for callers with something of their own to write beside it."""
    session = in_transaction()
    sale = session.scalar(select(Sale).where(Sale.id == sale_id).with_for_update())
    if sale is None:
        raise NotFound("There is no such sale")
    state = TRANSITIONS.get((sale.state, "refund"))
    if state is None:
        raise NotRefundable(state=sale.state)
    at, refund_id = clock.now(), ids.new()
    moved = session.execute(
        update(Sale).where(Sale.id == sale.id, Sale.state == sale.state).values(state=state)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise NotRefundable(state=state)
    payment.refund(sale.member_id, sale.total_minor, sale.currency, sale.id)
    session.connection().execute(
        insert(Refund),
        [
            {
                "id": refund_id,
                "sale_id": sale.id,
                "total_minor": sale.total_minor,
                "tax_minor": sale.tax_minor,
                "reason": reason,
                "made_by": made_by,
                "created_at": at,
            }
        ],
    )
    outbox.put("sale.refunded", refund_id)
    lines = session.execute(
        select(SaleLine.item_id, SaleLine.quantity).where(SaleLine.sale_id == sale.id)
    ).all()
    stock.put_back(
        [
            stock.Want(line.item_id, sale.location_id, line.quantity, sale.id, made_by)
            for line in lines
        ],
        at,
        note=reason,
    )
    return refund_id
