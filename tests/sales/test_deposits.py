"""Deposits: a line of their own in every buy, owed until the bottle comes back, paid out once."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from store import catalogue, clock, ids, payment, sales
from store.db import db, transaction
from store.errors import Invalid
from store.reports import oracle
from store.sales.buying import Buy, Line, PriceRose
from store.sales.orders import fulfilment
from store.sales.refunds.refunds import Part
from store.sales.returns import hand_ins
from store.sales.rounding import tendered
from store.sales.till import empties
from store.sales.till.empties import Returned, sell_with, take_back
from tests.sales.test_bundles import bundle
from tests.world import Somebody, Thing, Visitor, World

NAMES = {"en": "Glass bottle", "zh": "玻璃瓶"}


@pytest.fixture
def bottle(world: World) -> int:
    """A deposit of 0.25; answers its id."""
    with world.app.app_context(), transaction():
        return catalogue.add_deposit(NAMES, 25, world.currency).item_id


@pytest.fixture
def milk(world: World, bottle: int) -> Thing:
    return world.item(price="2.00", on_hand=20, deposit_id=bottle)


def owed(world: World) -> int:
    with world.app.app_context():
        return sum(each.owed_minor for each in empties.owed(world.currency))


def lines(sale: sales.Receipt) -> list[tuple[str, int, int, int]]:
    return [(each.kind, each.quantity, each.total_minor, each.tax_minor) for each in sale.lines]


def test_it_adds_itself_to_a_buy_and_goes_back_with_its_item(world: World, milk: Thing) -> None:
    lin = world.member(funds="100")
    sold = world.buy(lin, (milk, 3), world.item("bread", price="5"))
    assert lines(sold) == [
        ("goods", 3, 600, 69), ("goods", 1, 500, 58), ("deposit", 3, 75, 0),
    ]  # fmt: skip
    assert (sold.total_minor, sold.pieces, sold.lines[2].of_position) == (1175, 4, 1)
    assert world.balance(lin) == 10_000 - 1175
    assert (owed(world), world.faults()) == (75, [])
    with world.app.app_context():
        sales.refund(sold.id, made_by=world.staff().id, parts=[Part(1, 1)])
    assert (world.balance(lin), owed(world), world.faults()) == (10_000 - 1175 + 225, 50, [])
    with world.app.app_context(), pytest.raises(Invalid):
        sales.refund(sold.id, made_by=world.staff().id, parts=[Part(3, 1)])
    world.refund(sold, world.staff())
    assert (world.balance(lin), owed(world), world.faults()) == (10_000, 0, [])


def test_of_a_bundle_every_bottle_counts(world: World, milk: Thing) -> None:
    kit = bundle(world, (milk, 6), price="10")
    lin = world.member(funds="100")
    sold = world.buy(lin, (kit, 2))
    assert lines(sold)[1:] == [("deposit", 12, 300, 0)]
    with world.app.app_context():
        sales.refund(sold.id, made_by=world.staff().id, parts=[Part(1, 1)])
    assert (world.balance(lin), owed(world)) == (10_000 - 2300 + 1150, 150)
    assert world.faults() == []


def test_taxed_as_the_owner_says(world: World) -> None:
    with world.app.app_context(), transaction():
        crate = catalogue.add_deposit({"en": "Crate"}, 113, world.currency, 1300)
    sold = world.sale(world.item(price="2.00", deposit_id=crate.item_id, tax_rate_bp=0))
    assert (lines(sold)[1], sold.tax_minor) == (("deposit", 1, 113, 13), 13)


def test_an_order_on_the_web_carries_it_and_gives_it_back(world: World, milk: Thing) -> None:
    world.zone((5000, "6"))
    lin = world.member(funds="100")
    order = world.order(lin, (milk, 2))
    assert [each.kind for each in order.lines] == ["goods", "deposit", "shipping"]
    assert order.total_minor == 400 + 50 + 600
    assert (owed(world), world.faults()) == (50, [])
    with world.app.app_context():
        fulfilment.cancel(order.id, made_by=lin.id, member_id=lin.id)
    assert (world.balance(lin), owed(world), world.faults()) == (10_000, 0, [])


def test_a_return_brings_it_back(world: World, milk: Thing) -> None:
    lin, sam = world.member(funds="100"), world.staff()
    sold = world.buy(lin, (milk, 2))
    with world.app.app_context():
        received = hand_ins.hand_in(
            hand_ins.HandIn(sold.id, world.location, sam.id,
                            [hand_ins.Decision(1, 1, "scrap")], ids.new())
        )  # fmt: skip
    assert (received.total_minor, owed(world), world.faults()) == (225, 25, [])


def test_a_price_without_it_is_no_price_that_was_shown(world: World, milk: Thing) -> None:
    lin = world.member(funds="100")
    wanted = Buy(lin.id, world.location, world.currency, (Line(milk.id, 1, 200),), ids.new())
    with world.app.app_context():
        with pytest.raises(PriceRose) as rose:
            sales.buy(wanted)
        assert rose.value.data["rises"][0]["price_minor"] == 225
        shown = dataclasses.replace(wanted, lines=(Line(milk.id, 1, 225),))
        assert sales.buy(shown).sale_id


def back(world: World, by: Somebody, bottle: int, many: int = 2, **other: Any) -> Returned:
    return Returned(world.location, world.currency, {bottle: many}, ids.new(), by.id, **other)


def test_empties_are_paid_out_once(world: World, milk: Thing, bottle: int) -> None:
    world.sale((milk, 4))
    lin, sam = world.member(), world.staff()
    asked = back(world, sam, bottle, member_id=lin.id, means="account")
    with world.app.app_context():
        first = take_back(asked)
        assert take_back(asked) == first == (first[0], 50)
        assert take_back(back(world, sam, bottle, 1))[1] == 25  # In cash, to nobody known.
        for wrong in (
            {"quantities": {bottle: 3}}, {"member_id": None}, {"quantities": {}, "key": "k"},
            {"quantities": {bottle: 0}, "key": "k"}, {"quantities": {bottle: 1000}, "key": "k"},
            {"quantities": {milk.id: 1}, "key": "k"}, {"means": "card", "key": "k"},
        ):  # fmt: skip
            with pytest.raises((Invalid, payment.KeyReused)):
                take_back(dataclasses.replace(asked, **wrong))
    assert (world.balance(lin), owed(world), world.faults()) == (50, 25, [])


def test_empties_come_off_the_sale_at_hand(world: World, milk: Thing, bottle: int) -> None:
    sam, bread = world.staff(), world.item("bread", price="1.00")

    def sell(thing: Thing, many: int, means: str) -> tuple[str, int]:
        wanted = Buy(None, world.location, world.currency, (Line(thing.id, 1),), ids.new(), "till",
                     sam.id, means=means)  # fmt: skip
        empties_ = dataclasses.replace(back(world, sam, bottle, many), means=means, key=wanted.key)
        bought, left = sell_with(wanted, empties_)
        assert sell_with(wanted, empties_) == (dataclasses.replace(bought, repeated=True), left)
        return bought.sale_id, left

    with world.app.app_context():
        sale_id, left = sell(milk, 4, "cash")
        assert left == 225 - 100
        receipt = sales.receipt(sale_id)
        assert receipt and tendered(receipt) == (100, 0, 125)
        assert sell(bread, 6, "cash")[1] == -50
        with pytest.raises(Invalid):
            sell(bread, 6, "card")
    assert world.left(bread) == 9  # A refusal changes nothing.
    assert (owed(world), world.faults()) == (25 - 250, [])


def test_the_audit_sees_what_is_off(world: World, milk: Thing, bottle: int) -> None:
    world.sale((milk, 4))
    with world.app.app_context():
        take_back(back(world, world.staff(), bottle))
        with transaction() as session:
            session.execute(text("DELETE FROM transfers WHERE reason = 'empties'"))
        found = {each.name for each in oracle.audit() if each.count}
        db.session.rollback()
    assert {"deposits_owed_off", "empties_not_paid_once"} <= found


def test_a_till_without_network_charged_it(world: World, milk: Thing) -> None:
    sam = world.staff()

    def told(deposit: int) -> sales.Receipt:
        asked = sales.OfflineSale(
            None, world.location, world.currency, (sales.Charged(milk.id, 2, 200, deposit),),
            ids.new(), "cash", sam.id, clock.now() - timedelta(minutes=5),
        )  # fmt: skip
        found = sales.receipt(sales.take_in(asked)[0].sale_id)
        assert found
        return found

    with world.app.app_context():
        assert [each.kind for each in told(25).lines] == ["goods", "deposit"]
        odd = told(30)  # No kind of that amount: what was charged is in the price.
        assert [(each.kind, each.total_minor) for each in odd.lines] == [("goods", 460)]
        assert [each.kind for each in told(0).lines] == ["goods"]
    assert (owed(world), world.faults()) == (50, [])


def test_pages_show_it_apart(world: World, milk: Thing) -> None:
    lin = world.member(funds="100")
    page = (phone := world.client_for(lin)).get(milk.path).text
    assert "+ ¥0.25 deposit" in page and "Pay <b>¥2.25</b>" in page
    seen = re.search(r'name="seen_minor" value="(\d+)"', page)
    assert seen and seen[1] == "225"
    form = {"code": milk.code, "quantity": "2", "seen_minor": "225", "at": "MAIN"}
    phone.post("/basket/lines", form)
    basket = phone.get("/basket").text
    assert "Deposits" in basket and "Pay <b>¥4.50</b>" in basket and "has gone up" not in basket
    key = re.search(r'name="key" value="(\w+)"', basket)
    assert key and f'name="seen-{milk.id}" value="225"' in basket
    paid = phone.post("/basket/checkout", {"key": key[1], f"seen-{milk.id}": "225"})
    assert "Glass bottle" in phone.get(paid.location).text
    assert world.faults() == []


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def test_staff_take_empties_back(world: World, milk: Thing, bottle: int) -> None:
    lin = world.member()
    desk = world.client_for(world.staff())
    page = desk.get(desk.get(f"/desk/empties?code={milk.code}").location).text
    page = desk.get(f"/desk/empties?who={lin.email}&empties-{bottle}=3").location
    page = desk.get(page).text
    assert "To the account <b>¥0.75</b>" in page
    form = {"key": field(page, "key"), "member": str(lin.id), f"empties-{bottle}": "3"}
    assert desk.post("/desk/empties", form | {"means": "account"}).status_code == 303
    assert world.balance(lin) == 75
    assert "went to the account" in desk.get("/desk/empties").text
    assert "−¥0.75" in (kinds := desk.get("/desk/deposits").text) or "-¥0.75" in kinds


def test_the_till_takes_empties_off(world: World, milk: Thing, bottle: int) -> None:
    till: Visitor = world.client_for(world.staff())
    name = f"empties-{bottle}"
    added = till.post("/desk/till/lines", {"code": milk.code, name: "2"})
    page = till.get(added.location).text
    assert "Cash <b>¥1.75</b>" in page
    form = {"key": field(page, "key"), f"seen-{milk.id}": "225", "means": "cash", name: "2"}
    paid = till.post("/desk/till/sales", form | {"given": "2"})
    receipt = till.get(paid.location).text
    assert "Empties taken back" in receipt and "¥0.25" in receipt
    assert (owed(world), world.faults()) == (25 - 50, [])


def test_an_owner_makes_a_kind_and_an_item_carries_it(world: World, milk: Thing) -> None:
    desk = world.client_for(world.owner())
    for wrong in ({"amount": "0"}, {"amount": "x"}, {"amount": "1", "tax_rate": "200"}):
        assert desk.post("/desk/deposits", {"name_en": "Can", **wrong}).status_code == 422
    assert desk.post("/desk/deposits", name_en="Can", amount="0.10").status_code == 303
    with world.app.app_context():
        can = catalogue.deposits(world.currency)[-1]
        assert (can.names, can.amount_minor, can.tax_rate_bp) == ({"en": "Can"}, 10, 0)
    assert f'value="{can.item_id}"' in desk.get(f"/desk/items/{milk.id}").text
    form = {"name_en": "Milk", "tax_rate": "9", "deposit": str(can.item_id)}
    assert desk.post(f"/desk/items/{milk.id}", form).status_code == 303
    assert world.sale(milk).lines[1].unit_minor == 10
    form["deposit"] = str(milk.id)
    assert desk.post(f"/desk/items/{milk.id}", form).status_code == 422
