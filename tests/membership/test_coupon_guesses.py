"""Codes of coupons are not found by trying: over restarts, by members, guests and programs."""

from __future__ import annotations

from typing import Any

from flask import Flask

from store import create_app, ids, membership
from store.db import db, transaction
from store.identity import by_id, issue_token
from tests.membership.making import coupon
from tests.world import PASSWORD, Visitor, World


def says(browser: Visitor, code: str) -> str:
    """What the basket shows after a code was given."""
    assert browser.post("/basket/coupon", coupon=code).location == "/basket"
    return browser.get("/basket").text


def test_ten_wrong_ones_and_no_restart_helps(
    world: World, app: Flask, settings: dict[str, Any]
) -> None:
    milk, lin = world.item(price="12.50"), world.member(funds="100")
    with app.app_context():
        coupon(world, "amount", 500, "RIGHT-ONE")
        with transaction():
            token = issue_token(by_id(lin.id), ["sales:write"])
    mine, guest = world.client_for(lin), world.visitor()
    for browser in (mine, guest):
        browser.post("/basket/lines", code=milk.code, quantity=1, seen_minor=milk.price_minor)
        for number in range(9):
            assert "Too many" not in says(browser, f"WRONG-{number}")
            # A right one costs no try, however often it is given.
            assert "7.50" in says(browser, "right-one")
        assert "Too many" not in says(browser, "WRONG-9")
        page = says(browser, "WRONG-10")
        assert "Too many tries with coupons" in page and "WRONG-10" not in page
        browser.post("/basket/coupon", coupon="")
        assert "Too many" in says(browser, "RIGHT-ONE")
        assert "7.50" not in browser.get("/basket").text
    again = create_app(settings)
    phone = Visitor(again.test_client())
    phone.post("/sign-in", identifier=lin.email, password=PASSWORD)
    phone.get("/basket")
    assert "Too many" in says(phone, "RIGHT-ONE")
    sale = {
        "location": "MAIN", "lines": [{"item": milk.code, "quantity": 1}], "coupon": "RIGHT-ONE",
        "payment": {"method": "account"},
    }  # fmt: skip
    heads = {"Authorization": f"Bearer {token}", "Idempotency-Key": ids.new()}
    refused = again.test_client().post("/api/v1/sales", json=sale, headers=heads)
    assert refused.status_code == 429 and '"too_many"' in refused.text
    assert world.balance(lin) == 10_000
    with again.app_context():
        assert membership.coupons_for({("RIGHT-ONE", None)})
        db.session.remove()
        db.engine.dispose()
    assert world.faults() == []


def test_a_program_finds_none_by_ordering_either(world: World, app: Flask) -> None:
    """Orders and their payments take a coupon as sales do: guesses there are counted with them."""
    milk, lin = world.item(price="12.50", on_hand=9), world.member(funds="100")
    with app.app_context():
        coupon(world, "amount", 500, "RIGHT-ONE")
        with transaction():
            token = issue_token(by_id(lin.id), ["sales:write"])
    api = app.test_client()

    def answer(path: str, code: str) -> str:
        order: dict[str, Any] = {"location": "MAIN", "collect": "MAIN", "coupon": code,
                 "lines": [{"item": milk.code, "quantity": 1}]}  # fmt: skip
        if path == "/api/v1/order-payments":
            order["payment"] = {"method": "simulated"}
        heads = {"Authorization": f"Bearer {token}", "Idempotency-Key": ids.new()}
        return str(api.post(path, json=order, headers=heads).get_json().get("code", "made"))

    tried = [
        answer(path, f"WRONG-{number}")
        for number in range(6)
        for path in ("/api/v1/orders", "/api/v1/order-payments")
    ]
    assert tried == ["coupon_refused"] * 10 + ["too_many"] * 2
    assert answer("/api/v1/orders", "RIGHT-ONE") == "too_many"
    assert world.balance(lin) == 10_000 and world.faults() == []
