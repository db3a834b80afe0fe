"""Judging a sticker that staff scan on a shelf: is it ours, does it belong here, is it true."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import func, select

from .. import catalogue, stock
from ..catalogue import gs1
from ..db import connection
from . import records
from .models import Label
from .stickers import said_now

__all__ = ["Judged", "Shop", "judge"]


class Shop(NamedTuple):
    """What a judgement needs to know of the shop."""

    base_url: str
    secret_key: str
    currency: str


class Judged(NamedTuple):
    """`verdict` is one of walks.VERDICTS, or "no_label" (a code of goods) or "unknown", which are
    nothing to write down. `home` is the shelf on which the item belongs, empty where that is not
    known; `what` the words of the label that are old."""

    verdict: str
    item_id: int | None = None
    label_id: str | None = None
    home: str = ""
    what: str = ""


def judge(text: str, location_id: int, shelf: str, shop: Shop) -> Judged:
    """What is to be said of this text, scanned at this shelf (empty: not known yet) of a place. The
    gravest fault counts: foreign, swapped, revoked, elsewhere, retired, wrong shelf, changed."""
    item = _item(text, shop.base_url)
    label_id = records.read(_said(text), shop.secret_key)
    row = _row(label_id, location_id) if label_id else None
    item_id = item.id if item else None
    if row is None:
        return Judged(_no_label_of_ours(text, item_id, shop.base_url), item_id)
    seen = Judged("good", row.item_id, label_id, row.shelf)
    if item_id != row.item_id and text.strip().upper() != _said(text).upper():
        return seen._replace(verdict="swapped", item_id=item_id or row.item_id)
    if row.revoked_at is not None:
        return seen._replace(verdict="revoked")
    if row.location_id != location_id:
        return seen._replace(verdict="elsewhere")
    price = catalogue.quote([row.item_id], location_id, shop.currency).get(row.item_id)
    if row.archived_at is not None or price is None:
        return seen._replace(verdict="retired")
    if shelf and row.shelf and shelf.lower() != row.shelf.lower():
        return seen._replace(verdict="wrong_shelf")
    old = [
        name
        for name, differs in (
            ("price", (price, shop.currency) != (row.price_minor, row.currency)),
            ("name", row.said is not None and row.said != row.said_now),
            ("shelf", bool(row.shelf) and row.shelf != row.printed_shelf),
        )
        if differs
    ]
    return seen._replace(verdict="changed" if old else "good", what=" ".join(old))


def _row(label_id: str, location_id: int) -> Any:
    item = catalogue.Item
    query = (
        select(
            Label.item_id, Label.location_id, Label.price_minor, Label.currency, Label.revoked_at,
            Label.said, Label.shelf.label("printed_shelf"), item.archived_at,
            said_now().label("said_now"),
            func.coalesce(stock.shelf_of(item.id, location_id), "").label("shelf"),
        )
        .join(item, item.id == Label.item_id)
        .where(Label.id == label_id)
    )  # fmt: skip
    return connection().execute(query).first()


def _said(text: str) -> str:
    """What stands behind `l=` of an address, else the text itself."""
    return parse_qs(_parts(text)[1]).get("l", [text.strip()])[0][:40]


def _parts(text: str) -> tuple[str, str]:
    """Host and query of an address; both empty where it is none."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return "", ""  # A bracket in the host, and the like.
    return (parts.netloc.lower(), parts.query) if parts.scheme in ("http", "https") else ("", "")


def _item(text: str, base_url: str) -> catalogue.Item | None:
    try:
        return catalogue.find_item(text, base_url=base_url)
    except gs1.CodeFault:
        return None


def _no_label_of_ours(text: str, item_id: int | None, base_url: str) -> str:
    """A pack's own code is no label; an address that leads elsewhere or says `l=` poses as one."""
    host, query = _parts(text)
    if not host:
        return "no_label" if item_id else "unknown"
    own = base_url.partition("://")[2].lower()
    claims = "l" in parse_qs(query) or host == own
    return "no_label" if item_id and not claims else "foreign"
