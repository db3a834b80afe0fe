"""Goods in: an order is written, a delivery of it is scanned and booked, its labels are printed."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from store import catalogue, ids, stock
from store.catalogue import Item
from store.db import db, transaction
from store.errors import Invalid
from store.labels.models import Label
from store.stock import purchases, slips
from tests.world import Somebody, Thing, Visitor, World


def scan(browser: Visitor, path: str, thing: Thing, **fields: str) -> None:
    number = path.rstrip("/").split("/")[-1].split("?")[0]
    form = {"code": thing.gtin or thing.code, "key": ids.new()} | fields
    answer = browser.post(f"/desk/slips/{number}/scans", form)
    assert answer.status_code == 303, answer.text


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.member("Sam", role="staff")


@pytest.fixture
def staff(world: World, sam: Somebody) -> Visitor:
    return world.client_for(sam)


def ordered(staff: Visitor, *lines: tuple[Thing, int]) -> str:
    form = {"at": "MAIN", "supplier": "Dairy", "expected_on": "2027-03-20", "key": ids.new()}
    path = staff.post("/desk/purchases", form).location
    for thing, many in lines:
        scan(staff, path, thing, quantity=str(many))
    assert staff.post(f"{path}/sendings").status_code == 303
    return path


def incoming(world: World, thing: Thing) -> int:
    with world.app.app_context():
        query = select(stock.incoming_expression(Item.id, world.location))
        return int(db.session.scalar(query.where(Item.id == thing.id)) or 0)


def test_an_order_is_incoming_until_it_came(world: World, staff: Visitor) -> None:
    milk, bread = world.item(on_hand=2), world.item("bread", on_hand=0)
    order = ordered(staff, (milk, 12), (bread, 5))
    assert (incoming(world, milk), incoming(world, bread)) == (12, 5)
    form = {"order": order.split("/")[-1], "at": "MAIN", "key": ids.new()}
    delivery = staff.post("/desk/deliveries", form).location
    for _ in range(3):
        scan(staff, delivery, bread)
    scan(staff, delivery, milk, quantity="13", how="set")
    page = staff.get(delivery).text
    assert "1 too many" in page and "2 missing" in page
    assert world.left(milk) == 2
    assert staff.post(f"{delivery}/bookings").status_code == 303
    assert (world.left(milk), world.left(bread)) == (15, 3)
    assert (incoming(world, milk), incoming(world, bread)) == (0, 2)
    assert "A delivery differs" in staff.get("/desk/tasks").text
    form = {"order": order.split("/")[-1], "at": "MAIN", "key": ids.new()}
    second = staff.post("/desk/deliveries", form).location
    scan(staff, second, bread, quantity="2")
    staff.post(f"{second}/bookings")
    assert incoming(world, bread) == 0
    assert "closed" in staff.get(order).text
    assert world.faults() == []


def test_what_will_not_come_is_not_incoming(world: World, staff: Visitor) -> None:
    milk = world.item()
    order = ordered(staff, (milk, 12))
    assert staff.post(f"{order}/ends").status_code == 303
    assert incoming(world, milk) == 0
    assert staff.post(f"{order}/ends").status_code == 409


def test_a_second_tap_books_nothing_more(world: World, staff: Visitor) -> None:
    milk = world.item(on_hand=0)
    form = {"supplier": "", "at": "MAIN", "key": ids.new()}
    first = staff.post("/desk/deliveries", form).location
    assert staff.post("/desk/deliveries", form).location == first
    key = ids.new()
    for _ in range(2):
        scan(staff, first, milk, quantity="6", key=key)
    assert staff.post(f"{first}/bookings").status_code == 303
    again = staff.post(f"{first}/bookings")
    assert again.status_code == 409 and "slip_closed" in again.text
    scan_again = {"code": milk.code, "key": ids.new()}
    number = first.split("/")[-1]
    assert staff.post(f"/desk/slips/{number}/scans", scan_again).status_code == 409
    assert world.left(milk) == 6
    assert world.faults() == []


def test_as_many_labels_as_came(world: World, staff: Visitor) -> None:
    milk, bread = world.item(on_hand=0), world.item("bread", on_hand=0)
    delivery = staff.post("/desk/deliveries", {"at": "MAIN", "key": ids.new()}).location
    scan(staff, delivery, milk, quantity="4")
    scan(staff, delivery, bread, quantity="2")
    number = delivery.split("/")[-1]
    assert staff.get(f"/desk/labels/deliveries/{number}").status_code == 404
    staff.post(f"{delivery}/bookings")
    assert f"/desk/labels/deliveries/{number}" in staff.get(delivery).text
    page = staff.get(f"/desk/labels/deliveries/{number}").text
    fields = dict(re.findall(r'name="(many-\d+)"[^>]*value="(\d+)"', page))
    assert sorted(fields.values()) == ["2", "4"]
    form = fields | {"at": "MAIN", "sheet": "L7160", "skip": "0", "key": ids.new()}
    job = staff.post("/desk/labels/jobs", form | {"item": str(milk.id)})
    assert "4 labels are ready" in staff.get(job.location).text
    with world.app.app_context():
        assert len(list(db.session.scalars(select(Label.id)))) == 4
    many = form | {"item": str(milk.id), f"many-{milk.id}": "100001", "key": ids.new()}
    assert staff.post("/desk/labels/jobs", many).status_code == 422


@pytest.mark.parametrize(
    "form",
    [{"quantity": "0"}, {"quantity": "-1"}, {"quantity": "1.5"}, {"quantity": str(2**63)},
     {"key": ""}, {"code": ""}],
)  # fmt: skip
def test_scans_that_cannot_be_are_refused(
    world: World, staff: Visitor, form: dict[str, str]
) -> None:
    milk = world.item(on_hand=1)
    delivery = staff.post("/desk/deliveries", {"at": "MAIN", "key": ids.new()}).location
    number = delivery.split("/")[-1]
    asked = {"code": milk.code, "quantity": "1", "key": ids.new()} | form
    assert staff.post(f"/desk/slips/{number}/scans", asked).status_code == 422
    assert staff.post(f"{delivery}/bookings").status_code == 422, "nothing was scanned"
    assert world.left(milk) == 1
    assert staff.post(f"/desk/slips/{number}/cancellations").status_code == 303
    assert "Cancelled" in staff.get(delivery).text
    assert staff.post(f"{delivery}/bookings").status_code == 409


def test_a_code_that_nothing_has_is_told_and_scans_nothing(staff: Visitor) -> None:
    delivery = staff.post("/desk/deliveries", {"at": "MAIN", "key": ids.new()}).location
    number = delivery.split("/")[-1]
    staff.post(f"/desk/slips/{number}/scans", {"code": "NOTHING", "key": ids.new()})
    page = staff.get(delivery).text
    assert "Nothing has the code" in page and "0 pieces" in page


def test_goods_that_fill_a_shelf_beyond_measure_are_refused(
    world: World, app: Flask, sam: Somebody
) -> None:
    milk = world.item(on_hand=10)
    with app.app_context():
        with transaction():
            slip = slips.open_slip("delivery", world.location, sam.id)
            slips.scan(slip, milk.id, 10**9, sam.id, key="a" * 8)
        with pytest.raises(Invalid, match="No shelf holds"), transaction():
            purchases.book_delivery(slip, sam.id)
    assert world.left(milk) == 10
    assert world.faults() == []


def test_no_more_comes_in_of_what_is_no_longer_sold(
    app: Flask, world: World, runner: FlaskCliRunner
) -> None:
    """It is counted and written off all the same: what is there must be right."""
    sam, milk = world.staff(), world.item(on_hand=5)
    with app.app_context(), transaction():
        catalogue.archive_item(milk.id)
        slip = slips.open_slip("delivery", world.location, sam.id)
    staff, at = world.client_for(sam), {"code": milk.code, "at": "MAIN"}
    answer = staff.post("/desk/stock/receipts", at | {"seen": "0", "again": "1", "quantity": "2"})
    assert (answer.status_code, "is no longer sold" in answer.text) == (409, True)
    scan = {"code": milk.code, "quantity": "1", "key": "k" * 12}
    assert staff.post(f"/desk/slips/{slip}/scans", scan).status_code == 409
    told = runner.invoke(args=["stock", "receive", milk.code, "2"])
    assert (told.exit_code, "bring it back first" in told.stderr) == (1, True)
    assert staff.post("/desk/stock/counts", at | {"counted": "4"}).status_code == 303
    gone = at | {"quantity": "1", "why": "damaged", "key": "w" * 12}
    assert staff.post("/desk/stock/write-offs", gone).status_code == 303
    assert world.left(milk) == 3
    assert world.faults() == []
