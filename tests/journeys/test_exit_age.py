"""The exit and something from 18 on: a yes, a no, and both without a network."""

from __future__ import annotations

import os

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from store.db import db
from store.sales.ages.ages import AgeCheck
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button, photograph, read_code
from tests.world import Somebody


def scan(desk: Page, code: str) -> None:
    desk.locator("#code").fill(code)
    desk.locator("#code").press("Enter")


def test_somebody_at_the_exit_looks_at_an_id(shop: OpenShop, open_phone: OpenPhone) -> None:
    url, world = shop.url, shop.world
    lin, sam = world.member(funds="200"), world.staff()
    beer = world.item("beer", price="5", on_hand=12, least_age=18)
    phone, desk = open_phone(), open_phone()
    be_signed_in(phone, world.app, url, lin)
    be_signed_in(desk, world.app, url, sam)

    def bought(quantity: int) -> str:
        phone.goto(f"{url}{beer.path}?quantity={quantity}")
        with phone.expect_response(lambda answer: "ahead=" in answer.url):
            main_button(phone).click()
        expect(phone.locator("[data-pass-picture][src^='data:'][data-signed]")).to_be_visible()
        expect(phone.get_by_text("18+ in this bag: have an ID ready.")).to_be_visible()
        return read_code(photograph(phone))

    desk.goto(f"{url}/desk/exit")
    expect(desk.locator("html[data-taken-along]")).to_be_attached()
    scan(desk, bought(1))
    expect(desk.get_by_role("heading", name="Born on or before")).to_be_visible()
    assert Axe().run(desk).response["violations"] == []
    expect(phone.get_by_role("heading", name="Show an ID at the exit")).to_be_visible(
        timeout=20_000
    )
    desk.get_by_role("button", name="Old enough", exact=True).click()
    expect(desk.locator(".verdict.good")).to_be_visible()
    expect(phone.get_by_text("Checked at the door")).to_be_visible(timeout=20_000)

    scan(desk, bought(2))
    desk.get_by_role("button", name="Not old enough").click()
    expect(desk.get_by_role("heading", name="All of it stays here")).to_be_visible()
    expect(desk.get_by_text("Take 2 pieces back. ¥10.00 went back.")).to_be_visible()
    expect(phone.get_by_role("heading", name="Refunded")).to_be_visible(timeout=20_000)
    _without_a_network(desk, [bought(3), bought(4)])
    assert (world.left(beer), world.balance(lin)) == (8, 18_000)
    with world.app.app_context():
        assert sorted(_told(sam)) == ["no", "no", "yes", "yes"]
    assert world.faults() == []


def _told(staff: Somebody) -> list[str]:
    """What this one said to the ages asked for; the shop is that of all tests here."""
    return list(db.session.scalars(select(AgeCheck.state).where(AgeCheck.staff_id == staff.id)))


def _without_a_network(desk: Page, codes: list[str]) -> None:
    desk.goto(desk.url.partition("/desk")[0] + "/desk/exit")
    expect(desk.locator("html[data-taken-along]")).to_be_attached()
    desk.context.set_offline(True)
    expect(desk.get_by_text("This device checks passes by itself until")).to_be_visible()
    scan(desk, codes[1])
    expect(desk.get_by_role("heading", name="Born on or before")).to_be_visible()
    _seen(desk, "exit-away-age")
    assert Axe().run(desk).response["violations"] == []
    desk.get_by_role("button", name="Not old enough").click()
    expect(desk.get_by_role("heading", name="Take it out of the bag")).to_be_visible()
    _seen(desk, "exit-away-age-no")
    desk.get_by_role("button", name="Nothing else is in it").click()
    expect(desk.get_by_role("heading", name="All of it stays here")).to_be_visible()
    scan(desk, codes[0])
    desk.get_by_role("button", name="Old enough", exact=True).click()
    expect(desk.locator(".verdict.good")).to_be_visible()
    desk.context.set_offline(False)
    expect(desk.get_by_text("2 checks without a network are booked.")).to_be_visible(timeout=20_000)


def test_a_till_without_a_network_asks_first(shop: OpenShop, open_phone: OpenPhone) -> None:
    url, world = shop.url, shop.world
    milk = world.item(price="5")
    beer = world.item("beer", code="CIDER1", gtin=None, price="20", least_age=18)
    till = open_phone()
    sam = world.staff()
    be_signed_in(till, world.app, url, sam)
    till.goto(f"{url}/desk/till")
    expect(till.locator("html[data-taken-along]")).to_be_attached()
    till.context.set_offline(True)
    field = till.get_by_label("Code of an item, scanned or typed")
    expect(till.get_by_text("No network")).to_be_visible()
    question = till.locator("[data-offline-age]")
    for item in (milk, beer):
        field.fill(item.code)
        field.press("Enter")
    expect(question).to_contain_text("18+: born on or before")
    _seen(till, "till-away-age")
    till.get_by_role("button", name="Cash ¥25.00").click()
    expect(question).to_be_visible()  # The browser asks for the tick.
    question.get_by_role("checkbox").check()
    till.get_by_role("button", name="Cash ¥25.00").click()
    till.get_by_role("button", name="Next customer").click()
    expect(question).to_be_hidden()
    till.context.set_offline(False)
    expect(till.get_by_text("The network is back.", exact=True)).to_be_visible(timeout=20_000)
    till.reload()
    with world.app.app_context():
        for _ in range(40):
            db.session.rollback()
            if _told(sam) == ["yes"]:
                break
            till.wait_for_timeout(250)
        assert _told(sam) == ["yes"]
    assert world.faults() == []


def _seen(page: Page, name: str) -> None:
    """A picture for whoever wants to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
