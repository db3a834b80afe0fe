"""The lists of stock as files: plain decimals, headings that never change."""

from __future__ import annotations

from decimal import Decimal

from .. import money
from ..catalogue.costs import cost_text
from ..spreadsheets import guarded
from .calendar import date_of
from .sheets import Sheet, name_in
from .stock_asked import Asked
from .stock_lists import Goods, Listed

__all__ = ["of_goods"]

_HEAD = ("code", "name", "on_hand", "cost", "value", "currency", "sold", "days", "days_of_stock",
         "last_sold")  # fmt: skip
_ORDER = ("incoming", "to_order", "supplier")


def of_goods(found: Listed, asked: Asked, kind: str, language: str) -> Sheet:
    """What is not known is an empty cell."""
    orders = kind == "reorder"
    return Sheet(
        _HEAD + (_ORDER if orders else ()),
        (_row(one, asked, language) + (_order(one) if orders else []) for one in found.goods),
    )


def _row(one: Goods, asked: Asked, language: str) -> list[object]:
    currency = asked.currency
    return [
        guarded(one.code), guarded(name_in(one.names, language)), one.on_hand,
        "" if one.cost is None else Decimal(cost_text(one.cost, currency)),
        "" if one.value_minor is None else Decimal(money.text(one.value_minor, currency)),
        currency, one.sold, one.known, "" if one.days_left is None else one.days_left,
        "" if one.last_sold is None else date_of(one.last_sold),
    ]  # fmt: skip


def _order(one: Goods) -> list[object]:
    return [one.incoming, one.order, guarded(one.supplier)]
