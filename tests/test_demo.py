"""The demo shop opens once, over nothing else, and is a shop in which everything adds up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from store import catalogue, create_app, demo, identity, outbox, payment, sales, stock
from store import settings as shop_settings
from store.catalogue import gs1
from store.db import db, transaction
from store.demo.goods import GOODS, PEOPLE, SHOPPER
from store.labels import Label
from store.membership import points, tiers
from store.reports import oracle
from store.sales.models import Refund, Sale
from tests.world import Visitor


def _count(table: Any) -> int:
    return int(db.session.scalar(select(func.count()).select_from(table)) or 0)


def test_the_demo_shop_is_alive_adds_up_and_says_what_it_is(app: Flask) -> None:
    """One test, because opening it takes seconds."""
    with app.app_context():
        assert demo.is_wanted()
        demo.open_shop()
        assert [finding for finding in oracle.audit() if finding.count] == []
        assert 300 <= _count(Sale) <= 650
        assert _count(catalogue.Item) == _count(Label) - 6 == len(GOODS)
        assert _count(Refund) == 5
        assert outbox.pending() == 0
        months = text("SELECT means, COUNT(*) FROM settlement_lines WHERE state = 'matched' "
                      "GROUP BY means")  # fmt: skip
        settled = {row[0]: row[1] for row in db.session.execute(months)}
        assert settled.keys() == {"alipay", "wechat"}
        assert min(settled.values()) > 5
        assert {sale.channel for sale in sales.receipts(limit=100)} == {"shelf", "till", "web"}
        for name, left in (("blueberries", 0), ("bubble-tea", 3)):
            _assert_on_the_shelf(name, left)
        shopper = identity.find(SHOPPER.email)
        assert shopper is not None
        assert payment.balance_of(shopper.id, "CNY") >= 15_000
        plan = tiers.now()
        assert plan is not None and points.balance_of(shopper.id).points > 100
        assert tiers.standing_of(shopper.id, plan).tier is not None
        with pytest.raises(demo.NotEmpty):
            demo.open_shop()
    phone = Visitor(app.test_client())
    phone.post("/sign-in", identifier=SHOPPER.email, password=str(SHOPPER.password))
    for path in ("/", "/basket", "/me", "/i/F101"):
        shown = phone.get(path).text
        assert "Thank you for coming back" in shown and "THANKS-10-" in shown, path
    assert "3 for 2" in phone.get(f"/01/0{GOODS['chocolate'].gtin}").text
    for role, email, password in demo.SIGN_INS:
        answer = Visitor(app.test_client()).post("/sign-in", identifier=email, password=password)
        assert answer.status_code == 303, role
    again = shop_settings.load({"INSTANCE": app.config["INSTANCE"]})
    assert (again["DEMO"], again["SIMULATED_GATEWAY"]) == (True, True)


def _assert_on_the_shelf(name: str, left: int) -> None:
    item = catalogue.find_item(GOODS[name].code)
    assert item is not None
    assert item.picture
    assert stock.on_hand(item.id, stock.location(stock.MAIN).id) == left, name


def test_it_never_opens_over_what_is_there(app: Flask, context: None) -> None:
    with transaction():
        identity.add_member("lin@example.com", "a-long-password-1")
    assert not demo.is_wanted()
    with pytest.raises(demo.NotEmpty):
        demo.open_shop()
    assert _count(catalogue.Item) == 0
    assert not Path(app.config["INSTANCE"], "store.toml").exists()


def test_a_shop_with_settings_of_its_own_is_a_real_one(app: Flask, context: None) -> None:
    Path(app.config["INSTANCE"], "store.toml").write_text('shop_name = "Mill Street"\n')
    assert not demo.is_wanted()
    with pytest.raises(demo.NotEmpty):
        demo.open_shop()
    assert _count(identity.Member) == 0


def test_a_shop_with_an_address_of_its_own_is_a_real_one(settings: dict[str, Any]) -> None:
    with create_app(settings | {"BASE_URL": "https://shop.example"}).app_context():
        assert not demo.is_wanted()


def test_the_goods_of_the_cast_are_well_formed() -> None:
    assert 36 <= len(GOODS) <= 48
    assert len({good.code for good in GOODS.values()}) == len(GOODS)
    with_gtin = [good.gtin for good in GOODS.values() if good.gtin]
    assert all(gs1.is_gtin(gtin) and gtin.startswith("952") for gtin in with_gtin)
    assert len(set(with_gtin)) == len(with_gtin) < len(GOODS)
    assert len({person.email for person in PEOPLE}) == len(PEOPLE)
