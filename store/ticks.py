"""Ticks: short steps of time. A signed code is shown for one of them, and accepted for the step
before and after it, so that a picture of it is worthless within a minute and clocks may differ a
little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["ALLOWED_STEPS", "STEP_S", "age_s", "starts_at", "step_at"]

STEP_S = 20
ALLOWED_STEPS = 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def step_at(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(seconds=STEP_S)


def starts_at(step: int) -> datetime:
    """The moment from which the code of a step is shown."""
    return _EPOCH + timedelta(seconds=STEP_S * step)


def age_s(step: int, at: datetime) -> int | None:
    """None while the code of a step is good; else how many seconds too old it is (or too young)."""
    distance = step_at(at) - step
    return distance * STEP_S if abs(distance) > ALLOWED_STEPS else None
