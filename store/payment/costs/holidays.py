"""Public holidays: days on which no bank works though it is no weekend, and weekends on which it
does, as a setting names them: `2026-10-01/2026-10-07, +2026-10-10, 2027-01-01`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from ...errors import Invalid

__all__ = ["NONE", "Holidays", "read"]

_PART = re.compile(r"(\+?)(\d{4}-\d\d-\d\d)(?:/(\d{4}-\d\d-\d\d))?\Z", re.ASCII)
LONGEST = 60
MOST_PARTS = 2_000


@dataclass(frozen=True)
class Holidays:
    """Days that are `free`, and days that are `worked` though they are a Saturday or Sunday, as
    China's calendar moves them."""

    free: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        return day not in self.free and (day.weekday() < 5 or day in self.worked)


NONE = Holidays()


@lru_cache(maxsize=8)
def read(text: str) -> Holidays:
    """The days of a setting: separated by commas or lines, a slash from the first to the last, a
    plus before those that are worked. Raises Invalid, naming the part that cannot be."""
    found: tuple[set[date], set[date]] = (set(), set())
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    for part in parts[:MOST_PARTS]:
        match = _PART.match(part)
        if match is None:
            raise Invalid(f"{part[:40]!r} is no day like 2026-10-01", field="holidays")
        found[bool(match[1])].update(_days(match[2], match[3] or match[2], part))
    free, worked = found
    if free & worked or len(parts) > MOST_PARTS:
        raise Invalid("A day is free or worked, not both", field="holidays")
    return Holidays(frozenset(free), frozenset(worked))


def _days(first: str, last: str, part: str) -> list[date]:
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise Invalid(f"{part[:40]!r} is no day like 2026-10-01", field="holidays") from error
    many = (end - begin).days + 1
    if not 1 <= many <= LONGEST:
        raise Invalid(f"{part[:40]!r} is not from 1 to {LONGEST} days", field="holidays")
    return [begin + timedelta(at) for at in range(many)]
