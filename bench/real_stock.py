"""Stock over a real year: what the owner's pages say of it against the plainest reckoning.

What was sold and given back in the file are the movements; before them as many came to each place
as it needs to never run below zero, with some to spare, and some more in autumn. `differences` asks
the pages about several days and goes through every day itself.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from store import clock, reports
from store.catalogue.models import Item
from store.db import Base, transaction
from store.reports.stock import (
    stock_asked,
    stock_lists,
    stock_turnover,
    stock_value,
)
from store.stock.models import Level, Location, Movement

if TYPE_CHECKING:
    from .real_figures import Fact

ZONE = ZoneInfo("Europe/London")
OPENED = datetime(2010, 11, 30, 9, tzinfo=UTC)
AUTUMN = datetime(2011, 9, 15, 9, tzinfo=UTC)
NOW = datetime(2011, 12, 31, 12, tzinfo=UTC)
QUESTIONS = ((365, NOW.date()), (90, NOW.date()), (180, date(2011, 9, 30)),
             (30, date(2011, 6, 30)), (30, date(2010, 12, 30)))  # fmt: skip


class Moved(NamedTuple):
    item: str
    place: str
    quantity: int
    reason: str
    at: datetime


def moves(found: list[Fact]) -> list[Moved]:
    """Every movement of the year, the first one first."""
    made = [
        Moved(one.item, one.country, one.quantity if one.back else -one.quantity,
              "returned" if one.back else "sold", one.at)
        for one in sorted(found, key=lambda one: one.at) if one.quantity
    ]  # fmt: skip
    level: dict[tuple[str, str], int] = defaultdict(int)
    lowest: dict[tuple[str, str], int] = defaultdict(int)
    for move in made:
        goods = move.item, move.place
        level[goods] += move.quantity
        lowest[goods] = min(lowest[goods], level[goods])
    came = []
    for item, place in sorted(level):
        chance = zlib.crc32(f"{item} {place}".encode())
        first, later = chance % 7 - lowest[item, place], chance // 7 % 12
        came += [Moved(item, place, many, "received", at)
                 for many, at in ((first, OPENED), (later, AUTUMN)) if many]  # fmt: skip
    return sorted(came + made, key=lambda move: move.at)


def load(found: list[Fact]) -> None:
    """The movements, the levels that they leave, and the flows."""
    with transaction() as session:
        items = {row[1]: row[0] for row in session.execute(select(Item.id, Item.sku))}
        places = {row[1]: row[0] for row in session.execute(select(Location.id, Location.name))}
        levels: dict[tuple[int, int], int] = defaultdict(int)
        rows: list[dict[str, Any]] = []
        for move in moves(found):
            goods = items[move.item], places[move.place]
            levels[goods] += move.quantity
            rows.append({"item_id": goods[0], "location_id": goods[1], "quantity": move.quantity,
                         "reason": move.reason, "note": "", "at": move.at})  # fmt: skip
        for at in range(0, len(rows), 20_000):
            session.execute(insert(Movement), rows[at : at + 20_000])
        session.execute(insert(Level), [
            {"item_id": item, "location_id": place, "on_hand": many, "shelf": ""}
            for (item, place), many in levels.items()
        ])  # fmt: skip
        newest = session.scalar(select(func.max(Movement.id)))
        marks = Base.metadata.tables["change_marks"]
        session.execute(insert(marks), [{"name": "movements", "seen_id": newest}])
    reports.fold(1)


def cost_of(item: str) -> int | None:
    """Made up: what one costs, in pennies; of every third item nobody knows it."""
    number = zlib.crc32(item.encode())
    return None if number % 3 == 0 else 1 + number % 400


class Goods(NamedTuple):
    """Of an item (at a place): on hand at the end, sold in the days, on hand when they began, and
    what was on hand at the end of each of them, added up."""

    on_hand: int = 0
    sold: int = 0
    stood: int = 0
    summed: int = 0


def by_hand(made: list[Moved], days: int, last: date) -> dict[tuple[str, str], Goods]:
    """Day by day, for each item and place."""
    first = last - timedelta(days - 1)
    found: dict[tuple[str, str], list[tuple[date, Moved]]] = defaultdict(list)
    for move in made:
        on = move.at.astimezone(ZONE).date()
        if on <= last:
            found[move.item, move.place].append((on, move))
    goods = {}
    for key, own in found.items():
        stood = sum(move.quantity for on, move in own if on < first)
        changes: dict[date, int] = defaultdict(int)
        sold = 0
        for on, move in own:
            if on >= first:
                changes[on] += move.quantity
                sold -= move.quantity if move.reason != "received" else 0
        level, summed = stood, 0
        for day in range(days):
            level += changes.get(first + timedelta(day), 0)
            summed += level
        goods[key] = Goods(level, sold, stood, summed)
    return goods


class Figures(NamedTuple):
    """Value, sold and average in pennies at cost, turnover in tenths, days of stock, dead items and
    their value."""

    value: int
    sold: int
    average: int
    turns: int | None
    left: int | None
    dead: int
    dead_minor: int


def figures(goods: dict[tuple[str, str], Goods], days: int, known: int) -> Figures:
    """By the definitions of the page: of what is of known cost, at that cost."""
    value = sold = summed = dead = dead_minor = 0
    whole: dict[str, list[Goods]] = defaultdict(list)
    for (item, _), one in goods.items():
        whole[item].append(one)
    for item, parts in whole.items():
        cost = cost_of(item) or 0
        value += sum(one.on_hand for one in parts) * cost
        sold += sum(one.sold for one in parts) * cost
        summed += sum(one.summed for one in parts) * cost
        on_hand, gone, stood = (sum(one[at] for one in parts) for at in range(3))
        if on_hand > 0 and gone <= 0 and stood > 0:
            dead, dead_minor = dead + 1, dead_minor + on_hand * cost
    average = (2 * summed + days) // (2 * days)
    turns = None
    if average > 0 and sold >= 0:
        turns = (20 * sold * 365 + average * days) // (2 * average * days)
    left = value * known // sold if sold > 0 else None
    return Figures(value, sold, average, turns, left, dead, dead_minor)


def _said(one: stock_turnover.Turnover) -> Figures:
    return Figures(one.value_minor, one.sold_minor, one.average_minor, one.turns_tenths,
                   one.days_left, one.dead, one.dead_minor)  # fmt: skip


def differences(found: list[Fact]) -> list[str]:
    """Where the pages of stock and the file do not agree."""
    made, faults = moves(found), list[str]()
    clock.set_now(NOW)
    try:
        for days, last in QUESTIONS:
            faults += _differing(made, days, last)
    finally:
        clock.set_now(None)
    return faults


def _differing(made: list[Moved], days: int, last: date) -> list[str]:
    asked = stock_asked.read({"days": str(days), "until": last.isoformat()})
    goods, faults = by_hand(made, days, last), []
    known = min(days, (last - OPENED.date()).days + 1)
    whole, places = stock_turnover.with_places(asked)
    parts = stock_value.value(asked).parts["locations"]
    hand = {None: figures(goods, days, known)} | {
        name: figures({key: one for key, one in goods.items() if key[1] == name}, days, known)
        for name in {place for _, place in goods}
    }
    names = {row.id: row.name for row in _places()}
    said = {None: _said(whole)} | {names[key]: _said(one) for key, one in places.items()}
    for name, wanted in hand.items():
        # A place that has nothing and moved nothing in these days is in no row.
        if said.get(name, Figures(0, 0, 0, None, None, 0, 0)) != wanted:
            faults.append(f"stock {last} {days} {name}: {said.get(name)}, by the file {wanted}")
    value = {names[int(part.key or 0)]: part.worth.pieces for part in parts}
    pieces: dict[str, int] = defaultdict(int)
    for (_, place), one in goods.items():
        pieces[place] += one.on_hand
    if value != {place: many for place, many in pieces.items() if many}:
        faults.append(f"stock {last}: pieces by place {value}, by the file {dict(pieces)}")
    return faults + _lists(asked, goods, last)


def _lists(asked: Any, goods: dict[tuple[str, str], Goods], last: date) -> list[str]:
    """The lists behind the figures, item by item."""
    whole: dict[str, Goods] = {}
    for (item, _), one in goods.items():
        known = whole.get(item, Goods())
        whole[item] = Goods(*(a + b for a, b in zip(known, one, strict=True)))
    wanted = {
        "dead": {item for item, one in whole.items()
                 if one.on_hand > 0 and one.sold <= 0 and one.stood > 0},
        "fast": {item for item, one in whole.items() if one.sold > 0},
        "items": {item for item, one in whole.items() if one.on_hand > 0},
    }  # fmt: skip
    faults = []
    for kind, items in wanted.items():
        listed = {one.names["en"]: one for one in stock_lists.listed(asked, kind, None).goods}
        if listed.keys() != items:
            faults.append(f"stock {last} list {kind}: others than by the file")
        faults += [
            f"stock {last} list {kind} {item}: not as by the file"
            for item, one in listed.items()
            if (one.on_hand, one.sold, one.stood) != whole.get(item, Goods())[:3]
        ]
    return faults


def _places() -> Any:
    with transaction() as session:
        return session.execute(select(Location.id, Location.name)).all()
