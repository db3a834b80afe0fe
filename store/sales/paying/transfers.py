"""Transfers: how many orders of one shopper wait for a bank transfer, for which goods are kept."""

from __future__ import annotations

from sqlalchemy import func, select

from ...db import in_transaction
from ...errors import Refusal
from ...payment.gateways.bank import NAME
from ...payment.models import OPEN, Attempt

__all__ = ["MOST", "TransfersWaiting", "refuse_many"]

MOST = 3
"""For so many transfers of one shopper goods are kept at a time."""


class TransfersWaiting(Refusal):
    """Goods are kept for days for the shopper's other transfers. `data`: most."""

    code = "transfers_waiting"
    status = 409
    title = "First the transfers that we wait for must arrive"


def refuse_many(gateway: str, member_id: int | None) -> None:
    """Joiner: nobody keeps the shop's goods for days by promising again and again. Raises
    TransfersWaiting."""
    if gateway != NAME:
        return
    query = select(func.count(Attempt.id)).where(
        Attempt.member_id == member_id, Attempt.gateway == NAME, Attempt.state.in_(OPEN)
    )
    if (in_transaction().scalar(query) or 0) >= MOST:
        raise TransfersWaiting(most=MOST)
