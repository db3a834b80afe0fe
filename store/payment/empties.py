"""Empties: the deposit goes back to whoever brings the bottle, whoever bought it."""

from __future__ import annotations

from sqlalchemy import insert

from .. import clock
from ..db import in_transaction
from .ledger import DEPOSITS, give, row_of, shop_account, shopper_account
from .models import Transfer


def pay_empties(
    amount_minor: int, currency: str, *, empties_id: str, member_id: int | None, means: str
) -> None:
    """Joiner: the deposit of empties goes to a member's account, or out of the shop's own of that
    name ("cash", or "card" where it comes off what a terminal takes)."""
    to = (
        shopper_account(member_id, currency)
        if means == "account" and member_id is not None
        else shop_account(means, currency)
    )
    row = row_of(shop_account(DEPOSITS, currency), to, amount_minor, currency, "empties",
               clock.now(), note=empties_id)  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])
    give(to, amount_minor)
