"""Withheld: what a disputed top-up has left in its account, while its bank decides whose it is.

Who takes the money back at their bank must not spend it here as well. It leaves the account for the
shop's account `withheld`, and comes back where the dispute is won; where it is lost, it makes good
what the takings lose by it. What was spent before nobody can take back: the account never goes
below zero.
"""

from __future__ import annotations

from sqlalchemy import insert, update

from .. import clock
from ..db import in_transaction
from . import ledger
from .models import Attempt, Dispute, Transfer

__all__ = ["end", "withhold"]

WITHHELD = "withheld"


def withhold(mine: Attempt, dispute: Dispute) -> None:
    """Joiner: nobody spends what is left of a top-up that is disputed. Of a sale there is nothing
    in any account."""
    if mine.purpose != "top_up" or mine.member_id is None:
        return
    ledger.lock_accounts([mine.member_id], mine.currency)
    left = min(ledger.balance_of(mine.member_id, mine.currency), dispute.amount_minor)
    if left <= 0 or not ledger.take(mine.member_id, left, mine.currency):
        return
    in_transaction().execute(
        update(Dispute).where(Dispute.id == dispute.id).values(withheld_minor=left)
    )
    own, shop = _accounts(mine)
    _book(own, shop, left, "withheld", dispute)


def end(mine: Attempt, dispute: Dispute, *, to_member: bool) -> None:
    """Joiner: the dispute is decided: what was withheld for it is the member's again, or the
    shop's."""
    held = dispute.withheld_minor
    if not held:
        return
    own, shop = _accounts(mine)
    if to_member:
        _book(shop, own, held, "withheld_back", dispute)
        ledger.give(own, held)
    else:
        _book(shop, ledger.shop_account(ledger.TAKINGS, mine.currency), held, "withheld_lost",
              dispute)  # fmt: skip


def _accounts(mine: Attempt) -> tuple[int, int]:
    own = ledger.shopper_account(mine.member_id or 0, mine.currency)
    return own, ledger.shop_account(WITHHELD, mine.currency)


def _book(debit: int, credit: int, amount_minor: int, reason: str, dispute: Dispute) -> None:
    row = ledger.row_of(debit, credit, amount_minor, dispute.currency, reason, clock.now(),
                        note=f"withheld {dispute.id}")  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])
