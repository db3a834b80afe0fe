"""Counting: how many shipments wait for what at every place, for whoever looks at all of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, func, literal, select

from .models import Shipment

__all__ = ["counts"]


def counts() -> list[Select[*tuple[Any, ...]]]:
    """Statements for `union_all`: what waits, the place, how many, and since when. What is to be
    picked for somebody who comes to fetch it is counted apart from the rest."""
    picks = case((Shipment.kind == "collect", "pick_collect"), else_="pick")
    packed = case((Shipment.kind == "collect", "collect"), else_="ship")
    return [
        _of(picks, Shipment.state == "open", picks),
        _of(literal("pack"), Shipment.state == "picked"),
        _of(packed, Shipment.state == "packed", packed),
        _under_way(),
    ]


def _of(what: Any, which: Any, *by: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(what, Shipment.location_id, func.count(Shipment.id), func.min(Shipment.changed_at))
        .where(which)
        .group_by(*by, Shipment.location_id)
    )


def _under_way() -> Select[*tuple[Any, ...]]:
    """What comes from another place for a collection, at the place that it comes to."""
    return (
        select(
            literal("arriving"), Shipment.target_id, func.count(Shipment.id),
            func.min(Shipment.changed_at),
        )
        .where(Shipment.state == "under_way", Shipment.target_id.is_not(None))
        .group_by(Shipment.target_id)
    )  # fmt: skip
