"""The owner's pages of what each means costs: the month in one look, the list behind each figure,
and the terms."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import clock, forms, identity, money, web
from ...errors import Invalid, NotFound
from ..blueprint import blueprint
from . import differences, dues, figures, sheets
from .figures import Month
from .terms import MEANS, Terms, all_terms, set_terms

__all__ = ["blueprint"]

PAGE = 100
MONTHS = 14
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_PERCENT = re.compile(r"\d{1,3}(\.\d{1,4})?\Z", re.ASCII)


def zone() -> ZoneInfo:
    return ZoneInfo(web.setting("TIME_ZONE"))


def currency() -> str:
    return web.setting("CURRENCY")


def today() -> date:
    return clock.now().astimezone(zone()).date()


@blueprint.get("/owner/costs")
@identity.needs("see_sales")
def costs() -> str:
    """What each means cost in a month, and what is still to come."""
    month = _month(request.args.get("month", ""))
    found, owing = figures.costs(month, currency(), zone()), figures.owed(currency(), zone())
    days = sorted({day for one in owing for day in one.by_day})
    return render_template(
        "payment/costs.html", month=month, months=_months(), costs=found, owed=owing, days=days,
        currency=currency(), today=today(), differing=sum(differences.how_many().values()),
        has_terms=any(one.found for one in all_terms(currency()).values()),
    )  # fmt: skip


@blueprint.get("/owner/costs.csv")
@identity.needs("see_sales")
def costs_csv() -> Response:
    month = _month(request.args.get("month", ""))
    return _csv(sheets.of_costs(figures.costs(month, currency(), zone()), month, currency()),
                f"costs-{month}")  # fmt: skip


@blueprint.get("/owner/costs/means/<means>")
@identity.needs("see_sales")
def due_payments(means: str) -> str:
    """The payments that a figure is made of."""
    asked = _asked(means)
    after = _number("after")
    found = list(islice(dues.dues(means, currency(), zone(), after=after, **asked), PAGE + 1))
    return render_template(
        "payment/dues.html", means=means, dues=found[:PAGE], currency=currency(), asked=asked,
        months=_months(), shown=dues.SHOWN, today=today(), begins=bool(after),
        following=found[PAGE - 1].id if len(found) > PAGE else None,
        terms=all_terms(currency())[means].on(today()), link=_link,
    )  # fmt: skip


@blueprint.get("/owner/costs/means/<means>/csv")
@identity.needs("see_sales")
def due_payments_csv(means: str) -> Response:
    found = dues.dues(means, currency(), zone(), **_asked(means))
    return _csv(sheets.of_dues(found, currency(), zone()), f"payments-{means}")


@blueprint.get("/owner/costs/terms")
@identity.needs("see_sales")
def terms() -> str:
    """What was agreed with each provider, and since when."""
    found = all_terms(currency())
    people = {row.made_by for one in found.values() for row in one.found if row.made_by}
    return render_template(
        "payment/terms.html", terms=found, currency=currency(), today=today(), means=MEANS,
        who=identity.names_of(people), percent=percent,
        plain=lambda minor: money.text(minor, currency()),
    )  # fmt: skip


@blueprint.post("/owner/costs/terms")
@identity.needs("set_rules")
def add_terms() -> ResponseReturnValue:
    """From a day on something else is agreed."""
    means = forms.choice("means", MEANS)
    most = forms.text("most", most=20)
    asked = Terms(
        _day(forms.text("valid_from", least=1, most=10), "valid_from"),
        _ppm(forms.text("fee", least=1, most=8)),
        _amount("fixed"), _amount("least"),
        money.parse(most, currency(), field="most") if most else None,
        forms.whole("days", least=0, most=400), forms.flag("working_days"),
        forms.flag("fee_back"),
    )  # fmt: skip
    set_terms(means, currency(), asked, made_by=identity.signed_in().id)
    flash(gettext("These terms count from that day on."), "good")
    return redirect(url_for("payment.terms"), 303)


def percent(ppm: int) -> str:
    """Millionths as percent, as short as it can be: 6,000 is 0.6."""
    return f"{Decimal(ppm) / 10_000:f}"


def _amount(name: str) -> int:
    said = forms.text(name, most=20)
    return money.parse(said, currency(), field=name) if said else 0


def _ppm(said: str) -> int:
    if not _PERCENT.match(said):
        raise Invalid("The fee is in percent, like 0.6", field="fee")
    return int(Decimal(said) * 10_000)


def _day(said: str, field: str) -> date:
    try:
        if _DAY.match(said):
            return date.fromisoformat(said)
    except ValueError:
        pass
    raise Invalid(f"{field} must be a day, like 2026-11-30", field=field)


def _month(said: str) -> Month:
    """The month that is asked for, else the last one that is over. Raises Invalid."""
    if not said:
        return figures.month_of(today()).before
    found = _MONTH.match(said)
    if not found or not 1990 <= int(found[1]) <= 2199:
        raise Invalid("month must be like 2026-11", field="month")
    return Month(date(int(found[1]), int(found[2]), 1))


def _months() -> list[Month]:
    """This month and those before it, for the choice."""
    found = [figures.month_of(today())]
    while len(found) < MONTHS:
        found.append(found[-1].before)
    return found


def _asked(means: str) -> dict[str, Any]:
    """Which payments are asked for. Raises NotFound, Invalid."""
    if means not in MEANS:
        raise NotFound("There is no such means of payment")
    shown, month, on = (request.args.get(name, "") for name in ("shown", "month", "on"))
    if (shown or "all") not in dues.SHOWN:
        raise Invalid(f"shown must be one of: {', '.join(dues.SHOWN)}", field="shown")
    return {"shown": shown or "all", "month": _month(month) if month else None,
            "on": _day(on, "on") if on else None}  # fmt: skip


def _number(name: str) -> int:
    said = request.args.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else 0


def _link(endpoint: str, means: str, asked: dict[str, Any], **more: object) -> str:
    """The same question with something changed."""
    said = {name: str(value) for name, value in (asked | more).items() if value}
    return url_for(endpoint, means=means, **said)  # type: ignore[arg-type]


def _csv(text: str, name: str) -> Response:
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
