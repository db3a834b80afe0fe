"""Any order of verbs: after every step each place has what came less what went, and so do the books
of the whole database at the end.

The machine keeps a plain picture of two items (one tracked by batch) at two places, and of what is
kept for orders; whatever it does, the shop must say the same, refusals included.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from store import ids, sales, stock
from store.db import db, transaction
from store.stock import Want, reservations
from tests.conftest import Clock
from tests.world import Somebody, Thing, World

pytestmark = pytest.mark.usefixtures("context")

EXAMPLES, STEPS = 10, 40
some = st.integers(1, 6)
which, where = st.integers(0, 1), st.integers(0, 1)


@dataclass
class Order:
    sale: str
    item: int
    place: int
    quantity: int
    ends: datetime


@dataclass
class Shop:
    """What all runs of the machine share: making people and places is slow, and they do not
    matter."""

    world: World
    clock: Clock
    places: list[int]
    lin: Somebody
    sam: Somebody
    steps: int = 0


class Machine(RuleBasedStateMachine):
    shop: Shop

    def __init__(self) -> None:
        super().__init__()
        fields: dict[str, Any] = {"code": "", "gtin": None, "on_hand": 0, "price": "1"}
        make = self.shop.world.item
        self.items: list[Thing] = [make(**fields), make("bread", tracks_batches=True, **fields)]
        self.on_hand = {(item, place): 0 for item in (0, 1) for place in (0, 1)}
        self.orders: list[Order] = []
        self.sold: list[tuple[str, int, int, int]] = []
        self.batches: list[int] = []

    def want(self, item: int, place: int, quantity: int, batch: int | None = None) -> Want:
        return Want(self.items[item].id, self.shop.places[place], quantity, batch_id=batch)

    def reserved(self, item: int, place: int) -> int:
        here = [one for one in self.orders if (one.item, one.place) == (item, place)]
        return sum(one.quantity for one in here if one.ends > self.shop.clock.now)

    @rule(item=which, place=where, many=some)
    def receive(self, item: int, place: int, many: int) -> None:
        want = self.want(item, place, many)
        with transaction():
            batch = None
            if item == 1 and many != 6:  # Some come in without a batch.
                last = self.shop.clock.now.date() + timedelta(days=10 + many)
                batch = stock.open_batch(want.item_id, f"B{many}", last)
            stock.receive(want.item_id, want.location_id, many, batch_id=batch)
        self.on_hand[item, place] += many

    @rule(item=which, place=where, many=some, twice=st.booleans())
    def buy(self, item: int, place: int, many: int, twice: bool) -> None:
        lines = tuple(
            sales.Line(self.items[item].id, part)
            for part in ([1, many - 1] if twice and many > 1 else [many])
        )
        shop, at = self.shop, self.shop.places[place]
        asked = sales.Buy(shop.lin.id, at, shop.world.currency, lines, ids.new())
        if many > self.on_hand[item, place]:
            with pytest.raises(stock.OutOfStock):
                sales.buy(asked)
            return
        self.sold.append((sales.buy(asked).sale_id, item, place, many))
        self.on_hand[item, place] -= many

    @precondition(lambda self: self.sold)
    @rule(at=st.integers(0, 9))
    def refund(self, at: int) -> None:
        sale, item, place, many = self.sold.pop(at % len(self.sold))
        sales.refund(sale, made_by=self.shop.sam.id)
        self.on_hand[item, place] += many

    @rule(item=which, source=where, many=some)
    def transfer(self, item: int, source: int, many: int) -> None:
        out, into = self.shop.places[source], self.shop.places[1 - source]
        enough = many <= self.on_hand[item, source]
        try:
            with transaction():
                stock.transfer(self.items[item].id, many, out, into)
        except stock.OutOfStock:
            assert not enough
            return
        assert enough
        self.on_hand[item, source] -= many
        self.on_hand[item, 1 - source] += many

    @rule(item=which, place=where, counted=st.integers(0, 9))
    def count(self, item: int, place: int, counted: int) -> None:
        want = self.want(item, place, counted)
        with transaction():
            difference = stock.count_to(want.item_id, want.location_id, counted, member_id=None)
        assert difference == counted - self.on_hand[item, place]
        self.on_hand[item, place] = counted

    @rule(item=which, place=where, many=some, minutes=st.integers(1, 40))
    def reserve(self, item: int, place: int, many: int, minutes: int) -> None:
        now, sale = self.shop.clock.now, ids.new()
        ends = now + timedelta(minutes=minutes)
        enough = many <= self.on_hand[item, place] - self.reserved(item, place)
        try:
            with transaction():
                stock.reserve([self.want(item, place, many)], sale, ends, now)
        except stock.OutOfStock:
            assert not enough
            return
        assert enough
        self.orders.append(Order(sale, item, place, many, ends))

    @precondition(lambda self: self.orders)
    @rule(at=st.integers(0, 9))
    def release(self, at: int) -> None:
        order = self.orders.pop(at % len(self.orders))
        with transaction():
            ended = stock.release(order.sale, self.shop.clock.now)
        assert ended == (order.ends > self.shop.clock.now)

    @precondition(lambda self: self.orders)
    @rule(at=st.integers(0, 9))
    def take_reserved(self, at: int) -> None:
        order, now = self.orders[at % len(self.orders)], self.shop.clock.now
        there = self.on_hand[order.item, order.place]
        try:
            with transaction():
                stock.take_reserved(order.sale, now)
        except stock.ReservationEnded:
            assert order.ends <= now
            self.orders.remove(order)
            return
        except stock.OutOfStock:
            assert there < order.quantity
            return
        assert there >= order.quantity
        self.on_hand[order.item, order.place] -= order.quantity
        self.orders.remove(order)

    @rule(minutes=st.integers(1, 30), swept=st.booleans())
    def wait(self, minutes: int, swept: bool) -> None:
        self.shop.clock.tick(minutes=minutes)
        over = sum(order.ends <= self.shop.clock.now for order in self.orders)
        if swept:
            assert reservations.sweep() >= over
            self.orders = [one for one in self.orders if one.ends > self.shop.clock.now]

    @invariant()
    def the_shop_says_the_same(self) -> None:
        self.shop.steps += 1
        db.session.rollback()
        found = stock.available([item.id for item in self.items])
        for (item, place), many in self.on_hand.items():
            key = (self.items[item].id, self.shop.places[place])
            shown = found.get(key, stock.Available(0, 0, 0))
            kept = self.reserved(item, place)
            assert shown == (many, kept, many - kept, 0)
        sums = db.session.execute(_SUMS, {"one": self.items[0].id, "two": self.items[1].id})
        assert [tuple(row) for row in sums if row[2] or row[3] < 0] == []
        db.session.rollback()


_SUMS = text(
    """SELECT l.item_id, l.location_id,
              l.on_hand - COALESCE((SELECT SUM(m.quantity) FROM movements m
                WHERE m.item_id = l.item_id AND m.location_id = l.location_id), 0),
              l.on_hand - COALESCE((SELECT SUM(m.quantity) FROM movements m
                WHERE m.item_id = l.item_id AND m.location_id = l.location_id
                  AND m.batch_id IS NOT NULL), 0)
         FROM levels l WHERE l.item_id IN (:one, :two)"""
)


def run_machine(world: World, clock: Clock) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    shop = Shop(
        world, clock, [world.location, world.place("EAST")],
        world.member(funds="1000000"), world.staff(),
    )  # fmt: skip
    machine = type("Seeded", (Machine,), {"shop": shop})
    run_state_machine_as_test(
        hypothesis.seed(seed)(machine),
        settings=hypothesis.settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            report_multiple_bugs=False,
        ),
    )  # fmt: skip
    assert shop.steps > EXAMPLES * STEPS // 4
    told = [fault for fault in world.faults() if "sales_not_their_movements" not in fault]
    assert told == []


def test_any_order_of_verbs_leaves_what_came_less_what_went(world: World, clock: Clock) -> None:
    run_machine(world, clock)


def test_the_machine_sees_a_verb_that_loses_something(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what comes in is one piece short, in a verb that every run calls."""
    whole = stock.receive

    def short(item: int, place: int, many: int, **more: Any) -> int:
        return whole(item, place, max(many - 1, 1), **more)

    monkeypatch.setattr(stock, "receive", short)
    with pytest.raises(AssertionError):
        run_machine(world, clock)
