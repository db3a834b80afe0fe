"""The lists of stock as files: plain decimals, headings that never change."""

from __future__ import annotations

from decimal import Decimal

from .. import money
from ..catalogue.costs import cost_text
from ..spreadsheets import guarded
from .sheets import Sheet, name_in
from .stock_asked import Asked
from .stock_lists import Listed

__all__ = ["of_goods"]


def of_goods(found: Listed, asked: Asked, language: str) -> Sheet:
    """What is not known is an empty cell."""
    currency = asked.currency
    return Sheet(
        ("code", "name", "on_hand", "cost", "value", "currency"),
        (
            [guarded(one.code), guarded(name_in(one.names, language)), one.on_hand,
             _cost(one.cost, currency), _amount(one.value_minor, currency), currency]
            for one in found.goods
        ),
    )  # fmt: skip


def _cost(hundredths: int | None, currency: str) -> Decimal | str:
    return "" if hundredths is None else Decimal(cost_text(hundredths, currency))


def _amount(minor: int | None, currency: str) -> Decimal | str:
    return "" if minor is None else Decimal(money.text(minor, currency))
