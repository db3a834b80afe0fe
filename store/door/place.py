"""Where the staff of this browser stand: chosen once at the desk, kept in a cookie."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from .. import money, stock, web
from ..errors import NotFound

COOKIE = "place"
DAYS = 365


def here() -> stock.Location:
    """The location chosen at this desk; the first one where none was chosen or it is gone."""
    chosen = web.cookie(COOKIE)
    if chosen:
        try:
            return stock.location(chosen)
        except NotFound:
            pass  # Renamed or removed since: the desk opens all the same.
    return stock.location(stock.MAIN)


def choose(response: Response, location: stock.Location) -> None:
    web.set_cookie(response, COOKIE, location.code, DAYS)


def words() -> dict[str, Any]:
    """What a page that works without the shop writes sums with."""
    currency = str(current_app.config["CURRENCY"])
    return {"currency": currency, "decimals": money.decimals(currency)}
