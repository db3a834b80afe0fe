"""The till in a browser: scanned, paid in every way, printed, and goods that come back."""

from __future__ import annotations

import io

import pypdfium2
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in
from tests.world import Somebody, Thing


def scan(page: Page, code: str) -> None:
    """What a hand scanner does: it types into the field that has the focus and presses Enter."""
    expect(page.locator("#code")).to_be_visible()
    page.locator("#code").fill(code)
    with page.expect_navigation():
        page.locator("#code").press("Enter")


def readable(page: Page) -> None:
    """What a page shows only with something in it; test_pages has looked at the rest."""
    assert Axe().run(page).response["violations"] == []


def paper(page: Page) -> str:
    """What the printer prints; its code is read and put before its words."""
    sheet = pypdfium2.PdfDocument(io.BytesIO(page.pdf()))[0]
    [code] = zxingcpp.read_barcodes(sheet.render(scale=2).to_pil())
    return f"{code.text}\n{sheet.get_textpage().get_text_range()}"


def shown_code(page: Page, url: str) -> str:
    """What a hand scanner reads on the member's phone."""
    page.goto(f"{url}/me/code")
    picture = Image.open(io.BytesIO(page.locator("[data-pass-picture]").screenshot()))
    [code] = zxingcpp.read_barcodes(picture)
    readable(page)
    return code.text


def opened(shop: OpenShop, open_phone: OpenPhone, staff: Somebody, **how: object) -> Page:
    page = open_phone(**how)
    be_signed_in(page, shop.world.app, shop.url, staff)
    page.goto(f"{shop.url}/desk/till")
    return page


def test_cash_with_change_and_a_receipt_that_brings_the_goods_back(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world = shop.world
    milk, bread = _goods(shop, "CASH")
    desk = opened(shop, open_phone, world.staff(), desk=True)
    scan(desk, f"3*{milk.code}")
    scan(desk, bread.code)
    scan(desk, bread.code)
    desk.get_by_role("button", name="Undo").click()
    expect(desk.get_by_role("heading", name="4 pieces")).to_be_visible()
    desk.get_by_role("textbox", name="Cash given").fill("5")
    expect(desk.locator("[data-change]")).to_be_hidden()
    desk.get_by_role("textbox", name="Cash given").fill("50")
    expect(desk.locator("[data-change]")).to_contain_text("4.50")
    readable(desk)
    desk.get_by_role("button", name="Cash ¥45.50").click()
    expect(desk.get_by_role("heading", name="Paid")).to_be_visible()
    expect(desk.locator(".notice.change")).to_contain_text("4.50")
    expect(desk.get_by_role("link", name="Next customer")).to_be_focused()
    printed = paper(desk)
    for words in ("Change due", "Tax included", "Sold by", "Returns until"):
        assert words in printed
    assert "Next customer" not in printed and "Exit" not in printed
    assert world.left(milk) == 7

    # The customer is back with the paper: its code finds the sale, one bottle comes back.
    code = printed.splitlines()[0]
    desk.goto(f"{shop.url}/desk")
    scan(desk, code)
    expect(desk.get_by_role("heading", name="Sale of")).to_be_visible()
    desk.goto(f"{shop.url}/desk/till")
    desk.get_by_role("link", name="Take goods back").click()
    desk.get_by_label("return code").fill(code)
    desk.get_by_label("return code").press("Enter")
    desk.locator("input[name='resell-1']").fill("1")
    desk.locator("input[name='resell-2']").fill("0")
    desk.get_by_role("button", name="Take back").click()
    expect(desk.get_by_text("Taken back.")).to_contain_text("12.50")
    assert world.left(milk) == 8


def test_a_phone_in_chinese_by_card_and_from_the_account(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world = shop.world
    milk, _ = _goods(shop, "CARD")
    lin = world.member(funds="100")
    phone = opened(shop, open_phone, world.staff(), language="zh", dark=True)
    scan(phone, milk.code)
    phone.get_by_role("button", name="刷卡").click()
    expect(phone.get_by_role("heading", name="已付款")).to_be_visible()
    assert "银行卡" in paper(phone) or "刷卡" in paper(phone)
    phone.get_by_role("link", name="下一位").click()
    # A long list: what is to be paid stays in sight, and a tap leads to the tender.
    for each in range(3):
        scan(phone, world.item(code=f"MORE{each}", gtin=None, price="1").code)
    scan(phone, milk.code)
    phone.evaluate("scrollTo(0, 0)")
    expect(phone.locator(".till-go")).to_be_in_viewport(ratio=1)
    scan(phone, shown_code(opened(shop, open_phone, lin, language="zh"), shop.url))
    phone.get_by_role("button", name="账户").click()
    expect(phone.locator(".slip")).to_contain_text(lin.name)
    readable(phone)
    assert world.balance(lin) == 10_000 - 1_550


def test_a_camera_that_is_open_stays_open(shop: OpenShop, open_phone: OpenPhone) -> None:
    """The till and the desk have one field; the till's camera comes back after each scan."""
    world = shop.world
    milk, _ = _goods(shop, "LENS")
    phone = opened(shop, open_phone, world.staff())
    phone.get_by_role("button", name="Use the camera").click()
    expect(phone.locator("[data-scanner]")).to_be_visible()
    scan(phone, milk.code)
    expect(phone.locator("[data-scanner]")).to_be_visible()
    phone.get_by_role("button", name="Use the camera").click()
    scan(phone, milk.code)
    expect(phone.locator("[data-scanner]")).to_be_hidden()


def _goods(shop: OpenShop, name: str) -> tuple[Thing, Thing]:
    milk = shop.world.item(code=f"{name}1", gtin=None, price="12.50", on_hand=10)
    return milk, shop.world.item("bread", code=f"{name}2", gtin=None, price="8", on_hand=10)
