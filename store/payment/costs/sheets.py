"""Tables as CSV: plain decimals, headings that never change, and no cell that runs as a formula."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from ... import money
from ...spreadsheets import guarded, written
from .dues import Due
from .figures import Cost, Month
from .reading import Reject

__all__ = ["of_costs", "of_dues", "of_rejects"]


def of_costs(costs: Iterable[Cost], month: Month, currency: str) -> str:
    """What each means cost in a month."""
    head = ("month", "means", "payments", "takings", "given_back", "fee", "fee_percent_of_takings",
            "fee_agreed", "fee_told_by_files", "days_agreed", "days_found", "currency")  # fmt: skip
    return _written(head, (
        (str(month), one.means, str(one.came), *_amounts(currency, one.came_minor, one.back_minor,
         one.fee_minor), "" if one.share is None else f"{one.share:.3f}",
         *_amounts(currency, one.agreed_minor, one.found_minor), _said(one.days_agreed),
         _said(one.days_found), currency)
        for one in costs
    ))  # fmt: skip


def of_dues(dues: Iterable[Due], currency: str, zone: ZoneInfo) -> str:
    """Payments, each with what should come for it and what came."""
    head = ("posting", "at", "kind", "sale", "order", "amount", "fee_agreed", "expected",
            "expected_on", "fee", "came", "paid_on", "state", "problem", "currency")  # fmt: skip
    return _written(head, (
        (str(one.id), one.at.astimezone(zone).isoformat(timespec="seconds"), one.reason,
         one.sale_id or "", one.attempt_id or "", money.text(one.amount_minor, currency),
         *_amounts(currency, one.agreed_minor, one.expected_minor), _said(one.expected_on),
         *_amounts(currency, one.fee_minor, one.came_minor), _said(one.paid_on),
         "late" if one.late else one.state or "open", one.problem, currency)
        for one in dues
    ))  # fmt: skip


def of_rejects(rejects: Iterable[Reject]) -> str:
    """Rows of a file that could not be read, with the reason."""
    return _written(
        ("row", "why", "text"), ((str(one.number), one.why, one.row) for one in rejects)
    )


def _amounts(currency: str, *amounts: int | None) -> list[str]:
    return ["" if one is None else money.text(one, currency) for one in amounts]


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _written(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """What we write as a number below zero is one; text of others is guarded."""
    safe = ([cell if _is_number(cell) else guarded(cell) for cell in row] for row in rows)
    return "".join(written(head, safe))


def _is_number(cell: str) -> bool:
    digits = cell.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
