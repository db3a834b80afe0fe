"""The shopper holds it and the book says none: refused, or sold as found with a count to follow."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from store import ids, payment, stock
from store.db import db, transaction
from tests.races.crowd import buy_at_once, wanted, words
from tests.world import Thing, World


def history(world: World, item: Thing) -> list[tuple[str, int]]:
    with world.app.app_context():
        query = text("SELECT reason, quantity FROM movements WHERE item_id = :item ORDER BY id")
        return [(row[0], row[1]) for row in db.session.execute(query, {"item": item.id})]


def sells(world: World, what: str = "sell") -> None:
    with world.app.app_context(), transaction():
        stock.set_when_empty(world.location, what)


def test_by_default_it_is_refused(world: World) -> None:
    milk, lin = world.item(on_hand=0), world.member(funds="100")
    with pytest.raises(stock.OutOfStock):
        world.buy(lin, milk)
    assert "Sold out here" in world.client_for(lin).get(milk.path).text
    assert history(world, milk) == []


def test_a_place_that_sells_books_what_was_found_and_has_it_counted(world: World) -> None:
    sells(world)
    milk, lin = world.item(on_hand=1, price="1"), world.member(funds="100")
    sold = world.buy(lin, (milk, 2), (milk, 1))
    assert history(world, milk) == [("received", 1), ("found", 2), ("sold", -2), ("sold", -1)]
    assert world.left(milk) == 0
    world.buy(lin, milk)
    world.refund(sold, world.staff())
    assert world.left(milk) == 3
    page = world.client_for(world.staff()).get("/desk/tasks").text
    assert milk.names["en"] in page
    assert world.faults() == []


def test_the_page_and_the_basket_let_it_be_bought(world: World) -> None:
    sells(world)
    milk = world.item(on_hand=0, price="1")
    lin = world.client_for(world.member(funds="100"))
    page = lin.get(milk.path).text
    assert "Yours counts" in page
    assert "Sold out here" not in page
    form = {"code": milk.code, "quantity": "1", "seen_minor": "100", "at": "MAIN"}
    assert lin.post("/basket/lines", form).status_code == 303
    assert "Sold out here" not in lin.get("/basket").text
    assert lin.post("/sales", form, key=ids.new()).status_code == 303
    assert world.left(milk) == 0
    assert world.faults() == []


def test_only_what_somebody_can_hold_is_found(world: World) -> None:
    sells(world)
    milk, lin = world.item(on_hand=0, price="1"), world.member(funds="100")
    yoghurt = world.item("bread", on_hand=0, price="1", tracks_batches=True)
    for goods, channel in (((milk, 21), "shelf"), ((milk, 1), "web"), ((yoghurt, 1), "shelf")):
        with pytest.raises(stock.OutOfStock):
            world.buy(lin, goods, channel=channel)
    poor = world.member(funds="1")
    with pytest.raises(payment.InsufficientFunds):
        world.buy(poor, (milk, 5))
    assert history(world, milk) == history(world, yoghurt) == []
    sells(world, "refuse")
    with pytest.raises(stock.OutOfStock):
        world.buy(lin, milk)
    assert world.faults() == []


def test_many_hands_at_an_empty_shelf_each_get_theirs(world: World) -> None:
    sells(world)
    milk = world.item(on_hand=3, price="1")
    people = [world.member(funds="100") for _ in range(8)]
    found = buy_at_once(world.app, [wanted(world, one, (milk, 1)) for one in people])
    assert words(found) == {"sold": 8}
    assert world.faults() == []
    assert sum(quantity for _, quantity in history(world, milk)) == world.left(milk)
