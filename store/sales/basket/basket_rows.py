"""Whose a basket is, and its rows: found, opened, emptied, brought together."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, select, update

from ... import clock, ids
from ...db import connection, db, in_transaction
from ..models import Basket, BasketLine

__all__ = [
    "Holder", "at", "bring", "bring_of", "changed", "claim_in", "empty_out", "locked", "opened",
    "quantities",
]  # fmt: skip


@dataclass(frozen=True)
class Holder:
    """Whose basket: a member's, or a guest's by the secret in their cookie."""

    member_id: int | None
    secret: str | None

    @property
    def mine(self) -> ColumnElement[bool]:
        """Baskets that this visitor may see: a member sees what they scanned as a guest, too."""
        guest = (Basket.secret == self.secret) & Basket.member_id.is_(None)
        return guest if self.member_id is None else (Basket.member_id == self.member_id) | guest


def locked(query: Select[Basket]) -> Select[Basket]:
    """The same baskets, as they are once whoever is changing them is done: two taps, two tabs and
    a payment come one after another. The basket is locked before its lines."""
    return query.with_for_update(of=Basket).execution_options(populate_existing=True)


def claim_in(holder: Holder) -> None:
    """Joiner: a guest's baskets become the member's."""
    if holder.member_id is not None and holder.secret is not None:
        bring(holder.secret, holder)


def bring(secret: str, holder: Holder) -> None:
    """Joiner: the baskets of the guest with this secret become the holder's. Where both have one at
    the same place, what the holder's does not hold joins it; what both hold was scanned once, not
    twice."""
    _bring(select(Basket).where(Basket.secret == secret, Basket.member_id.is_(None)), holder)


def bring_of(member_id: int, holder: Holder) -> None:
    """Joiner: the same with the baskets of a member's other account."""
    _bring(select(Basket).where(Basket.member_id == member_id), holder)


def _bring(baskets: Select[Basket], holder: Holder) -> None:
    session = in_transaction()
    for guest in session.scalars(locked(baskets)).all():
        mine = at(holder, guest.location_id)
        if mine is None:
            guest.member_id = holder.member_id
            guest.secret = holder.secret if holder.member_id is None else None
            session.flush()
            continue
        session.execute(
            update(BasketLine)
            .where(BasketLine.basket_id == guest.id, BasketLine.item_id.not_in(quantities(mine)))
            .values(basket_id=mine.id)
        )
        session.execute(delete(BasketLine).where(BasketLine.basket_id == guest.id))
        mine.coupon = mine.coupon or guest.coupon
        session.delete(guest)
        changed(mine)


def at(holder: Holder, location_id: int) -> Basket | None:
    """The visitor's own basket at a location: the member's, or the guest's."""
    whose = (
        Basket.member_id == holder.member_id
        if holder.member_id is not None
        else (Basket.secret == holder.secret) & Basket.member_id.is_(None)
    )
    return db.session.scalar(locked(select(Basket).where(whose, Basket.location_id == location_id)))


def opened(holder: Holder, location_id: int) -> Basket:
    session = in_transaction()
    secret = holder.secret if holder.member_id is None else None
    basket = Basket(id=ids.new(), secret=secret, member_id=holder.member_id,
                    location_id=location_id, key=ids.new(), updated_at=clock.now())  # fmt: skip
    session.add(basket)
    session.flush()
    return basket


def quantities(basket: Basket) -> dict[int, int]:
    query = select(BasketLine.item_id, BasketLine.quantity).where(BasketLine.basket_id == basket.id)
    return {row[0]: row[1] for row in connection().execute(query)}


def changed(basket: Basket) -> None:
    """Every change makes the basket another one: a new purchase key."""
    basket.key = ids.new()
    basket.updated_at = clock.now()
    in_transaction().flush()


def empty_out(basket: Basket) -> None:
    basket.coupon, basket.with_points = "", 0
    changed(basket)
    in_transaction().execute(delete(BasketLine).where(BasketLine.basket_id == basket.id))
