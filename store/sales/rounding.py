"""Rounding: what is paid in cash at a till, where the smallest coin is more than the smallest unit.

Only cash is rounded, once for what changes hands: the sale, its tax and the takings stay exact.
Empties that come off a sale round what is left to pay. Of refunds of one sale the sum is rounded,
not each alone: each differs from what it should be by less than a coin, and all of them together
give back what was paid, never more.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from .. import money, payment, web
from ..db import connection, in_transaction
from .models import Empties, Refund, Sale
from .receipts.receipts import Receipt

__all__ = ["Tendered", "coin", "in_cash", "of_empties", "of_refund", "of_sale", "tendered"]


def coin(currency: str) -> int:
    """The smallest coin of the shop's currency, in minor units; 1 where cash is exact."""
    own = currency == web.setting("CURRENCY")
    return max(1, int(web.setting("CASH_ROUNDING"))) if own else 1


def in_cash(amount_minor: int, currency: str) -> int:
    """What is paid in cash for an amount."""
    return money.rounded(amount_minor, coin(currency))


def of_sale(means: str, total_minor: int, currency: str) -> int:
    """By how much a sale is paid in cash above its total."""
    return in_cash(total_minor, currency) - total_minor if means == "cash" else 0


def of_empties(means: str, total_minor: int, currency: str, sale_id: str | None) -> int:
    """Joiner: by how much empties give more than their deposit: alone they are rounded themselves,
    off a sale what is left to pay of it is."""
    if means != "cash":
        return 0
    head = select(Sale.total_minor, Sale.rounding_minor).where(
        Sale.id == sale_id, Sale.means == "cash"
    )
    total, turned = in_transaction().execute(head).one_or_none() or (0, 0)
    return total + turned - in_cash(total - total_minor, currency) - total_minor


def of_refund(sale: Sale, amount_minor: int, refund_id: str, at: datetime) -> int:
    """Joiner: book by how much a refund of so much, to where it was paid from, gives more in cash.
    The sale is locked. Where the coin is another than at the sale, no more goes back than came."""
    if sale.means != "cash" or not amount_minor:
        return 0
    sums = select(
        func.coalesce(func.sum(Refund.total_minor - Refund.account_minor), 0),
        func.coalesce(func.sum(Refund.rounding_minor), 0),
    ).where(Refund.sale_id == sale.id)
    before, turned = map(int, in_transaction().execute(sums).one())
    smallest, paid = coin(sale.currency), sale.total_minor + sale.rounding_minor
    owed = paid if before + amount_minor == sale.total_minor else before + amount_minor
    whole = min(money.rounded(owed, smallest), paid - paid % smallest)
    more = max(0, whole - before - turned) - amount_minor
    found = payment.Rounded(refund_id, sale.id, -more)
    payment.book_rounding([found], sale.currency, at)
    return more


class Tendered(NamedTuple):
    """How a sale was paid besides its total: what empties took off, what cash was rounded by, and
    what changed hands by the sale's means."""

    empties_minor: int
    rounding_minor: int
    paid_minor: int


def tendered(found: Receipt) -> Tendered:
    """The same for a receipt."""
    off = turned = 0
    if found.channel == "till":
        sums = select(func.sum(Empties.total_minor), func.sum(Empties.rounding_minor)).where(
            Empties.sale_id == found.id
        )
        off, turned = (int(each or 0) for each in connection().execute(sums).one())
    more = found.rounding_minor - turned
    return Tendered(off, more, found.total_minor - found.account_minor - off + more)
