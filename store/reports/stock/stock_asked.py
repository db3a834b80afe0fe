"""What the pages of stock are asked for: places, goods, the day whose evening they are of, and over
how many days until then sales count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

from ... import web
from ...errors import Invalid
from .. import calendar
from ..calendar import Span
from ..filters import Chosen, Filters
from ..filters import read as read_filters

__all__ = ["DAYS", "Asked", "read"]

DAYS = (30, 90, 180, 365)
USUAL_DAYS = 90


class Plan(NamedTuple):
    """How orders are planned, in days: until one is here, to spare, and for how long it lasts."""

    lead: int
    safety: int
    cover: int


@dataclass(frozen=True)
class Asked:
    """A question about stock at the end of `until`, which is the last of the `days` that sales are
    looked at."""

    days: int
    currency: str
    plan: Plan
    until: date
    location: Chosen | None = None
    category: Chosen | None = None
    brand: str | None = None

    @property
    def span(self) -> Span:
        last = calendar.day_number(self.until)
        return Span(last - self.days + 1, last)

    @property
    def since(self) -> Span | None:
        """The days after it until today; None where it is of now."""
        now = calendar.day_number(calendar.today())
        return Span(self.span.last + 1, now) if self.span.last < now else None

    @property
    def now(self) -> Asked:
        """The same question about the days until today."""
        return replace(self, until=calendar.today())

    @property
    def before(self) -> Asked:
        """The same question about as many days before these."""
        return replace(self, until=self.until - timedelta(self.days))

    def address(self) -> dict[str, Any]:
        """The arguments of an address that asks this again."""
        given = {
            "days": None if self.days == USUAL_DAYS else self.days,
            "until": self.until.isoformat() if self.since else None,
            "location": self.location and self.location.code,
            "category": self.category and self.category.code,
            "brand": self.brand,
        }
        return {name: value for name, value in given.items() if value is not None}


def read(arguments: Mapping[str, str]) -> Asked:
    """The question of an address. Raises Invalid, naming the field."""
    text = arguments.get("days", "").strip() or str(USUAL_DAYS)
    if text not in map(str, DAYS):
        raise Invalid(f"days must be one of: {', '.join(map(str, DAYS))}", field="days")
    found = _filters(arguments)
    names = ("REORDER_LEAD_DAYS", "REORDER_SAFETY_DAYS", "REORDER_COVER_DAYS")
    plan = Plan(*(max(0, int(web.setting(name))) for name in names))
    return Asked(
        int(text), web.setting("CURRENCY"), plan, _until(arguments), found.location,
        found.category, found.brand,
    )  # fmt: skip


def _filters(arguments: Mapping[str, str]) -> Filters:
    names = ("location", "category", "brand")
    return read_filters({"period": "today"} | {name: arguments.get(name, "") for name in names})


def _until(arguments: Mapping[str, str]) -> date:
    """The day that is asked for; today where none is."""
    now, said = calendar.today(), arguments.get("until", "").strip()
    try:
        found = date.fromisoformat(said) if said else now
    except ValueError:
        found = None
    if found is None or len(said) not in (0, 10):
        raise Invalid("until must be a date like 2026-11-23", field="until")
    # Room for the days before these.
    if not calendar.FIRST_DATE + timedelta(2 * DAYS[-1]) <= found <= now:
        raise Invalid("until must be a day that was, or today", field="until")
    return found
