"""The first hour of an owner, as pages: what is to be done, settings, places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from store import settings, stock
from store.db import db, transaction
from store.logbook import Act
from tests.conftest import Clock
from tests.world import Visitor, World

SHOP: dict[str, Any] = {
    "SHOP_NAME": "Quay", "SHOP_ADDRESS": "1 Quay; Shanghai", "TAX_NUMBER": "91", "CURRENCY": "eur",
    "TAX_RATE": "19%", "TIME_ZONE": "Europe/Berlin", "COUNTRY": "de", "LANGUAGE": "zh",
    "BASE_URL": "https://quay.example/",
}  # fmt: skip


@pytest.fixture
def owner(world: World) -> Visitor:
    return world.client_for(world.owner())


def _file(app: Flask) -> dict[str, Any]:
    return settings.kept(Path(app.config["INSTANCE"]))


def test_the_shop_is_described_and_opens_anew(owner: Visitor, app: Flask) -> None:
    opened: list[bool] = []
    app.config["OPEN_AGAIN"] = lambda: opened.append(True)
    assert owner.post("/owner/start/shop", SHOP).status_code == 303
    held = settings.load({"INSTANCE": app.config["INSTANCE"]})
    wanted = SHOP | {"CURRENCY": "EUR", "TAX_RATE": "19", "COUNTRY": "DE",
                     "BASE_URL": "https://quay.example"}  # fmt: skip
    assert {name: held[name] for name in wanted} == wanted
    assert held["PRICES_INCLUDE_TAX"] is False
    assert opened == [True]
    with app.app_context():
        (act,) = db.session.scalars(select(Act).where(Act.verb == "settings.changed"))
        assert act.before and act.after
        assert (act.object, act.before["CURRENCY"], act.after["CURRENCY"]) == ("shop", "CNY", "EUR")
    # The same again changes nothing, and nobody waits for it.
    assert owner.post("/owner/start/shop", SHOP).status_code == 303
    assert opened == [True]
    assert "Quay" in owner.get("/owner/start/shop").text


WRONG = (
    ("SHOP_NAME", ""), ("SHOP_NAME", "x" * 61), ("CURRENCY", "XXQ"), ("TAX_RATE", "0.19"),
    ("TIME_ZONE", "Mars/Olympus"), ("COUNTRY", "1!"), ("LANGUAGE", "fr"), ("BASE_URL", "quay"),
    ("BASE_URL", "javascript:alert(1)"), ("SHOP_ADDRESS", "a\x00b"),
)  # fmt: skip


def test_what_is_wrong_is_refused_and_nothing_is_written(owner: Visitor, app: Flask) -> None:
    for name, wrong in WRONG:
        assert owner.post("/owner/start/shop", {**SHOP, name: wrong}).status_code == 422, name
    assert _file(app) == {}


def test_the_currency_stands_where_there_are_prices(
    owner: Visitor, app: Flask, world: World
) -> None:
    world.item("banana")
    assert owner.post("/owner/start/shop", SHOP).status_code == 403
    assert _file(app) == {}
    assert owner.post("/owner/start/shop", {**SHOP, "CURRENCY": "CNY"}).status_code == 303


def test_keys_are_written_and_never_shown(owner: Visitor, app: Flask) -> None:
    key = "-----BEGIN PRIVATE KEY-----\r\nMIIabc=\r\n-----END PRIVATE KEY-----"
    form: dict[str, Any] = {"ALIPAY_APP_ID": "2021", "ALIPAY_SELLER_ID": "2088", "ALIPAY_KEY": key}
    assert owner.post("/owner/start/alipay", form).status_code == 303
    assert _file(app)["ALIPAY_KEY"] == key.replace("\r", "")
    with app.app_context():
        (act,) = db.session.scalars(select(Act).where(Act.verb == "settings.changed"))
        assert act.after == {"ALIPAY_APP_ID": "2021", "ALIPAY_SELLER_ID": "2088",
                             "ALIPAY_KEY": True}  # fmt: skip
    page = owner.get("/owner/start/alipay").text
    assert "MIIabc" not in page
    assert "2088" in page
    # An empty field keeps the key that is there.
    assert owner.post("/owner/start/alipay", {**form, "ALIPAY_KEY": ""}).status_code == 303
    assert "MIIabc" in _file(app)["ALIPAY_KEY"]


def test_keys_ask_for_a_fresh_sign_in(clock: Clock, owner: Visitor, app: Flask) -> None:
    assert owner.post("/owner/start/stripe", {"STRIPE_KEY": "sk_test_x"}).status_code == 303
    clock.tick(minutes=15)
    refused = owner.post("/owner/start/stripe", {"STRIPE_KEY": "sk_test_y"})
    assert (refused.status_code, "sign_in_again" in refused.text) == (403, True)
    assert "Sign in again" in owner.get("/owner/start/stripe").text
    assert _file(app)["STRIPE_KEY"] == "sk_test_x"
    assert owner.post("/owner/start/shop", {**SHOP, "BASE_URL": ""}).status_code == 303


def test_what_the_environment_says_stands(
    owner: Visitor, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_SHOP_NAME", "Fixed")
    assert owner.post("/owner/start/shop", SHOP).status_code == 303
    assert "SHOP_NAME" not in _file(app)
    assert _file(app)["CURRENCY"] == "EUR"


def test_each_step_is_done_when_it_is(owner: Visitor, world: World, app: Flask) -> None:
    first = owner.get("/owner/start").text.count("Done</small>")
    assert owner.post("/owner/places/1", name="Quay", address="1 Quay").status_code == 303
    milk = world.item("banana")
    world.buy(world.member(funds="100"), milk)
    world.member(role="staff")
    page = owner.get("/owner/start").text
    assert page.count("Done</small>") == first + 4
    with app.app_context():
        assert stock.location_by_id(1).address == "1 Quay"


def test_a_place_is_added_once(owner: Visitor, app: Flask) -> None:
    form: dict[str, Any] = {"code": "quay", "name": "Quayside", "kind": "warehouse", "address": ""}
    assert owner.post("/owner/places", form).status_code == 303
    assert owner.post("/owner/places", form).status_code == 409
    assert owner.post("/owner/places", {**form, "code": "ä"}).status_code == 422
    with app.app_context():
        assert [place.code for place in stock.locations()].count("QUAY") == 1


def test_an_account_for_transfers_is_named(owner: Visitor, app: Flask) -> None:
    assert "/owner/start/bank" in owner.get("/owner/bank").text
    form: dict[str, Any] = {"BANK_ACCOUNT": "DE89370400440532013000", "BANK_DAYS": "7"}
    assert owner.post("/owner/start/bank", form).status_code == 303
    held = settings.load({"INSTANCE": app.config["INSTANCE"]})
    assert (held["BANK_ACCOUNT"], held["BANK_DAYS"]) == ("DE89370400440532013000", 7)
    assert owner.post("/owner/start/bank", {**form, "BANK_DAYS": "0"}).status_code == 422
    assert "Bank" in owner.get("/owner/start/bank").text


def test_the_only_place_is_called_as_the_shop_is(owner: Visitor, app: Flask, world: World) -> None:
    same = {**SHOP, "CURRENCY": "CNY"}
    with app.app_context(), transaction():
        stock.describe_location(world.location, app.config["SHOP_NAME"], "1 Quay")
    owner.post("/owner/start/shop", same)
    with app.app_context():
        assert [place.name for place in stock.locations()] == ["Quay"]
        with transaction():
            stock.describe_location(world.location, "The quay's own shop", "1 Quay")
    owner.post("/owner/start/shop", {**same, "SHOP_NAME": "Pier"})
    with app.app_context():
        assert [place.name for place in stock.locations()] == ["The quay's own shop"]


def test_where_labels_lead_is_changed_after_a_fresh_sign_in(
    clock: Clock, owner: Visitor, app: Flask
) -> None:
    clock.tick(hours=1)
    elsewhere = {**SHOP, "CURRENCY": "CNY"}
    assert owner.post("/owner/start/shop", elsewhere).status_code == 403
    assert _file(app) == {}
    assert owner.post("/owner/start/shop", {**elsewhere, "BASE_URL": ""}).status_code == 303


RULES: dict[str, dict[str, Any]] = {
    "buying": {
        "GUESTS": "1", "CONFIRM_OVER": "150.5", "BUY_LIMIT": "0", "DAY_LIMIT": "1000",
        "TOP_UP_LIMIT": "800", "RETURN_DAYS": "30", "WARRANTY_MONTHS": "24",
        "CASH_ON_DELIVERY": "99.90", "ESCROW_DAYS": "7",
    },
    "desk": {
        "SECOND_FACTOR": "owners", "REFUND_APPROVAL_ABOVE": "500", "EXIT_OFFLINE_MINUTES": "30",
        "DESK_OFFLINE_HOURS": "24", "REORDER_LEAD_DAYS": "3", "REORDER_SAFETY_DAYS": "0",
        "REORDER_COVER_DAYS": "10",
    },
    "offers": {"QUIET_HOURS": "22：00 – 08:30", "CAMPAIGN_LETTERS": "0", "CAMPAIGN_DAYS": "14"},
}  # fmt: skip


def test_the_house_has_rules_that_its_owner_sets(clock: Clock, owner: Visitor, app: Flask) -> None:
    start = owner.get("/owner/start").text
    for group, form in RULES.items():
        assert f"/owner/start/{group}" in start
        assert owner.post(f"/owner/start/{group}", form).status_code == 303, group
        assert owner.get(f"/owner/start/{group}").status_code == 200
    held = settings.load({"INSTANCE": app.config["INSTANCE"]})
    assert (held["CONFIRM_OVER"], held["RETURN_DAYS"], held["RETURN_OPENED"]) == (
        "150.50",
        30,
        False,
    )
    assert (held["QUIET_HOURS"], held["SECOND_FACTOR"]) == ("22:00-08:30", "owners")
    for group, name, wrong in (
        ("buying", "CONFIRM_OVER", "-1"), ("buying", "RETURN_DAYS", "9999"),
        ("buying", "DAY_LIMIT", "1,000"), ("desk", "SECOND_FACTOR", "all"),
        ("desk", "REORDER_LEAD_DAYS", "x"), ("offers", "QUIET_HOURS", "9-5"),
        ("offers", "QUIET_HOURS", "25:00-09:00"), ("offers", "CAMPAIGN_DAYS", "0"),
    ):  # fmt: skip
        assert owner.post(f"/owner/start/{group}", RULES[group] | {name: wrong}).status_code == 422
    clock.tick(hours=1)
    assert owner.post("/owner/start/buying", {**RULES["buying"], "GUESTS": ""}).status_code == 403
    assert settings.load({"INSTANCE": app.config["INSTANCE"]}) == held
