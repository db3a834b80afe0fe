"""What the pages of stock are asked for: places, goods, and over how many days sales count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import web
from ..errors import Invalid
from . import calendar
from .calendar import Span
from .filters import Chosen
from .filters import read as read_filters

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
    """A question about stock. `days` are those that sales are looked at, today the last of them."""

    days: int
    currency: str
    plan: Plan
    location: Chosen | None = None
    category: Chosen | None = None
    brand: str | None = None

    @property
    def span(self) -> Span:
        last = calendar.day_number(calendar.today())
        return Span(last - self.days + 1, last)

    def address(self) -> dict[str, Any]:
        """The arguments of an address that asks this again."""
        given = {
            "days": None if self.days == USUAL_DAYS else self.days,
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
    names = ("location", "category", "brand")
    found = read_filters({"period": "today"} | {name: arguments.get(name, "") for name in names})
    names = ("REORDER_LEAD_DAYS", "REORDER_SAFETY_DAYS", "REORDER_COVER_DAYS")
    plan = Plan(*(max(0, int(web.setting(name))) for name in names))
    return Asked(
        int(text), web.setting("CURRENCY"), plan, found.location, found.category, found.brand
    )
