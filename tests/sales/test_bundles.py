"""Bundles: sold as one at one price; what leaves the shelf and comes back are the parts."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from store import catalogue, identity, stock
from store.db import db, transaction
from store.errors import Invalid
from store.identity.tokens import issue_token
from tests.conftest import Clock
from tests.races.crowd import buy_at_once, wanted, words
from tests.world import Thing, World


def bundle(world: World, *parts: tuple[Thing, int], price: str = "5") -> Thing:
    """So many of each, sold as one."""
    with world.app.app_context(), transaction():
        added = catalogue.add_item(
            names={"en": "Breakfast"}, tax_rate_bp=1300, price_minor=round(float(price) * 100),
            currency=world.currency, parts={thing.id: many for thing, many in parts},
        )  # fmt: skip
        path = catalogue.item_path(added)
        return Thing(added.id, added.code, None, {"en": "Breakfast"}, 500, path)


def test_what_is_in_it_leaves_the_shelf_and_comes_back(world: World) -> None:
    milk, bread = world.item(on_hand=5), world.item("bread", on_hand=3)
    kit = bundle(world, (milk, 2), (bread, 1))
    sold = world.buy(world.member(funds="100"), (kit, 2))
    assert sold.total_minor == 1000
    assert [(line.item_id, line.quantity) for line in sold.lines] == [(kit.id, 2)]
    assert (world.left(milk), world.left(bread)) == (1, 1)
    assert world.faults() == []
    world.refund(sold, world.staff())
    assert (world.left(milk), world.left(bread), world.left(kit)) == (5, 3, 0)
    assert world.faults() == []


def test_a_part_in_a_bundle_and_alone_is_counted_together(world: World) -> None:
    milk, bread = world.item(on_hand=5), world.item("bread", on_hand=9)
    kit, lin = bundle(world, (milk, 2), (bread, 1)), world.member(funds="1000")
    for goods in ([(kit, 2), (milk, 2)], [(milk, 2), (kit, 2)], [(kit, 1), (kit, 2)], [(kit, 3)]):
        with pytest.raises(stock.OutOfStock):
            world.buy(lin, *goods)
    with pytest.raises(stock.OutOfStock) as refused:
        world.buy(lin, (kit, 3))
    assert refused.value.data == {"item": kit.code, "left": 2, "asked": 3}
    assert (world.left(milk), world.left(bread)) == (5, 9)
    world.buy(lin, (kit, 2), (milk, 1))
    assert (world.left(milk), world.left(bread)) == (0, 7)
    assert world.faults() == []


def test_the_page_says_how_many_its_parts_make(world: World) -> None:
    milk, bread = world.item(on_hand=5), world.item("bread", on_hand=9)
    kit = bundle(world, (milk, 2), (bread, 1))
    lin = world.client_for(world.member(funds="1000"))
    page = lin.get(kit.path).text
    assert "Last 2 on this shelf" in page
    assert f"2 × {milk.names['en']}" in page
    world.sale((milk, 4))
    assert "Sold out here" in lin.get(kit.path).text
    form = {"code": kit.code, "quantity": "1", "seen_minor": "500", "at": "MAIN"}
    lin.post("/basket/lines", form)
    assert "Sold out here" in lin.get("/basket").text


def test_the_page_shows_the_new_name_of_a_part(world: World) -> None:
    milk = world.item(on_hand=5)
    kit = bundle(world, (milk, 2))
    lin = world.client_for(world.member())
    assert f"2 × {milk.names['en']}" in lin.get(kit.path).text
    with world.app.app_context(), transaction():
        catalogue.edit_item(milk.id, names={"en": "Oat drink"})
    assert "2 × Oat drink" in lin.get(kit.path).text


def test_the_api_says_what_is_in_it(world: World) -> None:
    milk, bread = world.item(), world.item("bread")
    kit = bundle(world, (milk, 2), (bread, 1))
    lin = world.member()
    with world.app.app_context(), transaction():
        token = issue_token(identity.by_id(lin.id), ["items:read"])
    api = world.app.test_client()
    head = {"Authorization": f"Bearer {token}"}
    found = api.get(f"/api/v1/items/{kit.code}", headers=head).get_json()
    assert found["parts"] == [
        {"item": milk.code, "quantity": 2}, {"item": bread.code, "quantity": 1},
    ]  # fmt: skip
    assert api.get(f"/api/v1/items/{milk.code}", headers=head).get_json()["parts"] == []


def test_parts_leave_by_batch(world: World, clock: Clock) -> None:
    milk = world.item(on_hand=0, tracks_batches=True)
    with world.app.app_context(), transaction():
        batch = stock.open_batch(milk.id, "A")
        stock.receive(milk.id, world.location, 4, batch_id=batch)
    kit = bundle(world, (milk, 2))
    sold = world.buy(world.member(funds="100"), kit)
    with world.app.app_context():
        left = stock.in_batches([(milk.id, world.location)])
        assert [one.on_hand for one in left] == [2]
        db.session.rollback()
        with transaction():
            stock.call_back(batch, member_id=None)
    with pytest.raises(stock.OutOfStock):
        world.buy(world.member(funds="100"), kit)
    world.refund(sold, world.staff())
    with world.app.app_context():
        assert stock.in_batches([(milk.id, world.location)])[0].on_hand == 4
    assert world.faults() == []


def test_it_has_no_stock_of_its_own(world: World) -> None:
    milk = world.item(on_hand=5)
    kit = bundle(world, (milk, 2))
    with world.app.app_context():
        with pytest.raises(Invalid), transaction():
            stock.receive(kit.id, world.location, 1)
        with pytest.raises(Invalid), transaction():
            stock.count_to(kit.id, world.location, 1, member_id=None)
    assert world.left(kit) == 0
    assert world.faults() == []


def test_what_cannot_be_a_bundle_is_refused(world: World) -> None:
    milk = world.item(on_hand=5)
    kit = bundle(world, (milk, 2))
    nothing = Thing(999, "", None, {}, 0, "")
    for parts in ([(kit, 1)], [(milk, 0)], [(milk, 1000)], [(nothing, 1)]):
        with pytest.raises(Invalid):
            bundle(world, *parts)
    with world.app.app_context(), pytest.raises(Invalid), transaction():
        catalogue.edit_item(kit.id, tracks_batches=True)


def test_the_desk_adds_a_bundle_by_codes(world: World) -> None:
    milk, bread = world.item(on_hand=4), world.item("bread", on_hand=4)
    staff = world.client_for(world.staff())
    form = {"name_en": "Breakfast", "price": "5", "tax_rate": "13"}
    for wrong in ("NOTHING", "0 x D304", "2 × NOTHING"):
        assert staff.post("/desk/items", form, parts=wrong).status_code == 422
    parts = f"2 × {milk.code}, {bread.gtin}"
    answer = staff.post("/desk/items", form, parts=parts)
    assert answer.status_code == 303
    page = staff.get(answer.location).text
    assert "In this bundle" in page
    assert milk.names["en"] in page
    with world.app.app_context():
        query = text("SELECT item_id, quantity FROM bundle_parts ORDER BY item_id")
        rows = [tuple(row) for row in db.session.execute(query)]
    assert rows == [(milk.id, 2), (bread.id, 1)]


def test_buyers_at_once_of_bundles_and_parts_share_what_there_is(world: World) -> None:
    milk = world.item(on_hand=8, price="1")
    kit = bundle(world, (milk, 2))
    people = [world.member(funds="100") for _ in range(8)]
    asked = [
        wanted(world, one, (kit if at % 2 else milk, 1)) for at, one in enumerate(people)
    ]  # fmt: skip
    found = words(buy_at_once(world.app, [*asked, *[wanted(world, people[0], (kit, 1))] * 2]))
    assert found["sold"] + found["out_of_stock"] + found["again"] == 10
    assert world.left(milk) >= 0
    assert world.faults() == []
