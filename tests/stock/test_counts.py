"""Counting a shelf: blind, while sales go on, by two at once, put right once."""

from __future__ import annotations

import pytest
from flask import Flask

from store import ids, stock
from store.db import transaction
from store.stock import counts, slips
from tests.stock.test_goods_in import scan
from tests.world import Somebody, Visitor, World


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.member("Sam", role="staff")


@pytest.fixture
def staff(world: World, sam: Somebody) -> Visitor:
    return world.client_for(sam)


def begun(staff: Visitor, shelf: str = "") -> str:
    return staff.post("/desk/counts", {"at": "MAIN", "shelf": shelf, "key": ids.new()}).location


def test_the_book_is_hidden_until_the_result(world: World, staff: Visitor) -> None:
    milk = world.item(on_hand=731)
    path = begun(staff)
    scan(staff, path, milk, quantity="729", how="set")
    assert "731" not in staff.get(path).text
    result = staff.get(f"{path}?result=1").text
    assert "731" in result and "−2" in result
    assert world.left(milk) == 731
    assert staff.post(f"{path}/approvals").status_code == 303
    assert world.left(milk) == 729
    assert "Approved by Sam" in staff.get(path).text
    assert world.faults() == []


def test_sales_before_and_after_an_item_is_counted_are_no_difference(
    world: World, staff: Visitor
) -> None:
    lin = world.member(funds="1000")
    milk, bread = world.item(on_hand=10), world.item("bread", on_hand=6)
    path = begun(staff)
    scan(staff, path, milk, quantity="9", how="set")  # One is missing.
    world.buy(lin, (milk, 3))
    world.buy(lin, (bread, 2))
    scan(staff, path, bread, quantity="4", how="set")  # All are there.
    world.buy(lin, bread)
    assert staff.post(f"{path}/approvals").status_code == 303
    assert (world.left(milk), world.left(bread)) == (6, 3)
    assert world.faults() == []


def test_what_was_sold_while_it_was_counted_is_counted_again(world: World, staff: Visitor) -> None:
    lin, milk = world.member(funds="1000"), world.item(on_hand=10)
    path = begun(staff)
    for _ in range(4):
        scan(staff, path, milk)
    world.buy(lin, (milk, 2))
    scan(staff, path, milk, quantity="4")
    assert "count again" in staff.get(f"{path}?result=1").text
    refused = staff.post(f"{path}/approvals")
    assert refused.status_code == 409 and "count_again" in refused.text
    scan(staff, path, milk, quantity="8", how="set")
    assert staff.post(f"{path}/approvals").status_code == 303
    assert world.left(milk) == 8
    assert world.faults() == []


def test_two_count_one_shelf_and_go_on_after_a_break(world: World, staff: Visitor) -> None:
    milk, bread, honey = world.item(), world.item("bread"), world.item("honey", on_hand=5)
    with world.app.app_context(), transaction():
        for thing in (milk, bread, honey):
            stock.put_on_shelf(thing.id, world.location, "A4")
    path = begun(staff, "a4")
    mei = world.client_for(world.member("Mei", role="staff"))
    scan(staff, path, milk, quantity="7")
    scan(mei, path, milk, quantity="3")
    scan(mei, path, bread, quantity="8", how="set")
    assert path in mei.get("/desk/counts").text, "it can be found and gone on with"
    page = staff.get(path).text
    assert "Not counted yet" in page and "Acacia honey" in page
    scan(staff, path, honey, quantity="0", how="set")
    assert "Not counted yet" not in staff.get(path).text
    assert staff.post(f"{path}/approvals").status_code == 303
    assert [world.left(one) for one in (milk, bread, honey)] == [10, 8, 0]
    assert mei.post(f"{path}/approvals").status_code == 409
    assert world.faults() == []


def test_a_count_answers_the_tasks_about_its_items(world: World, staff: Visitor) -> None:
    milk = world.item(on_hand=3)
    world.visitor().post("/shelf-reports", code=milk.code, at="MAIN")
    path = begun(staff)
    scan(staff, path, milk, quantity="0", how="set")
    staff.post(f"{path}/approvals")
    assert world.left(milk) == 0
    assert "Nothing to do here" in staff.get("/desk/tasks").text


def test_a_count_that_is_older_than_another_is_refused(
    world: World, app: Flask, sam: Somebody
) -> None:
    milk = world.item(on_hand=10)
    with app.app_context():
        with transaction():
            first, second = (slips.open_slip("count", world.location, sam.id) for _ in range(2))
            for slip in (first, second):
                slips.scan(slip, milk.id, 8, sam.id, key=ids.new(), anew=True)
        with transaction():
            assert counts.approve(first, sam.id) == {milk.id: -2}
        with pytest.raises(counts.CountAgain) as refused, transaction():
            counts.approve(second, sam.id)
        assert refused.value.data == {"items": [milk.code]}
        with transaction():
            slips.scan(second, milk.id, 8, sam.id, key=ids.new(), anew=True)
        with transaction():
            assert counts.approve(second, sam.id) == {milk.id: 0}
    assert world.left(milk) == 8
    assert world.faults() == []


def test_a_difference_that_is_no_longer_on_hand_is_counted_again(
    world: World, staff: Visitor
) -> None:
    lin, milk = world.member(funds="1000"), world.item(on_hand=10)
    path = begun(staff)
    scan(staff, path, milk, quantity="4", how="set")
    world.buy(lin, (milk, 8))  # More than were counted: somebody has found the others.
    assert staff.post(f"{path}/approvals").status_code == 409
    assert world.left(milk) == 2
    assert world.faults() == []


def test_nothing_counted_cannot_be_approved_but_cancelled(world: World, staff: Visitor) -> None:
    path = begun(staff)
    assert staff.post(f"{path}/approvals").status_code == 422
    number = path.split("/")[-1]
    assert staff.post(f"/desk/slips/{number}/cancellations").status_code == 303
    assert staff.post(f"{path}/approvals").status_code == 409
