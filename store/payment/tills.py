"""Tills: cash between the drawer, the safe and what was paid out of the drawer; and what a count
finds too little or too much."""

from __future__ import annotations

from sqlalchemy import insert

from .. import clock
from ..db import in_transaction
from .ledger import row_of, shop_account
from .models import Transfer
from .on_delivery import DIFFERENCES

__all__ = ["EXPENSES", "SAFE", "bank", "differ", "move"]

SAFE, EXPENSES = "safe", "expenses"


def move(place: str, amount_minor: int, currency: str, note: str) -> None:
    """Joiner: so much comes into the drawer from the safe, or below 0 goes there or is spent."""
    if amount_minor > 0:
        _book("cash", place, amount_minor, currency, "till_in", note)
    elif amount_minor < 0:
        _book(place, "cash", -amount_minor, currency, "till_out", note)


def bank(amount_minor: int, currency: str, note: str) -> None:
    """Joiner: a day is closed, and so much of its cash goes to the safe."""
    if amount_minor:
        _book(SAFE, "cash", amount_minor, currency, "till_banked", note)


def differ(amount_minor: int, currency: str, note: str) -> None:
    """Joiner: a count found so much more than there should be (below 0: less)."""
    if amount_minor > 0:
        _book("cash", DIFFERENCES, amount_minor, currency, "till_over", note)
    elif amount_minor < 0:
        _book(DIFFERENCES, "cash", -amount_minor, currency, "till_short", note)


def _book(
    debit: str, credit: str, amount_minor: int, currency: str, reason: str, note: str
) -> None:
    row = row_of(shop_account(debit, currency), shop_account(credit, currency), amount_minor,
                 currency, reason, clock.now(), note=note[:200])  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])
