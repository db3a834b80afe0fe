"""Deposits: what is paid for a bottle or a crate beside its contents, until it comes back.

A kind of deposit is an item of the books (its name and tax rate are the owner's to change) with an
amount that stays: what was sold keeps its meaning, and another amount is another kind. Items say
which kind they carry. A deposit is never discounted, and no price of an item includes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, select
from sqlalchemy.orm import aliased

from ..db import connection, in_transaction
from ..errors import Invalid
from .models import BundlePart, DepositKind, Item

__all__ = ["Deposit", "checked_deposit", "deposit_due", "deposit_of", "deposits"]


class Deposit(NamedTuple):
    """A kind of deposit. `item_id` and `code` are those of its item of the books."""

    item_id: int
    code: str
    names: dict[str, str]
    amount_minor: int
    currency: str
    tax_rate_bp: int


kept = aliased(Item, name="kept")
"""The item of the books of a deposit, beside the item that carries it."""

COLUMNS = (
    DepositKind.item_id.label("deposit_id"), kept.code.label("deposit_code"),
    kept.names.label("deposit_names"), DepositKind.amount_minor.label("deposit_minor"),
    DepositKind.currency.label("deposit_currency"), kept.tax_rate_bp.label("deposit_tax_bp"),
)  # fmt: skip
"""What a query `with_deposit` may select; `read` makes a deposit of the values."""


def with_deposit(query: Any) -> Any:
    """A query over items, with the deposit that each carries, if any, beside it."""
    return query.outerjoin(DepositKind, DepositKind.item_id == Item.deposit_id).outerjoin(
        kept, kept.id == DepositKind.item_id
    )


def read(values: Sequence[Any]) -> Deposit | None:
    return Deposit(*values) if values[0] is not None else None


def deposit_due(item: Any, currency: Any = None) -> Any:
    """An expression for any query over items: what one of them carries, in minor units; of a bundle
    what its parts carry, too. 0 where there is none. Without a currency, in any."""
    part = aliased(Item)
    own = (
        select(DepositKind.amount_minor)
        .where(DepositKind.item_id == item.deposit_id, *_in(currency))
        .correlate_except(DepositKind)
        .scalar_subquery()
    )
    of_parts = (
        select(func.sum(BundlePart.quantity * DepositKind.amount_minor))
        .join(part, part.id == BundlePart.item_id)
        .join(DepositKind, DepositKind.item_id == part.deposit_id)
        .where(BundlePart.bundle_id == item.id, *_in(currency))
        .correlate_except(BundlePart, part, DepositKind)
        .scalar_subquery()
    )
    carried = case((item.is_bundle, func.coalesce(of_parts, 0)), else_=0)
    return cast(func.coalesce(own, 0) + carried, BigInteger)


def _in(currency: Any) -> list[ColumnElement[bool]]:
    return [] if currency is None else [DepositKind.currency == currency]


def deposits(currency: str) -> list[Deposit]:
    """Every kind in a currency, the first one first."""
    columns = (
        DepositKind.item_id, Item.code, Item.names, DepositKind.amount_minor,
        DepositKind.currency, Item.tax_rate_bp,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(Item, Item.id == DepositKind.item_id)
        .where(DepositKind.currency == currency)
        .order_by(DepositKind.item_id)
    )
    return [Deposit(*row) for row in connection().execute(query)]


def deposit_of(item: Item, currency: str) -> Deposit | None:
    """The deposit that an item carries, or that it stands for itself."""
    wanted = {item.id, item.deposit_id}
    return next((one for one in deposits(currency) if one.item_id in wanted), None)


def checked_deposit(deposit_id: int | None) -> int | None:
    """Joiner: the kind that an item is to carry. Raises Invalid where there is none."""
    if deposit_id is None:
        return None
    known = select(DepositKind.item_id).where(DepositKind.item_id == deposit_id)
    if in_transaction().scalar(known) is None:
        raise Invalid("There is no such deposit", field="deposit")
    return deposit_id
