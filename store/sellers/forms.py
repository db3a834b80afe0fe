"""Reading the forms of sellers: who they are, and what is agreed with them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import current_app, request
from flask_babel import gettext

from .. import clock, forms, web
from ..catalogue.figures import read_rate
from ..errors import Invalid
from .contracts import MOST_DAYS, Agreed
from .models import CALENDARS

__all__ = ["agreed", "month", "seller", "starts_on", "why"]


def seller() -> dict[str, Any]:
    """What the form says about a seller. Raises Invalid."""
    return {
        "names": {
            language: forms.text(f"name_{language}", most=120) for language in web.LANGUAGES
        },
        "tax_number": forms.text("tax_number", most=40),
        "bank_name": forms.text("bank_name", most=120),
        "bank_holder": forms.text("bank_holder", most=120),
        "bank_account": forms.text("bank_account", most=60),
        "contact": forms.text("contact", most=200),
    }  # fmt: skip


def agreed() -> Agreed:
    """The terms of a contract. Raises Invalid."""
    calendar = forms.choice("calendar", CALENDARS)
    return Agreed(
        _rate("commission"),
        forms.amount("line_fee", current_app.config["CURRENCY"])
        if request.form.get("line_fee", "").strip() else 0,
        _rate("fee"), calendar,
        forms.whole("calendar_day", least=1, most=MOST_DAYS[calendar]),
    )  # fmt: skip


def _rate(field: str) -> int:
    """A rate in percent as basis points; empty is none. Raises Invalid."""
    text = forms.text(field, most=10, default="0") or "0"
    try:
        return read_rate(f"{text.rstrip('%')}%", field)
    except Invalid as refusal:
        raise Invalid(refusal.message, field=field) from refusal


def starts_on() -> date | None:
    """The day on which a contract begins; None is at once. Raises Invalid."""
    text = forms.text("starts_on", most=10)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("A day is written like 2027-01-31", field="starts_on") from error


def month() -> date:
    """The first day of the month that a page is about; this month where none is said, or none that
    is one. Of the address."""
    text = request.args.get("month", "")
    today = clock.day_of(clock.now(), web.setting("TIME_ZONE")).replace(day=1)
    try:
        first = date.fromisoformat(f"{text}-01") if len(text) == 7 else today
    except ValueError:
        return today
    return first if 1990 <= first.year <= today.year + 1 else today


def why(refusal: Invalid) -> str:
    """What is wrong, in the visitor's language; the refusal's own words are for logs."""
    words: dict[str, str] = {
        "code": gettext("A code has 1 to 20 letters, digits and dashes, and nobody else's."),
        "name": gettext("A name has 1 to 120 characters, on one line."),
        "bank_account": gettext("An account has 4 to 40 letters and digits."),
        "commission": gettext("Write the commission in percent, like 25 or 12.5."),
        "fee": gettext("Write the fee in percent, like 0.6."),
        "line_fee": gettext("Write the amount like 0.50, without other signs."),
        "calendar_day": gettext(
            "Days are 1 to 90, weekdays 1 to 7 from Monday on, days of a month 1 to 28."
        ),
        "starts_on": gettext("A contract begins today or later, and one on a day."),
        "reference": gettext("Write the bank's reference."),
        "reason": gettext("Say why it came back."),
    }
    other: str = gettext("This is too long, or has characters that cannot be kept.")
    field = "name" if refusal.field.startswith("name_") else refusal.field
    return str(words.get(field, other))
