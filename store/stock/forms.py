"""What a request to the stock pages says: where the staff stand, and which item is meant."""

from __future__ import annotations

from datetime import date

from flask import request

from .. import catalogue, forms, web
from ..catalogue import gs1
from ..errors import Invalid, NotFound
from .locations import MAIN, location, location_by_id
from .models import Location

__all__ = [
    "PLACE_COOKIE",
    "batch",
    "before",
    "found",
    "here",
    "here_code",
    "item",
    "pack",
    "place",
    "place_of",
    "said_by",
]

PLACE_COOKIE = "place"
"""Where the staff of this browser stand; the desk's start page sets it."""


def here_code() -> str:
    """The code of the place where this browser's staff stand, known or not."""
    return (web.cookie(PLACE_COOKIE) or MAIN)[:32].upper()


def here() -> Location:
    """The place that the address names, else where this browser's staff stand, else the first."""
    for code in (request.args.get("at"), web.cookie(PLACE_COOKIE)):
        if code:
            try:
                return location(code)
            except NotFound:
                continue  # Renamed or removed since: the desk opens all the same.
    return location(MAIN)


def place(name: str = "at") -> Location:
    """The place that a form's field names. Raises NotFound."""
    return location(forms.text(name, least=1, most=32))


def place_of(location_id: int) -> Location:
    """The place of a row. Raises NotFound."""
    return location_by_id(location_id)


def item() -> catalogue.Item:
    """The item of the form's code. Raises ItemNotForSale."""
    known = found(forms.scanned("code"))
    if known is None:
        raise catalogue.ItemNotForSale("There is no such item")
    return known


def found(code: str) -> catalogue.Item | None:
    """The item that any code names: a label, a GTIN, a SKU, a short code."""
    return catalogue.find_item(code, base_url=web.base_url()) if code else None


def batch(item: catalogue.Item) -> tuple[str, date | None]:
    """Batch and last day of goods that come in; both empty for an item that is not tracked by
    batch, for which the form has no such fields. Raises Invalid."""
    if not item.tracks_batches:
        return "", None
    code, day = forms.text("batch", least=1, most=20), forms.text("expires_on", most=10)
    return code, _day(day)


def pack(code: str) -> tuple[str, date | None]:
    """Batch and last day of what was scanned or typed for a slip: what the form's fields say, else
    what the code tells. A pack's whole code in the field of the batch is read, too. Raises
    Invalid."""
    batch, day = forms.scanned("batch", least=0), forms.text("expires_on", most=10)
    # A batch has at most 20 characters.
    read, last = said_by(batch if len(batch) > 20 else "" if batch else code)
    return read or forms.checked("batch", batch, least=0, most=200), _day(day or last)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid("A date is like 2027-03-15", field="expires_on") from error


def said_by(code: str) -> tuple[str, str]:
    """Batch and last day (ISO) that the scanned code of a pack tells: AI (10), and (17) or else
    (15), best before; empty where it tells none."""
    try:
        scan = gs1.read(code)
    except gs1.CodeFault:
        return "", ""
    last = scan.expires_on or scan.best_before_on
    return scan.batch or "", last.isoformat() if last else ""


def before() -> int | None:
    """The row that a list goes on before; rubbish is as good as none."""
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
