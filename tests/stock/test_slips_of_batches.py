"""Slips of goods that are tracked by batch: what a pack says is booked, sent, and arrives so."""

from __future__ import annotations

from datetime import date

import pytest

from store import catalogue, ids, stock
from store.db import transaction
from store.stock import batches
from tests.stock.test_goods_in import scan
from tests.world import Somebody, Thing, Visitor, World

SOON, LATE = date(2027, 4, 30), date(2027, 9, 30)
Stacks = dict[tuple[str, str], int]


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.member("Sam", role="staff")


@pytest.fixture
def staff(world: World, sam: Somebody) -> Visitor:
    return world.client_for(sam)


@pytest.fixture
def yoghurt(world: World) -> Thing:
    return world.item(on_hand=0, tracks_batches=True)


@pytest.fixture
def mill(world: World) -> int:
    return world.place("MILL", "Mill Street")


def delivery(staff: Visitor) -> str:
    return staff.post("/desk/deliveries", {"supplier": "", "at": "MAIN", "key": ids.new()}).location


def transfer(staff: Visitor) -> str:
    form = {"at": "MAIN", "target": "MILL", "key": ids.new()}
    return staff.post("/desk/transfers", form).location


def pack(thing: Thing, batch: str, last: str = "270430", ai: str = "17") -> str:
    """The code on a pack: GTIN, batch, last day."""
    return f"(01){thing.gtin}({ai}){last}(10){batch}"


def come_in(world: World, item: Thing, code: str, last: date | None, many: int) -> None:
    with world.app.app_context(), transaction():
        batch = stock.open_batch(item.id, code, last)
        stock.receive(item.id, world.location, many, batch_id=batch)


def there(world: World, item: Thing) -> Stacks:
    """On hand by place and batch; of none as ""."""
    found: Stacks = {}
    with world.app.app_context():
        places = stock.locations(every=True, transit=True)
        for (_, place), many in stock.levels([(item.id, each.id) for each in places]).items():
            found[next(each.code for each in places if each.id == place), ""] = many
        for one in stock.in_batches([(item.id, each.id) for each in places]):
            code = next(each.code for each in places if each.id == one.location_id)
            found[code, one.code] = one.on_hand
            found[code, ""] -= one.on_hand
    return {key: many for key, many in found.items() if many}


def test_a_scanned_pack_says_its_batch_and_its_last_day(
    world: World, staff: Visitor, yoghurt: Thing
) -> None:
    path = delivery(staff)
    for code in (pack(yoghurt, "A/1"), pack(yoghurt, "A/1"), pack(yoghurt, "B", "270900", "15")):
        scan(staff, path, yoghurt, code=code)
    # A case has bars with separators in them; a hand scanner sends them, or spells them.
    for apart in ("\x1d", "<GS>"):
        scan(staff, path, yoghurt, code=f"]C101{yoghurt.gtin}10C{apart}17270930")
    page = staff.get(f"{path}?item={yoghurt.id}").text
    assert "A/1" in page and "until 30 September 2027" in page
    scan(staff, path, yoghurt, batch="A/1", quantity="5", how="set")
    assert there(world, yoghurt) == {}
    assert staff.post(f"{path}/bookings").status_code == 303
    assert there(world, yoghurt) == {("MAIN", "A/1"): 5, ("MAIN", "B"): 1, ("MAIN", "C"): 2}
    with world.app.app_context():
        known = {
            one.code: one.expires_on for one in batches.in_batches([(yoghurt.id, world.location)])
        }
    assert known == {"A/1": SOON, "B": LATE, "C": LATE}
    assert "until 30 April 2027" in staff.get(path).text
    assert world.faults() == []


def test_where_the_code_says_no_batch_the_page_asks_for_it(
    world: World, staff: Visitor, yoghurt: Thing
) -> None:
    path = delivery(staff)
    number = path.split("/")[-1]
    form = {"code": yoghurt.gtin, "quantity": "4", "key": ids.new()}
    asked = staff.post(f"/desk/slips/{number}/scans", form)
    assert asked.location == f"{path}?item={yoghurt.id}&many=4"
    page = staff.get(asked.location).text
    assert "Which batch is it?" in page and 'value="4"' in page
    assert staff.post(f"{path}/bookings").status_code == 422, "nothing was scanned"
    scan(staff, path, yoghurt, batch="L7", expires_on="2027-04-30", quantity="4")
    scan(staff, path, yoghurt, batch=pack(yoghurt, "L8"))  # Scanned into the field of the batch.
    for batch in ("A B", "x" * 21, "麦"):
        form = {"code": yoghurt.gtin, "batch": batch, "key": ids.new()}
        assert staff.post(f"/desk/slips/{number}/scans", form).status_code == 422
    form = {"code": yoghurt.gtin, "batch": "L7", "expires_on": "30.4.2027", "key": ids.new()}
    assert staff.post(f"/desk/slips/{number}/scans", form).status_code == 422
    staff.post(f"{path}/bookings")
    assert there(world, yoghurt) == {("MAIN", "L7"): 4, ("MAIN", "L8"): 1}
    assert world.faults() == []


def test_another_last_day_of_a_known_batch_is_refused_at_the_scan(
    world: World, staff: Visitor, yoghurt: Thing
) -> None:
    come_in(world, yoghurt, "A", SOON, 1)
    path = delivery(staff)
    form = {"code": pack(yoghurt, "A", "270501"), "key": ids.new()}
    answer = staff.post(f"/desk/slips/{path.split('/')[-1]}/scans", form)
    page = staff.get(answer.location).text
    assert "known with the last day 2027-04-30" in page
    scan(staff, path, yoghurt, code=pack(yoghurt, "A"))
    staff.post(f"{path}/bookings")
    assert there(world, yoghurt) == {("MAIN", "A"): 2}


def test_what_changed_after_the_scan_stops_the_booking_and_nothing_moves(
    world: World, staff: Visitor, yoghurt: Thing
) -> None:
    milk, bread = yoghurt, world.item("bread", on_hand=0)
    with world.app.app_context(), transaction():
        catalogue.edit_item(milk.id, tracks_batches=False)
    path = delivery(staff)
    for thing in (milk, bread):
        scan(staff, path, thing)
    order = staff.post(
        "/desk/purchases", {"at": "MAIN", "supplier": "Dairy", "key": ids.new()}
    ).location
    scan(staff, order, milk)
    with world.app.app_context(), transaction():
        catalogue.archive_item(milk.id)
    assert staff.post(f"{path}/bookings").status_code == 409
    assert staff.post(f"{order}/sendings").status_code == 409
    assert (world.left(milk), world.left(bread)) == (0, 0)
    with world.app.app_context(), transaction():
        catalogue.bring_back(milk.id)
        catalogue.edit_item(bread.id, tracks_batches=True)
    refused = staff.post(f"{path}/bookings")
    assert refused.status_code == 409 and "batch" in refused.text
    assert (world.left(milk), world.left(bread)) == (0, 0)
    scan(staff, path, bread, batch="", quantity="0", how="set")
    scan(staff, path, bread, batch="C")
    assert staff.post(f"{path}/bookings").status_code == 303
    assert there(world, bread) == {("MAIN", "C"): 1}
    assert world.faults() == []


def test_a_transfer_takes_the_batch_that_the_pack_names(
    world: World, staff: Visitor, yoghurt: Thing, mill: int
) -> None:
    come_in(world, yoghurt, "A", SOON, 3)
    come_in(world, yoghurt, "B", LATE, 3)
    world.stock(yoghurt, 2)
    late, any_of_it = transfer(staff), transfer(staff)
    scan(staff, late, yoghurt, code=pack(yoghurt, "B", "270930"), quantity="2")
    scan(staff, late, yoghurt, batch="C")  # In the book without a batch.
    scan(staff, any_of_it, yoghurt, quantity="2")
    for path in (late, any_of_it):
        assert staff.post(f"{path}/departures").status_code == 303
    assert there(world, yoghurt) == {
        ("MAIN", "A"): 1, ("MAIN", "B"): 1, ("MAIN", ""): 1,
        ("TRANSIT", "A"): 2, ("TRANSIT", "B"): 2, ("TRANSIT", "C"): 1,
    }  # fmt: skip
    # Each slip brings what left with it, though A would be the first to expire.
    scan(staff, late, yoghurt, quantity="3")
    staff.post(f"{late}/arrivals")
    assert there(world, yoghurt)["MILL", "B"] == 2
    scan(staff, any_of_it, yoghurt, quantity="2")
    staff.post(f"{any_of_it}/arrivals")
    assert there(world, yoghurt) == {
        ("MAIN", "A"): 1, ("MAIN", "B"): 1, ("MAIN", ""): 1,
        ("MILL", "A"): 2, ("MILL", "B"): 2, ("MILL", "C"): 1,
    }  # fmt: skip
    assert world.faults() == []


def test_what_arrives_is_of_the_batch_that_its_pack_names(
    world: World, staff: Visitor, yoghurt: Thing, mill: int
) -> None:
    """Sent without a look at the packs: the book took the first to expire, the hand another."""
    come_in(world, yoghurt, "A", SOON, 3)
    come_in(world, yoghurt, "B", LATE, 3)
    path = transfer(staff)
    scan(staff, path, yoghurt, quantity="4")  # A, A, A, B by the book.
    staff.post(f"{path}/departures")
    scan(staff, path, yoghurt, batch="B", quantity="2")
    scan(staff, path, yoghurt, quantity="1")
    assert "1 missing" in staff.get(path).text
    staff.post(f"{path}/arrivals")
    assert there(world, yoghurt) == {("MAIN", "B"): 2, ("MILL", "A"): 1, ("MILL", "B"): 2}
    back = transfer(staff)
    scan(staff, back, yoghurt, batch="B", quantity="2")
    staff.post(f"{back}/departures")
    scan(staff, back, yoghurt, batch="B", quantity="3")
    staff.post(f"{back}/arrivals")
    assert there(world, yoghurt) == {("MILL", "A"): 1, ("MILL", "B"): 5}
    assert world.faults() == []


def test_more_of_a_batch_than_there_is_does_not_leave(
    world: World, staff: Visitor, yoghurt: Thing, mill: int
) -> None:
    come_in(world, yoghurt, "A", SOON, 3)
    come_in(world, yoghurt, "B", LATE, 3)
    path = transfer(staff)
    scan(staff, path, yoghurt, batch="B", quantity="4")
    assert staff.post(f"{path}/departures").status_code == 409
    assert there(world, yoghurt) == {("MAIN", "A"): 3, ("MAIN", "B"): 3}
    assert world.faults() == []


def test_a_bundle_has_no_stock_to_come_in(world: World, staff: Visitor, yoghurt: Thing) -> None:
    bread = world.item("bread")
    with world.app.app_context(), transaction():
        box = catalogue.add_item(
            names={"en": "Box"}, price_minor=900, currency=world.currency, tax_rate_bp=0,
            parts={bread.id: 2},
        )  # fmt: skip
        code = box.code
    path = delivery(staff)
    form = {"code": code, "key": ids.new()}
    assert staff.post(f"/desk/slips/{path.split('/')[-1]}/scans", form).status_code == 422
