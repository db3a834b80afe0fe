"""The lists of stock as files: plain decimals, headings that never change."""

from __future__ import annotations

from decimal import Decimal

from ... import money
from ...catalogue.costs import cost_text
from ...spreadsheets import guarded
from ..calendar import date_of
from ..sheets import Sheet, name_in
from .stock_asked import Asked
from .stock_compared import Compared
from .stock_lists import Goods, Listed
from .stock_turnover import Turnover
from .stock_value import Part, Worth

__all__ = ["of_goods", "of_months", "of_parts", "of_places"]

_HEAD = ("code", "name", "on_hand", "cost", "value", "currency", "sold", "days", "days_of_stock",
         "last_sold")  # fmt: skip
_ORDER = ("incoming", "to_order", "supplier")
_BEFORE = ("on_hand_before", "sold_before")
_PART = ("code", "name", "pieces", "value", "of_unknown_cost", "pieces_before", "value_before",
         "currency")  # fmt: skip
_TURNS = ("sold", "average", "turns_a_year", "days_of_stock", "dead_items", "dead")


def of_goods(found: Listed, asked: Asked, kind: str, language: str) -> Sheet:
    """What is not known is an empty cell."""
    orders = kind == "reorder"
    return Sheet(
        _HEAD + (_ORDER if orders else ()) + _BEFORE,
        (
            [*_row(one, asked, language), *(_order(one) if orders else []), one.stood,
             one.sold_before]
            for one in found.goods
        ),
    )  # fmt: skip


def of_parts(found: Compared, kind: str, language: str) -> Sheet:
    """The categories or brands, with what they were worth as many days before."""
    rows = (_part(part, was, found.asked, language) for part, was in found.parts(kind))
    return Sheet(_PART, rows)


def of_places(found: Compared, language: str) -> Sheet:
    """The places beside each other, and how they turn, in these days and in those before."""
    return Sheet(
        (*_PART, *_TURNS, *(f"{name}_before" for name in _TURNS)),
        (
            [*_part(one.part, one.before, found.asked, language),
             *_turns(one.turns, found.asked), *_turns(one.turned, found.asked)]
            for one in found.places
        ),
    )  # fmt: skip


def of_months(found: Compared) -> Sheet:
    """What the stock was worth at the end of each month; of the last one, of the day asked for."""
    of = found.asked.currency
    return Sheet(
        ("from", "to", "value", "currency"),
        (
            [one.span.first_date, one.span.last_date, _amount(one.value_minor, of), of]
            for one in found.months
        ),
    )


def _part(part: Part, was: Worth, asked: Asked, language: str) -> list[object]:
    now, of = part.worth, asked.currency
    return [
        guarded(part.code), guarded(name_in(part.names, language)), now.pieces,
        _amount(now.value_minor, of), now.unknown, was.pieces, _amount(was.value_minor, of), of,
    ]  # fmt: skip


def _turns(one: Turnover | None, asked: Asked) -> list[object]:
    if one is None:
        return [""] * len(_TURNS)
    of, turns, left = asked.currency, one.turns_tenths, one.days_left
    return [
        _amount(one.sold_minor, of), _amount(one.average_minor, of),
        "" if turns is None else Decimal(turns) / 10, "" if left is None else left, one.dead,
        _amount(one.dead_minor, of),
    ]  # fmt: skip


def _amount(minor: int, currency: str) -> Decimal:
    return Decimal(money.text(minor, currency))


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
