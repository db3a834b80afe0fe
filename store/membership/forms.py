"""Reading the form of an offer, strictly."""

from __future__ import annotations

import re

from flask import current_app, request
from flask_babel import gettext

from .. import catalogue, forms, money, stock, web
from ..errors import Invalid
from . import tiers
from .models import AUDIENCES, KINDS
from .offers import CHANNELS, MOST_CODES, MOST_TAKEN, Wanted

__all__ = ["codes", "preview_of", "wanted", "why"]

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
MOST_SHOWN = 20


def wanted() -> Wanted:
    """The offer that the form describes. Raises Invalid."""
    kind, currency = forms.choice("kind", KINDS), str(current_app.config["CURRENCY"])
    zone = web.setting("TIME_ZONE")
    value, pays = _value(kind, currency)
    names = {
        language: text
        for language in web.LANGUAGES
        if (text := forms.text(f"name_{language}", most=60))
    }
    item_id, category_id = _goods()
    place = forms.text("place", most=32)
    tier, by_code = _tier(), forms.flag("by_code")
    least = forms.text("least", most=24) if by_code else ""
    each = forms.text("most_each", most=6) if by_code else ""
    return Wanted(
        kind, value, currency, pays, names, item_id, category_id,
        stock.location(place).id if place else None,
        forms.choice("channel", ("", *CHANNELS)) or None,
        "tier" if tier is not None else forms.choice("audience", AUDIENCES, "all"),
        forms.moment("starts", zone), forms.moment("ends", zone), _days(),
        _hours(), by_code, money.parse(least, currency, field="least") if least else 0,
        forms.whole("most_each", least=1, most=9_999) if each else None, tier,
    )  # fmt: skip


def _value(kind: str, currency: str) -> tuple[int, int | None]:
    if kind == "percent":
        return forms.whole("value", least=1, most=100), None
    if kind == "n_for_m":
        return (
            forms.whole("value", least=2, most=MOST_TAKEN),
            forms.whole("pays", least=1, most=MOST_TAKEN),
        )
    return forms.amount("value", currency, least=0 if kind == "price" else 1), None


def _tier() -> int | None:
    """Which tier it is for, if it is for one."""
    said = forms.text("audience", most=32)
    if not said.startswith("tier-"):
        return None
    found = next((key for key in tiers.names_now() if said == f"tier-{key}"), None)
    if found is None:
        raise Invalid("There is no such tier", field="audience")
    return found


def _goods() -> tuple[int | None, int | None]:
    code, category = forms.scanned("item", least=0), forms.text("category", most=15)
    if code and category:
        raise Invalid("An offer is for an item or for a category", field="item")
    if code:
        found = catalogue.find_item(code, base_url=web.base_url())
        if found is None:
            raise Invalid("There is no such item", field="item")
        return found.id, None
    if not category:
        return None, None
    number = forms.whole("category", least=1, most=10**14)
    if number not in {one.id for one in catalogue.categories()}:
        raise Invalid("There is no such category", field="category")
    return None, number


def _days() -> int:
    """Seven boxes; none ticked is every day."""
    said = set(request.form.getlist("day"))
    if not said:
        return 127
    if not said <= set("0123456"):
        raise Invalid("There is no such day", field="days")
    return sum(1 << int(day) for day in said)


def _hours() -> tuple[int, int] | None:
    said = forms.text("from", most=5), forms.text("to", most=5)
    if not any(said):
        return None
    found = [_TIME.match(text) for text in said]
    if not all(found):
        raise Invalid("Hours are like 17:00", field="hours")
    from_, to = (int(one[1]) * 60 + int(one[2]) for one in found if one)
    return from_, to


def why(refusal: Invalid) -> str:
    """What is wrong with the form, in the visitor's language."""
    says: dict[str, str] = {
        "value": gettext(
            "Percent are 1 to 100, an amount is above zero, “3 for 2” takes 2 or more."
        ),
        "pays": gettext("So many are paid for: fewer than are taken."),
        "item": gettext("Name one item that there is, or a category."),
        "preview": gettext("There is no such item."),
        "starts": gettext("This is no time."),
        "ends": gettext("It must end after it begins, and not before now."),
        "hours": gettext("Say from when until when."),
        "kind": gettext("A coupon is for percent or for an amount."),
        "tier": gettext("A tier takes this off. Change the tier, and it ends."),
        "audience": gettext("There is no such tier."),
        "code": gettext(
            "A code has 3 to 32 letters, digits and dashes, and there is only one of it."
        ),
        "many": gettext("Make 1 to %(most)d codes at a time.", most=MOST_CODES),
    }  # fmt: skip
    return str(says.get(refusal.field or "", gettext("Please look at what you have written.")))


def codes() -> tuple[str, int, int | None]:
    """A code of one's own, or how many shall be made, and how often each is used; or Invalid."""
    code = forms.text("code", most=64)
    many = 0 if code else forms.whole("many", least=1, most=MOST_CODES, default=1)
    uses = forms.text("uses", most=10)
    return code, many, forms.whole("uses", least=1, most=10**9) if uses else None


def preview_of() -> tuple[list[int], int]:
    """The items to try an offer on, by their codes, and how many of each. Raises Invalid."""
    items = []
    for code in forms.text("preview", most=400).replace(",", " ").split()[:MOST_SHOWN]:
        found = catalogue.find_item(code, base_url=web.base_url())
        if found is None:
            raise Invalid(f"There is no such item: {code[:40]}", field="preview")
        items.append(found.id)
    return items, forms.whole("preview_many", least=1, most=99, default=3)
