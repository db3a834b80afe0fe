"""The owner's pages of offers, and what tills, orders, providers and the API make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from store.identity import passwords
from store.ids import new
from tests.membership.making import coupon, offer
from tests.races.crowd import token_of
from tests.world import World

OFF = ': <span class="minus">−'


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


def test_an_offer_from_trying_it_to_its_end(
    world: World, app: Flask, runner: FlaskCliRunner
) -> None:
    milk = world.item("oat-milk", price="4.00")
    olga, lin = world.client_for(world.owner()), world.client_for(world.member(funds="50"))
    form = {"kind": "n_for_m", "value": "3", "pays": "2", "item": milk.code,
            "preview": milk.code, "preview_many": "7"}  # fmt: skip
    tried = olga.post("/owner/offers/preview", form)
    assert tried.status_code == 200 and "20.00" in tried.text and "−" in tried.text
    assert "No offers yet" in tried.text
    for bad in (
        {"pays": "3"}, {"value": "1"}, {"kind": "free"}, {"item": "NOPE"}, {"starts": "soon"},
        {"ends": "2001-01-01T00:00"}, {"day": "9"}, {"from": "17:00"}, {"by_code": "1"},
        {"category": "99999"}, {"channel": "air"}, {"place": "MOON"}, {"value": "9" * 16},
    ):  # fmt: skip
        assert olga.post("/owner/offers", form | bad).status_code in (404, 422), bad
    assert "No offers yet" in olga.get("/owner/offers").text
    night = form | {"from": "22:00", "to": "02:00", "place": "MAIN", "channel": "till"}
    assert olga.post("/owner/offers", night | {"day": ["4", "5"]}).status_code == 303
    assert "Fri Sat · 22:00–02:00" in olga.get("/owner/offers").text
    made = olga.post("/owner/offers", form)
    assert made.status_code == 303
    assert "3 for 2" in olga.get(made.location).text
    assert "3 for 2" in lin.get(milk.path).text
    assert f"3 for 2{OFF}" in lin.get(f"{milk.path}?quantity=3").text
    assert olga.post(f"{made.location}/end").status_code == 303
    assert "3 for 2" not in lin.get(milk.path).text
    assert "It had ended before" in olga.get(olga.post(f"{made.location}/end").location).text
    # The same by commands.
    number = runner.invoke(args=["membership", "offer", "percent", "10", "--coupon"]).stdout.strip()
    codes = runner.invoke(args=["membership", "coupons", number, "--many", "3", "--uses", "1"])
    assert len(set(codes.stdout.split())) == 3
    assert runner.invoke(args=["membership", "coupons", number, "--code", "A"]).exit_code
    assert number in runner.invoke(args=["membership", "offers"]).stdout
    assert codes.stdout.split()[0] in olga.get(f"/owner/offers/{number}").text
    refused = olga.post(f"/owner/offers/{number}/codes", code=codes.stdout.split()[0])
    assert refused.status_code == 422
    assert runner.invoke(args=["membership", "end", number]).exit_code == 0


def test_a_till_takes_the_coupon_and_the_members_price(world: World, app: Flask) -> None:
    milk, lin = world.item("oat-milk", price="4.00", on_hand=30), world.member()
    with app.app_context():
        offer(world, "price", 300, audience="members")
        coupon(world, "amount", 50, "FIFTY", uses=1)
    till = world.client_for(world.staff())
    till.post("/desk/till/lines", code=milk.code)
    shown = till.get("/desk/till").text
    assert "Offer price" not in shown
    page = till.post("/desk/till/coupon", coupon="fifty", member=str(lin.id))
    shown = till.get(page.location).text
    assert "Members: Offer price" in shown and 'name="seen_total" value="250"' in shown
    key = re.search(r'name="key" value="([^"]+)"', shown)[1]  # type: ignore[index]
    paid = till.post("/desk/till/sales", {f"seen-{milk.id}": "400"}, key=key, means="cash",
                     member=str(lin.id), seen_total="250")  # fmt: skip
    assert "sales/" in paid.location
    receipt = till.get(paid.location).text
    assert "Members: Offer price" in receipt and "2.50" in receipt
    # Used: the next basket says so, and is sold at its price.
    till.post("/desk/till/lines", code=milk.code)
    shown = till.get(till.post("/desk/till/coupon", coupon="FIFTY").location).text
    assert "This coupon has been used." in shown and "seen_total" not in shown
    assert world.faults() == []


def test_a_coupon_waits_for_the_provider_and_comes_back(world: World, app: Flask) -> None:
    milk = world.item("oat-milk", price="4.00", on_hand=30)
    with app.app_context():
        coupon(world, "percent", 50, "HALF", uses=1)
    lin = world.client_for(world.member(funds="50"))
    lin.get(milk.path)
    lin.post("/basket/lines", code=milk.code, quantity="2", seen_minor="400")
    lin.post("/basket/coupon", coupon="HALF")
    shown = lin.get("/pay").text
    key = re.search(r'name="key" value="([^"]+)"', shown)[1]  # type: ignore[index]
    assert 'name="seen_total" value="400"' in shown
    seen = {f"seen-{milk.id}": "400", "seen_total": "400", "key": key}
    waits = lin.post("/pay", seen | {"means": "simulated", "wish": "never"})
    assert waits.status_code == 303, waits.text
    # It is kept for this payment: nobody else has it, and given back when nobody pays.
    assert "This coupon has been used." in lin.get("/basket").text
    paid = lin.post("/basket/checkout", seen)
    assert paid.status_code == 409, "the basket showed its price without the coupon"
    lin.post(waits.location.split("?")[0] + "/cancellations")
    assert f"50% off{OFF}" in lin.get("/basket").text
    paid = lin.post("/basket/checkout", seen)
    assert paid.status_code == 303 and f"50% off{OFF}" in lin.get(paid.location).text
    assert world.faults() == []


def test_the_api_and_orders_charge_the_same(world: World, app: Flask) -> None:
    milk, olga = world.item("oat-milk", price="4.00", on_hand=30), world.owner()
    lin = world.member(funds="50")
    with app.app_context():
        offer(world, "n_for_m", 2, 1)
        coupon(world, "percent", 10, "TENTH")
    token = token_of(world, lin)
    body = {"location": "MAIN", "lines": [{"item": milk.code, "quantity": 2}],
            "payment": {"method": "account"}, "coupon": "tenth", "total": "3.60"}  # fmt: skip
    client = app.test_client()

    def sell(**more: object) -> tuple[int, dict[str, object]]:
        answer = client.post("/api/v1/sales", json=body | more, headers={
            "Authorization": f"Bearer {token}", "Idempotency-Key": new()})  # fmt: skip
        return answer.status_code, answer.get_json()

    status, sold = sell()
    assert status == 201 and sold["total"]["amount"] == "3.60"  # type: ignore[index]
    off = sold["lines"][0]["off"]  # type: ignore[index]
    assert [one["offer"]["en"] for one in off] == ["2 for 1", "10% off"]
    assert sell(total="3.59")[1]["code"] == "price_rose"
    assert sell(coupon="NOPE")[1]["code"] == "coupon_refused"
    # On the web the same, collected: the order's page says it.
    page = world.client_for(lin)
    page.get(milk.path)
    page.post("/basket/lines", code=milk.code, quantity="2", seen_minor="400")
    page.post("/basket/coupon", coupon="TENTH")
    shown = page.get("/order?how=collect&place=MAIN").text
    assert f"2 for 1{OFF}" in shown and 'name="seen_total" value="360"' in shown
    key = re.search(r'name="key" value="([^"]+)"', shown)[1]  # type: ignore[index]
    made = page.post("/orders", {f"seen-{milk.id}": "400"}, key=key, how="collect", place="MAIN",
                     pay="account", coupon="TENTH", seen_total="360")  # fmt: skip
    assert made.status_code == 303 and f"2 for 1{OFF}" in page.get(made.location).text
    assert world.balance(lin) == 5000 - 720 and olga.id
    assert world.faults() == []
