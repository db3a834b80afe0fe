"""Counting: baskets that somebody fills, and what waits for a second person, in the whole shop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, literal, select

from ..db import ago
from .models import STANDING, Basket, BasketLine, Sale
from .refunds.approval_models import RefundRequest

__all__ = ["EVERYWHERE", "FILLED_FOR", "counts", "stands", "with_passes"]

EVERYWHERE = 0
"""In the place of a place: what waits for the whole shop."""
FILLED_FOR = timedelta(minutes=30)
"""A basket that nobody touched for so long is not in progress."""


def counts() -> list[Select[*tuple[Any, ...]]]:
    """Statements for `union_all`: what, the place, how many, and since when."""
    return [_baskets(), _pieces(), _requests()]


def _baskets() -> Select[*tuple[Any, ...]]:
    filled = select(BasketLine.id).where(BasketLine.basket_id == Basket.id).exists()
    return (
        select(
            literal("baskets"), Basket.location_id, func.count(Basket.id),
            func.min(Basket.updated_at),
        )
        .where(Basket.updated_at > ago(FILLED_FOR), filled)
        .group_by(Basket.location_id)
    )  # fmt: skip


def _pieces() -> Select[*tuple[Any, ...]]:
    return (
        select(
            literal("pieces"), Basket.location_id, func.sum(BasketLine.quantity),
            func.min(Basket.updated_at),
        )
        .join(BasketLine, BasketLine.basket_id == Basket.id)
        .where(Basket.updated_at > ago(FILLED_FOR))
        .group_by(Basket.location_id)
    )  # fmt: skip


def _requests() -> Select[*tuple[Any, ...]]:
    return select(
        literal("refund"), literal(EVERYWHERE), func.count(RefundRequest.id),
        func.min(RefundRequest.asked_at),
    ).where(RefundRequest.state == "waiting")  # fmt: skip


def stands(sale_id: Any) -> Any:
    """A condition: there is something left of this sale that is the shopper's."""
    return select(Sale.id).where(Sale.id == sale_id, Sale.state.in_(STANDING)).exists()


def with_passes(lately: timedelta, most: int) -> Select[*tuple[Any, ...]]:
    """The newest sales of so long whose goods were taken off the shelf, and which show a pass:
    id, place and time, at most so many."""
    return (
        select(Sale.id, Sale.location_id, Sale.created_at)
        .where(
            Sale.created_at > ago(lately), Sale.channel == "shelf", Sale.fulfilment == "taken",
            Sale.state.in_(STANDING),
        )
        .order_by(Sale.created_at.desc())
        .limit(most)
    )  # fmt: skip
