"""Quotes: what an item costs now, at a location; with the tax in it, or to come on top."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, literal, select

from .. import money, web
from ..db import connection
from ..prepared import Many, Prepared, one_of
from .deposits import COLUMNS, Deposit, read, with_deposit
from .models import Item
from .prices import price_in_force


class Quote(NamedTuple):
    """An item for sale with the price in force. `names` maps languages to names. `on_top` says
    that tax comes on top of the amount."""

    item_id: int
    code: str
    names: dict[str, str]
    tax_rate_bp: int
    amount_minor: int
    tracks_batches: bool = False
    is_bundle: bool = False
    deposit: Deposit | None = None
    on_top: bool = False

    def taxed(self, quantity: int) -> money.Taxed:
        """What so many of them come to, and the tax in it."""
        return money.taxed(self.amount_minor * quantity, self.tax_rate_bp, self.on_top)


_quotes = Prepared(
    lambda dialect: with_deposit(
        select(
            Item.id,
            Item.code,
            Item.names,
            Item.tax_rate_bp,
            price_in_force(Item.id, bindparam("place"), currency=bindparam("money")).label(
                "amount"
            ),
            Item.tracks_batches,
            Item.is_bundle,
            *COLUMNS,
        ).select_from(Item)
    ).where(one_of(Item.id, "items", dialect), Item.archived_at.is_(None))
)


def as_sold(item_ids: Collection[int]) -> dict[int, Quote]:
    """What these items are, by id, for sales that were made elsewhere at prices of their own:
    archived or without a price, too. The amount is 0."""
    columns = (Item.id, Item.code, Item.names, Item.tax_rate_bp, literal(0).label("amount"),
               Item.tracks_batches, Item.is_bundle)  # fmt: skip
    query = with_deposit(select(*columns, *COLUMNS).select_from(Item))
    found = connection().execute(query.where(Item.id.in_(item_ids)))
    return {row[0]: _made(row) for row in found}


def quotes(item_ids: Sequence[int], location_id: int, currency: str) -> dict[int, Quote]:
    """Quotes by item id, in one statement. What is archived or has no price is left out: it is not
    for sale."""
    found = _quotes.all(items=Many(item_ids), place=location_id, money=currency)
    on_top = web.tax_on_top()
    return {row[0]: _made(row, on_top) for row in found if row[4] is not None}


def kept_quote(values: Sequence[Any]) -> Quote:
    """A quote that was written down as a list, with the deposit in it as another."""
    kept = values[7] if len(values) > 7 else None
    on_top = bool(values[8]) if len(values) > 8 else False
    plain = Quote(*values[:7])
    return plain._replace(deposit=None if kept is None else Deposit(*kept), on_top=on_top)


def _made(row: Sequence[Any], on_top: bool = False) -> Quote:
    plain = Quote(*row[:7])
    if row[7] is None and not on_top:
        return plain
    return plain._replace(deposit=None if row[7] is None else read(row[7:]), on_top=on_top)
