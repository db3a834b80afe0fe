"""Tills: cash between the drawer, the safe and what was paid out of the drawer; and what a count
finds too little or too much; and what members take out of their accounts."""

from __future__ import annotations

from sqlalchemy import insert

from .. import clock
from ..db import in_transaction
from .ledger import InsufficientFunds, row_of, shop_account, shopper_account, take
from .models import Transfer
from .on_delivery import DIFFERENCES

__all__ = ["EXPENSES", "SAFE", "bank", "differ", "move", "pay_out"]

SAFE, EXPENSES = "safe", "expenses"


def move(place: str, amount_minor: int, currency: str, note: str) -> None:
    """Joiner: so much comes into the drawer from the safe, or below 0 goes there or is spent."""
    if amount_minor > 0:
        _book("cash", place, amount_minor, currency, "till_in", note)
    elif amount_minor < 0:
        _book(place, "cash", -amount_minor, currency, "till_out", note)


def pay_out(member_id: int, amount_minor: int, currency: str, note: str) -> None:
    """Joiner: so much of a member's account is given to them in cash. Raises InsufficientFunds."""
    account = shopper_account(member_id, currency)
    if not take(member_id, amount_minor, currency):
        raise InsufficientFunds(needed_minor=amount_minor)
    row = row_of(account, shop_account("cash", currency), amount_minor, currency, "paid_out",
                 clock.now(), note=note)  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])


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
