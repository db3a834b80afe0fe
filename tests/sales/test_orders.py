"""Orders: collected or delivered, paid at once, with one key one sale; what is refused and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from store import catalogue, delivery, ids, outbox, payment, sales, stock
from store.db import db, transaction
from store.delivery.addresses import remove_address
from store.delivery.models import Address, OrderAddress
from store.errors import Invalid, NotFound
from store.sales.models import Sale
from store.stock import slips, transit
from tests.world import Somebody, Thing, World

pytestmark = pytest.mark.usefixtures("context")


def asked(world: World, lin: Somebody, *goods: Thing, **other: object) -> sales.Order:
    lines = tuple(sales.Line(thing.id, 1) for thing in goods)
    made = sales.Order(lin.id, world.location, "CNY", lines, ids.new(), "deliver", 500)
    return replace(made, **other)  # type: ignore[arg-type]


def counted() -> int:
    return db.session.scalar(select(func.count()).select_from(Sale)) or 0


def test_a_delivery_is_paid_with_what_it_costs_and_its_goods_are_kept(world: World) -> None:
    world.zone((1000, "6"), (5000, "9.50"))
    lin, milk = world.member(funds="100"), world.item(on_hand=5, size_text="1 l")
    sale = world.order(lin, (milk, 2))
    assert (sale.channel, sale.fulfilment, sale.state) == ("web", "deliver", "paid")
    assert sale.total_minor == 2 * milk.price_minor + 950
    goods, shipping = sale.lines
    assert (goods.kind, shipping.kind, shipping.total_minor) == ("goods", "shipping", 950)
    assert sale.pieces == 2
    assert world.balance(lin) == 10_000 - sale.total_minor
    level = stock.available([milk.id])[milk.id, world.location]
    assert (level.on_hand, level.reserved, level.available) == (5, 2, 3)
    where = delivery.of_order(sale.id)
    assert where is not None and where.street == "8 River Road"
    assert world.faults() == []


def test_takings_count_an_order_and_its_delivery_like_any_sale(world: World) -> None:
    world.zone((5000, "6"))
    lin, milk = world.member(funds="100"), world.item(on_hand=5)
    sale = world.order(lin, milk)
    outbox.work()
    assert world.faults() == []
    assert sale.total_minor == milk.price_minor + 600


def test_one_key_is_one_order_and_other_contents_are_refused(world: World) -> None:
    world.zone((5000, "6"))
    lin, milk = world.member(funds="100"), world.item(on_hand=5)
    home, office = world.address(lin), world.address(lin, "200002")
    order = asked(world, lin, milk, address_id=home)
    first = sales.order(order)
    again = sales.order(order)
    assert (again.sale_id, again.repeated) == (first.sale_id, True)
    for other in (
        replace(order, address_id=office), replace(order, address_id=None, place_id=world.location,
                                                   fulfilment="collect"),
        replace(order, lines=(sales.Line(milk.id, 2),)),
    ):  # fmt: skip
        with pytest.raises(payment.KeyReused):
            sales.order(other)
    # The book is the shopper's; the order keeps its own copy, and its key.
    with pytest.raises(payment.KeyReused):
        world.buy(lin, milk, key=order.key)
    assert counted() == 1
    assert world.faults() == []


def test_a_split_order_is_one_sale_with_two_parcels(world: World) -> None:
    depot = world.place("DEPOT", kind="warehouse")
    world.zone((5000, "6"))
    lin, milk, tea = world.member(funds="500"), world.item(on_hand=1), world.item("tea", on_hand=0)
    world.stock(tea, 4, at=depot)
    sale = world.order(lin, milk, (tea, 3))
    assert {each.location_id for each in delivery.of_sale(sale.id)} == {world.location, depot}
    assert world.faults() == []


def test_what_another_order_holds_and_what_the_shelf_keeps_is_not_promised(world: World) -> None:
    world.zone((5000, "6"))
    lin, mei = world.member(funds="100"), world.member(funds="100")
    milk = world.item(on_hand=4)
    world.describe(world.location, buffer=1)
    world.order(lin, (milk, 2))
    with pytest.raises(stock.OutOfStock) as refused:
        world.order(mei, (milk, 2))
    assert refused.value.data == {"item": milk.code, "left": 1, "asked": 2}
    world.order(mei, milk)
    assert stock.available([milk.id])[milk.id, world.location].available == 1
    world.buy(mei, milk)  # The shelf sells what it has, whatever is kept.
    assert world.faults() == []


def test_what_lies_in_quarantine_or_is_under_way_is_promised_to_nobody(world: World) -> None:
    world.zone((5000, "6"))
    mill, lin, sam = world.place("MILL"), world.member(funds="100"), world.staff()
    milk = world.item(on_hand=0)
    with transaction():
        quarantine = stock.quarantine_of(world.location)
    world.stock(milk, 2, at=quarantine)
    world.stock(milk, 1, at=mill)
    with transaction():
        slip = transit.open_transfer(mill, world.location, sam.id)
        slips.scan(slip, milk.id, 1, sam.id, key=ids.new())
        transit.depart(slip, sam.id)
    with pytest.raises(stock.OutOfStock) as refused:
        world.order(lin, milk)
    assert refused.value.data["left"] == 0
    assert [one.location_id for one in delivery.spots()] == [world.location, mill]
    assert world.faults() == []
    with transaction() as session:  # The negative control of the audit's own line.
        session.execute(
            text("UPDATE movements SET reason = 'sold' WHERE location_id = :here"),
            {"here": quarantine},
        )
    assert any("sold_from_quarantine" in fault for fault in world.faults())


def test_prices_of_the_place_where_it_is_collected_count(world: World) -> None:
    mill = world.place("MILL")
    lin, milk = world.member(funds="100"), world.item(on_hand=0, price="10")
    world.price(milk, "9", at=mill)
    world.stock(milk, 1, at=mill)
    assert world.order(lin, milk, place=mill).total_minor == 900


def test_a_rise_of_the_delivery_is_asked_about(world: World) -> None:
    world.zone((5000, "6"))
    lin, milk = world.member(funds="100"), world.item(on_hand=2)
    order = asked(world, lin, milk, address_id=world.address(lin), shipping_seen_minor=500)
    with pytest.raises(sales.PriceRose) as rose:
        sales.order(order)
    assert rose.value.data["rises"][0]["price_minor"] == 600
    sales.order(replace(order, shipping_seen_minor=700))
    assert world.faults() == []


def test_what_is_refused_changes_nothing(world: World) -> None:
    world.zone((5000, "6"), prefix="20")
    mill, depot = world.place("MILL"), world.place("DEPOT", kind="warehouse")
    lin, mei = world.member(funds="20"), world.member()
    milk = world.item(on_hand=2, price="12")
    home, theirs = world.address(lin), world.address(mei)
    far = world.address(lin, "100000")
    world.stock(milk, 1, at=depot)
    right = asked(world, lin, milk, address_id=home)
    collect = replace(right, fulfilment="collect", address_id=None)
    refused: list[tuple[sales.Order, type[Exception]]] = [
        (replace(right, lines=()), Invalid),
        (replace(right, lines=(sales.Line(milk.id, 0),)), Invalid),
        (replace(right, lines=(sales.Line(milk.id, 2**63),)), Invalid),
        (replace(right, lines=(sales.Line(10**6, 1),)), catalogue.ItemNotForSale),
        (replace(right, key=""), Invalid),
        (replace(right, fulfilment="taken"), Invalid),
        (replace(right, address_id=None), Invalid),
        (replace(right, address_id=theirs), NotFound),
        (replace(right, address_id=10**6), NotFound),
        (replace(right, address_id=far), delivery.NoDelivery),
        (replace(right, lines=(sales.Line(milk.id, 4),)), stock.OutOfStock),
        (replace(right, lines=(sales.Line(milk.id, 2), sales.Line(milk.id, 2))), stock.OutOfStock),
        (replace(right, lines=(sales.Line(milk.id, 2),)), payment.InsufficientFunds),
        (replace(right, lines=(sales.Line(milk.id, 1, seen_minor=1100),)), sales.PriceRose),
        (collect, Invalid),
        (replace(collect, place_id=mill), stock.OutOfStock),
        (replace(collect, place_id=depot), stock.OutOfStock),  # A warehouse hands nothing over.
        (replace(collect, place_id=10**6), stock.OutOfStock),
    ]  # fmt: skip
    for order, why in refused:
        with pytest.raises(why):
            sales.order(replace(order, key=order.key and ids.new()))
    assert (counted(), world.balance(lin), world.left(milk)) == (0, 2000, 2)
    assert stock.available([milk.id])[milk.id, world.location].reserved == 0
    assert world.faults() == []


def test_an_address_that_was_removed_stays_with_the_order_only(world: World) -> None:
    world.zone((5000, "6"))
    lin, milk = world.member(funds="100"), world.item(on_hand=2)
    sale = world.order(lin, milk)
    (known,) = delivery.address_book(lin.id)
    with transaction():
        remove_address(lin.id, known.id)
    assert db.session.scalars(select(Address.id)).all() == []
    kept = db.session.execute(select(OrderAddress.sale_id, OrderAddress.member_id)).all()
    assert [tuple(one) for one in kept] == [(sale.id, lin.id)]


def test_the_nearest_place_that_has_it_sends_it(world: World, app: Flask) -> None:
    near, far = world.place("NEAR"), world.place("FAR")
    world.describe(near, at=(31.23, 121.48))
    world.describe(far, at=(39.90, 116.40))
    world.zone((5000, "6"), prefix="20", point=(31.24, 121.49))
    world.zone((5000, "6"), prefix="10", point=(39.91, 116.41))
    lin, milk = world.member(funds="100"), world.item(on_hand=0)
    for place in (far, near):
        world.stock(milk, 5, at=place)
    for postcode, place in (("200001", near), ("100001", far)):
        sale = world.order(lin, milk, address=world.address(lin, postcode))
        assert [each.location_id for each in delivery.of_sale(sale.id)] == [place]
    assert world.faults() == []
