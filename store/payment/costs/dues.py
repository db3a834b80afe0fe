"""Dues: the list behind every figure, down to each payment: what should come for it and when, and
what came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select

from ... import clock
from ...db import connection
from ..models import Transfer
from . import figures, postings
from .figures import Month
from .models import BOOKED, SettlementLine
from .terms import Agreed, all_terms

__all__ = ["SHOWN", "Due", "dues"]

SHOWN = ("all", "open", "late", "short")
CHUNK = 500


class Due(NamedTuple):
    """A payment, or what went back of it: `amount_minor` above 0 is owed to us. `came_minor` is
    what came after the fee; None while no file has told of it."""

    id: int
    at: datetime
    day: date
    amount_minor: int
    reason: str
    sale_id: str | None
    attempt_id: str | None
    agreed_minor: int | None
    expected_on: date | None
    late: bool
    line_id: int | None
    state: str
    problem: str
    fee_minor: int | None
    came_minor: int | None
    paid_on: date | None
    written_off: str

    @property
    def expected_minor(self) -> int:
        """What should come of it."""
        return self.amount_minor - (self.agreed_minor or 0)


def dues(
    means: str, currency: str, zone: ZoneInfo, *, shown: str = "all", month: Month | None = None,
    on: date | None = None, after: int = 0,
) -> Iterator[Due]:  # fmt: skip
    """The postings of a means, by their ids from `after` on: all, or those that nothing settles
    ("open"), that are late, or of which less came. Of one month, where one is given; or those that
    should come on a day."""
    account = figures.accounts(currency).get(means)
    if account is None:
        return
    agreed, today = all_terms(currency)[means], clock.now().astimezone(zone).date()
    query = _query(account, shown, month, zone)
    while True:
        rows = connection().execute(query.where(Transfer.id > after).limit(CHUNK)).all()
        for row in rows:
            one = _due(row, agreed, zone, today)
            if (shown != "late" or one.late) and (on is None or one.expected_on == on):
                yield one
        if len(rows) < CHUNK:
            return
        after = rows[-1].id


def _query(account: int, shown: str, month: Month | None, zone: ZoneInfo) -> Select[Any]:
    line = SettlementLine
    settles = (line.transfer_id == Transfer.id) & (line.kind != "fee")
    states = (*BOOKED, "open") if shown == "short" else BOOKED
    query: Any = (
        select(
            Transfer.id, Transfer.at, postings.signed(account).label("amount"), Transfer.reason,
            Transfer.sale_id, Transfer.attempt_id, line.id.label("line_id"), line.state,
            line.problem, line.fee_minor, line.gross_minor, line.paid_on, line.agreed_minor,
            line.file_id, line.reason.label("why"), line.accepted_at,
        )
        .select_from(Transfer)
        .outerjoin(line, settles & line.state.in_(states))
        .where(postings.is_ours(account))
        .order_by(Transfer.id)
    )  # fmt: skip
    if month is not None:
        since, until = month.bounds(zone)
        query = query.where(Transfer.at >= since, Transfer.at < until)
    if shown in ("open", "late"):
        query = query.where(line.id.is_(None))
    if shown == "short":
        query = query.where(
            line.problem.in_(("other_fee", "other_amount")), line.accepted_at.is_(None),
            figures.short_by() > 0,
        )  # fmt: skip
    found: Select[Any] = query
    return found


def _due(row: Any, agreed: Agreed, zone: ZoneInfo, today: date) -> Due:
    day, amount = row.at.astimezone(zone).date(), int(row.amount)
    terms = agreed.on(day)
    fee = row.agreed_minor
    if fee is None and terms is not None and not row.reason.startswith("dispute"):
        fee = terms.fee_of(amount)
    expected_on = terms.due_on(day) if terms is not None else None
    is_open = row.line_id is None
    came = None
    if row.line_id is not None and row.file_id is not None and row.state != "open":
        came = row.gross_minor - (row.fee_minor or 0)
    return Due(
        row.id, row.at, day, amount, row.reason, row.sale_id, row.attempt_id, fee, expected_on,
        is_open and expected_on is not None and expected_on < today, row.line_id, row.state or "",
        row.problem or "", row.fee_minor, came, row.paid_on,
        row.why if row.state == "accepted" and row.file_id is None else "",
    )  # fmt: skip
