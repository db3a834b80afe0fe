"""Cash where the smallest coin is more than the smallest unit: the drawer has what coins can pay,
the sale stays exact, and what lies between has an account of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from store import catalogue, create_app, ids, sales
from store.db import db, transaction
from store.errors import Invalid
from store.reports import oracle
from store.sales.till import empties, till_days, till_sums
from store.sales.till.till_days import Closing
from tests.payment.costs.counter import held
from tests.sales.test_away import made, tell
from tests.sales.test_till_pages import pay, scan
from tests.sales.test_till_sales import sell
from tests.world import Somebody, World


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"CASH_ROUNDING": 5}


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.staff()


def back(
    world: World, sam: Somebody, sale_id: str, many: int | None = None, to_account: bool = False
) -> int:
    """Give so many of it back, or all; answers what that is in cash."""
    parts = None if many is None else [sales.Part(1, many)]
    refund_id = sales.refund(sale_id, made_by=sam.id, parts=parts, to_account=to_account)
    db.session.rollback()
    found = sales.receipt(sale_id)
    assert found is not None
    return next(one.given_minor for one in found.refunds if one.id == refund_id)


@pytest.mark.usefixtures("context")
def test_a_day_adds_up_to_the_coin(world: World, sam: Somebody) -> None:
    day = till_days.open_day(world.location, sam.id, "CNY", 0, "", made_by=sam.id)
    milk, nut = world.item(price="12.37", on_hand=99), world.item("bread", price="0.02", on_hand=99)
    lin = world.member()
    sale = sell(world, sam, milk)
    assert (sale.total_minor, sale.rounding_minor) == (1237, -2)
    assert (held("cash"), held("takings"), held("rounding")) == (1235, -1237, 2)
    assert sell(world, sam, milk, means="card").rounding_minor == 0
    assert held("card") == 1237
    # All of it goes back, and the drawer is as it was.
    assert back(world, sam, sale.id) == 1235
    assert (held("cash"), held("rounding"), held("takings")) == (0, 0, -1237)
    # What is less than half a coin is given away; nothing is nothing on the way back, too.
    assert sell(world, sam, nut).rounding_minor == -2
    small = sell(world, sam, nut, 1)
    assert (back(world, sam, small.id), held("cash"), held("rounding")) == (0, 0, 2)
    # To the account goes what it cost, to the unit, and nothing leaves the drawer.
    mine = sell(world, sam, milk, 2, member=lin)
    assert (mine.rounding_minor, held("cash")) == (1, 2475)
    assert back(world, sam, mine.id, 1, to_account=True) == 0
    assert back(world, sam, mine.id) == 1235
    assert (world.balance(lin), held("cash")) == (1237, 1240)
    assert sell(world, sam, milk, means="account", member=lin).rounding_minor == 0
    assert world.balance(lin) == 0
    assert world.faults() == []
    till = till_days.till_of(world.location, sam.id, "CNY")
    assert till is not None
    assert till_sums.sums(till_sums.entries(till, None))["cash"].amount_minor == held("cash")
    counted = till_days.count(day, {"cash": 1240, "card": 1237}, made_by=sam.id)
    assert till_days.close_day(Closing(day, counted, 1240), made_by=sam.id) == 1
    assert (held("cash"), held("cash_differences")) == (0, 0)
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_parts_of_a_sale_give_back_what_was_paid_and_never_more(
    world: World, app: Flask, sam: Somebody
) -> None:
    for coin in (5, 10, 100):
        app.config["CASH_ROUNDING"] = coin
        for price, many in (("0.03", 7), ("0.07", 5), ("12.38", 3), ("0.50", 4)):
            thing = world.item(code="", gtin=None, price=price, on_hand=99)
            sale = sell(world, sam, thing, many)
            paid = sale.total_minor + sale.rounding_minor
            assert paid % coin == 0 and 2 * abs(sale.rounding_minor) <= coin
            left = paid
            for gone in range(1, many + 1):
                given, exact = back(world, sam, sale.id, 1), sale.total_minor // many
                assert given % coin == 0 and abs(given - exact) <= coin
                left -= given
                owed = sale.total_minor - gone * exact
                assert left >= 0 and 2 * abs(left - owed) <= 2 * coin, (coin, price, gone)
            assert left == 0
    assert (held("cash"), held("takings"), held("rounding")) == (0, 0, 0)
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_another_coin_than_at_the_sale_gives_no_more_than_was_paid(
    world: World, app: Flask, sam: Somebody
) -> None:
    thing = world.item(price="12.38", on_hand=9)
    for then, now, paid, given in ((5, 0, 1240, 1240), (0, 5, 1238, 1235), (5, 100, 1240, 1200),
                                   (100, 5, 1200, 1200)):  # fmt: skip
        app.config["CASH_ROUNDING"] = then
        sale = sell(world, sam, thing)
        assert sale.total_minor + sale.rounding_minor == paid
        app.config["CASH_ROUNDING"] = now
        assert back(world, sam, sale.id) == given
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_empties_round_what_is_left_to_pay(world: World, sam: Somebody) -> None:
    with transaction():
        bottle = catalogue.add_deposit({"en": "Bottle"}, 8, "CNY").item_id
    milk = world.item(price="12.37", on_hand=9)

    def brought(many: int, means: str = "cash") -> empties.Returned:
        return empties.Returned(world.location, "CNY", {bottle: many}, ids.new(), sam.id,
                                means=means)  # fmt: skip

    def bought(many: int, means: str = "cash") -> int:
        line = (sales.Line(milk.id, 1),)
        asked = sales.Buy(None, world.location, "CNY", line, ids.new(), "till", sam.id, means=means)
        before = held(means)
        empties.sell_with(asked, brought(many, means))
        return held(means) - before

    # 12.37 - 0.08 = 12.29; with 200 bottles 3.63 are given back.
    assert (bought(1), bought(200), bought(1, "card")) == (1230, -365, 1229)
    before = held("cash")
    empties.take_back(brought(1))
    assert held("cash") - before == -10
    assert held("deposits") == 8 * 203
    assert world.faults() == []
    with transaction() as session:
        session.execute(text("UPDATE empties SET rounding_minor = rounding_minor + 5 "
                             "WHERE sale_id IS NULL"))  # fmt: skip
    found = {one.name for one in oracle.audit() if one.count}
    assert found >= {"rounding_not_booked", "rounding_account_off"}


def test_the_till_says_what_coins_can_pay(world: World, app: Flask, sam: Somebody) -> None:
    milk, page = world.item(price="12.37", on_hand=9), world.client_for(sam)
    shown = scan(page, milk.code)
    assert "Cash <b>¥12.35</b>" in shown and "Card <b>¥12.37</b>" in shown
    assert 'data-total="1235"' in shown
    assert "less than the total" in pay(page, shown, "cash", given="12.34")
    slip = pay(page, shown, "cash", given="20")
    for said in ("¥12.37", "−¥0.02", "¥7.65", "¥12.35"):
        assert said in slip, said
    sale_id = re.findall(r"/desk/sales/([0-9A-Z]{20})", slip)[0]
    with app.app_context():
        back(world, sam, sale_id)
    desk = page.get(f"/desk/sales/{sale_id}").text
    assert "rounded in cash: ¥12.35" in desk and "−¥0.02" in desk
    assert world.faults() == []


def test_a_till_that_was_away_rounds_too(world: World, app: Flask, sam: Somebody) -> None:
    milk, page = world.item(price="12.38", on_hand=9), world.client_for(sam)
    assert page.get("/desk/till/goods").get_json()["coin"] == 5
    first, second = made(page, milk, "a"), made(page, milk, "b", means="card")
    with app.app_context(), transaction():
        bottle = catalogue.add_deposit({"en": "Bottle"}, 8, "CNY").item_id
    came = {"empties": [{"kind": bottle, "quantity": 1}], "off": 8}
    alone = made(page, milk, "d") | came | {"lines": []}
    for _ in range(2):
        tell(page, first, second, made(page, milk, "c") | came | {"at": first["at"]}, alone)
    with app.app_context():
        # 12.40, 12.30 with a bottle that came back, and a bottle alone.
        assert (held("cash"), held("card")) == (1240 + 1230 - 10, 1238)
    assert world.faults() == []


@pytest.mark.parametrize(
    ("currency", "coin"),
    [("CHF", -5), ("CHF", "five"), ("CHF", 3), ("CHF", 500), ("KWD", 7), ("SEK", 10**12)],
)
def test_a_coin_that_cannot_be_is_refused_at_start(
    tmp_path: Any, currency: str, coin: object
) -> None:
    with pytest.raises((ValueError, Invalid)):
        create_app({"INSTANCE": str(tmp_path), "CURRENCY": currency, "CASH_ROUNDING": coin})
