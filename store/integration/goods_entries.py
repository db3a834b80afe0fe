"""Entries about goods: items that are added, changed or retired, and prices that begin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from .. import catalogue, clock, stock, web
from ..catalogue import gs1
from ..catalogue.figures import read_rate
from ..catalogue.prices import newest_start
from ..db import in_transaction
from ..errors import Invalid, NotFound, Refusal
from .models import FeedEntry
from .reading import Entry, Verdict
from .stock_entries import item_named

__all__ = ["judge_goods"]


def judge_goods(entry: Entry, member_id: int | None, *, by_hand: bool = False) -> Verdict:
    """Joiner: do what the entry says, or say why not. What the catalogue refuses is a conflict: a
    person may mend the catalogue and apply it then."""
    place_id = None
    if entry.location:
        try:
            place_id = stock.location(entry.location).id
        except NotFound as refusal:
            return Verdict("conflict", "place_unknown", refusal.message)
    item = item_named(entry.item)
    judge = _judge_price if entry.kind == "price" else _judge_item
    try:
        with in_transaction().begin_nested():
            code, reason, item_id = judge(entry, item, place_id, member_id, by_hand)
    except Refusal as refusal:
        known = item.id if item else None
        return Verdict("conflict", "not_taken", refusal.message[:300], known, place_id)
    return Verdict("conflict" if code else "applied", code, reason, item_id, place_id)


def _judge_price(
    entry: Entry, item: catalogue.Item | None, place_id: int | None, member_id: int | None,
    by_hand: bool,
) -> tuple[str, str, int | None]:  # fmt: skip
    if item is None:
        return "item_unknown", "Nothing here has this code", None
    if item.archived_at is not None:
        return "item_retired", "This item is no longer sold", item.id
    now, said_at = clock.now(), _time(entry)
    newest = newest_start(item.id, place_id)
    if newest is not None and newest > said_at and not by_hand:
        reason = f"A price began at {newest:%Y-%m-%d %H:%M:%S} UTC, after this one was said"
        return "price_old", reason, item.id
    assert entry.price_minor is not None
    starts_at = entry.starts_at if entry.starts_at and entry.starts_at > now else now
    catalogue.set_price(
        item.id, entry.price_minor, _currency(), location_id=place_id, starts_at=starts_at,
        made_by=member_id,
    )  # fmt: skip
    return "", "", item.id


def _judge_item(
    entry: Entry, item: catalogue.Item | None, place_id: int | None, member_id: int | None,
    by_hand: bool,
) -> tuple[str, str, int | None]:  # fmt: skip
    fields: dict[str, Any] = dict(entry.fields)
    retired, kind = fields.pop("retired", None), fields.pop("deposit", "")
    if kind:
        fields["deposit_id"] = _deposit(kind)
    if item is None:
        if retired:
            return "item_unknown", "Nothing here has this code", None
        return "", "", _add(entry, fields, member_id)
    if item.archived_at is not None and retired is None:
        return "item_retired", "This item is no longer sold", item.id
    if not by_hand and (newer := _said_since(item.id, _time(entry))) is not None:
        reason = f"Another entry of {newer:%Y-%m-%d %H:%M:%S} UTC is newer"
        return "item_old", reason, item.id
    if "names" in fields:
        fields["names"] = {**item.names, **fields["names"]}
    if fields:
        catalogue.edit_item(item.id, **fields)
    if retired is not None:
        (catalogue.archive_item if retired else catalogue.bring_back)(item.id)
    if entry.price_minor is not None:
        catalogue.set_price(item.id, entry.price_minor, _currency(), made_by=member_id)
    return "", "", item.id


def _deposit(code: str) -> int | None:
    """The kind of deposit of this code; of "none", none. Raises Invalid."""
    if code.lower() == "none":
        return None
    kinds = {each.code: each.item_id for each in catalogue.deposits(_currency())}
    if code.upper() not in kinds:
        raise Invalid(f"There is no kind of deposit {code}")
    return kinds[code.upper()]


def _add(entry: Entry, fields: dict[str, Any], member_id: int | None) -> int:
    """A new item: its code is a GTIN where it is one, else the shop's own number."""
    if gs1.is_gtin(entry.item):
        fields.setdefault("gtin", entry.item)
    else:
        fields.setdefault("sku", entry.item)
    fields.setdefault("tax_rate_bp", read_rate(web.setting("TAX_RATE")))
    added = catalogue.add_item(
        price_minor=entry.price_minor, currency=_currency(), made_by=member_id, **fields
    )
    return added.id


def _said_since(item_id: int, at: datetime) -> datetime | None:
    query = select(func.max(FeedEntry.said_at)).where(
        FeedEntry.item_id == item_id, FeedEntry.kind == "item", FeedEntry.state == "applied",
        FeedEntry.said_at > at,
    )  # fmt: skip
    return in_transaction().scalar(query)


def _time(entry: Entry) -> datetime:
    return min(entry.said_at or clock.now(), clock.now())


def _currency() -> str:
    return web.setting("CURRENCY")
