"""What the page of a payment shows whose money comes by bank transfer."""

from __future__ import annotations

from typing import NamedTuple

from flask import current_app

from ...payment import asking
from ...payment.gateways.bank import NAME, Bank, grouped
from ...payment.gateways.offered import set_up
from ...payment.models import Attempt

__all__ = ["Transfer", "transfer"]


class Transfer(NamedTuple):
    """What a shopper tells their bank; `code` is what its app scans instead, if it can."""

    to: Bank
    reference: str
    code: str


def transfer(mine: Attempt) -> Transfer | None:
    """None where the shop takes no transfers any more."""
    to = set_up(current_app.config).get(NAME)
    if not isinstance(to, Bank):
        return None
    return Transfer(to, grouped(mine.reference), to.scanned(asking.order_of(mine)))
