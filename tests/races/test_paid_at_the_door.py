"""What is taken at the door is booked once, however many say at once that a parcel has arrived; and
nobody gets more open orders by ordering at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask

from store import delivery, ids, sales
from store.payment import on_delivery
from store.sales.orders import at_the_door, couriers, fulfilment
from store.sales.orders.couriers import Count
from tests.races.crowd import at_once, inside, words
from tests.world import World

HANDS, ROUNDS = 6, 4


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"CASH_ON_DELIVERY": "300"}


def deliver_at_once(world: World, app: Flask, rounds: int) -> int:
    """Six of the staff say that a parcel has arrived; answers how often too much was taken."""
    lin, sam, milk = world.member(), world.staff(), world.item(price="1", on_hand=900)
    world.zone((50_000, "6"))
    for _ in range(rounds):
        sale = world.order(lin, milk, means="delivery")
        with app.app_context():
            [shipment] = delivery.of_sale(sale.id)
            for event in ("pick", "pack", "ship"):
                fulfilment.step(shipment.id, event, made_by=sam.id, carrier="SF")

        def arrived(shipment_id: str = shipment.id) -> str:
            return fulfilment.step(shipment_id, "deliver", made_by=sam.id)

        outcomes = at_once([inside(app, arrived)] * HANDS)
        done = [one for one in outcomes if isinstance(one, str)]
        if len(done) > 1:
            return len(done) - 1
        assert words([one for one in outcomes if not isinstance(one, str)]) == {
            "bad_step": HANDS - 1
        }
    return 0


def test_a_parcel_is_paid_for_once(world: World, app: Flask) -> None:
    assert deliver_at_once(world, app, ROUNDS) == 0
    with world.app.app_context():
        [carrier] = couriers.owed()
        assert carrier.amount_minor == ROUNDS * 700
    assert world.faults() == []


def test_without_the_guards_it_is_paid_for_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks at the state of the parcel or at what is due any more."""

    def careless(sale: Any, shipment_id: str, *more: Any, made_by: int) -> None:
        on_delivery.take_at_door(sale.id, 1, 700, "CNY")

    monkeypatch.setattr(couriers, "paid_at_door", careless)
    monkeypatch.setattr(at_the_door, "to_take", _everything)
    monkeypatch.setattr(delivery, "advance", lambda *shipment, **how: "delivered")
    assert deliver_at_once(world, app, 1) > 0
    assert any("dues_off" in fault for fault in world.faults())


def _everything(sale_ids: Sequence[str]) -> dict[str, int]:
    return {each.id: 700 for each in delivery.of_sale(sale_ids[0])}


def count_at_once(world: World, app: Flask) -> int:
    """Six count the same courier's cash; answers how many counts were booked."""
    lin, sam, milk = world.member(), world.staff(), world.item(price="1", on_hand=900)
    world.zone((50_000, "6"))
    sale = world.order(lin, milk, means="delivery")
    with app.app_context():
        [shipment] = delivery.of_sale(sale.id)
        for event in ("pick", "pack", "ship", "deliver"):
            fulfilment.step(shipment.id, event, made_by=sam.id, carrier="SF")
        [carrier] = couriers.owed()

    def count() -> str:
        asked = Count(carrier.courier_id, world.location, 700, 700, "CNY", ids.new())
        return couriers.hand_in(asked, made_by=sam.id)

    outcomes = at_once([inside(app, count)] * HANDS)
    refused = words([one for one in outcomes if not isinstance(one, str)])
    assert set(refused) <= {"courier_cash_changed"}
    return sum(isinstance(one, str) for one in outcomes)


def test_cash_is_counted_once(world: World, app: Flask) -> None:
    assert count_at_once(world, app) == 1
    assert world.faults() == []


def order_at_once(world: World, app: Flask) -> int:
    """Six tabs of a shopper order at once; answers how many orders are to be paid at the door."""
    lin, milk = world.member(), world.item(price="1", on_hand=900)
    world.zone((50_000, "6"))
    home = world.address(lin)

    def order() -> str:
        line = (sales.Line(milk.id, 1),)
        asked = sales.Order(lin.id, world.location, "CNY", line, ids.new(), "deliver", 500,
                            address_id=home, means="delivery")  # fmt: skip
        return sales.order(asked).sale_id

    outcomes = at_once([inside(app, order)] * HANDS)
    refused = words([one for one in outcomes if not isinstance(one, str)])
    assert set(refused) <= {"no_cash_on_delivery"}
    return sum(isinstance(one, str) for one in outcomes)


def test_nobody_orders_more_by_ordering_at_once(world: World, app: Flask) -> None:
    assert order_at_once(world, app) == 2


def test_without_the_guard_somebody_does(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One looks, and orders when all have looked."""
    monkeypatch.setattr(at_the_door, "_unpaid", lambda member_id: 0)
    assert order_at_once(world, app) > 2
