"""Figures: what each means cost in a month, and what is still to come, late or short.

They are read from the postings and the lines that settle them, in sums by day and amount: what a
payment should cost and when it should come is told by the terms of its day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median_low
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, case, func, literal_column, select, type_coerce

from ... import clock
from ...db import connection
from ..ledger import account_of
from ..models import Account, Transfer
from . import postings
from .models import BOOKED, SettlementLine
from .terms import MEANS, Agreed, all_terms

__all__ = ["Cost", "Month", "Owed", "costs", "month_of", "owed"]

_SLOT_US = 900_000_000
"""A quarter of an hour: every zone's days begin on one."""
_SLOT = type_coerce(Transfer.at, BigInteger) // literal_column(str(_SLOT_US), BigInteger)


class Month(NamedTuple):
    """A month of the shop's calendar."""

    first: date

    @property
    def last(self) -> date:
        return self.after.first - timedelta(1)

    @property
    def after(self) -> Month:
        return Month((self.first + timedelta(31)).replace(day=1))

    @property
    def before(self) -> Month:
        return Month((self.first - timedelta(1)).replace(day=1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The moments at which it begins and ends."""
        ends = (self.first, self.after.first)
        since, until = (datetime.combine(day, time(), zone).astimezone(UTC) for day in ends)
        return since, until


def month_of(day: date) -> Month:
    return Month(day.replace(day=1))


@dataclass
class Cost:
    """What a means cost in a month: takings and what went back, in minor units; the fee as files
    told it (`found_minor`) of so many payments, and as it was agreed for the same
    (`found_agreed_minor`); and what is still expected for the rest."""

    means: str
    came: int = 0
    came_minor: int = 0
    back_minor: int = 0
    told: int = 0
    found_minor: int = 0
    found_agreed_minor: int = 0
    expected_minor: int = 0
    days_agreed: int | None = None
    working_days: bool = False
    days_found: int | None = None
    has_terms: bool = False

    @property
    def fee_minor(self) -> int:
        return self.found_minor + self.expected_minor

    @property
    def agreed_minor(self) -> int:
        return self.found_agreed_minor + self.expected_minor

    @property
    def share(self) -> float | None:
        """The fee in percent of the takings."""
        return 100 * self.fee_minor / self.came_minor if self.came_minor else None


@dataclass
class Owed:
    """What a means still owes us: all of it before its fee, what of it is late, and what should
    come by day, less the fee that was agreed."""

    means: str
    gross_minor: int = 0
    many: int = 0
    late_minor: int = 0
    late: int = 0
    short_minor: int = 0
    short: int = 0
    undated_minor: int = 0
    by_day: dict[date, int] = field(default_factory=dict)


def accounts(currency: str) -> dict[str, int]:
    """The accounts of the means that have one, by means."""
    codes = {f"{account_of(means)}:{currency}": means for means in MEANS}
    query = select(Account.code, Account.id).where(Account.code.in_(codes))
    found = {codes[row[0]]: row[1] for row in connection().execute(query)}
    return {means: found[means] for means in MEANS if means in found}


def costs(month: Month, currency: str, zone: ZoneInfo) -> list[Cost]:
    """What each means cost: those that were used."""
    agreed, found = all_terms(currency), []
    since, until = month.bounds(zone)
    known = accounts(currency)
    for means in MEANS:
        one = _terms_of(Cost(means), agreed[means], month)
        if means in known:
            rows = _rows(known[means], zone, since, until)
            _add(one, rows, agreed[means])
            _fees_alone(one, known[means], since, until)
            one.days_found = _median_days(known[means], since, until, zone)
        if one.came or one.back_minor or one.fee_minor:
            found.append(one)
    return found


def _terms_of(one: Cost, agreed: Agreed, month: Month) -> Cost:
    terms = agreed.on(month.last)
    if terms is not None:
        one.has_terms = True
        one.days_agreed, one.working_days = terms.days, terms.working_days
    return one


class _Row(NamedTuple):
    """So many equal postings of a day: settled by a line or not; the fees that lines told."""

    day: date
    amount_minor: int
    many: int
    settled: int
    fees_minor: int
    told: int
    agreed_minor: int


def _rows(
    account: int, zone: ZoneInfo, since: datetime | None = None, until: datetime | None = None,
    *, only_open: bool = False,
) -> Iterable[_Row]:  # fmt: skip
    """The postings of an account, equal ones of a quarter of an hour together."""
    amount, line = postings.signed(account), SettlementLine
    query = (
        select(
            _SLOT.label("slot"), amount.label("owing"), func.count(), line.id.is_not(None),
            func.coalesce(func.sum(line.fee_minor), 0), func.count(line.fee_minor),
            func.coalesce(func.sum(line.agreed_minor), 0),
        )
        .select_from(Transfer)
        .outerjoin(
            line,
            (line.transfer_id == Transfer.id) & line.state.in_(BOOKED) & (line.kind != "fee"),
        )
        .where(postings.is_ours(account))
        .group_by("slot", "owing", line.id.is_not(None))
    )  # fmt: skip
    if since is not None and until is not None:
        query = query.where(Transfer.at >= since, Transfer.at < until)
    if only_open:
        query = query.where(line.id.is_(None))
    for row in connection().execute(query):
        at = datetime.fromtimestamp(row[0] * _SLOT_US / 1_000_000, UTC)
        yield _Row(at.astimezone(zone).date(), int(row[1]), *(int(one or 0) for one in row[2:]))


def _add(one: Cost, rows: Iterable[_Row], agreed: Agreed) -> None:
    for row in rows:
        if row.amount_minor > 0:
            one.came += row.many
            one.came_minor += row.amount_minor * row.many
        else:
            one.back_minor -= row.amount_minor * row.many
        one.told += row.told
        one.found_minor += row.fees_minor
        if row.settled:
            one.found_agreed_minor += row.agreed_minor
            continue
        terms = agreed.on(row.day)
        if terms is not None:
            one.expected_minor += terms.fee_of(row.amount_minor) * row.many


def _fees_alone(one: Cost, account: int, since: datetime, until: datetime) -> None:
    """Fees that stand alone count in the month of their payment, else in that of their line."""
    line = SettlementLine
    query = (
        select(func.coalesce(func.sum(line.fee_minor), 0), func.count())
        .select_from(line)
        .outerjoin(Transfer, Transfer.id == line.transfer_id)
        .where(line.means == one.means, line.kind == "fee", line.state.in_(BOOKED))
        .where(func.coalesce(Transfer.at, line.at) >= since)
        .where(func.coalesce(Transfer.at, line.at) < until)
    )
    row: Any = connection().execute(query).one()
    one.found_minor += int(row[0])
    one.told += int(row[1])


def _median_days(account: int, since: datetime, until: datetime, zone: ZoneInfo) -> int | None:
    """After how many days the money of this month's payments came, half of them sooner."""
    query = (
        select(_SLOT.label("slot"), SettlementLine.paid_on, func.count())
        .join(SettlementLine, SettlementLine.transfer_id == Transfer.id)
        .where(SettlementLine.state.in_(BOOKED), SettlementLine.kind == "payment")
        .where(SettlementLine.paid_on.is_not(None), Transfer.debit_id == account)
        .where(Transfer.at >= since, Transfer.at < until)
        .group_by("slot", SettlementLine.paid_on)
    )
    days: list[int] = []
    rows: Iterable[Any] = connection().execute(query)
    for number, paid_on, many in rows:
        at = datetime.fromtimestamp(number * _SLOT_US / 1_000_000, UTC).astimezone(zone).date()
        days += [(paid_on - at).days] * many
    return median_low(days) if days else None


def owed(currency: str, zone: ZoneInfo) -> list[Owed]:
    """What each means owes us today, of all times."""
    agreed, today, found = all_terms(currency), clock.now().astimezone(zone).date(), []
    short = _short(currency)
    for means, account in accounts(currency).items():
        one = Owed(means)
        for row in _rows(account, zone, only_open=True):
            _owe(one, row, agreed[means], today)
        one.short, one.short_minor = short.get(means, (0, 0))
        if one.many or one.short:
            one.by_day = dict(sorted(one.by_day.items()))
            found.append(one)
    return found


def _owe(one: Owed, row: _Row, agreed: Agreed, today: date) -> None:
    amount, terms = row.amount_minor * row.many, agreed.on(row.day)
    one.gross_minor += amount
    one.many += row.many
    if terms is None:
        one.undated_minor += amount
        return
    net = amount - terms.fee_of(row.amount_minor) * row.many
    on = terms.due_on(row.day)
    if on < today:
        one.late += row.many
        one.late_minor += net
    else:
        one.by_day[on] = one.by_day.get(on, 0) + net


def _short(currency: str) -> dict[str, tuple[int, int]]:
    """Lines with which less came than was agreed and that nobody has accepted, by means."""
    line: Any = SettlementLine
    less = short_by()
    query = (
        select(line.means, func.count(), func.sum(less))
        .select_from(line)
        .outerjoin(Transfer, Transfer.id == line.transfer_id)
        .where(line.problem.in_(("other_fee", "other_amount")), line.currency == currency)
        .where(line.state.in_(("open", "matched")), line.accepted_at.is_(None), less > 0)
        .group_by(line.means)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in connection().execute(query)}


def short_by() -> Any:
    """How much less came with a line than its payment and its terms say; of a query over lines with
    their transfers."""
    fee = func.coalesce(SettlementLine.fee_minor, 0)
    amount = Transfer.amount_minor - func.abs(SettlementLine.gross_minor)
    return case(
        (SettlementLine.problem == "other_amount", amount),
        else_=fee - SettlementLine.agreed_minor,
    )
