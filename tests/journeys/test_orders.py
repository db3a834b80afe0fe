"""Sold out here: from the empty shelf to the parcel at the door, sent by the nearest place that has
it; shopper and staff each on a phone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from store import delivery
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button


def test_sold_out_here_is_delivered_from_the_nearest_place(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world = shop.world
    milk = world.item("oat-milk", on_hand=0)
    near, far = world.place("NEAR", "Mill Street"), world.place("FAR", "Northern Depot")
    world.describe(world.location, at=(31.2304, 121.4737))
    world.describe(near, at=(31.2352, 121.4811))
    world.describe(far, at=(39.9042, 116.4074))
    for place in (far, near):
        world.stock(milk, 4, at=place)
    world.zone((5000, "6"), prefix="20", point=(31.23, 121.47))
    lin, sam = world.member("Wang Fang", funds="100"), world.staff()

    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)
    phone.goto(f"{shop.url}{milk.path}?quantity=2")
    expect(phone.locator(".bar")).to_contain_text("Collect at Mill Street")
    main_button(phone).filter(has_text="Deliver").click()
    phone.get_by_role("link", name="A new address").click()
    for field, text in (
        ("Street and number", "8 River Road"), ("Postcode", "200001"), ("Town", "Shanghai"),
    ):  # fmt: skip
        phone.get_by_label(field).fill(text)
    main_button(phone).filter(has_text="Save the address").click()
    expect(phone.locator(".choice[aria-current]").first).to_contain_text("8 River Road")
    total = f"¥{(2 * milk.price_minor + 600) / 100:.2f}"
    main_button(phone).filter(has_text=f"Pay {total}").click()
    expect(phone.get_by_role("heading", name="Parcel from Mill Street")).to_be_visible()
    receipt = phone.url

    desk = open_phone()
    be_signed_in(desk, world.app, shop.url, sam)
    desk.goto(f"{shop.url}/desk/orders?at=NEAR")
    desk.get_by_role("link", name="Oat milk").click()
    expect(desk.locator("main")).to_contain_text("8 River Road")
    for button in ("Everything is picked", "It is packed"):
        desk.get_by_role("button", name=button).click()
    desk.get_by_label("Carrier").fill("SF Express")
    desk.get_by_label("Tracking number").fill("SF1234567")
    desk.get_by_role("button", name="It has been sent").click()
    _sees(phone, receipt, "On its way", "SF1234567")
    assert (world.left(milk, near), world.left(milk, far)) == (2, 4)
    desk.get_by_role("button", name="It has arrived").click()
    _sees(phone, receipt, "Delivered")
    phone.goto(f"{shop.url}/me/sales")
    expect(phone.get_by_role("listitem")).to_contain_text("Delivered")
    with world.app.app_context():
        (parcel,) = delivery.of_sale(receipt.rpartition("/")[2])
        assert parcel.location_id == near


def _sees(phone: Page, receipt: str, *words: str) -> None:
    phone.goto(receipt)
    for word in words:
        expect(phone.locator(".shipment")).to_contain_text(word)
