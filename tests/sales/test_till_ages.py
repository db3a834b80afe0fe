"""At the till somebody looks at an age before the sale: one question, with the date to compare."""

from __future__ import annotations

import html
from datetime import UTC, datetime

from sqlalchemy import select

from store.db import db
from store.sales.ages.ages import AgeCheck
from tests.conftest import Clock
from tests.sales.test_away import made, said, tell
from tests.sales.test_till_pages import pay, scan, sold
from tests.world import World


def test_nothing_is_sold_before_somebody_has_looked(world: World, clock: Clock) -> None:
    clock.set(datetime(2027, 11, 26, 3, tzinfo=UTC))
    beer, milk = world.item("beer", price="20", on_hand=3, least_age=18), world.item(price="5")
    till = world.client_for(world.staff())
    assert "age_checked" not in scan(till, milk.code)
    page = html.unescape(scan(till, beer.code))
    assert "18+: born on or before 26 November 2009" in page
    for more in ({}, {"age_checked": "16"}, {"age_checked": "0"}):
        assert "Ask for the age first. Nothing was sold." in pay(till, page, "cash", **more)
    assert sold(world) == [] and world.left(beer) == 3
    assert "Receipt" in pay(till, page, "cash", age_checked="18")
    assert [each[2] for each in sold(world)] == [2500] and world.faults() == []


def test_in_an_exchange_too(world: World) -> None:
    beer, milk = world.item("beer", price="20", least_age=18), world.item(price="5")
    lin, desk = world.member(funds="100"), world.client_for(world.staff())
    sale = world.buy(lin, milk).id
    page = desk.get(f"/desk/returns/{sale}").text
    key = page.partition('name="key" value="')[2].partition('"')[0]
    form = {"key": key, "resell-1": "1", "quarantine-1": "0", "scrap-1": "0", "at": "MAIN",
            "take": beer.code, "many": "1", "to": "source"}  # fmt: skip
    said = desk.post(f"/desk/returns/{sale}", form)
    assert said.status_code == 409 and "from 18 years" in said.text and world.left(beer) == 10
    assert desk.post(f"/desk/returns/{sale}", form | {"age_checked": "99"}).status_code == 303
    assert world.left(beer) == 9 and world.faults() == []


def test_a_till_without_a_network_says_that_it_has_looked(world: World) -> None:
    beer, till = world.item("beer", price="20", least_age=18), world.client_for(world.staff())
    assert till.get("/desk/till/goods").get_json()["goods"][0]["age"] == 18
    looked, not_asked = made(till, beer, "a", age=18), made(till, beer, "b")
    assert said(tell(till, looked, not_asked, looked)) == ["sold", "sold", "known"]
    assert said(tell(till, made(till, beer, "c", age="18"))) == ["invalid"]
    with world.app.app_context():
        found = sorted(db.session.scalars(select(AgeCheck.state)))
    assert found == ["missed", "yes"] and world.faults() == []


def test_the_basket_says_it_before_anybody_pays(world: World) -> None:
    beer, milk = world.item("beer", price="20", least_age=18), world.item(price="5")
    phone = world.client_for(world.member(funds="100"))
    phone.post("/basket/lines", code=milk.code, quantity="1", seen_minor="500")
    assert "have an ID ready" not in phone.get("/basket").text
    phone.post("/basket/lines", code=beer.code, quantity="1", seen_minor="2500")
    page = phone.get("/basket").text
    assert "18+ in this basket: have an ID ready." in page and page.count("18+</b>") == 1
