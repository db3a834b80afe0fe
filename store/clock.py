"""Time: one place that says what time it is, so that tests can say it too."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

__all__ = ["day_of", "now", "parse", "set_now", "timestamp_s"]

_frozen: datetime | None = None


def now() -> datetime:
    """The current time, aware, in UTC, cut to microseconds."""
    return _frozen or datetime.now(UTC)


def timestamp_s() -> float:
    return now().timestamp()


def set_now(at: datetime | None) -> None:
    """Freeze the clock for a test; None lets it run again."""
    global _frozen
    _frozen = at


def day_of(at: datetime, zone: str) -> date:
    """The calendar day of a moment in a shop's own time zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def parse(text: str) -> datetime:
    """An ISO 8601 moment; without an offset it is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
