"""The exit with a rescan: the rules choose a bag, staff scan it, the shopper's phone says yes."""

from __future__ import annotations

import os

from playwright.sync_api import Page, expect

from store import clock, identity
from store.db import transaction
from store.door import rules
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button, photograph, read_code


def test_a_bag_is_scanned_at_the_exit_and_the_difference_paid_on_the_phone(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    url, world = shop.url, shop.world
    lin, sam = world.member(funds="100"), world.staff()
    milk = world.item("oat-milk", price="12.50", on_hand=9)
    butter = world.item("butter", price="8.00", on_hand=9)
    held = rules.Rules(random_bp=10_000, sight_pieces=1, rescan_pieces=1)
    with world.app.app_context(), transaction():
        owner = identity.find(sam.email)
        assert owner is not None
        rules.set_rules(held, by=owner.id, at=clock.now())
    phone, desk = open_phone(), open_phone()
    be_signed_in(phone, world.app, url, lin)
    be_signed_in(desk, world.app, url, sam)
    phone.goto(f"{url}{milk.path}?quantity=2")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()

    # The pass is scanned: the bag is to be looked at, and the phone says why.
    desk.goto(f"{url}/desk/exit")
    desk.keyboard.type(read_code(photograph(phone)))
    desk.keyboard.press("Enter")
    desk.get_by_role("link", name="Scan 1 piece").click()
    expect(desk.get_by_role("heading", name="0 of 1 scanned")).to_be_visible()
    expect(phone.get_by_role("heading", name="Your bag is looked at")).to_be_visible(timeout=20_000)
    expect(phone.locator("[data-bag]")).to_contain_text("by chance: every one")
    _seen(phone, "phone-open")

    # A hand scanner: one milk, and butter that nobody paid.
    _scan(desk, milk.code)
    expect(desk.get_by_role("heading", name="1 of 1 scanned")).to_be_visible()
    _scan(desk, butter.code)
    expect(desk.get_by_role("heading", name="2 scanned, 2 paid")).to_be_visible()
    expect(desk.get_by_text("1 not paid")).to_be_visible()
    _seen(desk, "desk-scan")
    desk.get_by_role("button", name="All is scanned: ask the shopper").click()
    expect(desk.get_by_role("heading", name="The shopper decides")).to_be_visible()
    _seen(desk, "desk-asked")
    yes = phone.get_by_role("button", name="Yes, pay ¥8.00")
    expect(yes).to_be_visible(timeout=20_000)
    expect(phone.locator("[data-bag]")).to_contain_text("¥12.50")
    _seen(phone, "phone-asked")
    yes.click()
    expect(phone.get_by_text("Checked at the door")).to_be_visible()
    expect(desk.get_by_role("heading", name="Let through")).to_be_visible(timeout=20_000)
    expect(desk.get_by_text("The difference is settled.")).to_be_visible()
    _seen(desk, "desk-ended")
    assert (world.left(milk), world.left(butter), world.balance(lin)) == (8, 8, 7950)
    assert world.faults() == []


def _scan(desk: Page, code: str) -> None:
    field = desk.get_by_label("Code of an item, scanned or typed")
    field.fill(code)
    field.press("Enter")


def _seen(page: Page, name: str) -> None:
    """A picture for whoever wants to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
