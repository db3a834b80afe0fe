"""Rounding: cash is paid in coins, and what they cannot pay stands in an account of its own.

The sale, its tax and its takings stay exact; the account `cash` has what is in the drawer. What the
shop gained by rounding, less what it lost, is the sum of the account `rounding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert

from ..db import in_transaction
from .ledger import row_of, shop_account
from .models import Transfer

__all__ = ["ROUNDING", "Rounded", "book_rounding"]

ROUNDING = "rounding"


class Rounded(NamedTuple):
    """So much more came into the drawer (below 0: less) than a sale, a refund or empties
    (`source_id`) say."""

    source_id: str
    sale_id: str | None
    into_drawer_minor: int


def book_rounding(found: Sequence[Rounded], currency: str, at: datetime) -> None:
    """Joiner: the differences, a transfer each; nothing for what came out even."""
    uneven = [one for one in found if one.into_drawer_minor]
    if not uneven:
        return
    cash, other = shop_account("cash", currency), shop_account(ROUNDING, currency)
    rows = [
        row_of(*((cash, other) if one.into_drawer_minor > 0 else (other, cash)),
               abs(one.into_drawer_minor), currency, "rounding", at, sale_id=one.sale_id,
               note=one.source_id)
        for one in uneven
    ]  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), rows)
