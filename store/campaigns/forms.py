"""Reading the forms of segments, strictly."""

from __future__ import annotations

from flask import current_app
from flask_babel import gettext

from .. import catalogue, forms, stock
from ..errors import Invalid
from ..reports.customers.segments import Segment
from ..sales import CHANNELS

__all__ = ["segment", "why"]

MOST_DAYS, MOST_TIMES = 3_660, 100_000


def segment() -> Segment:
    """The segment that the form describes; what is left empty does not matter. Raises Invalid."""
    currency = str(current_app.config["CURRENCY"])
    found = Segment(
        currency, _whole("days", MOST_DAYS, 1), _whole("least_times", MOST_TIMES, 1),
        _whole("most_times", MOST_TIMES, 1), _amount("least", currency), _amount("most", currency),
        _category(), _place(), forms.choice("channel", ("", *CHANNELS)) or None,
        _whole("quiet_days", MOST_DAYS, 1), _whole("left_days", 30, 1),
    )  # fmt: skip
    if found == Segment(currency):
        raise Invalid("Say at least one thing", field="nothing")
    for low, high, field in (
        (found.least_times, found.most_times, "most_times"),
        (found.least_minor, found.most_minor, "most"),
    ):
        if low is not None and high is not None and low > high:
            raise Invalid("The most is less than the least", field=field)
    return found


def _whole(name: str, most: int, least: int) -> int | None:
    text = forms.text(name, most=12)
    return forms.whole(name, least=least, most=most) if text else None


def _amount(name: str, currency: str) -> int | None:
    text = forms.text(name, most=20)
    return forms.amount(name, currency) if text else None


def _category() -> int | None:
    text = forms.text("category", most=15)
    if not text:
        return None
    number = forms.whole("category", least=1, most=10**14)
    if number not in {one.id for one in catalogue.categories()}:
        raise Invalid("There is no such category", field="category")
    return number


def _place() -> int | None:
    code = forms.text("place", most=32)
    return stock.location(code).id if code else None


def why(refusal: Invalid) -> str:
    """What is wrong with the form, in the visitor's language."""
    many = gettext("This is a whole number from 1 to %(most)d.", most=MOST_DAYS)
    says: dict[str, str] = {
        "nothing": gettext("Say at least one thing about these members."),
        "days": many, "quiet_days": many,
        "left_days": gettext("Baskets are kept for 30 days: say 1 to 30."),
        "least_times": gettext("Say how often, with the most not below the least."),
        "most_times": gettext("Say how often, with the most not below the least."),
        "least": gettext("Say amounts like 30 or 12.50, with the most not below the least."),
        "most": gettext("Say amounts like 30 or 12.50, with the most not below the least."),
        "name": gettext("A name has 1 to 60 characters."),
    }  # fmt: skip
    return str(says.get(refusal.field or "", gettext("Please look at what you have written.")))
