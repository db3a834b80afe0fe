"""The page of the exit, with the answer to a scan or to a question."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import g, render_template
from flask_babel import format_timedelta, gettext

from .. import catalogue, clock, identity, ids, sales
from . import ages, spots, told
from .place import here, words

__all__ = ["ago", "buyer", "verdict_page"]


def verdict_page(*, receipt: sales.Receipt | None = None, **verdict: Any) -> str:
    """The page of the exit with an answer; `verdict` is `outcome`, and what belongs to it."""
    g.more_script = " 'wasm-unsafe-eval'"
    place = here()
    return render_template(
        "door/exit.html",
        **words(),
        place=place,
        to_see=told.to_see(place.id),
        waiting=spots.waiting(place.id, clock.now()),
        asked_ages=ages.under_way(place.id, clock.now() - spots.FORGOTTEN),
        may_set=identity.allows(identity.current(), "set_rules"),
        receipt=receipt,
        buyer=buyer(receipt) if receipt else "",
        picture_url=catalogue.picture_url,
        moment=clock.parse,
        day=date.fromisoformat,
        ago=ago,
        key=ids.new(),
        **verdict,
    )


def buyer(receipt: sales.Receipt) -> str:
    """Who paid, on a screen that others may see: a name as it is, an address by its beginning, a
    number by its end."""
    if receipt.member_id is None:
        return str(gettext("Without a member"))
    name = identity.names_of([receipt.member_id]).get(receipt.member_id, "")
    if "@" in name:
        person, _, host = name.partition("@")
        return f"{person[:2]}…@{host}"
    return f"…{name[-4:]}" if name.lstrip("+").isdigit() else name


def ago(at: datetime) -> str:
    """How long ago in words, in the visitor's language."""
    return str(format_timedelta(clock.now() - at, threshold=1.2))
