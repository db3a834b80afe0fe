"""Offers where goods are sold: shelf, basket, till, order and provider take the same off, refunds
give back what was paid, and what may be had so many times is had no more often."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import event

from store import membership, sales
from store.db import db, shop_engine
from store.ids import new
from store.membership.models import OfferUse
from store.sales import Buy, Line, checkout
from store.sales.buying import Bought
from tests.conftest import Clock
from tests.membership.making import coupon, end, offer
from tests.world import Somebody, Thing, World

OFF = ': <span class="minus">−'


def _buy(world: World, who: Somebody, *goods: tuple[Thing, int], **more: object) -> sales.Receipt:
    lines = tuple(Line(item.id, many) for item, many in goods)
    bought = sales.buy(
        Buy(who.id, world.location, world.currency, lines, new(), **more)  # type: ignore[arg-type]
    )
    found = sales.receipt(bought.sale_id)
    assert found is not None
    return found


def test_three_for_two_is_charged_shown_and_given_back_to_the_coin(
    world: World, app: Flask
) -> None:
    lin, olga = world.member(funds="1000"), world.owner()
    milk, bread = world.item("oat-milk", price="4.00"), world.item("red-apple", price="10.01")
    with app.app_context():
        offer(world, "n_for_m", 3, 2, item_id=milk.id)
        offer(world, "percent", 10, item_id=bread.id, audience="members")
        sale = _buy(world, lin, (milk, 3), (bread, 1))
        assert [line.off_minor for line in sale.lines] == [400, 101]
        assert sale.total_minor == 800 + 900
        assert sale.lines[0].off[0][0]["en"] == "3 for 2"
        assert sale.lines[1].off[0][0]["en"] == "Members: 10% off"
        assert [tax.total_minor for tax in sale.taxes] and not sale.lines[0].on_top
        assert sum(tax.total_minor for tax in sale.taxes) == sale.total_minor
        # One by one, all of it comes back and no more.
        before = world.balance(lin)
        for _ in range(3):
            sales.refund(sale.id, made_by=olga.id, parts=[sales.Part(1, 1)])
        sales.refund(sale.id, made_by=olga.id)
        assert world.balance(lin) == before + sale.total_minor == 100_000
        given = sales.receipt(sale.id)
        assert given and [each.total_minor for each in given.refunds] == [266, 267, 267, 900]
    assert world.faults() == []


def test_an_offer_that_is_over_asks_before_it_charges_more(world: World, app: Flask) -> None:
    lin, milk = world.member(funds="100"), world.item("oat-milk", price="4.00", on_hand=20)
    with app.app_context():
        made = offer(world, "percent", 50)
    page = world.client_for(lin)
    shown = page.get(milk.path).text
    assert "50% off" in shown and 'name="seen_total" value="200"' in shown
    with app.app_context():
        end(made)
    form = {"code": milk.code, "quantity": "1", "key": new(), "seen_minor": "400"}
    refused = page.post("/sales", form | {"seen_total": "200"})
    assert refused.status_code == 409 and "An offer is over" in refused.text
    assert world.balance(lin) == 10_000 and world.left(milk) == 20
    # A new offer is taken off at once, whatever the page said.
    with app.app_context():
        offer(world, "amount", 100)
    assert page.post("/sales", form | {"seen_total": "400"}).status_code == 303
    assert world.balance(lin) == 10_000 - 300
    assert world.faults() == []


def test_a_shop_without_offers_asks_nothing_more(world: World, app: Flask) -> None:
    lin, milk = world.member(funds="100"), world.item("oat-milk", on_hand=30)
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    with app.app_context():
        event.listen(shop_engine(), "before_cursor_execute", note)
        _buy(world, lin, (milk, 1))
        event.remove(shop_engine(), "before_cursor_execute", note)
        assert not [one for one in said if "offer" in one or "coupon" in one.split("FROM")[0]]
        # With an offer, it is read once for all buys.
        offer(world, "percent", 10)
        _buy(world, lin, (milk, 1))
        said.clear()
        event.listen(shop_engine(), "before_cursor_execute", note)
        sale = _buy(world, lin, (milk, 1))
        event.remove(shop_engine(), "before_cursor_execute", note)
        assert sale.lines[0].off_minor and not [one for one in said if "FROM offers" in one]


def test_a_coupon_is_counted_and_holds_for_whom_it_is(world: World, app: Flask) -> None:
    lin, wu = world.member(funds="100"), world.member(funds="100")
    milk = world.item("oat-milk", price="4.00", on_hand=50)
    with app.app_context():
        coupon(world, "amount", 150, "TEN-OFF", uses=2, most_each=1)
        coupon(world, "percent", 50, "FIRST", audience="first")
        sale = _buy(world, lin, (milk, 2), coupon="ten-off")
        assert sale.total_minor == 650 and sale.lines[0].off[0][1] == 150
        for code, who, why in (
            ("TEN-OFF", lin, "used_by_you"), ("NOPE", lin, "unknown"), ("FIRST", lin, "first"),
        ):  # fmt: skip
            balance = world.balance(who)
            with pytest.raises(membership.CouponRefused) as refused:
                _buy(world, who, (milk, 1), coupon=code)
            assert refused.value.data["why"] == why and world.balance(who) == balance
        assert _buy(world, wu, (milk, 1), coupon="FIRST").total_minor == 200
        _buy(world, wu, (milk, 1), coupon="TEN-OFF")
        zhou = world.member(funds="10")
        with pytest.raises(membership.CouponRefused) as refused:
            _buy(world, zhou, (milk, 1), coupon="TEN-OFF")
        assert refused.value.data["why"] == "used_up"
    assert world.faults() == []


def test_a_first_purchase_is_the_first_in_a_batch_too(world: World, app: Flask) -> None:
    lin, milk = world.member(funds="100"), world.item("oat-milk", price="4.00", on_hand=50)
    with app.app_context():
        offer(world, "percent", 50, audience="first")
        line = (Line(milk.id, 1),)
        buys = [Buy(lin.id, world.location, world.currency, line, new()) for _ in range(3)]
        made = checkout.run(buys)
        totals = []
        for each in made:
            assert isinstance(each, Bought)
            found = sales.receipt(each.sale_id)
            totals.append(found.total_minor if found else None)
        assert totals == [200, 400, 400]
        assert db.session.query(OfferUse).count() == 1
    assert world.faults() == []


def test_the_basket_says_why_it_costs_less(world: World, app: Flask, clock: Clock) -> None:
    lin, milk = world.member(funds="100"), world.item("oat-milk", price="4.00", on_hand=50)
    with app.app_context():
        offer(world, "n_for_m", 3, 2)
        coupon(world, "percent", 25, "QUARTER", least_minor=500)
    page = world.client_for(lin)
    page.get(milk.path)
    page.post("/basket/lines", code=milk.code, quantity="3", seen_minor="400")
    page.post("/basket/coupon", coupon="quarter")
    shown = page.get("/basket").text
    assert f"3 for 2{OFF}" in shown and f"25% off{OFF}" in shown and "You save" in shown
    assert 'name="seen_total" value="600"' in shown
    page.client.get("/?lang=zh")
    assert "3 件付 2 件" in page.get("/basket").text
    page.client.get("/?lang=en")
    # Taken out, one line less: the coupon says why it takes nothing off, and is not in the way.
    found = re.search(r'name="line_id" value="(\d+)"', shown)
    assert found is not None
    line = found[1]
    page.post("/basket/quantity", line_id=line, quantity="1")
    shown = page.get("/basket").text
    assert "This coupon holds for goods of" in shown and "seen_total" not in shown
    page.post("/basket/quantity", line_id=line, quantity="3")
    shown = page.get("/basket").text
    key = shown.split('name="key" value="')[1].split('"')[0]
    paid = page.post("/basket/checkout", {f"seen-{milk.id}": "400"}, key=key, seen_total="600")
    assert paid.status_code == 303 and world.balance(lin) == 9400
    receipt = page.get(paid.location).text
    assert f"3 for 2{OFF}" in receipt and f"25% off{OFF}" in receipt
    assert world.faults() == []
