"""Quotes: what an item costs now, at a location; with the tax in it, or to come on top."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, literal, select, update

from .. import money, web
from ..db import connection, in_transaction
from ..prepared import Many, Prepared, one_of
from .deposits import COLUMNS, Deposit, read, with_deposit
from .models import Item, PriceMark
from .prices import price_in_force


class Off(NamedTuple):
    """What an offer takes off the line that a quote stands in, under which name (by language).
    `coupon_id` is the coupon that was shown for it; `is_first` says that it is for somebody's first
    purchase. Where it is paid with `points`, there is no offer, and its id is 0."""

    offer_id: int
    names: dict[str, str]
    amount_minor: int
    coupon_id: int | None = None
    is_first: bool = False
    points: int | None = None

    @property
    def is_counted(self) -> bool:
        """Whether it may be had so many times and no more."""
        return self.is_first or self.coupon_id is not None or self.points is not None


class Quote(NamedTuple):
    """An item for sale with the price in force. `names` maps languages to names. `on_top` says
    that tax comes on top of the amount. `rules` is the mark of the rules that change prices, 0
    where there never were any; `off` is what they take off the whole line that this stands in.
    Nobody under `least_age` years gets it."""

    item_id: int
    code: str
    names: dict[str, str]
    tax_rate_bp: int
    amount_minor: int
    tracks_batches: bool = False
    is_bundle: bool = False
    deposit: Deposit | None = None
    on_top: bool = False
    category_id: int | None = None
    rules: int = 0
    off: tuple[Off, ...] = ()
    least_age: int = 0

    @property
    def off_minor(self) -> int:
        return sum(each.amount_minor for each in self.off)

    def taxed(self, quantity: int) -> money.Taxed:
        """What a line of so many of them comes to, and the tax in it."""
        priced = self.amount_minor * quantity
        if self.off:
            priced -= self.off_minor
        return money.taxed(priced, self.tax_rate_bp, self.on_top)


def rules_mark() -> Any:
    """An expression for any query: the mark of the rules that change prices. It is another one
    after every change of them, so that who keeps the rules in memory knows when to read again."""
    return select(PriceMark.mark).where(PriceMark.id == 1).scalar_subquery().label("rules_mark")


def mark_rules() -> None:
    """Joiner: rules that change prices were changed. A mark never comes again: one that was read
    in a transaction that was undone names nothing."""
    session = in_transaction()
    mark = secrets.randbelow(2**52) + 1
    marked = update(PriceMark).where(PriceMark.id == 1).values(mark=mark)
    if not session.execute(marked).rowcount:  # type: ignore[attr-defined]
        session.add(PriceMark(id=1, mark=mark))
        session.flush()


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
            Item.least_age,
            Item.category_id,
            rules_mark(),
        ).select_from(Item)
    ).where(one_of(Item.id, "items", dialect), Item.archived_at.is_(None))
)


def as_sold(item_ids: Collection[int]) -> dict[int, Quote]:
    """What these items are, by id, for sales that were made elsewhere at prices of their own:
    archived or without a price, too. The amount is 0."""
    columns = (Item.id, Item.code, Item.names, Item.tax_rate_bp, literal(0).label("amount"),
               Item.tracks_batches, Item.is_bundle)  # fmt: skip
    query = with_deposit(select(*columns, *COLUMNS, Item.least_age).select_from(Item))
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
    off = tuple(Off(*each) for each in values[11]) if len(values) > 11 else ()
    plain = Quote(*values[:7])
    age = int(values[12]) if len(values) > 12 else 0
    deposit = None if kept is None else Deposit(*kept)
    return plain._replace(deposit=deposit, on_top=on_top, off=off, least_age=age)


_DEPOSIT = slice(7, 7 + len(COLUMNS))
_AGE = 7 + len(COLUMNS)
_RULES = slice(_AGE + 1, None)


def _made(row: Sequence[Any], on_top: bool = False) -> Quote:
    plain = Quote(*row[:7])
    if row[7] is not None or on_top or row[_AGE]:
        kept = None if row[7] is None else read(row[_DEPOSIT])
        plain = plain._replace(deposit=kept, on_top=on_top, least_age=row[_AGE])
    ruled = row[_RULES]
    return (
        plain if not ruled or not ruled[1] else plain._replace(category_id=ruled[0], rules=ruled[1])
    )
