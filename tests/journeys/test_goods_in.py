"""Goods in, labels, count: a delivery is scanned on a phone, its labels come out of the printer,
and the shelf that they hang on is counted while somebody buys from it."""

from __future__ import annotations

import io

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button
from tests.world import Thing


def type_code(page: Page, thing: Thing) -> None:
    """What a hand scanner does: it types the code and presses Enter."""
    page.locator("#code").fill(thing.gtin or thing.code)
    page.locator("#code").press("Enter")
    expect(page.locator(".answer")).to_contain_text(thing.names["en"])


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_goods_come_in_get_labels_and_are_counted(
    shop: OpenShop, open_phone: OpenPhone, script: bool
) -> None:
    world = shop.world
    staff, lin = world.staff(), world.member(funds="1000")
    number = "1" if script else "2"
    tea = world.item("tea", code=f"TEA{number}", gtin=None, on_hand=0)
    jam = world.item("jam", code=f"JAM{number}", gtin=None, on_hand=0)
    phone = open_phone(script=script)
    be_signed_in(phone, world.app, shop.url, staff)

    # Three of one thing are scanned one by one, forty of another are typed.
    phone.goto(f"{shop.url}/desk/deliveries")
    phone.get_by_label("Supplier").fill("Green Hill")
    phone.get_by_role("button", name="Scan what came").click()
    for many in range(1, 4):
        type_code(phone, tea)
        expect(phone.locator("[data-pieces]")).to_have_text(str(many))
    type_code(phone, jam)
    phone.get_by_label("How many").fill("40")
    phone.get_by_role("button", name="That is all").click()
    expect(main_button(phone)).to_have_text("Put 43 pieces on the shelf")
    if script:
        assert Axe().run(phone).response["violations"] == []
    main_button(phone).click()
    expect(phone.get_by_text("43 pieces are on the shelf.")).to_be_visible()
    assert (world.left(tea), world.left(jam)) == (3, 40)

    # Forty-three labels, of which a dozen are not needed.
    phone.get_by_role("link", name="Print 43 labels").click()
    phone.get_by_label(jam.names["en"]).fill("28")
    if script:
        assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("button", name="Print labels").click()
    expect(phone.get_by_role("heading", name="31 labels")).to_be_visible()
    with phone.expect_download() as download:
        main_button(phone).click()
    assert len(pypdfium2.PdfDocument(io.BytesIO(download.value.path().read_bytes()))) == 2

    # The count is blind, and a sale in the middle is no difference.
    phone.goto(f"{shop.url}/desk/counts")
    phone.get_by_role("button", name="Begin to count").click()
    type_code(phone, jam)
    phone.get_by_label("How many").fill("39")
    phone.get_by_role("button", name="That is all").click()
    expect(phone.locator("[data-pieces]")).to_have_text("39")
    expect(phone.locator("main")).not_to_contain_text("40")
    world.buy(lin, (jam, 5))
    phone.get_by_role("link", name="Compare with the book").click()
    expect(phone.get_by_role("row", name=jam.names["en"])).to_contain_text("−1")
    if script:
        assert Axe().run(phone).response["violations"] == []
    main_button(phone).click()
    expect(phone.get_by_text("1 level was put right")).to_be_visible()
    assert world.left(jam) == 34


def test_a_hand_scanner_that_is_faster_than_the_script_loses_nothing(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world = shop.world
    soap = world.item("soap", code="BAR3", gtin=None, on_hand=0)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, world.staff())
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    # What a worker takes along would come past the route.
    phone.add_init_script("Object.defineProperty(navigator, 'serviceWorker', {value: undefined})")
    phone.route("**/keys.js*", hold)
    phone.goto(f"{shop.url}/desk/deliveries", wait_until="commit")
    phone.get_by_label("Supplier").fill("Green Hill")
    phone.get_by_role("button", name="Scan what came").click(no_wait_after=True)
    phone.locator("#code").press_sequentially("BA")
    for _ in range(500):  # The page's own script asks for this one, whenever it has come itself.
        if held:
            break
        phone.wait_for_timeout(20)
    with phone.expect_event("load"):
        held[0].continue_()
    expect(phone.locator("#code")).to_be_focused()
    phone.keyboard.type("R3")
    # Somebody touches the page between the last letter and Enter.
    phone.locator("#code").blur()
    phone.keyboard.press("Enter")
    expect(phone.locator(".answer")).to_contain_text(soap.names["en"])
