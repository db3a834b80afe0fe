"""What a shopper is asked, warned of or refused on the way: nothing moves until they decide."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from playwright.sync_api import Page, expect

from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button
from tests.world import Somebody, Thing, World

# Each test buys something that no other here does.
goods = iter(
    ["oat-milk", "butter", "cheese", "eggs", "honey", "jam", "juice", "tea", "coffee", "rice"]
)


@pytest.fixture
def world(shop: OpenShop) -> World:
    return shop.world


@pytest.fixture
def url(shop: OpenShop) -> str:
    return shop.url


@pytest.fixture
def lin(world: World) -> Somebody:
    return world.member(funds="1000")


@pytest.fixture
def phone(world: World, url: str, lin: Somebody, open_phone: OpenPhone) -> Page:
    """Lin's phone."""
    page = open_phone()
    be_signed_in(page, world.app, url, lin)
    return page


@pytest.fixture
def item(world: World) -> Thing:
    """Something that nobody else here buys."""
    return world.item(next(goods), price="12.50", on_hand=3)


def test_a_large_amount_is_confirmed_first(
    world: World, phone: Page, url: str, lin: Somebody
) -> None:
    wine = world.item("wine", price="260", on_hand=2)
    phone.goto(f"{url}{wine.path}")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Pay ¥260.00?")).to_be_visible()
    assert (world.left(wine), world.balance(lin)) == (2, 100_000)
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    assert (world.left(wine), world.balance(lin)) == (1, 74_000)


def test_the_same_again_within_a_moment_is_asked(
    world: World, phone: Page, url: str, item: Thing
) -> None:
    phone.goto(f"{url}{item.path}")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    receipt = phone.url
    for answer, left in (("Receipt", 2), ("Buy once more", 1)):
        phone.goto(f"{url}{item.path}")
        main_button(phone).click()
        expect(phone.get_by_role("heading", name="You bought this a moment ago")).to_be_visible()
        assert world.left(item) == 2
        phone.locator(".bar").get_by_text(answer).click()
        expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
        assert (phone.url == receipt) == (answer == "Receipt")
        assert world.left(item) == left
    assert world.faults() == []


def test_a_price_that_rose_meanwhile_is_shown_before_it_is_paid(
    world: World, phone: Page, url: str, lin: Somebody, item: Thing
) -> None:
    phone.goto(f"{url}{item.path}")
    world.price(item, "15")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="The price has gone up")).to_be_visible()
    expect(phone.locator("main")).to_contain_text("¥15.00")
    assert (world.left(item), world.balance(lin)) == (3, 100_000)
    main_button(phone).click()
    expect(main_button(phone)).to_contain_text("Pay ¥15.00")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    assert world.balance(lin) == 98_500


def test_a_price_that_fell_meanwhile_is_passed_on(
    world: World, phone: Page, url: str, lin: Somebody, item: Thing
) -> None:
    phone.goto(f"{url}{item.path}")
    world.price(item, "10")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    expect(phone.locator(".bill .total")).to_contain_text("10.00")
    assert world.balance(lin) == 99_000


def test_the_last_one_went_to_somebody_else(
    world: World, phone: Page, url: str, lin: Somebody
) -> None:
    cake = world.item("moon-cake", on_hand=1)
    phone.goto(f"{url}{cake.path}")
    expect(phone.locator("main")).to_contain_text("Last one on this shelf")
    world.sale(cake)
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Not enough left")).to_be_visible()
    expect(phone.locator("main")).to_contain_text("Nothing was charged.")
    assert world.balance(lin) == 100_000
    phone.locator(".bar").get_by_role("link", name="Back").click()
    expect(phone.locator("main")).to_contain_text("Sold out here")
    expect(main_button(phone)).to_have_text("Scan another")


def test_after_a_question_the_way_back_leads_to_the_item(
    world: World, phone: Page, url: str, item: Thing
) -> None:
    phone.goto(f"{url}{item.path}")
    main_button(phone).click()
    phone.goto(f"{url}{item.path}")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="You bought this a moment ago")).to_be_visible()
    world.sale((item, 2))
    phone.get_by_role("button", name="Buy once more").click()
    expect(phone.get_by_role("heading", name="Not enough left")).to_be_visible()
    phone.locator(".bar").get_by_role("link", name="Back").click()
    phone.wait_for_url(f"{url}{item.path}")
    expect(phone.locator("main")).to_contain_text("Sold out here")


def test_a_buy_that_the_shop_could_not_answer_is_tried_again_with_its_key(
    world: World, phone: Page, url: str, lin: Somebody, item: Thing
) -> None:
    phone.goto(f"{url}{item.path}")
    key = phone.locator("input[name=key]").input_value()
    file = world.app.config["DATABASE_URL"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        main_button(phone).click(timeout=60_000)
        away = phone.get_by_role("heading", name="The shop cannot answer just now")
        expect(away).to_be_visible(timeout=40_000)
        somebody_else.execute("ROLLBACK")
    assert phone.locator("input[name=key]").input_value() == key
    phone.get_by_role("button", name="Try again").click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    assert (world.left(item), world.balance(lin)) == (2, 98_750)


def test_an_account_that_is_short_is_topped_up_on_the_way(
    world: World, url: str, open_phone: OpenPhone, item: Thing
) -> None:
    mei, page = world.member("Mei", funds="13"), open_phone()
    be_signed_in(page, world.app, url, mei)
    page.goto(f"{url}{item.path}")
    # Meanwhile another phone of hers spends the money.
    world.buy(mei, world.item("bagel", price="9.90"))
    main_button(page).click()
    expect(page.get_by_role("heading", name="Your account is short")).to_be_visible()
    assert world.left(item) == 3
    main_button(page).click()
    page.get_by_role("link", name="20").first.click()
    page.locator("#pay .button.primary").click()
    main_button(page).filter(has_text="Go on and pay").click()
    page.wait_for_url(f"{url}{item.path}")
    main_button(page).click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert world.balance(mei) == 1300 - 990 + 2000 - 1250


def test_a_payment_that_was_declined_can_be_tried_again(
    world: World, url: str, open_phone: OpenPhone, item: Thing
) -> None:
    mei, page = world.member("Mei"), open_phone()
    be_signed_in(page, world.app, url, mei)
    page.goto(f"{url}{item.path}")
    main_button(page).click()
    page.get_by_role("link", name="50").click()
    for wish, said in (("decline", "The payment was declined"), ("approve", "is in your account")):
        page.get_by_label("How shall the payment end?").select_option(wish)
        page.locator("#pay .button.primary").click()
        expect(page.get_by_role("heading", name=said)).to_be_visible()
        main_button(page).click()
    page.wait_for_url(f"{url}{item.path}")
    assert world.balance(mei) == 5000


def test_a_label_that_is_not_ours_is_warned_of(phone: Page, url: str, item: Thing) -> None:
    phone.goto(f"{url}{item.path}?l=ABCDEFGH12345")
    expect(phone.get_by_role("status")).to_contain_text("not made by this shop for this item")
    phone.goto(f"{url}/find?code=https://elsewhere.example/01/{item.gtin}?l=ABCDEFGH12345")
    phone.wait_for_url(f"{url}{item.path}")
    expect(phone.locator(".notice.warn")).to_have_count(0)


def test_the_other_language_stays_and_so_does_the_label(phone: Page, url: str, item: Thing) -> None:
    phone.goto(f"{url}{item.path}?quantity=2&at=MAIN")
    phone.get_by_role("link", name="中文").click()
    expect(phone.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(phone.get_by_role("heading", level=1)).to_have_text(item.names["zh"])
    expect(main_button(phone)).to_contain_text("25.00")
    phone.goto(f"{url}/basket")
    expect(phone.locator("html")).to_have_attribute("lang", "zh-Hans")
