"""Layouts: how each provider writes its settlement file, one file for each.

A layout is known by its headings, wherever in the file they stand. It makes a fact of each row, or
says that a row tells nothing (a comment, a sum), or refuses it: that row goes to the rejects, and
the rest of the file is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ....errors import Invalid
from ....money import LARGEST_MINOR, decimals

__all__ = ["BEIJING", "Fact", "Here", "Layout", "amount", "day", "moment"]

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Fact:
    """What a row tells: `gross_minor` is for us (less than 0: it went back), `fee_minor` what the
    provider keeps, None where the row does not say. `key` names it the same in every file."""

    kind: str
    key: str
    gross_minor: int
    fee_minor: int | None
    currency: str
    order: str = ""
    reference: str = ""
    at: datetime | None = None
    paid_on: date | None = None


class Here(NamedTuple):
    """What a file itself does not say: the shop's currency, and its time zone."""

    currency: str
    zone: ZoneInfo


Row = Mapping[str, str]


class Layout(NamedTuple):
    """`needed` are the headings by which it is known; `marked` is the first cell of the rows that
    count, and of the headings, where rows have one; `ends` begins the sums at a file's end."""

    name: str
    means: str
    needed: frozenset[str]
    read: Callable[[Row, Here], Fact | None]
    heading_mark: str = ""
    row_mark: str = ""
    ends: str = ""


_PLAIN = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?\Z", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d{1,6}\Z", re.ASCII)


def amount(said: str, currency: str, field: str, *, least: bool = False) -> int:
    """Decimal text as minor units. A comma counts as a separator of thousands only where a point
    follows. With `least` the text may be finer than the currency, and is rounded (half up), as
    fees are told. Raises Invalid."""
    text = said.strip().lstrip("¥￥$€£").strip()
    if _GROUPED.match(text):
        text = text.replace(",", "")
    if not _PLAIN.match(text):
        raise Invalid(f"{field}: {said[:40]!r} is not an amount", field=field)
    value = Decimal(text).scaleb(decimals(currency))
    whole = value.quantize(Decimal(1), ROUND_HALF_UP)
    if whole != value and not least:
        raise Invalid(f"{field}: {said[:40]!r} is finer than {currency}", field=field)
    if abs(whole) > LARGEST_MINOR:
        raise Invalid(f"{field}: {said[:40]!r} is too large", field=field)
    return int(whole)


_FORMS = ("%Y/%m/%d %H:%M:%S %z", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d")


def moment(said: str, zone: ZoneInfo, field: str = "time") -> datetime:
    """A moment as files write it; without an offset it is of the given zone. Raises Invalid."""
    text = said.strip()
    at = None
    for form in ("", *_FORMS):
        try:
            at = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
            break
        except ValueError:
            continue
    if at is None or not 1990 <= at.year <= 2199:
        raise Invalid(f"{field}: {said[:40]!r} is not a time", field=field)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def day(said: str, zone: ZoneInfo, field: str = "day") -> date:
    """The day of a moment as the file tells it."""
    return moment(said, zone, field).astimezone(zone).date()
