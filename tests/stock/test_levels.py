"""Levels: on hand is the sum of the movements, never below zero; every change has its row."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from store import ids, stock
from store.db import db, transaction
from store.errors import Invalid, NotFound
from store.stock import Want, standing
from store.stock.models import Level, Movement
from tests.races.crowd import at_once, inside
from tests.races.crowd import stock_levels as levels
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")
NOW = datetime(2027, 3, 15, tzinfo=UTC)


def history(item: Thing) -> list[tuple[str, int]]:
    db.session.rollback()
    query = select(Movement.reason, Movement.quantity).where(Movement.item_id == item.id)
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(Movement.id))]


def test_goods_come_in_and_the_history_says_so(world: World) -> None:
    milk = world.item(on_hand=0)
    assert world.stock(milk, 5) == 5
    assert world.stock(milk, 7) == 12
    assert history(milk) == [("received", 5), ("received", 7)]
    assert world.faults() == []


def test_each_place_has_a_level_of_its_own(world: World) -> None:
    milk, east = world.item(on_hand=3), world.place("EAST")
    assert world.left(milk, east) == 0
    world.stock(milk, 4, east)
    assert (world.left(milk), world.left(milk, east)) == (3, 4)
    assert stock.levels([(milk.id, world.location), (milk.id, east), (999, east)]) == {
        (milk.id, world.location): 3, (milk.id, east): 4,
    }  # fmt: skip
    assert stock.levels([]) == {}


@pytest.mark.parametrize("quantity", [0, -1, 10**9 + 1, 2**63, 10**400])
def test_goods_that_cannot_be_are_refused(world: World, quantity: int) -> None:
    milk = world.item(on_hand=3)
    with pytest.raises(Invalid), transaction():
        stock.receive(milk.id, world.location, quantity)
    assert world.left(milk) == 3
    assert history(milk) == [("received", 3)]


def test_no_shelf_holds_more_than_it_can(world: World) -> None:
    milk = world.item(on_hand=10**9)
    with pytest.raises(Invalid), transaction():
        stock.receive(milk.id, world.location, 1)
    assert world.left(milk) == 10**9


def take(world: World, *wants: tuple[Thing, int]) -> bool:
    with transaction() as session:
        rows = [Want(thing.id, world.location, many, ids.new(), None) for thing, many in wants]
        if stock.take(rows, NOW):
            return True
        session.rollback()
        return False


def test_all_or_nothing_is_taken(world: World) -> None:
    milk, bread = world.item(on_hand=5), world.item("bread", on_hand=1)
    assert not take(world, (milk, 2), (bread, 2))
    assert (world.left(milk), world.left(bread)) == (5, 1)
    assert history(milk) == [("received", 5)]
    assert take(world, (milk, 2), (bread, 1), (milk, 3))
    assert (world.left(milk), world.left(bread)) == (0, 0)
    assert history(milk)[1:] == [("sold", -2), ("sold", -3)]
    assert not take(world, (milk, 1))


def test_the_table_itself_refuses_less_than_nothing(world: World) -> None:
    milk = world.item(on_hand=1)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text("UPDATE levels SET on_hand = -1"))
    assert world.left(milk) == 1


def test_a_count_becomes_the_level_and_the_difference_is_a_movement(world: World) -> None:
    milk = world.item(on_hand=5)
    for counted, difference in ((3, -2), (3, 0), (10, 7), (0, -10)):
        with transaction():
            found = stock.count_to(milk.id, world.location, counted, member_id=None, note="count")
        assert found == difference
        assert world.left(milk) == counted
    assert history(milk) == [("received", 5), ("counted", -2), ("counted", 7), ("counted", -10)]
    for counted in (-1, 10**9 + 1):
        with pytest.raises(Invalid), transaction():
            stock.count_to(milk.id, world.location, counted, member_id=None)
    assert world.faults() == []


def test_what_was_never_here_can_be_counted(world: World) -> None:
    lamp, east = world.item(on_hand=0), world.place("EAST")
    with transaction():
        assert stock.count_to(lamp.id, east, 2, member_id=None) == 2
    assert world.left(lamp, east) == 2
    assert world.faults() == []


def test_counting_while_others_buy_loses_no_sale(world: World, app: Flask) -> None:
    """A count says what stands there at that moment; what is sold before or after it still adds
    up with the movements."""
    milk = world.item(price="0.01", on_hand=1000)
    people = [world.member(funds="100") for _ in range(4)]

    def buy(at: int) -> None:
        for _ in range(10):
            world.buy(people[at], milk)

    def count() -> None:
        for _ in range(10):
            with transaction():
                stock.count_to(milk.id, world.location, 500, member_id=None)

    jobs: list[Any] = [inside(app, lambda at=at: buy(at)) for at in range(4)]  # type: ignore[misc]
    outcomes = at_once([*jobs, inside(app, count), inside(app, count)])
    assert outcomes == [None] * 6
    sold = -sum(quantity for reason, quantity in history(milk) if reason == "sold")
    assert sold == 40
    assert 500 - 40 <= world.left(milk) <= 500
    assert world.faults() == []


def test_many_first_deliveries_at_once_make_one_level(world: World, app: Flask) -> None:
    milk = world.item(on_hand=0)
    outcomes = at_once([inside(app, lambda: world.stock(milk, 1))] * 8)
    assert sorted(outcomes) == list(range(1, 9))  # type: ignore[type-var]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Level)) == 1
    assert world.faults() == []


def test_a_random_day_adds_up(world: World) -> None:
    """Any order of deliveries, sales, refunds and counts leaves the sum of its movements."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    goods = [world.item(price="1", on_hand=20), world.item("bread", price="2", on_hand=20)]
    lin, sam, sold = world.member(funds="100000"), world.staff(), []
    expected = {thing.id: 20 for thing in goods}
    for _ in range(120):
        thing, many = chance.choice(goods), chance.randint(1, 6)
        step = chance.choice(["receive", "buy", "buy", "buy", "refund", "count"])
        if step == "receive":
            world.stock(thing, many)
            expected[thing.id] += many
        elif step == "buy":
            try:
                sold.append((world.buy(lin, (thing, many)), thing, many))
                expected[thing.id] -= many
            except stock.OutOfStock as refusal:
                assert refusal.data["left"] == expected[thing.id] < many
        elif step == "refund" and sold:
            receipt, back, quantity = sold.pop(chance.randrange(len(sold)))
            world.refund(receipt, sam)
            expected[back.id] += quantity
        elif step == "count":
            with transaction():
                stock.count_to(thing.id, world.location, many, member_id=None)
            expected[thing.id] = many
        assert {one.id: world.left(one) for one in goods} == expected
    assert world.faults() == []


def test_shelves_and_totals(world: World) -> None:
    milk, east = world.item(on_hand=3), world.place("EAST")
    world.stock(milk, 4, east)
    with transaction():
        standing.put_on_shelf(milk.id, east, " B-12 ")
    assert standing.shelves([milk.id], east) == {milk.id: "B-12"}
    assert standing.shelves([milk.id], world.location) == {}
    assert levels.total_on_hand([milk.id]) == {milk.id: 7}


def test_locations_are_found_by_any_case_and_have_one_code(world: World) -> None:
    assert stock.location(" main ").id == world.location
    with pytest.raises(NotFound):
        stock.location("NOWHERE")
    for code in ("MAIN", "main", "", "A B", "Ä", "x" * 33):
        with pytest.raises(Invalid), transaction():
            stock.add_location(code, "Another")
    assert [place.code for place in stock.locations()] == ["MAIN"]
