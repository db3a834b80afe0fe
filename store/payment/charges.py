"""Charges: what a sale was paid with, and how they are taken back. Each transfer back names the
charge that it reverses, in part or whole; never more goes back than was charged."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, insert, select

from .. import clock
from ..db import in_transaction
from ..errors import Refusal
from .ledger import DEPOSITS, give, row_of, shop_account
from .models import Account, Transfer

__all__ = ["Charge", "RefundTooLarge", "charges_of", "owe_no_more", "reverse"]


class RefundTooLarge(Refusal):
    """More would go back than was paid. `data`: left_minor, asked_minor."""

    code = "refund_too_large"
    status = 409
    title = "More would go back than was paid"


class Charge(NamedTuple):
    """What a sale was paid with: from which account, a member's or the shop's own, and how much of
    it has not gone back. `attempt_id` is the attempt that brought it, if one did. A sale that the
    account and a gateway paid together has two."""

    id: int
    payer_id: int
    payer: int | None
    takings_id: int
    left_minor: int
    currency: str
    attempt_id: str | None


def charges_of(sale_id: str) -> list[Charge]:
    """Joiner: the charges of a sale, what a gateway brought first. Their rows are locked before
    what went back is summed up, so that of two refunds one waits for the other; the table lets none
    of them follow on the same sum."""
    found = in_transaction().execute(
        select(Transfer.id, Transfer.debit_id, Account.member_id, Transfer.credit_id,
               Transfer.amount_minor, Transfer.currency, Transfer.attempt_id)
        .join(Account, Account.id == Transfer.debit_id)
        .where(Transfer.sale_id == sale_id, Transfer.reason == "charge")
        .order_by(Transfer.id)
        .with_for_update(of=Transfer)
    ).all()  # fmt: skip
    rows = [Charge(*row[:4], row[4] - _reversed(row[0]), *row[5:]) for row in found]
    return sorted(rows, key=lambda charge: charge.attempt_id is None)


def reverse(charge: Charge, amount_minor: int, sale_id: str, to: int | None = None) -> None:
    """Joiner: so much of a charge goes back to the account that paid it, or to another (`to`)."""
    connection, back_to = in_transaction().connection(), to or charge.payer_id
    row = row_of(charge.takings_id, back_to, amount_minor, charge.currency, "refund", clock.now(),
                 sale_id=sale_id)  # fmt: skip
    row |= {"reverses_id": charge.id, "reversed_before_minor": _reversed(charge.id)}
    connection.execute(insert(Transfer), [row])
    give(back_to, amount_minor)


def owe_no_more(charge: Charge, amount_minor: int, sale_id: str) -> None:
    """Joiner: deposits that came back are no longer owed: from the deposits to the takings."""
    deposits = shop_account(DEPOSITS, charge.currency)
    row = row_of(deposits, charge.takings_id, amount_minor, charge.currency, "deposit_back",
                 clock.now(), sale_id=sale_id)  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])


def _reversed(transfer_id: int) -> int:
    """How much of a transfer was reversed so far."""
    query = select(func.coalesce(func.sum(Transfer.amount_minor), 0))
    return int(in_transaction().scalar(query.where(Transfer.reverses_id == transfer_id)) or 0)
