"""The steps of a shipment: every state with every event, and where goods and money are then."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask
from sqlalchemy import update

from store import delivery, sales, stock
from store.db import db, transaction
from store.delivery.models import KINDS, STATES, Shipment
from store.delivery.states import TRANSITIONS
from store.errors import Invalid, NotFound
from store.sales.orders import fulfilment
from tests.world import Somebody, World

EVENTS = sorted({event for kind in TRANSITIONS.values() for _, event in kind})
pytestmark = pytest.mark.usefixtures("context")

ALLOWED = """
deliver open pick picked
deliver open cancel cancelled
deliver picked pack packed
deliver picked cancel cancelled
deliver packed ship shipped
deliver packed cancel cancelled
deliver shipped deliver delivered
deliver shipped fail failed
deliver failed ship_again shipped
deliver failed put_back put_back
collect open pick picked
collect open cancel cancelled
collect picked pack packed
collect picked cancel cancelled
collect packed hand_over handed_over
collect packed cancel cancelled
bring open pick picked
bring open cancel cancelled
bring picked send under_way
bring picked cancel cancelled
bring under_way arrive packed
"""


def test_the_table_is_what_it_says_here() -> None:
    """Written down a second time, so that a cell does not change by accident."""
    found = {
        (kind, state, event, after)
        for kind, table in TRANSITIONS.items()
        for (state, event), after in table.items()
    }
    assert found == {tuple(line.split()) for line in ALLOWED.strip().splitlines()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_that_is_empty_refuses_and_moves_nothing(world: World, kind: str) -> None:
    world.zone((5000, "6"))
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=3)
    sale = world.order(lin, milk, place=world.location if kind == "collect" else None)
    (shipment,) = delivery.of_sale(sale.id)
    if kind == "bring":
        with transaction() as session:
            session.execute(update(Shipment).values(kind=kind, target_id=world.location))
    before = (world.balance(lin), world.left(milk), len(shipment.steps))
    for state, event in itertools.product(STATES, EVENTS):
        if (state, event) in TRANSITIONS[kind]:
            continue
        with transaction() as session:
            session.execute(update(Shipment).values(state=state))
        with pytest.raises(delivery.BadStep):
            fulfilment.step(shipment.id, event, made_by=sam.id, carrier="SF")
    with transaction() as session:
        session.execute(update(Shipment).values(state="open"))
    (after,) = delivery.of_sale(sale.id)
    assert (world.balance(lin), world.left(milk), len(after.steps)) == before
    assert world.faults() == []


def walk(shipment_id: str, staff: Somebody, *events: str) -> str:
    state = ""
    for event in events:
        state = fulfilment.step(
            shipment_id, event, made_by=staff.id, carrier="SF", tracking="SF1234"
        )
    return state


def test_a_parcel_from_the_shelf_to_the_door(world: World) -> None:
    world.zone((5000, "6"))
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=3)
    sale = world.order(lin, (milk, 2))
    (shipment,) = delivery.of_sale(sale.id)
    assert (world.left(milk), available(milk.id, world.location)) == (3, 1)
    walk(shipment.id, sam, "pick", "pack")
    assert world.left(milk) == 3
    walk(shipment.id, sam, "ship")
    assert (world.left(milk), available(milk.id, world.location)) == (1, 1)
    assert world.faults() == []
    assert walk(shipment.id, sam, "deliver") == "delivered"
    (shipment,) = delivery.of_sale(sale.id)
    assert (shipment.carrier, shipment.tracking) == ("SF", "SF1234")
    assert [step.event for step in shipment.steps] == ["order", "pick", "pack", "ship", "deliver"]
    assert world.faults() == []


def available(item: int, place: int) -> int:
    return stock.available([item], [place])[item, place].available


def test_what_cannot_be_delivered_comes_back_and_is_paid_back(world: World) -> None:
    world.zone((5000, "6"))
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=3)
    sale = world.order(lin, (milk, 2))
    (shipment,) = delivery.of_sale(sale.id)
    walk(shipment.id, sam, "pick", "pack", "ship", "fail", "ship_again", "fail")
    assert world.left(milk) == 1
    walk(shipment.id, sam, "put_back")
    assert world.left(milk) == 3
    # The courier was paid, so what the delivery cost stays with the shop.
    assert world.balance(lin) == 10_000 - 600
    assert world.faults() == []


def test_a_parcel_without_a_carrier_is_not_sent(world: World) -> None:
    world.zone((5000, "6"))
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=3)
    (shipment,) = delivery.of_sale(world.order(lin, milk).id)
    walk(shipment.id, sam, "pick", "pack")
    with pytest.raises(Invalid):
        fulfilment.step(shipment.id, "ship", made_by=sam.id)
    assert world.left(milk) == 3
    with pytest.raises(NotFound):
        fulfilment.step("none", "pick", made_by=sam.id)


def test_what_is_collected_is_handed_over_by_its_code_and_once(world: World) -> None:
    mill = world.place("MILL")
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=0)
    world.stock(milk, 2, at=mill)
    sale = world.order(lin, milk, place=mill)
    assert (sale.location_id, sale.total_minor) == (mill, milk.price_minor)
    (shipment,) = delivery.of_sale(sale.id)
    with pytest.raises(delivery.WrongCode):  # It is not laid aside yet.
        fulfilment.hand_over(mill, shipment.code, made_by=sam.id)
    walk(shipment.id, sam, "pick", "pack")
    for place, code in ((world.location, shipment.code), (mill, "ZZZZZZ"), (mill, "")):
        with pytest.raises(delivery.WrongCode):
            fulfilment.hand_over(place, code, made_by=sam.id)
    typed = f" {shipment.code[:3].lower()}-{shipment.code[3:]} "
    assert fulfilment.hand_over(mill, typed, made_by=sam.id) == shipment.id
    assert world.left(milk, mill) == 1
    with pytest.raises(delivery.WrongCode):
        fulfilment.hand_over(mill, shipment.code, made_by=sam.id)
    assert world.faults() == []


def test_what_the_picker_does_not_find_comes_from_elsewhere(world: World) -> None:
    depot = world.place("DEPOT", kind="warehouse")
    world.zone((5000, "6"))
    lin, sam = world.member(funds="100"), world.staff()
    milk, tea = world.item(on_hand=3), world.item("tea", on_hand=3)
    world.stock(milk, 5, at=depot)
    sale = world.order(lin, (milk, 3), tea)
    (shipment,) = delivery.of_sale(sale.id)
    assert shipment.location_id == world.location
    fulfilment.short(shipment.id, {milk.id: 2}, made_by=sam.id)
    first, second = delivery.of_sale(sale.id)
    assert {each.item_id: each.quantity for each in first.goods} == {milk.id: 1, tea.id: 1}
    assert (second.location_id, second.goods[0].quantity) == (depot, 2)
    assert world.balance(lin) == 10_000 - sale.total_minor
    assert world.faults() == []
    for each in (first, second):
        walk(each.id, sam, "pick", "pack", "ship", "deliver")
    assert (world.left(milk), world.left(milk, depot), world.left(tea)) == (2, 3, 2)
    assert world.faults() == []


def test_what_nobody_has_is_paid_back_and_said(world: World) -> None:
    world.zone((5000, "6"))
    lin, sam = world.member(funds="100"), world.staff()
    milk, tea = world.item(on_hand=3), world.item("tea", on_hand=3)
    sale = world.order(lin, (milk, 3), tea)
    (shipment,) = delivery.of_sale(sale.id)
    fulfilment.short(shipment.id, {milk.id: 2}, made_by=sam.id)
    receipt = sales.receipt(sale.id)
    assert receipt is not None
    assert (receipt.state, receipt.refunded_minor) == ("part_refunded", 2 * milk.price_minor)
    assert [line.kept for line in receipt.lines] == [1, 1, 1]  # Milk, tea, the delivery.
    assert world.faults() == []
    # The rest is not there, either: everything goes back, what the delivery costs included.
    fulfilment.short(shipment.id, {milk.id: 1, tea.id: 1}, made_by=sam.id)
    (shipment,) = delivery.of_sale(sale.id)
    assert (shipment.state, world.balance(lin)) == ("cancelled", 10_000)
    assert world.faults() == []


def test_what_was_not_found_is_promised_to_nobody_until_it_is_counted(world: World) -> None:
    world.zone((5000, "6"))
    lin, sam = world.member(funds="100"), world.staff()
    milk = world.item(on_hand=3)
    first, second = world.order(lin, milk), world.order(lin, milk)
    (shipment,) = delivery.of_sale(first.id)
    fulfilment.short(shipment.id, {milk.id: 1}, made_by=sam.id)
    figures = stock.available([milk.id])[milk.id, world.location]
    assert (figures.on_hand, figures.reserved, figures.available) == (3, 2, 1)
    with pytest.raises(stock.OutOfStock):
        world.order(lin, (milk, 2))
    # The next picker does not find it, either: no more is kept back than nobody has been promised.
    (shipment,) = delivery.of_sale(second.id)
    fulfilment.short(shipment.id, {milk.id: 1}, made_by=sam.id)
    assert stock.available([milk.id])[milk.id, world.location].available == 1
    # Who holds the last ones in the hand buys them all the same.
    world.buy(lin, (milk, 2))
    assert world.left(milk) == 1
    with transaction():
        stock.count_to(milk.id, world.location, 1, member_id=sam.id)
    figures = stock.available([milk.id])[milk.id, world.location]
    assert (figures.on_hand, figures.reserved, figures.available) == (1, 0, 1)
    world.order(lin, milk)
    assert world.faults() == []


@pytest.mark.parametrize("missing", [{}, {0: 1}, "more", "none"])
def test_more_than_a_shipment_holds_cannot_be_missing(world: World, missing: object) -> None:
    world.zone((5000, "6"))
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=3)
    (shipment,) = delivery.of_sale(world.order(lin, milk).id)
    said = {"more": {milk.id: 2}, "none": {milk.id: 0}}.get(str(missing), missing)
    with pytest.raises(Invalid):
        fulfilment.short(shipment.id, said, made_by=sam.id)  # type: ignore[arg-type]
    assert available(milk.id, world.location) == 2
    assert world.faults() == []


def test_an_order_is_cancelled_while_it_waits_and_not_after(world: World) -> None:
    world.zone((5000, "6"))
    lin, mei, sam = world.member(funds="100"), world.member(), world.staff()
    milk = world.item(on_hand=3)
    sale = world.order(lin, milk)
    with pytest.raises(NotFound):
        fulfilment.cancel(sale.id, made_by=mei.id, member_id=mei.id)
    fulfilment.cancel(sale.id, made_by=lin.id, member_id=lin.id)
    assert (world.balance(lin), available(milk.id, world.location)) == (10_000, 3)
    again = world.order(lin, milk)
    walk(delivery.of_sale(again.id)[0].id, sam, "pick", "pack", "ship")
    for one in (sale, again):
        with pytest.raises(fulfilment.TooLate):
            fulfilment.cancel(one.id, made_by=lin.id, member_id=lin.id)
    assert world.balance(lin) == 10_000 - again.total_minor
    assert world.faults() == []


def test_what_has_not_arrived_cannot_come_back(world: World) -> None:
    world.zone((5000, "6"))
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=3)
    sale = world.order(lin, milk)
    shipment = delivery.of_sale(sale.id)[0].id
    with pytest.raises(sales.OnItsWay):
        world.refund(sale, sam)
    walk(shipment, sam, "pick", "pack", "ship")
    with pytest.raises(sales.OnItsWay):
        world.refund(sale, sam)
    walk(shipment, sam, "deliver")
    world.refund(sale, sam)
    assert (world.balance(lin), world.left(milk)) == (10_000, 3)
    assert world.faults() == []


def test_a_step_is_undone_when_the_shelf_is_empty_after_all(world: World, app: Flask) -> None:
    """The book says that a shopper took what is in the box: somebody must count first."""
    world.zone((5000, "6"))
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=1)
    (shipment,) = delivery.of_sale(world.order(lin, milk).id)
    walk(shipment.id, sam, "pick", "pack")
    world.buy(lin, milk)
    with pytest.raises(stock.OutOfStock):
        walk(shipment.id, sam, "ship")
    assert db.session.scalar(db.select(Shipment.state)) == "packed"
    assert world.faults() == []
