"""The label studio and a walk: labels are chosen, seen and printed, then hang on a shelf on which
somebody has changed something; staff scan them one by one and print what is to be put right."""

from __future__ import annotations

import io
import re
from urllib.parse import urlsplit

import pypdfium2
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from store import stock
from store.db import transaction
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button
from tests.labels.conftest import read_by_zxing
from tests.world import Thing, World


def on_shelf(world: World, shelf: str, *things: Thing) -> None:
    with world.app.app_context(), transaction():
        for thing in things:
            stock.put_on_shelf(thing.id, world.location, shelf)


def printed(page: Page, url: str, *things: Thing) -> list[str]:
    """Choose these in the studio, look at the sheet, print; answers what the codes of the finished
    file say, as it comes out of the printer."""
    page.goto(f"{url}/desk/labels?which=new")
    page.get_by_label("of this list").uncheck()
    for thing in things:
        page.get_by_role("checkbox", name=thing.names["en"]).check()
    expect(page.locator("[data-count]")).to_have_text(re.compile(str(len(things))))
    expect(page.locator("[data-sample]")).to_have_js_property("complete", True)
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Print labels").click()
    expect(page.get_by_role("heading", name=f"{len(things)} labels")).to_be_visible()
    with page.expect_download() as download:
        main_button(page).click()
    document = pypdfium2.PdfDocument(io.BytesIO(download.value.path().read_bytes()))
    return read_by_zxing(document[0].render(scale=300 / 72).to_pil().convert("L"))


def test_labels_are_printed_and_walked_along(shop: OpenShop, open_phone: OpenPhone) -> None:
    world, staff = shop.world, shop.world.staff()
    tea, jam, soap = (
        world.item(name, code=f"{name.upper()}9", gtin=None) for name in ("tea", "jam", "soap")
    )
    on_shelf(world, "A1", tea, jam, soap)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, staff)
    found = printed(phone, shop.url, tea, jam)
    label = {urlsplit(text).path: text for text in found}
    of_tea, of_jam = label[tea.path], label[jam.path]

    def scan(text: str, verdict: str) -> None:
        phone.locator("#code").fill(text)
        phone.locator("#code").press("Enter")
        expect(phone.locator(".verdict h2")).to_have_text(verdict)

    # One price changes while staff are on their way to the shelf.
    world.price(jam, "99.00")
    phone.goto(f"{shop.url}/desk/walks")
    phone.get_by_role("button", name="Begin to walk").click()
    expect(phone.locator("[data-walk]")).to_be_visible()
    scan(of_tea, "Right")
    expect(phone.locator("[data-walk]")).to_contain_text("Shelf A1")
    scan(of_jam, "Old label")
    expect(phone.locator(".verdict")).to_contain_text("99")
    scan(of_tea.rpartition("?")[0] + "?l=MADE00UP00000", "Not our label")
    assert Axe().run(phone).response["violations"] == []
    # The shop does not answer for a while: nothing is said to be right, and it is told later.
    phone.route("**/scans", lambda route: route.abort())
    scan(of_tea, "Kept")
    expect(phone.get_by_text("1 kept, will be sent.")).to_be_visible()
    phone.unroute("**/scans")
    phone.get_by_role("button", name="Send now").click()
    expect(phone.locator("[data-late-told]")).to_contain_text("1 that was kept has arrived.")
    scan(of_tea, "Right")
    phone.get_by_role("button", name="This shelf is done").click()
    expect(phone.get_by_text("Shelf A1: 1 label is missing.")).to_be_visible()

    # A colleague goes on with it, on a phone without script, and ends it.
    other = open_phone(script=False)
    be_signed_in(other, world.app, shop.url, staff)
    other.goto(f"{shop.url}/desk/walks")
    other.get_by_role("link", name="Walk").first.click()
    other.locator("#code").fill(of_tea)
    other.locator("#code").press("Enter")
    expect(other.locator(".verdict h2")).to_have_text("Right")
    other.get_by_role("link", name="What is wrong").click()
    expect(other.get_by_text("Old label: price")).to_be_visible()
    expect(other.get_by_text("Label is missing")).to_be_visible()
    other.get_by_role("button", name="End the walk").click()
    expect(other.get_by_text("over since")).to_be_visible()

    # What is printed anew is what was found, and the foreign one stands on its list.
    phone.reload()
    phone.get_by_role("link", name="Print 3 labels").click()
    expect(phone.get_by_label("All 3 items of this list")).to_be_checked()
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="3 labels")).to_be_visible()
    phone.goto(f"{shop.url}/desk/labels/bad")
    expect(phone.get_by_role("heading", name="Not our label")).to_be_visible()
    phone.get_by_role("button", name="Torn off").click()
    expect(phone.get_by_text("No label is known to be wrong")).to_be_visible()
