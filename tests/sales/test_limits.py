"""Limits and the PIN: nothing above them leaves an account by itself, whichever way it is asked."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from store import identity, ids, sales
from store.db import db, transaction
from store.payment import ledger
from tests.conftest import Clock
from tests.sales.test_till_pages import code_of, scanned
from tests.world import Somebody, Thing, Visitor, World

PIN = "825190"


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"BUY_LIMIT": "50", "CONFIRM_OVER": "100000", "BUY_AGAIN_S": 0}


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="12.50", on_hand=100)


@pytest.fixture
def lin(world: World) -> Somebody:
    return world.member(funds="1000")


def limit(world: World, member: Somebody, buy: int | None, day: int | None) -> None:
    with world.app.app_context(), transaction():
        ledger.set_limits(member.id, "CNY", buy, day)


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="([a-z_0-9-]+)" value="([^"]*)"', page))


def form_of(browser: Visitor, path: str) -> dict[str, str]:
    return {name: said for name, said in hidden(browser.get(path).text).items() if name != "csrf"}


def test_above_the_shops_limit_the_pin_is_asked_for(
    world: World, lin: Somebody, milk: Thing
) -> None:
    browser = world.client_for(lin)
    fields = form_of(browser, f"{milk.path}?quantity=5")
    asked = browser.post("/sales", fields)
    assert asked.status_code == 403 and "¥62.50" in asked.text and "PIN" in asked.text
    assert world.balance(lin) == 100_000
    again = form_of_page(asked.text)
    assert again["key"] == fields["key"]
    # There is none yet: the page says where to set it, and does not charge.
    missing = browser.post("/sales", again | {"pin": PIN})
    assert missing.status_code == 403 and "/me/limits" in missing.text
    assert browser.post("/me/pin", new_pin=PIN).status_code == 303
    wrong = browser.post("/sales", again | {"pin": "825191"})
    assert wrong.status_code == 403 and "not your PIN" in wrong.text
    assert world.balance(lin) == 100_000
    paid = browser.post("/sales", form_of_page(wrong.text) | {"pin": PIN})
    assert paid.status_code == 303
    assert world.balance(lin) == 100_000 - 6250
    # The same key again is the same sale, with a PIN or without.
    assert browser.post("/sales", fields).location == paid.location
    assert browser.post("/sales", form_of(browser, milk.path)).status_code == 303
    assert world.faults() == []


def form_of_page(page: str) -> dict[str, str]:
    return {name: said for name, said in hidden(page).items() if name != "csrf"}


def test_a_basket_and_an_order_ask_for_it_too(world: World, lin: Somebody, milk: Thing) -> None:
    browser = world.client_for(lin)
    browser.post("/me/pin", new_pin=PIN)
    browser.post("/basket/lines", form_of(browser, f"{milk.path}?quantity=5"))
    asked = browser.post("/basket/checkout", form_of(browser, "/basket"))
    assert asked.status_code == 403
    order = form_of(browser, "/order?how=collect&place=MAIN")
    refused = browser.post("/orders", order)
    assert refused.status_code == 403 and world.balance(lin) == 100_000
    paid = browser.post("/orders", form_of_page(refused.text) | {"pin": PIN})
    assert paid.status_code == 303 and world.balance(lin) == 100_000 - 6250
    browser.post("/basket/lines", form_of(browser, f"{milk.path}?quantity=5"))
    asked = browser.post("/basket/checkout", form_of(browser, "/basket"))
    paid = browser.post("/basket/checkout", form_of_page(asked.text) | {"pin": PIN})
    assert paid.status_code == 303 and world.balance(lin) == 100_000 - 2 * 6250
    assert world.faults() == []


def test_a_till_takes_no_more_from_an_account_either(
    world: World, lin: Somebody, milk: Thing
) -> None:
    till = world.client_for(world.staff())
    till.post("/desk/till/lines", code=f"5*{milk.code}")
    page, _ = scanned(till, code_of(world, lin))
    answer = till.post("/desk/till/sales", hidden(page) | {"means": "account"})
    assert "above the limit" in till.get(answer.location).text
    assert world.balance(lin) == 100_000


def test_the_day_counts_what_was_bought_until_midnight(
    world: World, lin: Somebody, milk: Thing, clock: Clock
) -> None:
    limit(world, lin, None, 3000)
    world.buy(lin, milk)
    world.buy(lin, milk)
    with pytest.raises(sales.ConfirmationNeeded) as refusal:
        world.buy(lin, milk)
    assert refusal.value.data["spent_minor"] == 2500 and refusal.value.data["limit"] == "day"
    # In another's name, by other means, or confirmed, it goes on; and what is confirmed counts.
    world.buy(world.member(funds="100"), milk)
    clock.set(clock.now + timedelta(hours=14))  # Past midnight in Shanghai.
    world.buy(lin, milk)
    assert world.faults() == []


def test_the_lower_limit_holds_and_raising_one_needs_proof(
    world: World, lin: Somebody, milk: Thing, clock: Clock
) -> None:
    browser = world.client_for(lin)
    browser.post("/me/pin", new_pin=PIN)
    assert browser.post("/me/limits", buy="20", day="").status_code == 303
    with pytest.raises(sales.ConfirmationNeeded):
        world.buy(lin, (milk, 2))
    clock.set(clock.now + timedelta(minutes=11))
    assert browser.post("/me/limits", buy="10", day="30").status_code == 303
    for form in ({"buy": "", "day": "30"}, {"buy": "11", "day": "30"}, {"buy": "10", "day": ""}):
        assert browser.post("/me/limits", form).status_code == 403
    assert browser.post("/me/limits", buy="11", day="30", pin="000000").status_code == 403
    assert browser.post("/me/limits", buy="11", day="30", pin=PIN).status_code == 303
    assert 'value="11.00"' in browser.get("/me/limits").text
    assert browser.post("/me/limits", buy="-1", day="").status_code == 422
    # Who found the phone cannot set another PIN.
    assert browser.post("/me/pin", new_pin="502817").status_code == 403
    limit(world, lin, 10**9, None)
    with pytest.raises(sales.ConfirmationNeeded):  # The shop's own still holds.
        world.buy(lin, (milk, 5))


def test_who_guesses_is_locked_out_and_signs_in_again(
    world: World, lin: Somebody, milk: Thing, clock: Clock
) -> None:
    browser = world.client_for(lin)
    for easy in ("111111", "123456", "12345", "654321", "12345a", "１２３４５６"):
        assert browser.post("/me/pin", new_pin=easy).status_code == 422, easy
    browser.post("/me/pin", new_pin=PIN)
    fields = form_of(browser, f"{milk.path}?quantity=5")
    for _ in range(5):
        assert browser.post("/sales", fields | {"pin": "825191"}).status_code == 403
    locked = browser.post("/sales", fields | {"pin": PIN})
    assert locked.status_code == 429 and int(locked.headers["Retry-After"]) > 60
    assert world.balance(lin) == 100_000
    # The way out: sign in again, set another.
    again = browser.post("/sign-out", next="/me/limits")
    assert again.location == "/sign-in?next=/me/limits"
    assert browser.get("/me/limits").status_code == 303
    browser = world.client_for(lin)
    assert browser.post("/me/pin", new_pin="502817").status_code == 303
    fields = form_of(browser, f"{milk.path}?quantity=5")
    assert browser.post("/sales", fields | {"pin": "502817"}).status_code == 303
    assert world.faults() == []


def test_the_api_says_what_to_do(world: World, lin: Somebody, milk: Thing) -> None:
    with world.app.app_context(), transaction():
        token = identity.issue_token(identity.by_id(lin.id), ())
    world.client_for(lin).post("/me/pin", new_pin=PIN)
    client = world.app.test_client()
    body = {"location": "MAIN", "lines": [{"item": milk.code, "quantity": 5}],
            "payment": {"method": "account"}}  # fmt: skip

    def sell(**more: str) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": ids.new()} | {
            name.replace("_", "-"): said for name, said in more.items()
        }
        return client.post("/api/v1/sales", json=body, headers=headers)

    refused = sell()
    assert (refused.status_code, refused.get_json()["code"]) == (403, "confirmation_needed")
    assert refused.get_json()["most_minor"] == 5000
    wrong = sell(Confirmation_Pin="825191")
    assert (wrong.status_code, wrong.get_json()["code"]) == (403, "pin_wrong")
    assert sell(Confirmation_Pin=PIN).status_code == 201
    assert world.balance(lin) == 100_000 - 6250


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """What SQLite is asked, statement by statement, by whatever way."""
    found: list[str] = []
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("the statements are the same; SQLite can be listened to")
        engine = db.engine
        engine.dispose()

        def listen(connection: sqlite3.Connection, record: object) -> None:
            connection.set_trace_callback(found.append)

        event.listen(engine, "connect", listen)
    yield found
    event.remove(engine, "connect", listen)


def test_a_plain_buy_costs_no_statement_more(
    world: World, lin: Somebody, milk: Thing, asked: list[str]
) -> None:
    """With the shop's limit for a buy set; with one of the day it is a lock and a sum more."""
    other = world.member(funds="1000")

    def statements(member: Somebody) -> int:
        asked.clear()
        world.buy(member, milk)
        return len(asked)

    statements(lin)
    limited = statements(lin)
    world.app.config["BUY_LIMIT"] = "0"
    assert statements(lin) == limited >= 11
    limit(world, other, None, 90_000)
    statements(other)
    assert statements(other) == limited + 2
