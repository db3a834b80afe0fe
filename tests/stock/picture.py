"""The plain picture that the machine of test_machine.py holds against the shop after every step:
two items (one tracked by batch) at two places, in their quarantines and in transit, and what is
kept for orders, or because a picker did not find it. What the shop says is added up anew in one
statement, without the shop's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from sqlalchemy import bindparam, text

from store import stock
from store.clock import now as shop_now
from store.db import Moment, db, transaction
from store.errors import Refusal
from store.stock import Want
from tests.conftest import Clock
from tests.world import Somebody, Thing, World

WAITING = ("open", "picked", "packed")
KEPT = (*WAITING, "under_way")
NEXT = {
    ("bring", "open"): ("pick",), ("bring", "picked"): ("send",),
    ("bring", "under_way"): ("arrive",),
    ("deliver", "open"): ("pick",), ("deliver", "picked"): ("pack",),
    ("deliver", "packed"): ("ship",), ("deliver", "shipped"): ("deliver", "fail"),
    ("deliver", "failed"): ("ship_again", "put_back"), ("collect", "open"): ("pick",),
    ("collect", "picked"): ("pack",), ("collect", "packed"): ("hand_over",),
}  # fmt: skip

Place = tuple[int, int]


@dataclass
class Kept:
    sale: str
    item: int
    place: int
    quantity: int
    ends: datetime


@dataclass
class Sold:
    sale: str
    item: int
    place: int
    left: int


@dataclass
class Box:
    """A shipment: one place's part of an order."""

    id: str
    sale: str
    kind: str
    item: int
    place: int
    quantity: int
    state: str = "open"


@dataclass
class Shop:
    """What all runs of the machine share: making people and places is slow, and they do not
    matter. Places 2 and 3 are the quarantines of 0 and 1; 4 is in transit."""

    world: World
    clock: Clock
    places: list[int]
    lin: Somebody
    sam: Somebody
    address: int
    steps: int = 0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Picture(RuleBasedStateMachine):
    shop: Shop

    @initialize()
    def open(self) -> None:
        fields: dict[str, Any] = {"code": "", "gtin": None, "on_hand": 0, "price": "1"}
        make = self.shop.world.item
        self.items: list[Thing] = [make(**fields), make("bread", tracks_batches=True, **fields)]
        self.on_hand = {(item, place): 0 for item in (0, 1) for place in range(5)}
        self.blocked: Counter[Place] = Counter()
        self.kept: list[Kept] = []
        self.sold: list[Sold] = []
        self.boxes: list[Box] = []
        self.missing: Counter[Place] = Counter()
        self.batches: dict[int, int] = {}

    def want(self, item: int, place: int, quantity: int) -> Want:
        return Want(self.items[item].id, self.shop.places[place], quantity)

    def reserved(self, item: int, place: int) -> int:
        here, now = (item, place), self.shop.clock.now
        boxes = [box for box in self.boxes if box.state in KEPT]
        kept = sum(
            one.quantity for one in self.kept if (one.item, one.place) == here and one.ends > now
        )
        for_orders = sum(box.quantity for box in boxes if (box.item, box.place) == here)
        return kept + for_orders + self.missing[here]

    def sellable(self, item: int, place: int) -> int:
        return self.on_hand[item, place] - self.blocked[item, place]

    def free(self, item: int, place: int) -> int:
        return self.sellable(item, place) - self.reserved(item, place)

    @contextmanager
    def does(
        self, verb: str, *, may: bool, refusal: type[Refusal] = stock.OutOfStock
    ) -> Iterator[None]:
        """The verb is done exactly if it may be."""
        try:
            yield
        except refusal:
            assert not may, verb
            self.shop.refused[verb] += 1
        else:
            assert may, verb
            self.shop.done[verb] += 1

    def look_at(self, sale: str, item: int) -> None:
        db.session.rollback()
        rows = db.session.execute(_BOXES, {"sale": sale})
        self.boxes = [box for box in self.boxes if box.sale != sale] + [
            Box(row[0], sale, row[1], item, self.shop.places.index(row[2]), row[3], row[4])
            for row in rows
            if (row[1], row[4]) in NEXT
        ]

    # --- what is true after every step -----------------------------------------------------------

    @invariant()
    def the_shop_says_the_same(self) -> None:
        self.shop.steps += 1
        db.session.rollback()
        found = read_anew([item.id for item in self.items])
        self.blocked = Counter()
        for (item, place), many in self.on_hand.items():
            at = (self.items[item].id, self.shop.places[place])
            of = {what: found.get((what, *at), 0) for what in WHATS}
            assert of["level"] == of["moved"] == many, (item, place, of)
            assert 0 <= of["in_batches"] <= many and of["least"] >= 0
            assert of["kept"] == self.reserved(item, place), (item, place, of)
            self.blocked[item, place] = of["blocked"]
        if self.shop.steps % 8 == 0:
            self.figures_are_the_same()
        db.session.rollback()

    def figures_are_the_same(self) -> None:
        shown = stock.available([item.id for item in self.items])
        for (item, place), many in self.on_hand.items():
            if place == 4:
                continue  # What is in transit is nobody's to promise.
            key = (self.items[item].id, self.shop.places[place])
            kept = self.reserved(item, place)
            expected = (many, kept, self.free(item, place), 0)
            assert shown.get(key, stock.Available(0, 0, 0)) == expected


WHATS = ("level", "moved", "in_batches", "least", "blocked", "kept")


def read_anew(items: list[int]) -> Mapping[tuple[str, int, int], int]:
    """Everything about these items, added up without the shop's own code."""
    asked = {"one": items[0], "two": items[1], "now": shop_now()}
    found: Counter[tuple[str, int, int]] = Counter()
    for what, item, place, many, blocked in db.session.execute(_SUMS, asked):
        many = int(many)
        found[what, item, place] += many
        if what == "in_batches":
            found["moved", item, place] += many
            found["least", item, place] = min(found["least", item, place], many)
            found["blocked", item, place] += many * int(blocked)
    return found


_SUMS = text(
    """SELECT 'level', item_id, location_id, on_hand, 0 FROM levels WHERE item_id IN (:one, :two)
       UNION ALL
       SELECT CASE WHEN m.batch_id IS NULL THEN 'moved' ELSE 'in_batches' END,
              m.item_id, m.location_id, SUM(m.quantity),
              CASE WHEN MAX(b.recalled_at) IS NULL THEN 0 ELSE 1 END
         FROM movements m LEFT JOIN batches b ON b.id = m.batch_id
        WHERE m.item_id IN (:one, :two) GROUP BY m.item_id, m.location_id, m.batch_id
       UNION ALL
       SELECT 'kept', item_id, location_id, SUM(quantity), 0 FROM reservations
        WHERE item_id IN (:one, :two) AND ended_at IS NULL AND (ends_at IS NULL OR ends_at > :now)
        GROUP BY item_id, location_id"""
).bindparams(bindparam("now", type_=Moment()))
_BOXES = text(
    """SELECT h.id, h.kind, h.location_id, l.quantity, h.state
         FROM shipments h JOIN shipment_lines l ON l.shipment_id = h.id
        WHERE h.sale_id = :sale ORDER BY h.id"""
)


def open_shop(world: World, clock: Clock) -> Shop:
    places = [world.location, world.place("EAST")]
    with transaction():
        places += [stock.quarantine_of(place) for place in places] + [stock.in_transit()]
    world.zone((30_000, "0"))
    lin = world.member(funds="1000000")
    shop = Shop(world, clock, places, lin, world.staff(), world.address(lin))
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        # What is proved here is sums, not what a power cut leaves.
        own = db.engine.raw_connection()
        own.cursor().execute("PRAGMA synchronous=OFF")
        own.close()
    return shop
