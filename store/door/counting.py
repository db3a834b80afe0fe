"""Counting: passes that nobody has scanned yet, bags that are looked at, and passes that were
refused, at every place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, literal, select

from ..db import ago
from ..sales import counting as sold
from ..sales.ages.ages import AgeCheck
from . import ages
from .models import ExitCheck, PassUse, SpotCheck
from .spots import FORGOTTEN, UNDER_WAY

__all__ = ["LATELY", "MOST_PASSES", "REFUSED", "counts"]

LATELY = timedelta(minutes=30)
"""Who paid longer ago has left, whatever became of the pass."""
MOST_PASSES = 1000
REFUSED = (
    "pass_invalid", "pass_stale", "pass_used", "pass_elsewhere", "pass_refunded", "check_refused",
)  # fmt: skip
"""What came of a scan at the door when nobody was let through."""


def counts() -> list[Select[*tuple[Any, ...]]]:
    """Statements for `union_all`: what, the place, how many, and since when."""
    return [_passes(), _ages(), _checks(), _refused()]


def _passes() -> Select[*tuple[Any, ...]]:
    paid = sold.with_passes(LATELY, MOST_PASSES).subquery()
    used = select(PassUse.sale_id).where(PassUse.sale_id == paid.c.id).exists()
    return (
        select(
            literal("passes"), paid.c.location_id, func.count(paid.c.id),
            func.min(paid.c.created_at),
        )
        .where(~used)
        .group_by(paid.c.location_id)
    )  # fmt: skip


def _ages() -> Select[*tuple[Any, ...]]:
    return (
        select(
            literal("age_check"), AgeCheck.location_id, func.count(AgeCheck.sale_id),
            func.min(AgeCheck.at),
        )
        .where(AgeCheck.at > ago(FORGOTTEN), ages.waits())
        .group_by(AgeCheck.location_id)
    )  # fmt: skip


def _checks() -> Select[*tuple[Any, ...]]:
    return (
        select(
            literal("spot_check"), SpotCheck.location_id, func.count(SpotCheck.sale_id),
            func.min(SpotCheck.at),
        )
        .where(SpotCheck.at > ago(FORGOTTEN), SpotCheck.state.in_(UNDER_WAY))
        .where(sold.stands(SpotCheck.sale_id))
        .group_by(SpotCheck.location_id)
    )  # fmt: skip


def _refused() -> Select[*tuple[Any, ...]]:
    return (
        select(
            literal("refused"), ExitCheck.location_id, func.count(ExitCheck.id),
            func.max(ExitCheck.at),
        )
        .where(ExitCheck.at > ago(LATELY), ExitCheck.outcome.in_(REFUSED))
        .group_by(ExitCheck.location_id)
    )  # fmt: skip
