"""What the forms of delivery say, read strictly."""

from __future__ import annotations

import re

from flask import request

from .. import forms, money, web
from ..errors import Invalid
from .addresses import Where
from .sourcing import Point, Weighing

_DEGREES = re.compile(r"-?\d{1,3}(\.\d{1,12})?\Z", re.ASCII)


def point() -> Point | None:
    """Degrees north and east, both or neither. Raises Invalid."""
    said = [request.form.get(name, "").strip() for name in ("latitude", "longitude")]
    if not any(said):
        return None
    if not all(_DEGREES.match(one) for one in said):
        raise Invalid("Coordinates are two decimals, such as 31.2304 and 121.4737",
                      field="latitude")  # fmt: skip
    return Point(*map(float, said))


def minor(name: str) -> int:
    """An amount of the shop's currency; nothing said is 0."""
    if not request.form.get(name, "").strip():
        return 0
    value = forms.amount(name, web.setting("CURRENCY"))
    if value > money.LARGEST_MINOR:
        raise Invalid(f"{name} is too large", field=name)
    return value


def where() -> Where:
    """An address. Raises Invalid."""
    return Where(
        name=forms.text("name", least=1, most=120),
        phone=forms.text("phone", most=40),
        street=forms.text("street", least=1, most=200),
        city=forms.text("city", least=1, most=120),
        postcode=forms.text("postcode", most=12),
        country=forms.text("country", least=2, most=2),
    ).checked()


def weights() -> Weighing:
    return Weighing(
        cost_percent=forms.whole("cost_percent", least=0, most=1000),
        parcel_minor=minor("per_parcel"),
        day_minor=minor("per_day"),
        km_minor=minor("per_km"),
    )
