"""Cash on delivery: due when it is ordered, the courier's at the door, the till's when counted; who
may, what is refused, and what becomes of it when something does not come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from store import delivery, errors, ids, payment, sales
from store.db import db, transaction
from store.payment.on_delivery import due_of
from store.sales.orders import at_the_door, couriers, fulfilment
from store.sales.orders.at_the_door import NoCashOnDelivery
from store.sales.orders.couriers import CashChanged, Count
from store.sales.refunds import refunds
from store.sales.returns import hand_ins
from store.sales.returns.hand_ins import Decision, HandIn
from tests.world import Somebody, Thing, World

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"CASH_ON_DELIVERY": "300"}


@pytest.fixture
def sam(world: World) -> Somebody:
    world.zone((50_000, "6"))
    return world.staff()


def sent(sale: sales.Receipt, sam: Somebody, at: int = 0, *more: str) -> str:
    """One of an order's parcels is on its way; answers its id."""
    shipment = delivery.of_sale(sale.id)[at].id
    for event in ("pick", "pack", "ship", *more):
        fulfilment.step(shipment, event, made_by=sam.id, carrier="SF Express")
    return shipment


def due(sale: sales.Receipt) -> int:
    db.session.rollback()
    return due_of([sale.id]).get(sale.id, 0)


def state(sale: sales.Receipt) -> str:
    db.session.rollback()
    found = sales.receipt(sale.id)
    assert found is not None
    return found.state


def count(world: World, courier: couriers.Owed, counted: int, reason: str = "") -> Count:
    return Count(courier.courier_id, world.location, courier.amount_minor, counted, "CNY",
                 ids.new(), reason)  # fmt: skip


def booked(account: str) -> int:
    """What an account of the shop holds: debits less credits."""
    query = """SELECT COALESCE(SUM(CASE WHEN d.code = :code THEN t.amount_minor ELSE 0 END), 0)
                    - COALESCE(SUM(CASE WHEN c.code = :code THEN t.amount_minor ELSE 0 END), 0)
                 FROM transfers t JOIN accounts d ON d.id = t.debit_id
                 JOIN accounts c ON c.id = t.credit_id"""
    return int(db.session.execute(text(query), {"code": f"{account}:CNY"}).scalar() or 0)


def test_from_the_order_to_the_till(world: World, sam: Somebody) -> None:
    lin, milk = world.member(), world.item(price="12", on_hand=5)  # Lin's account is empty.
    sale = world.order(lin, (milk, 2), means="delivery")
    assert (sale.state, sale.means, sale.total_minor, due(sale)) == ("due", "delivery", 3000, 3000)
    assert [one.due_minor for one in at_the_door.due_sales()] == [3000]
    assert world.faults() == []
    shipment = sent(sale, sam)
    assert at_the_door.to_take([sale.id]) == {shipment: 3000}
    fulfilment.step(shipment, "deliver", made_by=sam.id, courier="Old Wang")
    assert (state(sale), due(sale), booked("delivery"), world.balance(lin)) == ("paid", 0, 0, 0)
    [wang] = couriers.owed()
    assert (wang.name, wang.amount_minor, wang.many) == ("Old Wang", 3000, 1)
    assert booked(f"courier:{wang.courier_id}") == 3000
    assert world.faults() == []
    asked = count(world, wang, 3000)
    first = couriers.hand_in(asked, made_by=sam.id)
    assert couriers.hand_in(asked, made_by=sam.id) == first
    assert (couriers.owed(), booked("cash"), booked(f"courier:{wang.courier_id}")) == ([], 3000, 0)
    assert world.faults() == []


def test_one_key_is_one_order_however_it_is_paid(world: World, sam: Somebody) -> None:
    lin, milk, key = world.member(funds="100"), world.item(on_hand=5), ids.new()
    home = world.address(lin)
    sale = world.order(lin, milk, address=home, key=key, means="delivery")
    assert world.order(lin, milk, address=home, key=key, means="delivery").id == sale.id
    with pytest.raises(payment.KeyReused):
        world.order(lin, milk, address=home, key=key)
    assert world.balance(lin) == 10_000


def test_a_difference_is_booked_with_a_name_and_a_reason(world: World, sam: Somebody) -> None:
    lin, milk = world.member(), world.item(price="12", on_hand=5)
    for _ in range(2):
        fulfilment.step(sent(world.order(lin, milk, means="delivery"), sam), "deliver",
                        made_by=sam.id)  # fmt: skip
    [carrier] = couriers.owed()
    assert (carrier.name, carrier.amount_minor, carrier.many) == ("SF Express", 3600, 2)
    with pytest.raises(errors.Invalid):
        couriers.hand_in(count(world, carrier, 3500), made_by=sam.id)
    assert booked("cash") == 0
    couriers.hand_in(count(world, carrier, 3500, "one note was torn"), made_by=sam.id)
    assert (booked("cash"), booked("cash_differences")) == (3500, 100)
    fulfilment.step(sent(world.order(lin, milk, means="delivery"), sam), "deliver", made_by=sam.id)
    [carrier] = couriers.owed()
    couriers.hand_in(count(world, carrier, 1900, "a tip"), made_by=sam.id)
    assert (booked("cash"), booked("cash_differences")) == (5400, 0)
    told = [(one.counted_minor, one.reason, one.counted_by) for one in couriers.counted()]
    assert told == [(1900, "a tip", sam.id), (3500, "one note was torn", sam.id)]
    assert world.faults() == []


def test_a_count_of_what_changed_meanwhile_is_refused(world: World, sam: Somebody) -> None:
    lin, milk = world.member(), world.item(price="12", on_hand=5)
    fulfilment.step(sent(world.order(lin, milk, means="delivery"), sam), "deliver", made_by=sam.id)
    [carrier] = couriers.owed()
    fulfilment.step(sent(world.order(lin, milk, means="delivery"), sam), "deliver", made_by=sam.id)
    with pytest.raises(CashChanged) as changed:
        couriers.hand_in(count(world, carrier, 1800), made_by=sam.id)
    assert changed.value.data["now_minor"] == 3600
    [carrier] = couriers.owed()
    asked = count(world, carrier, 3600)
    couriers.hand_in(asked, made_by=sam.id)
    for other, why in (
        (Count(10**6, world.location, 1, 1, "CNY", ids.new()), errors.NotFound),
        (Count(carrier.courier_id, world.location, 3600, 3600, "CNY", ids.new()), CashChanged),
        (Count(carrier.courier_id, world.location, 3600, 1, "CNY", asked.key, "x"),
         payment.KeyReused),
        (Count(carrier.courier_id, world.location, 3600, -1, "CNY", ids.new(), "x"),
         errors.Invalid),
        (Count(carrier.courier_id, world.location, 3600, 2**63, "CNY", ids.new(), "x"),
         errors.Invalid),
    ):  # fmt: skip
        with pytest.raises(why):
            couriers.hand_in(other, made_by=sam.id)
    assert booked("cash") == 3600
    assert world.faults() == []


def test_what_comes_back_unpaid_is_on_the_shelf_and_nobody_owes_anything(
    world: World, sam: Somebody
) -> None:
    lin, milk = world.member(), world.item(price="12", on_hand=5)
    sale = world.order(lin, (milk, 2), means="delivery")
    shipment = sent(sale, sam, 0, "fail")
    assert (state(sale), world.left(milk)) == ("due", 3)
    fulfilment.step(shipment, "put_back", made_by=sam.id, note="nobody was in")
    assert (state(sale), due(sale), world.left(milk)) == ("cancelled", 0, 5)
    assert (world.balance(lin), booked("takings"), couriers.owed()) == (0, 0, [])
    with pytest.raises(refunds.NotRefundable):
        sales.refund(sale.id, made_by=sam.id)
    assert world.faults() == []


def test_what_is_cancelled_or_not_there_is_not_to_be_paid(world: World, sam: Somebody) -> None:
    lin, milk = world.member(), world.item(price="12", on_hand=5)
    sale = world.order(lin, (milk, 3), means="delivery")
    [shipment] = delivery.of_sale(sale.id)
    world.describe(world.location, buffer=5)
    fulfilment.short(shipment.id, {milk.id: 1}, made_by=sam.id)
    assert (state(sale), due(sale)) == ("due", 3000)
    assert world.faults() == []
    with pytest.raises(refunds.OnItsWay):
        sales.refund(sale.id, made_by=sam.id)
    fulfilment.step(sent(sale, sam), "deliver", made_by=sam.id)
    assert (state(sale), due(sale), couriers.owed()[0].amount_minor) == ("part_refunded", 0, 3000)
    world.describe(world.location)
    other = world.order(lin, milk, means="delivery")
    fulfilment.cancel(other.id, made_by=lin.id, member_id=lin.id)
    assert (state(other), due(other), world.balance(lin)) == ("cancelled", 0, 0)
    assert world.faults() == []


def two_parcels(world: World) -> tuple[Somebody, Thing, Thing, sales.Receipt]:
    """Milk from here for 12 and tea from the depot for 20 come in a parcel each, delivery is 6."""
    depot = world.place("DEPOT", kind="warehouse")
    lin, milk = world.member(), world.item(price="12", on_hand=1)
    tea = world.item("tea", price="20", on_hand=0)
    world.stock(tea, 1, at=depot)
    sale = world.order(lin, milk, tea, means="delivery")
    return lin, milk, tea, sale


def test_every_parcel_is_paid_for_when_it_comes(world: World, sam: Somebody) -> None:
    *_, sale = two_parcels(world)
    amounts = list(at_the_door.to_take([sale.id]).values())
    assert sum(amounts) == 3800 and sorted(amounts) in ([1200, 2600], [1800, 2000])
    for at, left in ((1, amounts[0]), (0, 0)):
        fulfilment.step(sent(sale, sam, at), "deliver", made_by=sam.id)
        assert due(sale) == left
        assert state(sale) == ("due" if left else "paid")
        assert world.faults() == []


@pytest.mark.parametrize("first", ["deliver", "put_back"])
def test_one_parcel_is_paid_and_the_other_comes_back(
    world: World, sam: Somebody, first: str
) -> None:
    lin, milk, tea, sale = two_parcels(world)
    for at, event in enumerate(
        ("deliver", "put_back") if first == "deliver" else ("put_back", "deliver")
    ):
        way = ("fail",) if event == "put_back" else ()
        fulfilment.step(sent(sale, sam, at, *way), event, made_by=sam.id)
        assert world.faults() == []
    back, kept = (1, 0) if first == "deliver" else (0, 1)
    parcels = delivery.of_sale(sale.id)
    paid = {milk.id: 1200, tea.id: 2000}[parcels[kept].goods[0].item_id] + 600
    assert parcels[back].state == "put_back"
    assert (state(sale), due(sale), couriers.owed()[0].amount_minor) == ("part_refunded", 0, paid)
    assert world.balance(lin) == 0


def test_what_was_paid_at_the_door_goes_back_to_the_account(world: World, sam: Somebody) -> None:
    lin, milk = world.member(), world.item(price="12", on_hand=5)
    sale = world.order(lin, (milk, 2), means="delivery")
    fulfilment.step(sent(sale, sam), "deliver", made_by=sam.id)
    hand_ins.hand_in(HandIn(sale.id, world.location, sam.id, [Decision(1, 1, "resell")], ids.new()))
    assert (state(sale), world.balance(lin), booked("delivery")) == ("part_refunded", 1200, 0)
    sales.refund(sale.id, made_by=sam.id)
    assert (state(sale), world.balance(lin), booked("takings")) == ("refunded", 3000, 0)
    assert world.faults() == []


def refused(world: World, lin: Somebody, *goods: Thing | tuple[Thing, int], **how: Any) -> str:
    with pytest.raises(NoCashOnDelivery) as no:
        world.order(lin, *goods, means="delivery", **how)
    return str(no.value.data["why"])


def test_who_may_pay_at_the_door(world: World, sam: Somebody, app: Flask) -> None:
    lin, mei = world.member(funds="1000"), world.member()
    milk = world.item(price="100", on_hand=50)
    assert refused(world, lin, (milk, 3)) == "too_large"
    assert refused(world, lin, milk, place=world.location) == "collected"
    first, second = (world.order(lin, milk, means="delivery") for _ in range(2))
    assert refused(world, lin, milk) == "unpaid"
    world.order(mei, milk, means="delivery")
    world.order(lin, milk)  # From the account, as ever.
    fulfilment.step(sent(first, sam), "deliver", made_by=sam.id)
    third = world.order(lin, milk, means="delivery")
    for sale in (second, third):
        fulfilment.step(sent(sale, sam, 0, "fail"), "put_back", made_by=sam.id)
    assert refused(world, lin, milk) == "unpaid"  # Two came back: not again for a while.
    app.config["CASH_ON_DELIVERY"] = "0"
    assert refused(world, mei, milk) == "off"
    with pytest.raises(errors.Invalid):
        world.order(mei, milk, means="cash")
    assert world.faults() == []


FAULTS: Sequence[tuple[str, str]] = (
    ("dues_without_parcel", "UPDATE shipments SET state = 'delivered' WHERE state = 'open'"),
    ("dues_off", "UPDATE sales SET state = 'paid' WHERE state = 'due'"),
    ("takings_at_the_door_off", "UPDATE courier_takings SET amount_minor = amount_minor + 1"),
    ("couriers_cash_off", "UPDATE courier_takings SET amount_minor = amount_minor + 1"),
    ("hand_ins_off", "UPDATE courier_hand_ins SET expected_minor = 1, reason = 'x'"),
)


def test_the_audit_sees_what_is_off(world: World, sam: Somebody) -> None:
    """The negative control of its lines."""
    lin, milk = world.member(), world.item(price="12", on_hand=5)
    fulfilment.step(sent(world.order(lin, milk, means="delivery"), sam), "deliver", made_by=sam.id)
    couriers.hand_in(count(world, couriers.owed()[0], 1800), made_by=sam.id)
    fulfilment.step(sent(world.order(lin, milk, means="delivery"), sam), "deliver", made_by=sam.id)
    world.order(lin, milk, means="delivery")
    assert world.faults() == []
    for name, wrong in FAULTS:
        with transaction() as session:
            session.execute(text(wrong))
        assert any(name in fault for fault in world.faults()), name
