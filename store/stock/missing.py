"""Missing: pieces that the book has and a picker did not find. Until somebody has counted, nobody
is promised them; a shopper who holds one buys it all the same.

They are kept as what is kept for an order is, for no sale (`reservations.miss`): on hand stays what
it is, and every look at what is available knows it at once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import update

from .. import clock
from ..db import in_transaction
from .models import Reservation

__all__ = ["LONGEST", "NOT_FOUND", "counted"]

NOT_FOUND = "not-found"
"""Stands where a sale would stand."""

LONGEST = timedelta(days=30)
"""Where nobody counts for so long, the book is believed again."""


def counted(item_ids: Collection[int], location_id: int) -> None:
    """Joiner: these were counted at a place, so the book is right again."""
    mine = (
        Reservation.sale_id == NOT_FOUND, Reservation.item_id.in_(list(item_ids)),
        Reservation.location_id == location_id, Reservation.ended_at.is_(None),
    )  # fmt: skip
    ended = update(Reservation).where(*mine).values(ended_at=clock.now(), how="released")
    in_transaction().execute(ended)
