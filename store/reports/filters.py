"""What a report is asked for: a time, places, goods and people, as they stand in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple, NoReturn

from babel.numbers import is_currency
from sqlalchemy import select

from .. import catalogue, identity, stock, web
from ..catalogue.models import Seller
from ..db import db
from ..errors import Invalid, Refusal
from ..sales import CHANNELS, MEANS
from .calendar import FIRST_DATE, LAST_DATE, Span, day_number, today
from .events import HOUSE, NOBODY, Choice

__all__ = ["BY", "KINDS", "PERIODS", "Filters", "read"]

PERIODS = (
    "today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_year",
    "last_year", "dates",
)  # fmt: skip
BY = ("hour", "day", "week", "month")
KINDS = ("all", "sales", "refunds")

MOST_DAYS = 3660
"""Ten years in one report; more is refused."""
MOST_DAYS_OF_STAFF = 62
"""What one person sold is read from the sales themselves."""
_MOST_ROWS = 400


class Chosen(NamedTuple):
    """What a filter names: its id, how an address says it, and how people do."""

    id: int
    code: str
    names: dict[str, str]


@dataclass(frozen=True)
class Filters:
    """A report's question. Ids are of the database; `address` gives it as a page's arguments."""

    period: str
    first: date
    last: date
    by: str
    currency: str
    location: Chosen | None = None
    channel: str | None = None
    means: str | None = None
    category: Chosen | None = None
    item: Chosen | None = None
    shopper: Chosen | None = None
    brand: str | None = None
    seller: Chosen | None = None
    staff: Chosen | None = None
    hour: int | None = None
    kind: str = "all"

    @property
    def span(self) -> Span:
        return Span(day_number(self.first), day_number(self.last))

    @property
    def several(self) -> bool:
        """Whether a sale can hold several of the items that are asked for."""
        some = (self.category, self.brand, self.seller)
        return self.item is None and any(one is not None for one in some)

    @property
    def choice(self) -> Choice:
        """The same for the rows of events."""
        return Choice(
            currency=self.currency,
            location_id=self.location and self.location.id,
            channel=self.channel,
            means=self.means,
            category_id=self.category and self.category.id,
            item_id=self.item and self.item.id,
            member_id=self.shopper and self.shopper.id,
            brand=self.brand,
            seller_id=self.seller and self.seller.id,
            sold_by=self.staff and self.staff.id,
        )

    def on(self, first: date, last: date, **changes: Any) -> Filters:
        """The same question about other days."""
        return replace(self, period="dates", first=first, last=last, **changes)

    def address(self) -> dict[str, Any]:
        """The arguments of an address that asks this again."""
        named = self.period != "dates"
        given = {
            "period": self.period if named else None,
            "from": None if named else self.first.isoformat(),
            "to": None if named else self.last.isoformat(),
            "by": self.by,
            "currency": None if self.currency == _own_currency() else self.currency,
            "location": self.location and self.location.code,
            "channel": self.channel,
            "means": self.means,
            "category": self.category and self.category.code,
            "item": self.item and self.item.code,
            "shopper": self.shopper and self.shopper.code,
            "brand": self.brand,
            "seller": self.seller and self.seller.code,
            "staff": self.staff and self.staff.code,
            "hour": None if self.hour is None else str(self.hour),
            "kind": None if self.kind == "all" else self.kind,
        }
        return {name: value for name, value in given.items() if value is not None}


def read(arguments: Mapping[str, str]) -> Filters:
    """Filters from an address. Raises Invalid, naming the field, for what cannot be read or is
    not there. Empty fields are as good as absent: a form sends them."""
    given = {name: value.strip() for name, value in arguments.items()}
    period, first, last = _read_time(given)
    days = (last - first).days + 1
    by = _one_of(given, "by", BY) or ("hour" if days == 1 else "day" if days <= 62 else "week")
    currency = given.get("currency") or _own_currency()
    if not is_currency(currency):
        raise Invalid(f"{currency[:8]!r} is not a currency code (ISO 4217)", field="currency")
    return Filters(
        period=period,
        first=first,
        last=last,
        by=_not_too_fine(by, days),
        currency=currency,
        location=_read_location(given.get("location", "")),
        channel=_one_of(given, "channel", CHANNELS),
        means=_one_of(given, "means", MEANS),
        category=_read_category(given.get("category", "")),
        item=_read_item(given.get("item", "")),
        shopper=_read_shopper(given.get("shopper", "")),
        brand=_kept(given.get("brand", ""), "brand") or None,
        seller=_read_seller(given.get("seller", "")),
        staff=_read_staff(given.get("staff", ""), days),
        hour=_read_hour(given.get("hour", "")),
        kind=_one_of(given, "kind", KINDS) or "all",
    )


def _own_currency() -> str:
    return web.setting("CURRENCY")


def _one_of(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str | None:
    value = given.get(name, "")
    if value and value not in choices:
        raise Invalid(f"{name} must be one of: {', '.join(choices)}", field=name)
    return value or None


def _read_time(given: Mapping[str, str]) -> tuple[str, date, date]:
    period = _one_of(given, "period", PERIODS)
    if period is None:
        period = "dates" if given.get("from") or given.get("to") else "this_week"
    if period != "dates":
        return period, *_named(period, today())
    first = _read_date(given, "from") or _read_date(given, "to") or today()
    last = _read_date(given, "to") or max(first, today())
    if last < first:
        raise Invalid("The last day must not be before the first", field="to")
    if (last - first).days >= MOST_DAYS:
        raise Invalid(f"A report covers {MOST_DAYS} days at most", field="to")
    return period, first, last


def _named(period: str, now: date) -> tuple[date, date]:
    """The days of a period with a name; one that runs ends today. Weeks begin on Monday."""
    week, month, year = now - timedelta(now.weekday()), now.replace(day=1), date(now.year, 1, 1)
    day = timedelta(1)
    return {
        "today": (now, now),
        "yesterday": (now - day, now - day),
        "this_week": (week, now),
        "last_week": (week - 7 * day, week - day),
        "this_month": (month, now),
        "last_month": ((month - day).replace(day=1), month - day),
        "this_year": (year, now),
        "last_year": (date(now.year - 1, 1, 1), year - day),
    }[period]


def _read_date(given: Mapping[str, str], name: str) -> date | None:
    value = given.get(name, "")
    if not value:
        return None
    try:
        found = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        found = None
    if found is None:
        raise Invalid(f"{name} must be a date like 2026-11-23", field=name)
    if not FIRST_DATE <= found <= LAST_DATE:
        raise Invalid(f"{name} must be from {FIRST_DATE} to {LAST_DATE}", field=name)
    return found


def _not_too_fine(by: str, days: int) -> str:
    """A table of some hundred rows at most: many days are shown by week, many weeks by month."""
    if by == "day" and days > _MOST_ROWS:
        by = "week"
    if by == "week" and days > 7 * _MOST_ROWS:
        by = "month"
    return by


def _read_hour(value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 3 and int(value) < 24):
        raise Invalid("hour must be a whole number from 0 to 23", field="hour")
    return int(value)


def _read_location(code: str) -> Chosen | None:
    if not code:
        return None
    kept = _kept(code, "location")
    found = db.session.scalar(select(stock.Location).where(stock.Location.code == kept))
    return Chosen(found.id, found.code, {"": found.name}) if found else _refuse("location", code)


def _read_category(code: str) -> Chosen | None:
    if not code:
        return None
    kept = _kept(code, "category")
    found = db.session.scalar(select(catalogue.Category).where(catalogue.Category.code == kept))
    return Chosen(found.id, found.code, found.names) if found else _refuse("category", code)


def _read_item(code: str) -> Chosen | None:
    """An item by its short code, which links have, or by anything that people scan or type."""
    if not code:
        return None
    kept = _kept(code, "item")
    found = db.session.scalar(select(catalogue.Item).where(catalogue.Item.code == kept))
    try:
        found = found or catalogue.find_item(kept)
    except Refusal:
        found = None
    return Chosen(found.id, found.code, found.names) if found else _refuse("item", code)


def _read_shopper(value: str) -> Chosen | None:
    """A shopper by number, which links have, or by e-mail address or phone; 0 is nobody."""
    if not value:
        return None
    kept = _kept(value, "shopper")
    if kept == str(NOBODY):
        return Chosen(NOBODY, kept, {"": ""})
    if kept.isascii() and kept.isdigit() and len(kept) <= 9:
        found = db.session.get(identity.Member, int(kept))
    else:
        found = identity.find(kept)
    if found is None:
        return _refuse("shopper", value)
    return Chosen(found.id, str(found.id), {"": identity.names_of([found.id])[found.id]})


def _read_seller(code: str) -> Chosen | None:
    """A seller by code; 0 is the house."""
    if code in ("", str(HOUSE)):
        return Chosen(HOUSE, code, {}) if code else None
    kept = _kept(code, "seller").upper()
    found = db.session.scalar(select(Seller).where(Seller.code == kept))
    return Chosen(found.id, found.code, found.names) if found else _refuse("seller", code)


def _read_staff(value: str, days: int) -> Chosen | None:
    """Who sold at the till, by number. No roll-up knows it, so many days are refused."""
    if not value:
        return None
    if days > MOST_DAYS_OF_STAFF:
        raise Invalid(f"By staff a report covers {MOST_DAYS_OF_STAFF} days at most", field="staff")
    number = int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else 0
    found = db.session.get(identity.Member, number)
    if found is None:
        return _refuse("staff", value)
    return Chosen(found.id, str(found.id), {"": identity.names_of([found.id])[found.id]})


def _kept(value: str, field: str) -> str:
    """Text that a database can be asked for. Raises Invalid."""
    if len(value) > 120 or any(sign < " " or "\ud800" <= sign <= "\udfff" for sign in value):
        raise Invalid(f"{field} has characters that cannot be kept, or too many", field=field)
    return value


def _refuse(field: str, value: str) -> NoReturn:
    raise Invalid(f"There is no {field} {value[:40]!r}", field=field)
