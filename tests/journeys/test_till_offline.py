"""A till whose network goes: it sells on, keeps each sale, and tells it once when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from store import catalogue, stock
from store.catalogue import markdowns
from store.db import db, transaction
from store.sales.models import Sale
from store.sales.till import empties
from store.stock import batches
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in
from tests.world import Somebody, Thing


@pytest.fixture
def milk(shop: OpenShop) -> Iterator[Thing]:
    """Three are on the shelf; what earlier tests made does not matter."""
    item = shop.world.item(code="", gtin=None, price="12.50", on_hand=3)
    yield item
    assert shop.world.faults() == []


def sold(shop: OpenShop, staff: Somebody | None = None) -> list[tuple[str, int]]:
    with shop.world.app.app_context():
        query = select(Sale.means, Sale.total_minor).order_by(Sale.created_at, Sale.id)
        if staff:
            query = query.where(Sale.sold_by == staff.id)
        return [(row[0], row[1]) for row in db.session.execute(query)]


def open_till(shop: OpenShop, page: Page, staff: Somebody) -> None:
    """The till, with all that it takes along for when there is no network."""
    be_signed_in(page, shop.world.app, shop.url, staff)
    page.goto(f"{shop.url}/desk/till")
    expect(page.locator("html[data-taken-along]")).to_be_attached()


def scan(page: Page, code: str, pieces: str) -> None:
    page.locator("#code").fill(code)
    page.locator("#code").press("Enter")
    expect(page.locator("[data-pieces]")).to_have_text(pieces)


def sell(page: Page, code: str, given: str = "") -> None:
    scan(page, code, "1 piece")
    page.get_by_role("textbox", name="Cash given").fill(given)
    page.get_by_role("button", name="Cash").click()
    expect(page.locator("[data-kept] .slip")).to_be_visible()


def test_three_sales_outlive_the_tab_and_are_booked_once(
    shop: OpenShop, open_phone: OpenPhone, milk: Thing
) -> None:
    staff, page = shop.world.staff(), open_phone(desk=True)
    open_till(shop, page, staff)
    context = page.context
    context.set_offline(True)
    expect(page.get_by_text("No network")).to_be_visible()
    sell(page, milk.code, "20")
    expect(page.locator("[data-kept] .notice.change")).to_contain_text("7.50")
    page.get_by_role("button", name="Next customer").click()
    expect(page.get_by_text("1 sale waits")).to_be_visible()
    assert Axe().run(page).response["violations"] == []

    # The page is loaded again, without a network: it is there, and so is what was sold.
    page.reload()
    expect(page.get_by_text("1 sale waits")).to_be_visible()
    sell(page, milk.code.lower())
    page.get_by_role("button", name="Next customer").click()
    sell(page, f"3*{milk.code}"[2:])
    page.close()

    # A new tab, still without a network; then it is back.
    page = context.new_page()
    page.goto(f"{shop.url}/desk/till")
    expect(page.get_by_text("3 sales wait")).to_be_visible()
    page.get_by_role("button", name="Receipt").first.click()
    expect(page.locator(".slip")).to_contain_text(milk.names["en"])
    page.get_by_role("button", name="Next customer").click()
    assert sold(shop, staff) == []
    context.set_offline(False)
    expect(page.get_by_text("3 sales are booked.")).to_be_visible()
    assert sold(shop, staff) == [("cash", 1250)] * 3
    assert shop.world.left(milk) == 0
    page.get_by_role("link", name="To the till").click()
    expect(page.locator("[data-waiting]")).to_be_hidden()


def test_an_answer_that_was_lost_and_two_tabs_make_no_second_sale(
    shop: OpenShop, open_phone: OpenPhone, milk: Thing
) -> None:
    staff, page = shop.world.staff(), open_phone()
    open_till(shop, page, staff)
    other = page.context.new_page()
    page.context.set_offline(True)
    sell(page, milk.code)
    page.get_by_role("button", name="Next customer").click()
    # The shop hears of it, and its answer is lost on the way.
    page.context.route("**/desk/till/away", lambda route: (route.fetch(), route.abort()))
    page.context.set_offline(False)
    expect(page.get_by_text("The shop did not answer")).to_be_visible()
    assert sold(shop, staff) == [("cash", 1250)]
    page.context.unroute("**/desk/till/away")
    other.goto(f"{shop.url}/desk/till")
    page.get_by_role("button", name="Book them now").click()
    expect(page.get_by_text("The shop did not answer")).to_be_hidden()
    expect(page.get_by_text("1 sale waits")).to_be_hidden()
    assert sold(shop, staff) == [("cash", 1250)]
    assert shop.world.left(milk) == 2


def test_the_network_goes_over_an_open_basket_without_a_worker(
    shop: OpenShop, open_phone: OpenPhone, milk: Thing
) -> None:
    """As behind a certificate that the browser does not trust: the tab goes on with its basket, and
    what it sold is told when it is opened again. More was sold than the book has, and one sale is
    of an item that the shop has forgotten: a person sees both."""
    staff, page = shop.world.staff(), open_phone()
    page.add_init_script("Object.defineProperty(navigator, 'serviceWorker', { value: undefined })")
    open_till(shop, page, staff)
    page.locator("#code").fill(f"4*{milk.code}")
    page.locator("#code").press("Enter")
    expect(page.locator(".till-go")).to_contain_text("50.00")
    expect(page.locator("html[data-taken-along]")).to_be_attached()
    page.route("**/healthz", lambda route: route.abort())
    page.get_by_role("button", name="Cash").click()
    expect(page.get_by_text("This basket was open")).to_be_visible()
    page.get_by_role("button", name="Cash").click()
    page.get_by_role("button", name="Next customer").click()
    expect(page.get_by_text("The book had less")).to_be_visible()
    assert sold(shop, staff) == [("cash", 5000)]
    assert shop.world.left(milk) == 0


def test_what_the_shop_refuses_stays_until_a_person_settles_it(
    shop: OpenShop, open_phone: OpenPhone, milk: Thing
) -> None:
    staff, page = shop.world.staff(), open_phone()
    page.clock.install()  # The clock of this device is about to be put wrong.
    open_till(shop, page, staff)
    page.context.set_offline(True)
    page.clock.set_fixed_time("2020-01-01T12:00:00Z")
    sell(page, milk.code)
    page.get_by_role("button", name="Next customer").click()
    page.context.set_offline(False)
    expect(page.get_by_text("The clock of this device was wrong")).to_be_visible()
    page.goto(f"{shop.url}/desk/till")
    expect(page.get_by_text("The clock of this device was wrong")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Settled by hand").click()
    expect(page.locator("[data-waiting]")).to_be_hidden()
    assert sold(shop, staff) == []


def test_what_is_near_its_date_called_back_and_comes_back_without_a_network(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    """The pack says its batch. Two near their date cost less, a third is at the full price with
    them; what was called back or is past its date is not sold; bottles come off it."""
    world, staff, page = shop.world, shop.world.staff(), open_phone()
    yoghurt = world.item("bread", price="10.00", on_hand=0, tracks_batches=True, code="")
    with world.app.app_context(), transaction():
        kind = catalogue.add_deposit({"en": "Bottle", "zh": "瓶"}, 100, world.currency).item_id
        day = batches.today()
        for code, days in (("SOON", 2), ("BAD", 50)):
            batch = stock.open_batch(yoghurt.id, code, day + timedelta(days=days))
            stock.receive(yoghurt.id, world.location, 2, batch_id=batch)
        stock.call_back(batch, member_id=None)
        markdowns.set_markdown(3, 30, item_id=yoghurt.id)
    open_till(shop, page, staff)
    page.context.set_offline(True)
    field, pack = page.locator("#code"), f"(01){yoghurt.gtin}"
    total = page.locator("[data-total]")
    for code, words in (
        (f"{pack}(10)BAD", "called back"),
        (f"{pack}(17)250131(10)X", "past its date"),
    ):
        field.fill(code)
        field.press("Enter")
        expect(page.locator("[data-said]")).to_contain_text(words)
    scan(page, f"{pack}(10)SOON", "1 piece")
    expect(total).to_contain_text("7.00")
    scan(page, f"2*{yoghurt.gtin}", "3 pieces")
    expect(total).to_contain_text("30.00")
    page.get_by_role("button", name="One less").nth(0).click()
    expect(total).to_contain_text("14.00")
    page.locator("[data-empties] summary").click()
    for off in ("13.00", "12.00"):
        page.get_by_role("button", name="One more of Bottle").click()
        expect(total).to_contain_text(off)
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Cash").click()
    expect(page.locator("[data-kept] .slip")).to_contain_text("12.00")
    page.get_by_role("button", name="Next customer").click()
    # Both that were near their date are gone: the next one costs what it costs.
    scan(page, yoghurt.gtin or "", "1 piece")
    expect(total).to_contain_text("10.00")
    page.get_by_role("button", name="Remove").click()
    page.context.set_offline(False)
    expect(page.get_by_text("1 sale is booked")).to_be_visible()
    assert sold(shop, staff) == [("cash", 1400)]
    with world.app.app_context():
        [owed] = [each for each in empties.owed(world.currency) if each.deposit.item_id == kind]
        left = {one.code: one.on_hand for one in stock.in_batches([(yoghurt.id, world.location)])}
    assert (owed.returned, left) == (2, {"BAD": 2})
    assert world.faults() == []
