"""Incoming: what is under way to a place, by open orders and by transfers that have left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from .work_models import Slip, SlipLine


def incoming_expression(item_id: Any, location_id: Any) -> ColumnElement[int]:
    """An expression for other queries: how many of the item are under way to the location, by open
    orders and by transfers that have left. 0 where none are."""
    to_come = case((SlipLine.expected > SlipLine.done, SlipLine.expected - SlipLine.done), else_=0)
    place = func.coalesce(Slip.target_id, Slip.location_id)
    total = (
        select(func.coalesce(func.sum(to_come), 0))
        .join(Slip, Slip.id == SlipLine.slip_id)
        .where(
            SlipLine.item_id == item_id,
            place == location_id,
            Slip.kind.in_(("purchase", "transfer")),
            Slip.sent_at.is_not(None),
            Slip.ended_at.is_(None),
        )
    )
    return total.correlate_except(Slip, SlipLine).scalar_subquery()
