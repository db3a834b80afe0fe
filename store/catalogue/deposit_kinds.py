"""Kinds of deposit: a new one begins; none is ever changed."""

from __future__ import annotations

from collections.abc import Mapping

from .. import logbook
from ..db import in_transaction
from ..errors import Invalid
from ..money import decimals
from .deposits import Deposit
from .items import ItemFields, add_item, archive_item
from .models import DepositKind

MOST_MINOR = 10_000_000


def add_deposit(
    names: Mapping[str, str], amount_minor: int, currency: str, tax_rate_bp: int = 0
) -> Deposit:
    """Joiner: a new kind of deposit, taxed as is said, which is not at all. Raises Invalid."""
    decimals(currency)
    if not 1 <= amount_minor <= MOST_MINOR:
        raise Invalid("A deposit is more than nothing, and a small sum", field="amount")
    said: ItemFields = {"names": names, "tax_rate_bp": tax_rate_bp}
    item = add_item(**said)
    # It is on no shelf and no list: it comes with what carries it.
    archive_item(item.id)
    session = in_transaction()
    session.add(DepositKind(item_id=item.id, amount_minor=amount_minor, currency=currency))
    session.flush()
    logbook.note("deposit.added", item.id, after={"amount_minor": amount_minor})
    return Deposit(item.id, item.code, item.names, amount_minor, currency, tax_rate_bp)
