"""On delivery: what shoppers owe for orders that are paid at the door, and the cash that couriers
carry until it is counted.

The charge of such an order is booked from the account `delivery`: what is still to be paid. At the
door it moves on to the courier who took it, `courier:<number>`, and from there, counted, to the
cash. What a count finds too little or too much stands in `cash_differences`.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import case, func, insert, or_, select

from .. import clock
from ..db import connection, in_transaction
from .ledger import give, row_of, shop_account, shopper_account
from .models import Account, Transfer

__all__ = [
    "MEANS",
    "count_in",
    "due_of",
    "forgo_due",
    "give_to_account",
    "hold_member",
    "take_at_door",
]

MEANS = "delivery"
DIFFERENCES = "cash_differences"


def due_of(sale_ids: Collection[str]) -> dict[str, int]:
    """What is still to be paid of these sales, in minor units: what was charged, less what went
    back and what was taken at the door. Sales that are paid otherwise are left out."""
    if not sale_ids:
        return {}
    owing = select(Account.id).where(Account.code.startswith(f"{MEANS}:", autoescape=True))
    ours = set(connection().execute(owing).scalars())
    amount = case(
        (Transfer.debit_id.in_(ours), Transfer.amount_minor), else_=-Transfer.amount_minor
    )
    query = (
        select(Transfer.sale_id, func.sum(amount))
        .where(Transfer.sale_id.in_(sale_ids))
        .where(or_(Transfer.debit_id.in_(ours), Transfer.credit_id.in_(ours)))
        .group_by(Transfer.sale_id)
    )
    return {row[0]: int(row[1]) for row in connection().execute(query)}


def take_at_door(sale_id: str, courier_id: int, amount_minor: int, currency: str) -> None:
    """Joiner: the courier has so much of what was due for a sale."""
    _move(_courier(courier_id), MEANS, amount_minor, currency, "collected", sale_id=sale_id)


def count_in(
    courier_id: int, expected_minor: int, counted_minor: int, currency: str, note: str
) -> None:
    """Joiner: the courier's cash is in the till: as much as was counted. What is missing, or is too
    much, is booked as a difference, and the courier owes nothing any more."""
    if counted_minor:
        _move("cash", _courier(courier_id), counted_minor, currency, "handed_in", note=note)
    short = expected_minor - counted_minor
    if short > 0:
        _move(DIFFERENCES, _courier(courier_id), short, currency, "cash_short", note=note)
    elif short < 0:
        _move(_courier(courier_id), DIFFERENCES, -short, currency, "cash_over", note=note)


def forgo_due(sale_id: str, amount_minor: int, currency: str) -> None:
    """Joiner: what nobody can be asked for any more is due no longer."""
    _move(DIFFERENCES, MEANS, amount_minor, currency, "forgone", sale_id=sale_id)


def give_to_account(sale_id: str, member_id: int, amount_minor: int, currency: str) -> None:
    """Joiner: a refund of what was paid at the door already goes to the shopper's account."""
    account = shopper_account(member_id, currency)
    row = row_of(shop_account(MEANS, currency), account, amount_minor, currency, "due_back",
                 clock.now(), sale_id=sale_id)  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])
    give(account, amount_minor)


def hold_member(member_id: int, currency: str) -> None:
    """Joiner: no other order of this member is decided until the commit."""
    account = shopper_account(member_id, currency)
    in_transaction().execute(select(Account.id).where(Account.id == account).with_for_update())


def _courier(courier_id: int) -> str:
    return f"courier:{courier_id}"


def _move(
    debit: str, credit: str, amount_minor: int, currency: str, reason: str,
    *, sale_id: str | None = None, note: str = "",
) -> None:  # fmt: skip
    row = row_of(shop_account(debit, currency), shop_account(credit, currency), amount_minor,
                 currency, reason, clock.now(), sale_id=sale_id, note=note[:200])  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])
