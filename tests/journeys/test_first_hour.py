"""The first hour of an owner: from an empty folder to a purchase by phone, only by pages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from store import create_app
from tests.browser import OpenPhone, write_camera_film
from tests.journeys.steps import first_sticker, main_button, sign_up
from tests.live import LiveServer, open_server

LIST = """Artikel;Bezeichnung;VK;Bestand;MwSt
4006381333931;Marker, yellow;2,49;12;19
4011200296908;Hazelnut spread;3,99;6;7
4006381333932;A wrong digit;1,00;3;19
"""
FIELDS = {
    "Artikel": "gtin", "Bezeichnung": "name", "VK": "price", "Bestand": "stock", "MwSt": "tax_rate",
}  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """`make serve` in an empty folder: no setting, no database, nobody."""
    opened = open_server({"INSTANCE": str(tmp_path / "shop")}, tmp_path / "server.log", https=False)
    opened.wait_until_ready()
    yield opened
    opened.stop()


def _look(page: Page, name: str) -> None:
    if os.environ.get("LOOK"):
        page.screenshot(path=f"{os.environ['LOOK']}/{name}.png", full_page=True)


def _until_open(page: Page, url: str, name: str) -> None:
    for _ in range(60):
        page.goto(url + "/owner/start")
        if name in page.title() or page.get_by_text(name).count():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"the shop does not call itself {name}")


def _done(desk: Page, url: str, many: int) -> None:
    desk.goto(url + "/owner/start")
    expect(desk.locator("main")).to_contain_text(f"{many} of 8 are done")


def test_from_an_empty_folder_to_a_purchase_by_phone(
    server: LiveServer, open_phone: OpenPhone, tmp_path: Path
) -> None:
    url, said = server.url, server.log.read_text("utf-8")
    signs = re.search(r"Its owner signs in as:\s+(\S+)\s+password\s+(\S+)", said)
    assert signs, said
    desk = open_phone(desk=True)
    desk.goto(url + "/owner/start")
    desk.get_by_label("Phone or e-mail").fill(signs[1])
    desk.get_by_label("Password", exact=True).fill(signs[2])
    desk.locator(".bar").get_by_role("button", name="Sign in").click()
    expect(desk.get_by_role("heading", name="First steps")).to_be_visible()
    _look(desk, "01-start")

    # The shop: it opens anew with what was said, and the owner stays signed in.
    desk.get_by_role("link", name="Set it up").first.click()
    desk.get_by_label("Name of the shop").fill("Quay Goods")
    desk.get_by_label("Currency").fill("EUR")
    desk.get_by_label("Usual tax rate").fill("19")
    _look(desk, "02-shop")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("heading", name="First steps")).to_be_visible()
    _until_open(desk, url, "Quay Goods")
    _done(desk, url, 1)
    desk.get_by_role("link", name="Name them").click()
    desk.get_by_label("Address").first.fill("1 Quay, Hamburg")
    desk.get_by_role("button", name=re.compile("^Save")).first.click()

    # The list as it came from another till: columns are found, one that is not is named.
    desk.goto(url + "/owner/start")
    desk.get_by_role("link", name="Bring a list").click()
    file = tmp_path / "articles.csv"
    file.write_text(LIST, "utf-8")
    desk.get_by_label("File").set_input_files(file)
    desk.get_by_role("button", name="Look at it").click()
    expect(desk.get_by_role("heading", name="Which column holds what")).to_be_visible()
    _look(desk, "03-list")
    for heading, field in FIELDS.items():
        desk.get_by_label(heading).select_option(field)
    desk.locator(".bar").get_by_role("button", name="Show anew").click()
    expect(desk.get_by_text("a digit is wrong or missing").last).to_be_visible()
    _look(desk, "04-looked")
    desk.get_by_role("button", name="Take in 2 items").click()
    expect(desk.get_by_text("The list is in: 3 rows.")).to_be_visible(timeout=30_000)
    _look(desk, "05-in")

    # Their labels, and a colleague.
    desk.get_by_role("link", name="Print their labels").click()
    desk.get_by_role("button", name="Print labels").click()
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Download for the printer").click()
    sticker = first_sticker(download.value.path().read_bytes())
    desk.goto(url + "/owner/start")
    desk.get_by_role("link", name="Add people").click()
    desk.get_by_label("Their e-mail or phone").fill("ines@example.com")
    desk.get_by_label("Name", exact=True).fill("Ines")
    desk.get_by_role("button", name="Add", exact=True).click()
    expect(desk.get_by_text("It is shown only this once")).to_be_visible()
    _look(desk, "06-people")

    # A shopper scans the label; the till puts money into their account; they pay with one tap.
    phone = open_phone(camera=write_camera_film(sticker, tmp_path / "label.y4m", share=0.95))
    phone.goto(url + "/scan")
    phone.wait_for_url(re.compile(r"/01/\d{14}\?l="), timeout=20_000)
    scanned = phone.url
    expect(phone.get_by_text("Quay Goods").first).to_be_visible()  # The place is called so, too.
    _look(phone, "07-item")
    sign_up(phone, "lena@example.com", "Lena")
    phone.wait_for_url(scanned)
    _look(phone, "08-short")
    desk.goto(url + "/owner/start")
    desk.get_by_role("link", name="To the till").click()
    desk.get_by_role("link", name="Pay into an account").click()
    _look(desk, "09-pay-in")
    desk.get_by_label("Whose account?").fill("lena@example.com")
    desk.get_by_role("button", name="Find").click()
    _look(desk, "10-pay-in")
    desk.get_by_label("How much goes into the account?").fill("20")
    desk.get_by_role("button", name="Taken in cash").click()
    expect(desk.get_by_role("heading", name="€20.00 paid in")).to_be_visible()
    _look(desk, "11-slip")
    phone.reload()
    main_button(phone).filter(has_text="Pay").click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    _look(phone, "12-paid")

    # Refunded as the page says; what is left to do is the provider and the mail.
    number = phone.url.rpartition("/")[2]
    desk.goto(f"{url}/desk/sales/{number}")
    _look(desk, "13-sale")
    _done(desk, url, 6)
    _look(desk, "14-end")
    desk.goto(url + "/owner")
    _look(desk, "15-owner")
    server.stop()
    app = create_app({"INSTANCE": server.settings["INSTANCE"]})
    audit = app.test_cli_runner().invoke(args=["audit"])
    assert audit.exit_code == 0, audit.output
