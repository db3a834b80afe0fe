"""Bought in one shop, declared at home, handed in at another, whose stock rises; money is back."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import OpenPhone
from tests.journeys.steps import be_signed_in, main_button, read_code
from tests.live import Start
from tests.world import World


def test_bought_in_one_shop_and_returned_in_another(
    world: World, live_server: Start, open_phone: OpenPhone
) -> None:
    url, mill = live_server().url, world.place("MILL", "Mill Street")
    lin, sam = world.member(funds="100"), world.staff()
    milk = world.item("oat-milk", price="12.50", on_hand=5)
    phone, desk = open_phone(), open_phone(desk=True)
    be_signed_in(phone, world.app, url, lin)
    be_signed_in(desk, world.app, url, sam)

    # In the first shop.
    phone.goto(f"{url}{milk.path}?quantity=2")
    expect(phone.get_by_text("Return it within 14 days")).to_be_visible()
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    assert (world.left(milk), world.balance(lin)) == (3, 7500)

    # At home, with the item's own label.
    phone.goto(f"{url}{milk.path}")
    phone.get_by_role("link", name="Return it").click()
    phone.get_by_label("Oat milk").fill("1")
    phone.get_by_label("Why").select_option("mistake")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="On its way")).to_be_visible()
    shown = phone.locator(".return-picture").screenshot()
    address = read_code(Image.open(io.BytesIO(shown)))
    assert address.startswith(f"{url}/desk/returns?code=")

    # In the second shop: the staff's own camera opens what the code says.
    desk.goto(address)
    _decide(desk)
    expect(desk.get_by_text("Taken back. ¥12.50 went back")).to_be_visible()
    assert (world.left(milk), world.left(milk, mill), world.balance(lin)) == (3, 1, 8750)
    phone.reload()
    expect(phone.get_by_role("heading", name="Taken back")).to_be_visible()
    phone.get_by_role("link", name="Receipt").click()
    expect(phone.locator(".bill")).to_contain_text("1 given back")
    assert world.faults() == []


def _decide(desk: Page) -> None:
    expect(desk.get_by_label("For sale again")).to_have_value("1")
    desk.get_by_label("Handed in at").select_option("MILL")
    desk.get_by_role("button", name="Take back, pay back").click()
