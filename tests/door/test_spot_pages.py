"""The pages of a spot check: the staff's, the shopper's, and the owner's rules."""

from __future__ import annotations

import pytest

from store import clock, ids
from store.db import transaction
from store.door import rules, spots
from store.door.rules import Rules
from tests.door.shop import DoorBrowser, DoorShop

pytestmark = pytest.mark.usefixtures("clock")

FORM = {"random": "100", "sight_pieces": "2", "rescan_pieces": "2", "wary_days": "180"}


def hold(shop: DoorShop) -> None:
    with shop.app.app_context(), transaction():
        rules.set_rules(Rules(random_bp=10_000, sight_pieces=2, rescan_pieces=2),
                        by=shop.owner, at=clock.now())  # fmt: skip


def step(browser: DoorBrowser, sale: str, name: str) -> str:
    path = f"/desk/exit/{sale}"
    assert browser.post(f"{path}/steps", step=name, key=ids.new()).status_code == 303
    return browser.get(path).text


def scan(browser: DoorBrowser, sale: str, code: str, **more: object) -> str:
    path = f"/desk/exit/{sale}"
    answer = browser.post(f"{path}/scans", code=code, key=ids.new(), **more)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["Location"]).text


def test_from_the_scan_to_the_shoppers_yes(shop: DoorShop) -> None:
    hold(shop)
    staff, phone, other = (shop.browser(who) for who in (shop.staff, shop.shopper, shop.other))
    sale = shop.bought(3)
    page = phone.get(f"/sales/{sale}").text
    assert "data-pass=" in page  # Before the exit the phone shows the pass, chosen or not.
    stopped = staff.post("/desk/exit", code=shop.pass_of(sale), key=ids.new())
    assert (stopped.status_code, 'data-verdict="check_first"' in stopped.text) == (409, True)
    assert f"/desk/exit/{sale}" in stopped.text
    assert "Checks under way" in staff.get("/desk/exit").text
    page = staff.get(f"/desk/exit/{sale}").text
    assert "0 of 2 scanned" in page and "by chance: every one" in page
    page = phone.get(f"/sales/{sale}").text
    assert "Your bag is looked at" in page and "data-pass=" not in page
    assert phone.get(f"/sales/{sale}/pass.svg?ahead=0").json["state"] == "open"  # type: ignore[index]
    assert phone.get(f"/sales/{sale}/pass.svg").status_code == 409
    # Broken codes and codes of nothing say so, and count nothing.
    for code in ("nothing", "0101234", "]d2019999999999999999999"):
        assert "Nothing has the code" in scan(staff, sale, code)
    page = scan(staff, sale, "6901234567892")
    assert "1 of 2 scanned" in page and "Take one back" in page
    assert "0 of 2 scanned" in scan(staff, sale, "6901234567892", back="1")
    for _ in range(4):
        page = scan(staff, sale, "https://elsewhere.example/01/06901234567892")
    assert "1 not paid" in page and "Scan every piece" in page
    assert "The shopper decides" in step(staff, sale, "ask")
    page = phone.get(f"/sales/{sale}").text
    assert "Yes, pay" in page and "12.50" in page and "8.00" in page
    # Not with another round, not by another shopper.
    assert other.post(f"/sales/{sale}/check", answer="yes", round="1").status_code == 404
    phone.post(f"/sales/{sale}/check", answer="yes", round="2")
    with shop.app.app_context():
        check = spots.found(sale)
        assert check is not None and check.state == "asked"
    assert phone.post(f"/sales/{sale}/check", answer="yes", round="1").status_code == 303
    page = staff.get(f"/desk/exit/{sale}").text
    assert "The difference is settled." in page and "Let through" in page
    assert "Checked at the door" in phone.get(f"/sales/{sale}").text
    # What comes late finds the check ended.
    assert "has moved on" in step(staff, sale, "refuse")
    assert "has moved on" in scan(staff, sale, "6901234567892")


def test_a_look_that_is_right_or_refused(shop: DoorShop) -> None:
    hold(shop)
    staff, phone = shop.browser(shop.staff), shop.browser(shop.shopper)
    sale = shop.bought(1)
    staff.post("/desk/exit", code=shop.pass_of(sale), key=ids.new())
    assert "Look: 2 pieces" in staff.get(f"/desk/exit/{sale}").text
    assert "The goods stay here" in step(staff, sale, "refuse")
    assert "data-pass=" in phone.get(f"/sales/{sale}").text
    staff.post("/desk/exit", code=shop.pass_of(sale), key=ids.new())
    assert "All was right" in step(staff, sale, "pass")
    history = staff.get("/desk").text
    assert "To be checked" in history and "Check refused" in history
    assert "1 let through · 0 refused" in history
    assert staff.get("/desk/exit/nothing").status_code == 404
    assert staff.post("/desk/exit/nothing/steps", step="pass", key=ids.new()).status_code == 404


def test_the_owner_sets_the_rules_and_sees_those_before(shop: DoorShop) -> None:
    owner, staff = shop.browser(shop.owner), shop.browser(shop.staff)
    assert "No bag is looked at" in owner.get("/owner/exit").text
    more = {"first": "12.5", "amount": "50", "from": "200", "risk": "33", "items": "6901234567892",
            "trusted_after": "3", "trusted": "2", "random": "5"}  # fmt: skip
    assert owner.post("/owner/exit", **{**FORM, **more}).status_code == 303
    page = owner.get("/owner/exit").text
    for words in ("Everybody, by chance: 1 in 20", "At a first purchase: 1 in 8",
                  "200.00 on: 1 in 2", "With a marked item: 1 in 3.03",
                  "in which all was right: 1 in 50"):  # fmt: skip
        assert words in page, words
    assert owner.post("/owner/exit", **FORM).status_code == 303
    page = owner.get("/owner/exit").text
    assert "every one" in page and "Rules before" in page and "Olga" in page
    faults = ({"random": "101"}, {"random": "5,5"}, {"trusted_after": "x"}, {"items": "nothing"},
              {"risk_categories": "9"}, {"amount": "5", "from": "x"}, {"rescan_pieces": "0"},
              {"wary": "1"})  # fmt: skip
    for fault in faults:
        answer = owner.post("/owner/exit", **{**FORM, **fault})
        assert answer.status_code in (404, 422), fault
        assert "Nothing was saved" in answer.text
    with shop.app.app_context():
        assert len(rules.versions(clock.now())) == 2
    assert staff.get("/owner/exit").status_code == 403
