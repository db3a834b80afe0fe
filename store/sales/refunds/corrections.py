"""Corrections: a sale that stands is made to fit the bag. What was paid and is not there goes back,
what is there and was not paid is bought, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from ... import ids, payment
from ...db import connection, in_transaction
from ..buying import Buy, Line
from ..checkout import buy_in, weigh
from ..models import Refund, Sale
from .refunds import Part, give_back, gives_back

__all__ = ["Corrected", "Correction", "correct", "earlier", "paid_back", "preview"]


class Correction(NamedTuple):
    """What is put right of a sale of this member: units that go back, and lines that are bought
    where it was sold. `key` is the purchase key of what is bought; `charged_minor` is what that
    costs as the shopper was shown it."""

    sale_id: str
    member_id: int
    location_id: int
    currency: str
    back: tuple[Part, ...]
    more: tuple[Line, ...]
    key: str
    made_by: int
    charged_minor: int = 0
    is_confirmed: bool = False

    @property
    def buy(self) -> Buy:
        return Buy(
            self.member_id, self.location_id, self.currency, self.more, self.key,
            is_confirmed=self.is_confirmed, seen_total_minor=self.charged_minor,
        )  # fmt: skip


class Corrected(NamedTuple):
    """What came of it: `refund_id` and `sale_id` of what was given back and bought, if anything."""

    charged_minor: int
    refunded_minor: int
    refund_id: str | None
    sale_id: str | None


def preview(asked: Correction) -> tuple[int, int]:
    """Joiner: what would be charged and what would go back now, whatever the account holds; writes
    nothing. Raises what `correct` raises, but InsufficientFunds and ConfirmationNeeded."""
    back = gives_back(asked.sale_id, asked.back, asked.made_by) if asked.back else 0
    if not asked.more:
        return 0, back
    open_price = replace(asked.buy, is_confirmed=True, seen_total_minor=None)
    try:
        return weigh(open_price).total_minor, back
    except payment.InsufficientFunds as refusal:
        return int(refusal.data["needed_minor"]), back


def correct(asked: Correction) -> Corrected:
    """Joiner: money back first, so that it is there for what is bought. Raises what `refund` and
    `buy` raise; PriceRose where it has become dearer than it was shown."""
    refund_id = sale_id = None
    if asked.back:
        refund_id = give_back(
            asked.sale_id, made_by=asked.made_by, reason="rescan at the exit", parts=asked.back
        )
    if asked.more:
        sale_id = buy_in(asked.buy).sale_id
    session = in_transaction()
    charged = session.scalar(select(Sale.total_minor).where(Sale.id == sale_id))
    refunded = session.scalar(select(Refund.total_minor).where(Refund.id == refund_id))
    return Corrected(int(charged or 0), int(refunded or 0), refund_id, sale_id)


def earlier(member_id: int, before: datetime, most: int = 200) -> list[str]:
    """The sales of a member before a moment, the newest first, whatever became of them."""
    query = (
        select(Sale.id)
        .where(Sale.member_id == member_id, Sale.created_at < before)
        .order_by(Sale.created_at.desc())
        .limit(most)
    )
    return [str(one) for one in connection().execute(query).scalars()]


def paid_back(since: datetime, most: int) -> list[str]:
    """Sales that were made since then and do not stand any more: all of their money went back."""
    query = select(Sale.id).where(Sale.id >= ids.first_at(since), Sale.state == "refunded")
    return list(connection().execute(query.limit(most)).scalars())
