"""Ages that an exit without a network asked about: told later, each answer once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from store import catalogue, door, payment, sales, stock
from store.db import transaction
from store.door import ages, told
from store.reports import oracle
from tests.conftest import Clock
from tests.door.exits import Exit, signed_pass
from tests.door.shop import DoorShop, make_shop


@pytest.fixture
def shop(app: Flask, clock: Clock) -> DoorShop:
    """Bread is from 18 on. Of this day: an exit reads from a sale's id when it was made."""
    clock.set(datetime.now(UTC))
    made = make_shop(app)
    with app.app_context(), transaction():
        catalogue.edit_item(made.bread, least_age=18)
    return made


@pytest.fixture
def away(shop: DoorShop) -> Exit:
    found = Exit(shop, shop.browser(shop.staff))
    found.take_along()
    assert found.kit["zone"] == shop.app.config["TIME_ZONE"]
    return found


def states(shop: DoorShop, sale: str) -> list[tuple[int, str]]:
    return [(each.least_age, each.state) for each in ages.asked_of(sale)]


def faults() -> list[str]:
    return [one.name for one in oracle.audit() if one.count]


def test_the_signed_pass_says_the_age_until_somebody_has_looked(shop: DoorShop) -> None:
    phone = shop.browser(shop.shopper)
    sale = shop.bought(1)
    assert "18+ in this bag: have an ID ready." in phone.get(f"/sales/{sale}").text
    with shop.app.app_context(), pytest.raises(ages.AgeFirst):
        shop.check(shop.pass_of(sale))
    assert "Show an ID at the exit" in phone.get(f"/sales/{sale}").text
    answer = phone.get(f"/sales/{sale}/pass.svg?ahead=0").json
    assert answer is not None and answer["state"] == "age"


def test_a_yes_and_a_no_are_booked_once(shop: DoorShop, away: Exit) -> None:
    old, young, alone = shop.bought(1), shop.bought(1), shop.bought(1)
    with shop.app.app_context():
        before = payment.balance_of(shop.shopper, "CNY")
        loaf = sales.buy(sales.Buy(shop.shopper, shop.main, "CNY", (sales.Line(shop.bread, 1),),
                                   "key-of-a-loaf")).sale_id  # fmt: skip
    away.asked_age(signed_pass(shop, old, age=18), "yes")
    away.asked_age(signed_pass(shop, young, age=18), "no")
    away.asked_age(signed_pass(shop, loaf, age=18), "no", "age_refused")
    away.note(signed_pass(shop, alone, age=18), "accepted")  # A page of before there were ages.
    told_once = away.tell()
    assert [each["flag"] for each in told_once] == [None, None, None, "age"]
    assert [each["outcome"] for each in away.tell()] == ["known"] * 4
    with shop.app.app_context():
        found = [states(shop, sale) for sale in (old, young, loaf, alone)]
        assert found == [[(18, "yes")], [(18, "no")], [(18, "no")], [(18, "missed")]]
        assert payment.balance_of(shop.shopper, "CNY") == before + 800
        assert stock.levels([(shop.bread, shop.main)])[shop.bread, shop.main] == 498
        assert [door.used(sale) is not None for sale in (old, young, loaf, alone)] == [
            True, True, False, True,
        ]  # fmt: skip
        assert [each.flag for each in told.flagged(shop.main)] == ["age"]
        assert faults() == []


def test_what_cannot_be_given_back_is_left_to_a_person(shop: DoorShop, away: Exit) -> None:
    shop.app.config["REFUND_APPROVAL_ABOVE"] = "1"
    sale = shop.bought(1)
    away.asked_age(signed_pass(shop, sale, age=18), "no")
    assert [each["flag"] for each in away.tell()] == ["age"]
    with shop.app.app_context():
        assert states(shop, sale) == [(18, "no")] and door.used(sale) is not None
        receipt = sales.receipt(sale)
        assert receipt is not None and receipt.state == "paid" and faults() == []


@pytest.mark.parametrize(
    "age", [None, 18, {}, {"least": 18}, {"least": 0, "answer": "yes"},
            {"least": True, "answer": "no"}, {"least": 18, "answer": "maybe"},
            {"least": 200, "answer": "yes"}]
)  # fmt: skip
def test_what_is_no_answer_is_refused(shop: DoorShop, away: Exit, age: object) -> None:
    away.note(signed_pass(shop, shop.bought(1), age=18), "accepted")
    away.checks[-1]["age"] = age
    assert away.tell()[0]["outcome"] == "refused"
