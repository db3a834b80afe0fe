"""Some of what is in a bundle comes back: its share of what was paid, never more than that in all;
and bundles in orders: sourced, picked, sent and cancelled by what is in them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from store import catalogue, delivery, errors, ids, outbox, sales, stock
from store.db import db, transaction
from store.sales.opening import shares
from store.sales.orders import at_the_door, fulfilment
from store.sales.refunds.refunds import NotSoManyLeft, Part
from store.sales.returns import hand_ins, returns
from store.sales.returns.hand_ins import Decision, HandIn
from tests.sales.test_bundles import bundle
from tests.world import Somebody, Thing, World

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"CASH_ON_DELIVERY": "300"}


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="3", on_hand=20)


@pytest.fixture
def bread(world: World) -> Thing:
    return world.item("bread", price="4", on_hand=20)


@pytest.fixture
def kit(world: World, milk: Thing, bread: Thing) -> Thing:
    """Two of milk and one bread, 10 alone, for 7.99 together."""
    return bundle(world, (milk, 2), (bread, 1), price="7.99")


@pytest.fixture
def lin(world: World) -> Somebody:
    world.zone((50_000, "6"))
    return world.member(funds="1000")


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.staff()


def now(sale: sales.Receipt) -> sales.Receipt:
    db.session.rollback()
    found = sales.receipt(sale.id)
    assert found is not None
    return found


def back(sale: sales.Receipt, sam: Somebody, *parts: Part) -> int:
    """Give these back; answers how much that was."""
    refund = sales.refund(sale.id, made_by=sam.id, parts=parts)
    return next(each.total_minor for each in now(sale).refunds if each.id == refund)


def test_shares_add_up() -> None:
    for total in (0, 1, 2, 99, 799, 10**12 + 7):
        for weights in ([1], [6, 4], [1, 1, 1], [7] * 30, [1, 10**9], [10**9, 1, 3], [2, 3, 5, 7]):
            found, whole = shares(total, weights), sum(weights)
            assert sum(found) == total
            for one, weight in zip(found, weights):
                assert abs(one * whole - total * weight) < whole


def test_one_part_comes_back_by_its_share(
    world: World, kit: Thing, milk: Thing, bread: Thing, lin: Somebody, sam: Somebody
) -> None:
    sale = world.buy(lin, (kit, 2))
    world.price(bread, "40")  # What it costs later does not matter.
    assert back(sale, sam, Part(1, 1, bread.id)) == 320  # 40 % of 7.99, in whole coins.
    assert (world.left(milk), world.left(bread)) == (16, 19)
    assert (now(sale).state, now(sale).kept_pieces) == ("part_refunded", 3)
    assert world.faults() == []
    assert back(sale, sam, Part(1, 1, milk.id)) == 239  # Of the same unit: nothing more is opened.
    assert back(sale, sam, Part(1, 1)) == 799
    assert back(sale, sam, Part(1, 1, milk.id)) == 240
    assert now(sale).state == "refunded"
    assert sum(each.total_minor for each in now(sale).refunds) == sale.total_minor
    assert (world.left(milk), world.left(bread)) == (20, 20)
    outbox.work()
    assert world.faults() == []


def test_more_than_was_in_it_never_comes_back(
    world: World, kit: Thing, milk: Thing, bread: Thing, lin: Somebody, sam: Somebody
) -> None:
    sale, tea = world.buy(lin, (kit, 2), bread), world.item("tea")
    for parts, why in (
        ([Part(1, 3, bread.id)], NotSoManyLeft), ([Part(1, 5, milk.id)], NotSoManyLeft),
        ([Part(1, 1), Part(1, 2, bread.id)], NotSoManyLeft), ([Part(1, 3)], NotSoManyLeft),
        ([Part(1, 0, bread.id)], errors.Invalid), ([Part(1, -1, bread.id)], errors.Invalid),
        ([Part(1, 2**63, bread.id)], NotSoManyLeft), ([Part(1, 1, tea.id)], errors.Invalid),
        ([Part(2, 1, milk.id)], errors.Invalid), ([Part(9, 1, milk.id)], errors.Invalid),
        ([Part(1, 1, 10**9)], errors.Invalid),
    ):  # fmt: skip
        with pytest.raises(why):
            sales.refund(sale.id, made_by=sam.id, parts=parts)
        assert [line.kind for line in now(sale).lines] == ["goods", "goods"]
    assert back(sale, sam, Part(1, 1), Part(1, 1, bread.id), Part(1, 1, milk.id)) == 799 + 559
    for part in (Part(1, 1), Part(1, 1, bread.id), Part(1, 2, milk.id)):
        with pytest.raises(NotSoManyLeft):
            sales.refund(sale.id, made_by=sam.id, parts=[part])
    sales.refund(sale.id, made_by=sam.id)
    assert now(sale).refunded_minor == sale.total_minor
    assert world.faults() == []


def test_a_part_without_a_price_counts_by_pieces(
    world: World, milk: Thing, lin: Somebody, sam: Somebody
) -> None:
    with transaction():
        gift = catalogue.add_item(names={"en": "Cup"}, tax_rate_bp=1300)
        stock.receive(gift.id, world.location, 5)
    cup = Thing(gift.id, gift.code, None, {}, 0, "")
    sale = world.buy(lin, bundle(world, (milk, 2), (cup, 1), price="9"))
    assert back(sale, sam, Part(1, 1, cup.id)) == 300
    assert world.faults() == []


def test_declared_handed_in_and_decided_piece_by_piece(
    world: World, kit: Thing, milk: Thing, bread: Thing, lin: Somebody, sam: Somebody
) -> None:
    sale = world.buy(lin, (kit, 2))
    wish = returns.Wish(sale.id, [Part(1, 1, bread.id)], "shop", "stale", ids.new())
    made = returns.declare(lin.id, wish)
    assert returns.declare(lin.id, wish) == made
    assert world.faults() == []
    with pytest.raises(NotSoManyLeft):
        sales.refund(sale.id, made_by=sam.id, parts=[Part(1, 2, bread.id)])
    part = next(line for line in now(sale).lines if line.item_id == bread.id)
    units = [Decision(part.position, 1, "scrap")]
    got = hand_ins.hand_in(
        HandIn(sale.id, world.location, sam.id, units, ids.new(), return_id=made)
    )
    assert (got.total_minor, world.left(bread)) == (320, 18)
    milks = [Decision(1, 2, "resell", milk.id), Decision(1, 1, "quarantine", milk.id)]
    asked = HandIn(sale.id, world.location, sam.id, milks, ids.new())
    first = hand_ins.hand_in(asked)
    assert hand_ins.hand_in(asked) == first
    assert (first.total_minor, world.left(milk)) == (479 + 239, 18)
    assert world.faults() == []
    declared = returns.declare(
        lin.id, returns.Wish(sale.id, [Part(1, 1, milk.id)], "mail", "", ids.new())
    )
    returns.cancel(declared, lin.id)
    assert world.faults() == []


def test_the_stricter_rule_counts(
    world: World, kit: Thing, milk: Thing, bread: Thing, lin: Somebody
) -> None:
    with transaction():
        catalogue.set_return_rule(0, False, item_id=bread.id)
    sale = world.buy(lin, kit)
    with pytest.raises(returns.NotReturnable):
        returns.declare(
            lin.id, returns.Wish(sale.id, [Part(1, 1, bread.id)], "shop", "", ids.new())
        )
    returns.declare(lin.id, returns.Wish(sale.id, [Part(1, 1, milk.id)], "shop", "", ids.new()))
    assert world.faults() == []


def test_a_part_takes_its_deposit_with_it(
    world: World, milk: Thing, lin: Somebody, sam: Somebody
) -> None:
    with transaction():
        bottle = catalogue.add_deposit({"en": "Bottle"}, 25, "CNY").item_id
    cola = world.item("tea", price="3", on_hand=9, deposit_id=bottle)
    sale = world.buy(lin, (bundle(world, (cola, 2), (milk, 1), price="6"), 2))
    assert sale.total_minor == 1200 + 4 * 25
    assert back(sale, sam, Part(1, 1, cola.id)) == 200 + 25
    assert back(sale, sam, Part(1, 1, milk.id)) == 200
    assert world.faults() == []
    sales.refund(sale.id, made_by=sam.id)
    assert (now(sale).state, now(sale).refunded_minor) == ("refunded", sale.total_minor)
    assert world.faults() == []


def test_an_order_of_a_bundle_comes_from_where_its_parts_are(
    world: World, kit: Thing, milk: Thing, bread: Thing, lin: Somebody, sam: Somebody
) -> None:
    depot, mill = world.place("DEPOT", kind="warehouse"), world.place("MILL")
    world.buy(world.member(funds="1000"), (bread, 20))
    world.stock(bread, 2, at=depot)
    sale = world.order(lin, (kit, 2), milk)
    assert sale.total_minor == 2 * 799 + 300 + 600
    assert [(line.kind, line.quantity) for line in sale.lines] == [
        ("goods", 2), ("goods", 1), ("shipping", 1),
    ]  # fmt: skip
    there = {each.location_id: {one.item_id: one.quantity for one in each.goods}
             for each in delivery.of_sale(sale.id)}  # fmt: skip
    assert there == {world.location: {milk.id: 5}, depot: {bread.id: 2}}
    for each in delivery.of_sale(sale.id):
        for event in ("pick", "pack", "ship", "deliver"):
            fulfilment.step(each.id, event, made_by=sam.id, carrier="SF")
    assert (world.left(milk), world.left(bread, depot)) == (15, 0)
    assert world.faults() == []
    with pytest.raises(stock.OutOfStock) as no:
        world.order(lin, (kit, 9))
    assert no.value.data == {"item": kit.code, "left": 0, "asked": 9}
    world.stock(milk, 3, at=mill)
    world.stock(bread, 3, at=mill)
    with pytest.raises(stock.OutOfStock) as no:
        world.order(lin, (kit, 2), place=mill)
    assert no.value.data == {"item": kit.code, "left": 1, "asked": 2}
    taken = world.order(lin, kit, milk, place=mill)
    fulfilment.cancel(taken.id, made_by=lin.id, member_id=lin.id)
    assert (now(taken).state, now(taken).refunded_minor) == ("refunded", taken.total_minor)
    assert world.faults() == []


def test_a_part_that_is_not_there_is_paid_back_by_its_share(
    world: World, kit: Thing, milk: Thing, bread: Thing, lin: Somebody, sam: Somebody
) -> None:
    sale = world.order(lin, (kit, 2))
    [shipment] = delivery.of_sale(sale.id)
    world.describe(world.location, buffer=50)
    assert fulfilment.short(shipment.id, {bread.id: 1}, made_by=sam.id) == (0, 1)
    assert now(sale).refunded_minor == 320
    assert world.faults() == []
    assert fulfilment.short(shipment.id, {milk.id: 2, bread.id: 1}, made_by=sam.id) == (0, 3)
    assert now(sale).refunded_minor == 320 + 799  # That was the other one, whole.
    for event in ("pick", "pack", "ship", "fail", "put_back"):
        fulfilment.step(shipment.id, event, made_by=sam.id, carrier="SF")
    assert now(sale).refunded_minor == 2 * 799  # What the delivery cost stays paid.
    assert (world.left(milk), world.left(bread)) == (20, 20)
    assert world.faults() == []


def test_a_bundle_sold_at_the_shelf_takes_what_was_kept_for_an_order(
    world: World, kit: Thing, bread: Thing, lin: Somebody
) -> None:
    far = world.place("FAR", kind="warehouse")
    sale = world.order(lin, (bread, 2))
    world.stock(bread, 2, at=far)
    world.buy(world.member(funds="1000"), (bread, 9))
    world.buy(world.member(funds="1000"), (kit, 10))
    outbox.work()
    assert [one.quantity for each in delivery.of_sale(sale.id) if each.state == "open"
            for one in each.goods] in ([1, 1], [2])  # fmt: skip
    assert far in {each.location_id for each in delivery.of_sale(sale.id)}
    assert world.faults() == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("back_at", [0, 1])
def test_a_bundle_in_two_parcels_is_paid_at_the_door_to_the_last_coin(
    world: World, kit: Thing, milk: Thing, bread: Thing, lin: Somebody, sam: Somebody,
    order: tuple[int, int], back_at: int,
) -> None:  # fmt: skip
    depot = world.place("DEPOT", kind="warehouse")
    world.buy(lin, (bread, 20))
    world.stock(bread, 2, at=depot)
    sale = world.order(lin, (kit, 2), means="delivery")
    asked = at_the_door.to_take([sale.id])
    assert sum(asked.values()) == sale.total_minor == 2198
    parcels = [each.id for each in delivery.of_sale(sale.id)]
    first = next(at for at, each in enumerate(delivery.of_sale(sale.id))
                 if each.goods[0].item_id == milk.id)  # fmt: skip
    world.describe(world.location, buffer=50)
    # Two shorts and a parcel that comes back: shares of several openings.
    fulfilment.short(parcels[first], {milk.id: 1}, made_by=sam.id)
    assert world.faults() == []
    fulfilment.short(parcels[first], {milk.id: 2}, made_by=sam.id)
    for at in order:
        last = "put_back" if at == back_at else "deliver"
        steps = ("pick", "pack", "ship", *(("fail",) if last == "put_back" else ()), last)
        for event in steps:
            fulfilment.step(parcels[at], event, made_by=sam.id, carrier="SF")
        assert world.faults() == []
    assert now(sale).state == "part_refunded"
    assert world.faults() == []


def test_the_audit_sees_what_is_off(
    world: World, kit: Thing, milk: Thing, lin: Somebody, sam: Somebody
) -> None:
    """The negative control of its lines."""
    sale = world.buy(lin, (kit, 2))
    back(sale, sam, Part(1, 1, milk.id))
    for name, wrong in (
        ("opened_bundles_not_their_price", "total_minor = total_minor + 1"),
        ("opened_bundles_not_their_parts", "quantity = quantity + 1"),
    ):
        with transaction() as session:
            session.execute(text(f"UPDATE sale_lines SET {wrong} WHERE kind = 'part'"))
        assert any(name in fault for fault in world.faults()), name
