"""Pages of ages: what the shopper reads and says, what staff press, what the owner sees."""

from __future__ import annotations

import html

import pytest
from flask import Flask

from store import catalogue, ids, sales
from store.db import transaction
from store.reports import oracle
from tests.door.shop import DoorBrowser, DoorShop, make_shop

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def shop(app: Flask) -> DoorShop:
    """Bread is from 18 on."""
    made = make_shop(app)
    with app.app_context(), transaction():
        catalogue.edit_item(made.bread, least_age=18)
    return made


def scan(desk: DoorBrowser, sale: str) -> str:
    with desk.shop.app.app_context():
        text = desk.shop.pass_of(sale)
    return html.unescape(desk.post("/desk/exit", code=text, key=ids.new()).text)


def say(desk: DoorBrowser, sale: str, answer: str, **more: str) -> str:
    form = {"answer": answer, "least_age": "18", "key": ids.new()} | more
    found = desk.post(f"/desk/exit/{sale}/age", **form)
    return html.unescape(desk.get(found.location).text if found.location else found.text)


def test_the_exit_asks_and_says_what_stays(shop: DoorShop) -> None:
    desk, other = shop.browser(shop.staff), shop.browser(shop.colleague)
    yes, no = shop.bought(1), shop.bought(2)
    assert "Born on or before 15 March 2009?" in scan(desk, yes)
    assert "18+: born on or before 15 March 2009" in html.unescape(desk.get("/desk/exit").text)
    assert "Born on or before" in html.unescape(other.get(f"/desk/exit/{yes}/age").text)
    assert "Paid. Let through." in say(desk, yes, "yes")
    assert "Somebody else was faster" in say(other, yes, "no")
    assert "Old enough" in html.unescape(other.get(f"/desk/exit/{yes}/age").text)
    scan(desk, no)
    said = say(desk, no, "no")
    assert "Take 1 piece back. ¥8.00 went back." in said and "Let this through." in said
    phone = shop.browser(shop.shopper)
    assert "Something of it stayed at the exit" in phone.get(f"/sales/{no}").text
    for wrong in ({"answer": "maybe"}, {"least_age": "0"}, {"least_age": "x"}, {"key": "k"}):
        form = {"answer": "yes", "least_age": "18", "key": ids.new()} | wrong
        assert desk.post(f"/desk/exit/{no}/age", **form).status_code == 422
    assert phone.post(f"/desk/exit/{no}/age", answer="yes").status_code == 403
    with shop.app.app_context():
        assert [one for one in oracle.audit() if one.count] == []


def test_the_member_says_so_and_the_report_counts(shop: DoorShop) -> None:
    shop.app.config["AGE_REMEMBERED"] = True
    phone, desk = shop.browser(shop.shopper), shop.browser(shop.staff)
    assert "Your age" in phone.get("/me").text
    sale = shop.bought(1)
    scan(desk, sale)
    assert "Remember my age from now on" in phone.get(f"/sales/{sale}").text
    answer = phone.post("/me/age", wanted="1", sale=sale)
    assert answer.status_code == 303 and answer.location == f"/sales/{sale}"
    assert "It will be remembered" in phone.get("/me/age").text
    say(desk, sale, "yes")
    assert "At least 18, looked at on" in phone.get("/me/age").text
    assert "Paid. Let through." in scan(desk, shop.bought(1))
    with shop.app.app_context():  # What a till asks is no question of the exit.
        line = sales.Line(shop.bread, 1)
        sales.buy(sales.Buy(shop.shopper, shop.main, "CNY", (line,), ids.new(), "till",
                            shop.staff, age_checked=18))  # fmt: skip
    owner = shop.browser(shop.owner)
    assert "Looked at before" in owner.get("/owner/exit/report").text
    table = owner.get("/owner/exit/report.csv?table=passes").text
    counted = [row for row in table.splitlines() if row.startswith("age,")]
    assert counted == ["age,known,1", "age,yes,1"]
    phone.post("/me/age", wanted="0")
    assert "Look once, not each time" in phone.get("/me/age").text
    shop.app.config["AGE_REMEMBERED"] = False
    assert "Your age" not in phone.get("/me").text
    assert "This shop looks at an ID each time for now." in phone.get("/me/age").text
