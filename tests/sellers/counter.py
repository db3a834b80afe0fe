"""A brand's counter in the tests' shop: a seller with a contract, and the days that pass."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from store import outbox, sellers
from store.catalogue.items import edit_item
from store.db import connection, transaction
from store.payment.models import Account, Transfer
from store.sellers.models import Share
from tests.world import Thing

__all__ = ["account", "entries", "give_to", "seller"]


def seller(code: str = "AURORA", commission_bp: int = 2500, **terms: Any) -> int:
    """A seller with a contract from now on; answers the id."""
    agreed = sellers.Agreed(commission_bp, **terms)
    return sellers.add(code, agreed, names={"en": code.title(), "zh": "极光"}).id


def give_to(seller_id: int | None, *things: Thing) -> None:
    with transaction():
        for thing in things:
            edit_item(thing.id, seller_id=seller_id)


def entries(sale_id: str = "") -> list[tuple[Any, ...]]:
    """(seller, item, total, commission, fee, share), in the order in which they were booked."""
    outbox.work()
    columns = (Share.seller_id, Share.item_id, Share.total_minor, Share.commission_minor,
               Share.fee_minor, Share.share_minor)  # fmt: skip
    query = select(*columns).order_by(Share.id)
    if sale_id:
        query = query.where(Share.sale_id == sale_id)
    return [tuple(row) for row in connection().execute(query)]


def account(name: str, currency: str = "CNY") -> int:
    """What stands on an account of the shop: credits less debits."""
    amount = func.coalesce(func.sum(Transfer.amount_minor), 0)
    mine = select(Account.id).where(Account.code == f"{name}:{currency}").scalar_subquery()
    credit = connection().execute(select(amount).where(Transfer.credit_id == mine)).scalar_one()
    debit = connection().execute(select(amount).where(Transfer.debit_id == mine)).scalar_one()
    return int(credit) - int(debit)
