"""Joining: the sales and baskets of two accounts of one person."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import aliased

from .. import ids
from ..db import in_transaction
from .basket.basket_rows import Holder, bring_of
from .models import Sale
from .receipts.mail_models import MailAsked, MailWish

__all__ = ["join", "sales_of"]


def sales_of(member_id: int) -> list[str]:
    """Joiner: the sales in this member's name. Who gives back of one of them waits for our
    commit."""
    query = select(Sale.id).where(Sale.member_id == member_id).order_by(Sale.id)
    return list(in_transaction().scalars(query.with_for_update()))


def join(gone_id: int, kept_id: int) -> None:
    """Joiner: every sale and basket is the kept account's. Where both have used one purchase key,
    the sale that comes gets another. Again moves what came since."""
    session, own = in_transaction(), aliased(Sale)
    mine = Sale.member_id == gone_id
    same = select(own.id).where(own.member_id == kept_id, own.key == Sale.key)
    for sale_id in session.scalars(select(Sale.id).where(mine, same.exists())).all():
        session.execute(update(Sale).where(Sale.id == sale_id).values(key=ids.new()))
    session.execute(update(Sale).where(mine).values(member_id=kept_id))
    bring_of(gone_id, Holder(kept_id, None))
    for table in (MailWish, MailAsked):  # How receipts come is as the kept account has it.
        session.execute(delete(table).where(table.member_id == gone_id))
