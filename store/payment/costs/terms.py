"""Terms: what a means of payment takes, and after how many days its money comes, as it was agreed.

They are rows that begin on a day, like prices. Of those that have begun the newest counts, so that
what a payment should cost is told by the terms of its own day, for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from sqlalchemy import insert, select

from ... import clock, logbook, money, web
from ...db import connection, in_transaction, repeatable, transaction
from ...errors import Invalid
from ..gateways import NAMES
from . import holidays
from .holidays import Holidays
from .models import MeansTerms

__all__ = ["MEANS", "Agreed", "Terms", "all_terms", "set_terms"]

MEANS = (*NAMES, "card")
"""Those whose money somebody else has first: the providers, and the bank behind the terminal."""
PPM = 1_000_000
_OURS = ("id", "made_by", "holidays")
"""Fields that are no part of what was agreed."""
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True)
class Terms:
    """What was agreed, from a day on."""

    valid_from: date
    fee_ppm: int
    fixed_minor: int = 0
    least_minor: int = 0
    most_minor: int | None = None
    days: int = 1
    working_days: bool = False
    fee_back: bool = False
    id: int = 0
    made_by: int | None = None
    holidays: Holidays = field(default=holidays.NONE, compare=False)

    def fee_of(self, gross_minor: int) -> int:
        """What is kept of a payment; of what goes back (less than 0) the share is given back where
        that was agreed, the fixed part never. Half a unit rounds up."""
        amount = abs(gross_minor)
        share = (2 * amount * self.fee_ppm + PPM) // (2 * PPM)
        if gross_minor < 0:
            return -share if self.fee_back else 0
        fee = max(share + self.fixed_minor, self.least_minor)
        return fee if self.most_minor is None else min(fee, self.most_minor)

    def due_on(self, paid_on: date) -> date:
        """The day by which the money should have come."""
        if not self.working_days:
            return paid_on + timedelta(self.days)
        day, left = paid_on, self.days
        while left:
            day += timedelta(1)
            left -= self.holidays.is_working(day)
        return day


class Agreed:
    """The terms of one means, to be asked by the day."""

    def __init__(self, found: Sequence[Terms]) -> None:
        self.found = sorted(found, key=lambda one: (one.valid_from, one.id), reverse=True)

    def on(self, day: date) -> Terms | None:
        """The terms in force on a day; None before anything was agreed."""
        return next((one for one in self.found if one.valid_from <= day), None)


def all_terms(currency: str) -> dict[str, Agreed]:
    """The terms of every means, by its name."""
    columns = (
        MeansTerms.valid_from, MeansTerms.fee_ppm, MeansTerms.fixed_minor, MeansTerms.least_minor,
        MeansTerms.most_minor, MeansTerms.days, MeansTerms.working_days, MeansTerms.fee_back,
        MeansTerms.id, MeansTerms.made_by,
    )  # fmt: skip
    query = select(MeansTerms.means, *columns).where(MeansTerms.currency == currency)
    free = holidays.read(web.setting("HOLIDAYS"))
    rows: dict[str, list[Terms]] = {means: [] for means in MEANS}
    for means, *row in connection().execute(query):
        rows.setdefault(means, []).append(replace(Terms(*row), holidays=free))
    return {means: Agreed(found) for means, found in rows.items()}


@repeatable
def set_terms(means: str, currency: str, terms: Terms, *, made_by: int | None) -> None:
    """Opener: from a day on this is what was agreed. The same again changes nothing. Raises
    Invalid."""
    if means not in MEANS:
        raise Invalid(f"means must be one of: {', '.join(MEANS)}", field="means")
    if not FIRST <= terms.valid_from <= LAST:
        raise Invalid("Say from which day on it counts", field="valid_from")
    if not 0 <= terms.fee_ppm <= PPM:
        raise Invalid("The fee is from 0 to 100 percent", field="fee")
    amounts = (terms.fixed_minor, terms.least_minor, terms.most_minor or 0)
    if not all(0 <= one <= money.LARGEST_MINOR for one in amounts):
        raise Invalid("An amount of the fee cannot be", field="fixed")
    if terms.most_minor is not None and terms.most_minor < terms.least_minor:
        raise Invalid("The largest fee is below the smallest", field="most")
    if not 0 <= terms.days <= 400:
        raise Invalid("The days are from 0 to 400", field="days")
    with transaction():
        now = all_terms(currency)[means].on(terms.valid_from)
        if now is None or _said(now) != _said(terms):
            row = _said(terms) | {"means": means, "currency": currency, "made_by": made_by,
                                  "at": clock.now()}  # fmt: skip
            in_transaction().connection().execute(insert(MeansTerms), [row])
            before = None if now is None else _said(now)
            logbook.note("terms.set", means, before=before, after=_said(terms))


def _said(terms: Terms) -> dict[str, object]:
    return {name: value for name, value in vars(terms).items() if name not in _OURS}
