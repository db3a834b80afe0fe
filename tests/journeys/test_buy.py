"""The journey of the shop in a real browser: from the label on the shelf to the owner's page."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from store import identity, sales
from tests.browser import OpenPhone, write_camera_film
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import (
    be_signed_in,
    label_film,
    main_button,
    photograph,
    read_code,
    sign_up,
)
from tests.live import Start
from tests.world import World


def test_from_the_label_on_the_shelf_to_the_owners_page(
    world: World, live_server: Start, open_phone: OpenPhone, tmp_path: Path
) -> None:
    url = live_server().url
    milk, staff, owner = world.item("oat-milk", on_hand=3), world.staff(), world.owner()
    desk = open_phone(desk=True)
    be_signed_in(desk, world.app, url, staff)
    film = label_film(desk, url, milk, tmp_path)

    # The shopper, for whom all of this is new.
    phone = open_phone(camera=film)
    phone.goto(f"{url}/scan")
    phone.wait_for_url(f"{url}{milk.path}?l=*", timeout=20_000)
    scanned = phone.url
    expect(phone.get_by_role("heading", name="Oat milk")).to_be_visible()
    expect(phone.locator(".notice.warn")).to_have_count(0)  # The label is ours.
    sign_up(phone, "138 1234 5678", "Wang Fang")
    phone.wait_for_url(scanned)
    price = f"¥{milk.price_minor / 100:.2f}"
    expect(phone.locator(".bar")).to_contain_text(f"{price} short")
    main_button(phone).click()
    phone.get_by_role("link", name="50").click()
    phone.locator("#pay .button.primary").click()
    expect(phone.get_by_role("heading", name="¥50.00 is in your account")).to_be_visible()
    phone.get_by_role("link", name="Go on and pay").click()
    phone.wait_for_url(scanned)
    main_button(phone).filter(has_text=f"Pay {price}").click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    sale_id = phone.url.rpartition("/")[2]
    clock = phone.locator("[data-pass-clock]")
    expect(clock).not_to_have_text(clock.inner_text())  # It ticks.

    # The door. Its camera was on before, so that the pass is not old when it is seen.
    seen = tmp_path / "pass.y4m"
    write_camera_film(photograph(phone), seen)
    door = open_phone(camera=seen)
    be_signed_in(door, world.app, url, staff)
    door.goto(f"{url}/desk")
    shown = photograph(phone)
    write_camera_film(shown, seen)
    door.goto(f"{url}/desk/exit")
    verdict = door.locator("[data-verdict]")
    expect(verdict).to_have_attribute("data-verdict", "accepted", timeout=15_000)
    expect(door.get_by_role("heading", name="1 piece")).to_be_visible()
    expect(door.locator(".bag")).to_contain_text("Oat milk")
    expect(door.locator(".bag-facts")).to_contain_text("Wang Fang")
    _a_second_scan_says_who_when_and_where(desk, url, read_code(shown))

    # The owner sees who, what, where and when.
    office = open_phone(desk=True)
    be_signed_in(office, world.app, url, owner)
    office.goto(f"{url}/owner")
    expect(office.locator(".figures")).to_contain_text(price)
    office.locator(".figures").get_by_role("link", name="Takings").click()
    row = office.locator("tbody tr")
    expect(row).to_have_count(1)
    for fact in ("Wang Fang", "Oat milk", "Harbour Road Shop", price):
        expect(row).to_contain_text(fact)
    row.get_by_role("rowheader").get_by_role("link").click()
    expect(office.locator("main")).to_contain_text(sale_id[-5:])
    assert world.left(milk) == 2
    assert world.faults() == []


def _a_second_scan_says_who_when_and_where(desk: Page, url: str, code: str) -> None:
    desk.goto(f"{url}/desk/exit")
    desk.keyboard.type(code)  # A hand scanner this time.
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Used already")).to_be_visible()
    facts = desk.locator(".verdict-facts")
    for fact in ("Zhao Min", "Harbour Road Shop", "20"):
        expect(facts).to_contain_text(fact)


def test_the_same_without_script(shop: OpenShop, open_phone: OpenPhone) -> None:
    world, url = shop.world, shop.url
    bread = world.item("baguette", price="9.90", on_hand=5)
    phone = open_phone(script=False)
    phone.goto(f"{url}/scan")
    phone.get_by_label("Or type the code").fill(bread.gtin or bread.code)
    phone.get_by_role("button", name="Find").click()
    phone.get_by_role("link", name="One more").click()
    expect(phone.locator(".bar")).to_contain_text("to pay ¥19.80")
    wanted = phone.url
    sign_up(phone, "wang.fang@example.com", "Wang Fang")
    phone.wait_for_url(wanted)
    main_button(phone).click()
    phone.get_by_label("Another amount").fill("25")
    phone.get_by_label("Another amount").press("Enter")
    phone.locator("#pay .button.primary").click()
    phone.get_by_role("link", name="Go on and pay").click()
    phone.wait_for_url(wanted)
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    assert "/desk/exit?pass=" in read_code(photograph(phone))
    phone.get_by_role("link", name="Your account").click()
    phone.get_by_role("link", name="Balance").click()
    expect(phone.locator("main")).to_contain_text("¥5.20")
    assert world.left(bread) == 3


def test_the_back_button_and_a_second_tap_are_not_a_second_sale(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world, url = shop.world, shop.url
    lin, milk = world.member(funds="100"), world.item("butter", price="12.50", on_hand=3)
    phone = open_phone()
    be_signed_in(phone, world.app, url, lin)
    phone.goto(f"{url}{milk.path}")
    main_button(phone).dblclick()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    receipt = phone.url
    phone.go_back()
    expect(main_button(phone)).to_contain_text("Pay ¥12.50")
    main_button(phone).click()
    phone.wait_for_url(receipt)
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    assert world.left(milk) == 2
    assert world.balance(lin) == 8750


def test_what_was_given_back_does_not_leave_and_is_for_sale_again(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world, url = shop.world, shop.url
    lin, staff = world.member("Mei Lan", funds="100"), world.staff()
    milk = world.item("cheese", price="12.50", on_hand=1)
    phone, desk = open_phone(), open_phone(desk=True)
    be_signed_in(phone, world.app, url, lin)
    be_signed_in(desk, world.app, url, staff)
    phone.goto(f"{url}{milk.path}")
    main_button(phone).click()
    code = read_code(photograph(phone))
    desk.goto(f"{url}/desk/sales")
    desk.get_by_role("link", name="Mei Lan").click()
    desk.get_by_text("Give the money back").click()
    desk.get_by_label("Why").fill("Damaged")
    desk.get_by_role("button", name="Refund", exact=True).click()
    expect(desk.locator("main")).to_contain_text("Refunded")
    desk.goto(f"{url}/desk/exit")
    desk.keyboard.type(code)
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-verdict]")).to_have_attribute("data-verdict", "pass_refunded")
    phone.reload()
    expect(phone.get_by_role("heading", name="Refunded")).to_be_visible()
    expect(phone.locator("[data-pass]")).to_have_count(0)
    phone.goto(f"{url}{milk.path}")
    expect(main_button(phone)).to_contain_text("Pay ¥12.50")
    assert world.left(milk) == 1
    assert world.balance(lin) == 10000


def test_a_guest_fills_a_basket_and_finds_it_again_after_signing_in(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world, url = shop.world, shop.url
    lin = world.member(funds="100")
    milk, bread = world.item("oat-milk", price="12.50"), world.item("bread", price="9.90")
    phone = open_phone()
    for item, page_after in ((milk, "Basket, 1 item"), (bread, "Basket, 3 items")):
        phone.goto(f"{url}{item.path}" + ("?quantity=2" if item is bread else ""))
        phone.get_by_role("button", name="Add to basket").click()
        phone.wait_for_url(f"{url}/basket")
        expect(phone.get_by_role("link", name=page_after)).to_be_visible()
    phone.get_by_label("Phone or e-mail").fill(lin.email)
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("Password").fill("a-long-password-1")
    main_button(phone).click()
    phone.wait_for_url(f"{url}/basket")
    phone.get_by_role("button", name=re.compile("One less of")).click()
    expect(main_button(phone)).to_contain_text("Pay ¥22.40")
    main_button(phone).click()
    expect(phone.locator(".bill-lines li")).to_have_count(2)
    phone.goto(f"{url}/basket")
    expect(phone.get_by_role("heading", name="Your basket is empty")).to_be_visible()
    with world.app.app_context():
        member = identity.find(lin.email)
        assert member is not None
        (sale,) = sales.receipts(member_id=member.id)
    assert sale.total_minor == 2240
    assert (world.left(milk), world.left(bread)) == (9, 9)
