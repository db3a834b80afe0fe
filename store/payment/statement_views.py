"""A member's statement of a month: what the account held, every movement, what it held then; as a
page, as CSV and as PDF."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO, StringIO
from itertools import islice
from zoneinfo import ZoneInfo

from flask import Response, current_app, render_template, stream_with_context
from flask_babel import gettext

from .. import clock, identity, money, web
from ..errors import NotFound
from ..paper import Column, Paper
from . import statements
from .blueprint import blueprint
from .statements import Posting

MOST_ON_A_PAGE = 200
MOST_ON_PAPER = 5_000
HEAD = ("at", "kind", "sale", "amount", "balance", "currency")

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])\Z", re.ASCII)


@blueprint.get("/me/account/<month>")
def month(month: str) -> str:
    """One month: opening, movements, closing; and the ways to the months beside it."""
    first, found = _read(month)
    rows = list(islice(found.postings, MOST_ON_A_PAGE + 1))
    return render_template(
        "payment/month.html", first=first, month=month, found=found, rows=rows[:MOST_ON_A_PAGE],
        more=len(rows) > MOST_ON_A_PAGE, words=kind_name, currency=_currency(),
        earlier=_named(_before(first)), later=_named(_after(first)) if _has_begun(first) else None,
    )  # fmt: skip


@blueprint.get("/me/account/<month>.csv")
def month_csv(month: str) -> Response:
    """Every movement of the month: plain decimals, moments in UTC."""
    _, found = _read(month)
    answer = Response(stream_with_context(_rows(found)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="statement-{month}.csv"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/me/account/<month>.pdf")
def month_pdf(month: str) -> Response:
    """The statement on paper. Of more movements than anybody reads it names the CSV."""
    first, found = _read(month)
    output, of = BytesIO(), _currency()
    member = identity.names_of([identity.signed_in().id])
    title = web.when(_at(first), gettext("MMMM y"))
    paper = Paper(output, f"{current_app.config['SHOP_NAME']} · {title}")
    paper.line(current_app.config["SHOP_NAME"], 6.4, bold=True)
    paper.space(5)
    paper.pair(gettext("Statement"), title, 4.6, bold=True)
    paper.pair(gettext("Member"), next(iter(member.values()), ""))
    paper.pair(gettext("At the beginning"), _money(found.opening_minor))
    paper.pair(gettext("Came in"), _money(found.came_minor))
    paper.pair(gettext("Went out"), _money(-found.went_minor))
    paper.pair(gettext("At the end"), _money(found.closing_minor), bold=True)
    paper.space(4)
    paper.table(
        Column(gettext("When"), 46), Column(gettext("Movement"), 56),
        Column(gettext("Amount"), 34, True), Column(gettext("Balance"), 34, True),
    )  # fmt: skip
    for at, row in enumerate(found.postings):
        if at == MOST_ON_PAPER:
            paper.row(gettext("and more"), gettext("all of them are in the CSV"), "", "")
            break
        what = kind_name(row.reason) + (f" {row.sale_id[-6:]}" if row.sale_id else "")
        paper.row(web.when(row.at, "short"), what, _money(row.amount_minor),
                  _money(row.balance_minor))  # fmt: skip
    paper.end_table()
    paper.close()
    answer = Response(output.getvalue(), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="statement-{month}-{of}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def kind_name(reason: str) -> str:
    """What a movement is, in the visitor's language."""
    names: dict[str, str] = {
        "charge": gettext("Purchase"), "top_up": gettext("Topped up"),
        "refund": gettext("Refund"), "sent_back": gettext("Refund"),
        "due_back": gettext("Refund"), "set_aside": gettext("Set aside for a payment"),
        "aside_back": gettext("No longer set aside"),
        "transfer_in": gettext("Bank transfer"), "paid_in": gettext("Paid in at the till"),
        "paid_out": gettext("Paid out at the till"),
        "merged": gettext("From your other account"),
        "withheld": gettext("Held back for a dispute"),
        "withheld_back": gettext("No longer held back"),
    }  # fmt: skip
    return names.get(reason) or str(gettext("Correction"))


def this_month() -> str:
    return _named(clock.day_of(clock.now(), web.setting("TIME_ZONE")).replace(day=1))


def _read(text: str) -> tuple[date, statements.Month]:
    """The month's first day, and the account in it. Raises NotFound."""
    member, match = identity.signed_in(), _MONTH.match(text)
    if match is None:
        raise NotFound("There is no such month")
    first = date(int(match[1]), int(match[2]), 1)
    return first, statements.month(member.id, _currency(), _at(first), _at(_after(first)))


def _rows(found: statements.Month) -> Iterator[str]:
    yield _line(HEAD)
    yield _line(("", "opening", "", "", _text(found.opening_minor), _currency()))
    for row in found.postings:
        yield _line(_values(row))
    yield _line(("", "closing", "", "", _text(found.closing_minor), _currency()))


def _values(row: Posting) -> tuple[str, ...]:
    at = row.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return (at, row.reason, row.sale_id or "", _text(row.amount_minor), _text(row.balance_minor),
            _currency())  # fmt: skip


def _line(values: tuple[str, ...]) -> str:
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(values)
    return written.getvalue()


def _at(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(web.setting("TIME_ZONE")))


def _after(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _before(first: date) -> date:
    return date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)


def _has_begun(first: date) -> bool:
    return _after(first) <= clock.day_of(clock.now(), web.setting("TIME_ZONE"))


def _named(first: date) -> str:
    return f"{first.year}-{first.month:02}"


def _text(minor: int) -> str:
    return money.text(minor, _currency())


def _money(minor: int) -> str:
    return money.show(minor, _currency(), web.language())


def _currency() -> str:
    return web.setting("CURRENCY")
