"""What a request to the stock pages says: where the staff stand, and which item is meant."""

from __future__ import annotations

from flask import request

from .. import catalogue, forms, web
from ..errors import NotFound
from .locations import MAIN, location
from .models import Location

__all__ = ["PLACE_COOKIE", "before", "found", "here", "here_code", "item", "place"]

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
    return location(forms.text(name, most=32))


def item() -> catalogue.Item:
    """The item of the form's code. Raises ItemNotForSale."""
    known = found(forms.text("code", least=1, most=100))
    if known is None:
        raise catalogue.ItemNotForSale("There is no such item")
    return known


def found(code: str) -> catalogue.Item | None:
    """The item that any code names: a label, a GTIN, a SKU, a short code."""
    return catalogue.find_item(code, base_url=web.base_url()) if code else None


def before() -> int | None:
    """The row that a list goes on before; rubbish is as good as none."""
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
