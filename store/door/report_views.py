"""The owner's page of the exit: what was checked and found, and whether it was fair; and CSV."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app, render_template, request, stream_with_context
from flask_babel import format_decimal

from .. import clock, identity, money, stock
from ..errors import Invalid
from ..spreadsheets import written
from . import report
from .blueprint import blueprint
from .report import Bags

DAYS = 28
MOST_DAYS = 3660
TABLES = ("rules", "shoppers", "hours", "passes", "chances")


@blueprint.get("/owner/exit/report")
@identity.needs("set_rules")
def exit_report() -> str:
    first, last, place = _asked()
    found = report.report(_span(first, last, place), _zone())
    return render_template(
        "door/report.html", report=found, first=first, last=last, chosen=place,
        places=stock.locations(), currency=_currency(), number=format_decimal,
        most=max([each.decided for each in found.hours.values()], default=0),
    )  # fmt: skip


@blueprint.get("/owner/exit/report.csv")
@identity.needs("set_rules")
def exit_report_csv() -> Response:
    """One of the page's tables: ?table= rules, shoppers, hours, passes or chances."""
    table = request.args.get("table", TABLES[0])
    if table not in TABLES:
        raise Invalid(f"table must be one of {', '.join(TABLES)}", field="table")
    first, last, place = _asked()
    text = _sheet(table, report.report(_span(first, last, place), _zone()))
    answer = Response(stream_with_context(iter(text)), mimetype="text/csv")
    name = f"exit-{table}-{first}-{last}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


_BAGS = (
    "decided", "looked_at", "right", "missing", "extra", "stayed", "charged", "given_back",
    "mean_wait_s", "longest_wait_s",
)  # fmt: skip


def _sheet(table: str, found: report.Report) -> Iterable[str]:
    if table == "passes":
        rows: list[list[object]] = [["passes", *one] for one in sorted(found.outcomes.items())]
        rows += [["flagged", *one] for one in sorted(found.flags.items())]
        rows += [["age", *one] for one in sorted(found.ages.items())]
        return written(("what", "outcome", "many"), rows)
    if table == "chances":
        return written(
            ("rule", "percent", "set_at", "about", "chosen", "least", "most", "as_stated"),
            ([each.rule, each.rate_bp / 100, each.set_at.isoformat(timespec="seconds"), each.about,
              each.chosen, round(each.least, 1), round(each.most, 1), "yes" if each.fits else "no"]
             for each in found.dice),
        )  # fmt: skip
    kinds: dict[str, dict[Any, Bags]] = {
        "rules": {**found.by_rule},
        "shoppers": {"first purchase": found.newcomers, "bought before": found.returning},
        "hours": {**found.hours},
    }
    return written(("of", *_BAGS), ([name, *_cells(bags)] for name, bags in kinds[table].items()))


def _cells(bags: Bags) -> list[object]:
    charged, given = (money.text(each, _currency())
                      for each in (bags.charged_minor, bags.refunded_minor))  # fmt: skip
    return [
        bags.decided, bags.chosen, bags.right, bags.missing, bags.extra, bags.refused, charged,
        given, round(bags.mean_wait_s or 0), round(bags.longest_s),
    ]  # fmt: skip


def _asked() -> tuple[date, date, stock.Location | None]:
    """Days and place of the address; the last four weeks, everywhere. Raises Invalid, NotFound."""
    today = clock.day_of(clock.now(), _zone())
    last = _day("to") or today
    first = _day("from") or min(last, today) - timedelta(days=DAYS - 1)
    if last < first:
        raise Invalid("The last day must not be before the first", field="to")
    if (last - first).days >= MOST_DAYS:
        raise Invalid(f"A report covers {MOST_DAYS} days at most", field="to")
    code = request.args.get("place", "")
    return first, last, stock.location(code) if code else None


def _day(name: str) -> date | None:
    raw = request.args.get(name, "")
    if not raw:
        return None
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        raise Invalid(f"{name} must be a day like 2027-03-15", field=name) from None
    if not 2000 <= day.year <= 2100:
        raise Invalid(f"{name} must be a day of this century", field=name)
    return day


def _span(first: date, last: date, place: stock.Location | None) -> report.Asked:
    zone = ZoneInfo(_zone())
    start = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    return report.Asked(start, end, place.id if place else None)


def _zone() -> str:
    return str(current_app.config["TIME_ZONE"])


def _currency() -> str:
    return str(current_app.config["CURRENCY"])
