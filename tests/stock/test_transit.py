"""Transfers: goods leave a place, are in transit, and arrive, with what differs written down."""

from __future__ import annotations

import pytest

from store import ids, stock
from tests.stock.test_goods_in import scan
from tests.world import Somebody, Thing, Visitor, World


@pytest.fixture
def mill(world: World) -> int:
    return world.place("MILL", "Mill Street")


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.member("Sam", role="staff")


@pytest.fixture
def staff(world: World, sam: Somebody) -> Visitor:
    return world.client_for(sam)


def begun(staff: Visitor) -> str:
    form = {"at": "MAIN", "target": "MILL", "key": ids.new()}
    return staff.post("/desk/transfers", form).location


def on_the_way(world: World, thing: Thing) -> int:
    with world.app.app_context():
        places = [each.id for each in stock.locations(transit=True) if each.kind == "transit"]
        return sum(stock.levels([(thing.id, place) for place in places]).values())


def incoming(world: World, thing: Thing, place: int) -> int:
    with world.app.app_context():
        return stock.available([thing.id], [place])[thing.id, place].incoming


def test_goods_leave_are_in_transit_and_arrive(world: World, staff: Visitor, mill: int) -> None:
    milk = world.item(on_hand=10)
    path = begun(staff)
    scan(staff, path, milk, quantity="4")
    assert world.left(milk) == 10
    assert staff.post(f"{path}/departures").status_code == 303
    assert (world.left(milk), on_the_way(world, milk), world.left(milk, mill)) == (6, 4, 0)
    assert incoming(world, milk, mill) == 4
    assert "In transit" in staff.get(f"/desk/stock?code={milk.code}").text
    scan(staff, path, milk, quantity="4")
    assert staff.post(f"{path}/arrivals").status_code == 303
    assert (world.left(milk), on_the_way(world, milk), world.left(milk, mill)) == (6, 0, 4)
    assert incoming(world, milk, mill) == 0
    assert "Everything has arrived" in staff.get(path).text
    assert world.faults() == []


def test_what_is_missing_is_written_off_and_what_is_too_many_found(
    world: World, staff: Visitor, mill: int
) -> None:
    milk, bread = world.item(on_hand=10), world.item("bread", on_hand=10)
    path = begun(staff)
    scan(staff, path, milk, quantity="5")
    scan(staff, path, bread, quantity="2")
    staff.post(f"{path}/departures")
    scan(staff, path, milk, quantity="3")
    scan(staff, path, bread, quantity="3")
    page = staff.get(path).text
    assert "2 missing" in page and "1 too many" in page
    staff.post(f"{path}/arrivals")
    assert (world.left(milk, mill), world.left(bread, mill)) == (3, 3)
    assert (on_the_way(world, milk), on_the_way(world, bread)) == (0, 0)
    assert "Goods in transit differ" in staff.get("/desk/tasks").text
    owner = world.client_for(world.owner())
    assert "Lost on the way" in owner.get("/owner/write-offs").text
    assert world.faults() == []


def test_a_second_tap_sends_and_takes_in_nothing_more(
    world: World, staff: Visitor, mill: int
) -> None:
    milk = world.item(on_hand=10)
    path = begun(staff)
    scan(staff, path, milk, quantity="4")
    assert [staff.post(f"{path}/departures").status_code for _ in range(2)] == [303, 409]
    number = path.split("/")[-1]
    assert staff.post(f"/desk/slips/{number}/cancellations").status_code == 409, "it has left"
    scan(staff, path, milk, quantity="4")
    assert [staff.post(f"{path}/arrivals").status_code for _ in range(2)] == [303, 409]
    assert (world.left(milk), world.left(milk, mill)) == (6, 4)
    assert world.faults() == []


def test_more_than_there_is_does_not_leave(world: World, staff: Visitor, mill: int) -> None:
    milk, bread = world.item(on_hand=3), world.item("bread", on_hand=3)
    path = begun(staff)
    scan(staff, path, bread, quantity="3")
    scan(staff, path, milk, quantity="4")
    assert staff.post(f"{path}/arrivals").status_code == 422, "it has not left"
    assert staff.post(f"{path}/departures").status_code == 409
    assert (world.left(bread), on_the_way(world, bread)) == (3, 0)
    scan(staff, path, milk, quantity="3", how="set")
    assert staff.post(f"{path}/departures").status_code == 303
    assert world.faults() == []


def test_nobody_shops_or_works_where_goods_are_in_transit(
    world: World, staff: Visitor, mill: int
) -> None:
    milk = world.item(on_hand=10)
    path = begun(staff)
    scan(staff, path, milk, quantity="4")
    staff.post(f"{path}/departures")
    assert world.visitor().get(f"{milk.path}?at=TRANSIT").status_code == 404
    lin = world.client_for(world.member(funds="100"))
    form = {
        "code": milk.code,
        "quantity": "1",
        "key": ids.new(),
        "seen_minor": str(milk.price_minor),
    }
    assert lin.post("/sales", form | {"at": "TRANSIT"}).status_code == 404
    form = {"at": "TRANSIT", "target": "MILL", "key": ids.new()}
    assert staff.post("/desk/transfers", form).status_code == 404
    assert "In transit" not in staff.get("/desk/transfers").text.partition("</form>")[0]
    assert on_the_way(world, milk) == 4


def test_a_place_sends_nothing_to_itself(staff: Visitor, mill: int) -> None:
    form = {"at": "MAIN", "target": "MAIN", "key": ids.new()}
    assert staff.post("/desk/transfers", form).status_code == 422
