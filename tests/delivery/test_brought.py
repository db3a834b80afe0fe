"""What a shop does not have for a collection after all is brought there from another one; only what
nobody has is paid back, and the shopper is told each way."""

from __future__ import annotations

from flask import Flask

from store import delivery, outbox, sales, stock
from store.db import transaction
from store.delivery.tracking import waiting_many
from store.sales.orders import fulfilment
from store.stock import tasks
from tests.world import Somebody, Thing, World


def kinds(place: int) -> list[tuple[str, str]]:
    return [(task.kind, task.note) for task in tasks.open_tasks(place)]


def short_collection(world: World, milk: Thing, lin: Somebody, many: int) -> tuple[str, str]:
    """An order to collect at MAIN, of which the picker finds nothing; its sale and shipment."""
    sale = world.order(lin, (milk, many), place=world.location)
    (shipment,) = delivery.of_sale(sale.id)
    return sale.id, shipment.id


def test_a_short_collection_is_brought_from_the_place_that_has_it(app: Flask, world: World) -> None:
    mill, lin, sam = world.place("MILL"), world.member(funds="100"), world.staff()
    milk = world.item(on_hand=3)
    world.stock(milk, 5, at=mill)
    shopper, staff = world.client_for(lin), world.client_for(sam)
    with app.app_context():
        sale, shipment = short_collection(world, milk, lin, 3)
    path = f"/desk/orders/{shipment}"
    assert staff.post(f"{path}/short", {f"missing-{milk.id}": "2"}).status_code == 303
    told = staff.get(path).text
    assert "2 pieces come from elsewhere." in told and "Please count the shelf." in told
    with app.app_context():
        kept, brought = delivery.of_sale(sale)
        assert (kept.state, kept.pieces, brought.kind, brought.pieces) == ("open", 1, "bring", 2)
        assert (brought.location_id, brought.target_name) == (mill, "Harbour Road Shop")
        assert kinds(mill) == [("bring", "2 → MAIN")] and kinds(world.location) == [("count", "")]
        assert stock.available([milk.id])[milk.id, mill] == (5, 2, 3, 0)
        assert world.balance(lin) == 10_000 - 3 * milk.price_minor
        assert world.faults() == []
    page = shopper.get(f"/sales/{sale}").text
    assert "Is brought to Harbour Road Shop" in page and "Comes from here instead" in page
    path = f"/desk/orders/{brought.id}"
    for event in ("pick", "send"):
        assert staff.post(f"{path}/steps", event=event).status_code == 303
    with app.app_context():
        assert kinds(mill) == [] and waiting_many(world.location) == 2
        assert (world.left(milk, mill), world.left(milk)) == (3, 3)
        assert world.faults() == []
    assert "Is brought here" in staff.get("/desk/orders?at=MAIN").text
    assert staff.post(f"{path}/steps", event="arrive").status_code == 303
    assert brought.code in shopper.get(f"/sales/{sale}").text
    with app.app_context():
        assert stock.available([milk.id])[milk.id, world.location] == (5, 5, 0, 0)
        fulfilment.hand_over(world.location, brought.code, made_by=sam.id)
        assert (world.left(milk), world.left(milk, mill)) == (3, 3)
        assert world.faults() == []


def test_only_what_nobody_has_is_paid_back(app: Flask, world: World) -> None:
    mill, lin, sam = world.place("MILL"), world.member(funds="100"), world.staff()
    milk = world.item(on_hand=3)
    world.stock(milk, 1, at=mill)
    shopper = world.client_for(lin)
    with app.app_context():
        sale, shipment = short_collection(world, milk, lin, 3)
        replaced = fulfilment.short(shipment, {milk.id: 3}, made_by=sam.id)
        assert replaced == (1, 2)
        assert world.balance(lin) == 10_000 - milk.price_minor
        assert world.faults() == []
        # The other shop does not find it, either.
        brought = delivery.of_sale(sale)[1]
        assert fulfilment.short(brought.id, {milk.id: 1}, made_by=sam.id) == (0, 1)
        assert (world.balance(lin), kinds(mill)) == (10_000, [("count", "")])
        assert {one.state for one in delivery.of_sale(sale)} == {"cancelled"}
        assert world.faults() == []
    assert "No shop has the rest: paid back" in shopper.get(f"/sales/{sale}").text


def test_what_a_shopper_at_the_shelf_took_is_brought(app: Flask, world: World) -> None:
    mill, lin, mei = world.place("MILL"), world.member(funds="100"), world.member(funds="100")
    milk = world.item(on_hand=2)
    world.stock(milk, 4, at=mill)
    with app.app_context():
        sale, _ = short_collection(world, milk, lin, 2)
        world.buy(mei, milk)
        outbox.work()
        kept, brought = delivery.of_sale(sale)
        assert (kept.pieces, brought.kind, brought.pieces) == (1, "bring", 1)
        assert (
            sales.receipt(sale) is not None and world.balance(lin) == 10_000 - 2 * milk.price_minor
        )
        assert world.faults() == []


def test_what_is_under_way_is_not_cancelled_and_a_cancelled_one_is_nobodys_task(
    app: Flask, world: World
) -> None:
    mill, lin, sam = world.place("MILL"), world.member(funds="100"), world.staff()
    milk = world.item(on_hand=1)
    world.stock(milk, 4, at=mill)
    with app.app_context():
        for events in ((), ("pick", "send")):
            sale, shipment = short_collection(world, milk, lin, 1)
            fulfilment.short(shipment, {milk.id: 1}, made_by=sam.id)
            with transaction():  # It was there all the time.
                stock.count_to(milk.id, world.location, 1, member_id=sam.id)
                stock.close_tasks(["count"], world.location, [milk.id], sam.id)
            brought = delivery.of_sale(sale)[1]
            for event in events:
                fulfilment.step(brought.id, event, made_by=sam.id)
            try:
                fulfilment.cancel(sale, made_by=lin.id, member_id=lin.id)
                cancelled = True
            except fulfilment.TooLate:
                cancelled = False
            assert (cancelled, kinds(mill)) == (not events, [])
            assert world.faults() == []
        fulfilment.step(brought.id, "arrive", made_by=sam.id)
        fulfilment.cancel(sale, made_by=lin.id, member_id=lin.id)
        assert (world.left(milk), world.left(milk, mill), world.balance(lin)) == (2, 3, 10_000)
        assert world.faults() == []
