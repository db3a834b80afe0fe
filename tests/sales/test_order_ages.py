"""Orders of what is not for everybody: handed over at the counter, or brought, after a look."""

from __future__ import annotations

import html
from typing import Any

import pytest

from store import delivery, sales
from store.sales.orders import fulfilment
from tests.world import Somebody, Thing, Visitor, World


@pytest.fixture
def beer(world: World) -> Thing:
    return world.item("beer", price="20", on_hand=4, least_age=18)


def packed(world: World, sale: str, sam: Somebody) -> delivery.Shipment:
    with world.app.app_context():
        (shipment,) = delivery.of_sales([sale])[sale]
        for event in ("pick", "pack"):
            fulfilment.step(shipment.id, event, made_by=sam.id)
        return shipment  # type: ignore[return-value]


def hand_over(desk: Visitor, code: str, **more: Any) -> str:
    answer = desk.post("/desk/orders/hand-over", at="MAIN", code=code, **more)
    assert answer.status_code == 303
    return html.unescape(desk.get(answer.location).text)


def test_at_the_counter_an_id_is_looked_at(world: World, beer: Thing) -> None:
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(price="5")
    desk = world.client_for(sam)
    plain = packed(world, world.order(lin, milk, place=world.location).id, sam)
    assert "Handed over." in hand_over(desk, plain.code)
    sale = world.order(lin, beer, milk, place=world.location).id
    shipment = packed(world, sale, sam)
    asked = hand_over(desk, shipment.code)
    assert "Born on or before" in asked and f'value="{shipment.code}"' in asked
    assert world.left(beer) == 4
    said = {"age": "yes", "age_checked": "16"}  # Somebody's own page: less than it asks for.
    assert "Born on or before" in hand_over(desk, shipment.code, **said)
    assert "Handed over." in hand_over(desk, shipment.code, age="yes", age_checked="18")
    assert world.left(beer) == 3 and world.faults() == []


def test_who_is_too_young_gets_the_rest_and_the_money(world: World, beer: Thing) -> None:
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(price="5")
    desk = world.client_for(sam)
    mixed = packed(world, world.order(lin, beer, milk, place=world.location).id, sam)
    said = hand_over(desk, mixed.code, age="no", age_checked="18")
    assert "Hand over the rest." in said and "Not old enough for some of it" in said
    assert world.balance(lin) == 9500 and world.left(beer) == 4
    assert "Handed over." in hand_over(desk, mixed.code)
    # Where nothing is left, the order is over.
    alone = packed(world, world.order(lin, beer, place=world.location).id, sam)
    hand_over(desk, alone.code, age="no", age_checked="18")
    assert world.balance(lin) == 9500 and world.left(beer) == 4
    assert desk.post("/desk/orders/hand-over", at="MAIN", code=alone.code).status_code >= 400
    assert world.faults() == []


def test_whoever_brings_it_looks(world: World, beer: Thing) -> None:
    world.zone((5000, "6"))
    lin, sam = world.member(funds="100"), world.staff()
    shipment = packed(world, world.order(lin, beer).id, sam)
    with world.app.app_context():
        fulfilment.step(shipment.id, "ship", made_by=sam.id, carrier="SF")
        with pytest.raises(sales.AgeNotChecked):
            fulfilment.step(shipment.id, "deliver", made_by=sam.id)
    desk, path = world.client_for(sam), f"/desk/orders/{shipment.id}"
    assert "18+: whoever brings it looks at an ID" in desk.get(path).text
    answer = desk.post(f"{path}/steps", event="deliver")
    assert "Has whoever brought it looked at an ID?" in desk.get(answer.location).text
    assert world.faults() == []
    desk.post(f"{path}/steps", event="deliver", age_checked="18")
    assert "18+: whoever" not in desk.get(path).text and world.faults() == []
