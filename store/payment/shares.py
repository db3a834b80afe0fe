"""Shares: what of the takings is a seller's, and what the house keeps of theirs.

What was sold for a seller stands in the takings like any other sale. From there the seller's share
goes to `seller:<code>`, the house's commission to `commission`, and what the seller bears of the
gateways' fees to `seller_fees`; what goes back takes the same ways in reverse. A settlement moves
what is owed on to `payouts`, and the bank's transfer from there to `bank`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, insert, select, union_all

from .. import clock
from ..db import connection, in_transaction
from ..prepared import Prepared
from .escrow import HELD
from .escrow_models import Escrow
from .ledger import TAKINGS, row_of, shop_account
from .models import Account, Attempt, Transfer

__all__ = ["Division", "divide", "held_sales", "owed_to", "pay_out", "settle_with", "take_back"]

COMMISSION, FEES, PAYOUTS, BANK = "commission", "seller_fees", "payouts", "bank"

_book = Prepared(
    lambda dialect: insert(Transfer),
    (
        "debit_id", "credit_id", "amount_minor", "currency", "reason", "sale_id", "attempt_id",
        "reverses_id", "note", "at",
    ),
)  # fmt: skip


class Division(NamedTuple):
    """How an amount of a sale is divided between a seller and the house, in minor units; what went
    back has negative amounts."""

    sale_id: str
    seller: str
    share_minor: int
    commission_minor: int
    fee_minor: int


def account_name(seller: str) -> str:
    return f"seller:{seller}"


def divide(divisions: Iterable[Division], currency: str, at: datetime) -> None:
    """Joiner: move these amounts from the takings to whom they belong to, or back."""
    in_transaction()
    accounts: dict[str, int] = {}

    def account(name: str) -> int:
        if name not in accounts:
            accounts[name] = shop_account(name, currency)
        return accounts[name]

    rows: list[dict[str, Any]] = []
    for one in divisions:
        for name, amount, reason in (
            (account_name(one.seller), one.share_minor, "share"),
            (COMMISSION, one.commission_minor, "commission"),
            (FEES, one.fee_minor, "fee_borne"),
        ):
            if amount > 0:
                rows.append(row_of(account(TAKINGS), account(name), amount, currency, reason, at,
                                   sale_id=one.sale_id))  # fmt: skip
            elif amount < 0:
                rows.append(row_of(account(name), account(TAKINGS), -amount, currency,
                                   f"{reason}_back", at, sale_id=one.sale_id))  # fmt: skip
    if rows:
        _book.run(rows)


def settle_with(seller: str, amount_minor: int, currency: str, note: str) -> None:
    """Joiner: what a settlement found to be owed to a seller is to be paid out."""
    _move(account_name(seller), PAYOUTS, amount_minor, currency, "seller_settled", note)


def pay_out(amount_minor: int, currency: str, note: str) -> None:
    """Joiner: the bank has paid it."""
    _move(PAYOUTS, BANK, amount_minor, currency, "seller_paid", note)


def take_back(amount_minor: int, currency: str, note: str) -> None:
    """Joiner: it came back from the bank, and is to be paid out again."""
    _move(BANK, PAYOUTS, amount_minor, currency, "seller_paid_back", note)


def _move(
    debit: str, credit: str, amount_minor: int, currency: str, reason: str, note: str
) -> None:  # fmt: skip
    row = row_of(shop_account(debit, currency), shop_account(credit, currency), amount_minor,
                 currency, reason, clock.now(), note=note[:200])  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])


def owed_to(sellers: Iterable[str], currency: str) -> dict[str, int]:
    """{code: what the ledger says is owed to the seller and in no payout}, below zero where too
    much was paid before goods came back. Sellers of whom nothing is booked are left out."""
    codes = {f"{account_name(seller)}:{currency}": seller for seller in sellers}
    found = select(Account.id, Account.code).where(Account.code.in_(codes))
    names = {row.id: codes[row.code] for row in connection().execute(found)}
    if not names:
        return {}
    sides = union_all(
        select(Transfer.credit_id.label("account"), func.sum(Transfer.amount_minor).label("amount"))
        .where(Transfer.credit_id.in_(names)).group_by(Transfer.credit_id),
        select(Transfer.debit_id, -func.sum(Transfer.amount_minor))
        .where(Transfer.debit_id.in_(names)).group_by(Transfer.debit_id),
    )  # fmt: skip
    owed: dict[str, int] = {}
    for account, amount in connection().execute(sides):
        owed[names[account]] = owed.get(names[account], 0) + int(amount)
    return owed


def held_sales() -> Select[str]:
    """Sales whose money is not ours to hand on yet: it is held until the goods are received, or a
    dispute over it is open."""
    held = select(Escrow.sale_id).where(Escrow.state.in_(HELD), Escrow.held_minor > 0)
    disputed = select(Attempt.sale_id).where(
        Attempt.state == "disputed", Attempt.sale_id.is_not(None)
    )
    either = union_all(held, disputed).subquery()
    return select(either.c.sale_id)
