"""Item in hand wins: shoppers at the shelf and orders on the web want the same goods at the same
moment. Nobody at the shelf is refused what is there; no order waits for what is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask

from store import delivery, ids, outbox, sales, stock
from store.db import db
from store.outbox import Event
from store.sales.orders import fulfilment
from tests.races.crowd import at_once, inside, words
from tests.world import Somebody, Thing, World

SHOPPERS = 6


@pytest.fixture
def places(world: World) -> tuple[int, int]:
    depot = world.place("DEPOT", kind="warehouse")
    world.zone((50_000, "6"))
    return world.location, depot


def ordering(world: World, app: Flask, member: Somebody, thing: Thing, home: int, key: str) -> Any:
    asked = sales.Order(
        member.id, world.location, "CNY", (sales.Line(thing.id, 1),), key, "deliver", 500,
        address_id=home,
    )  # fmt: skip
    return inside(app, lambda: sales.order(asked))


def buying(world: World, app: Flask, member: Somebody, thing: Thing) -> Any:
    asked = sales.Buy(
        member.id, world.location, "CNY", (sales.Line(thing.id, 1),), ids.new(), "shelf"
    )
    return inside(app, lambda: sales.buy(asked))


def everybody_at_once(world: World, app: Flask, thing: Thing) -> tuple[list[str], int]:
    """Half of them order, half of them buy; answers the orders that stand and how many bought."""
    web = [world.member(funds="1000") for _ in range(SHOPPERS)]
    shelf = [world.member(funds="1000") for _ in range(SHOPPERS)]
    jobs = [ordering(world, app, who, thing, world.address(who), ids.new()) for who in web]
    jobs += [buying(world, app, who, thing) for who in shelf]
    outcomes = at_once(jobs)
    assert set(words(outcomes)) <= {"sold", "out_of_stock"}, words(outcomes)
    ordered = [getattr(one, "sale_id", "") for one in outcomes[:SHOPPERS]]
    return [one for one in ordered if one], words(outcomes[SHOPPERS:])["sold"]


def overbooked(app: Flask, thing: Thing) -> list[int]:
    """By how many more is kept than there is, at each place where it is so."""
    with app.app_context():
        found = stock.available([thing.id]).values()
        return [-level.available for level in found if level.available < 0]


def test_orders_that_a_shopper_was_faster_than_get_it_elsewhere_or_their_money(
    world: World, app: Flask, places: tuple[int, int]
) -> None:
    here, depot = places
    milk = world.item(on_hand=SHOPPERS + 1)
    world.stock(milk, 2, at=depot)
    ordered, bought = everybody_at_once(world, app, milk)
    assert bought == SHOPPERS, "somebody at the shelf was refused what was there"
    with app.app_context():
        outbox.work()
    assert overbooked(app, milk) == []
    with app.app_context():
        states = {one: [each.state for each in delivery.of_sale(one)] for one in ordered}
        receipts = {one: sales.receipt(one) for one in ordered}
    for one in ordered:
        found = receipts[one]
        assert found is not None
        comes = "open" in states[one]
        assert (found.state == "paid", found.refunded_minor == 0) == (comes, comes)
        if not comes:
            assert found.refunded_minor == found.total_minor
    assert sum("open" in each for each in states.values()) <= 3
    assert world.left(milk, here) + world.left(milk, depot) == 3
    assert world.faults() == []


def test_without_the_mending_orders_wait_for_what_is_gone(
    world: World, app: Flask, places: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the shopper at the shelf still wins, and the order waits for ever."""

    def careless(batch: Sequence[Event]) -> None:
        pass

    others = [one for one in outbox._handlers["sale.paid"] if one is not fulfilment.mend]
    monkeypatch.setitem(outbox._handlers, "sale.paid", [*others, careless])
    lin, mei, milk = world.member(funds="100"), world.member(funds="100"), world.item(on_hand=1)
    world.order(lin, milk)
    world.buy(mei, milk)
    with app.app_context():
        outbox.work()
    assert overbooked(app, milk) == [1]


def test_a_second_worker_mends_nothing_twice(
    world: World, app: Flask, places: tuple[int, int]
) -> None:
    lin, mei, milk = world.member(funds="100"), world.member(funds="100"), world.item(on_hand=3)
    sales_ = [world.order(lin, milk) for _ in range(3)]
    for _ in range(2):
        world.buy(mei, milk)
    outcomes = at_once([inside(app, outbox.work)] * 4)
    assert not [one for one in outcomes if isinstance(one, BaseException)], outcomes
    with app.app_context():
        outbox.work()
        states = [delivery.of_sale(one.id)[0].state for one in sales_]
        db.session.rollback()
    assert states == ["open", "cancelled", "cancelled"]  # The newest had to go.
    assert world.balance(lin) == 10_000 - sales_[0].total_minor
    assert world.faults() == []


def test_a_parcel_is_sent_or_cancelled_and_never_both(
    world: World, app: Flask, places: tuple[int, int]
) -> None:
    """The shopper cancels in the moment in which it is handed to the courier, with a second tap on
    either side."""
    lin, sam, milk = world.member(funds="1000"), world.staff(), world.item(on_hand=9)
    for _ in range(5):
        before, left = world.balance(lin), world.left(milk)
        sale = world.order(lin, milk)
        with app.app_context():
            (parcel,) = delivery.of_sale(sale.id)
            for event in ("pick", "pack"):
                fulfilment.step(parcel.id, event, made_by=sam.id)
        jobs = [
            inside(app, lambda: fulfilment.cancel(sale.id, made_by=lin.id)),  # noqa: B023
            inside(app, lambda: fulfilment.step(parcel.id, "ship", made_by=sam.id, carrier="SF")),  # noqa: B023
        ]
        outcomes = at_once(jobs * 2)
        refused = {type(one).__name__ for one in outcomes if isinstance(one, BaseException)}
        assert refused <= {"BadStep", "TooLate"}, outcomes
        assert sum(isinstance(one, BaseException) for one in outcomes) == 3
        with app.app_context():
            state = delivery.of_sale(sale.id)[0].state
        paid, gone = before - world.balance(lin), left - world.left(milk)
        assert (state, paid, gone) in (("shipped", sale.total_minor, 1), ("cancelled", 0, 0))
    assert world.faults() == []


def test_one_key_at_once_is_one_order(world: World, app: Flask, places: tuple[int, int]) -> None:
    lin, milk = world.member(funds="1000"), world.item(on_hand=50)
    home = world.address(lin)
    for _ in range(3):
        key = ids.new()
        outcomes = at_once([ordering(world, app, lin, milk, home, key)] * 6)
        assert words(outcomes) == {"sold": 1, "again": 5}
    assert world.faults() == []


def test_the_last_one_is_promised_once(world: World, app: Flask, places: tuple[int, int]) -> None:
    milk = world.item(on_hand=1)
    people = [world.member(funds="100") for _ in range(6)]
    jobs = [ordering(world, app, who, milk, world.address(who), ids.new()) for who in people]
    assert words(at_once(jobs)) == {"sold": 1, "out_of_stock": 5}
    assert world.faults() == []
