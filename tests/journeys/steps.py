"""Steps that the journeys share: being signed in, printing a label, looking at a pass."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2
import zxingcpp
from flask import Flask
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from store import ids
from store.labels.sheets import sheet
from tests.browser import write_camera_film
from tests.door.shop import sign_in
from tests.world import Somebody, Thing

__all__ = [
    "bar", "be_signed_in", "first_sticker", "label_film", "main_button", "photograph", "read_code",
    "sign_up",
]  # fmt: skip

SHEET = "L7160"
PRINTER_DPI = 203


def be_signed_in(page: Page, app: Flask, url: str, member: Somebody) -> None:
    """Give the browser the cookie of somebody who signed in before."""
    secret = ids.secret()
    with app.app_context():
        sign_in(member.id, secret)
    page.context.add_cookies(
        [{"name": f"visit-{url.rpartition(':')[2]}", "value": secret, "url": url}]
    )


def sign_up(page: Page, identifier: str, name: str) -> None:
    """From any page that asks for a phone or an e-mail, to where its shopper was."""
    page.get_by_label("Phone or e-mail").fill(identifier)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()
    page.get_by_label("Choose a password").fill("a few easy words")
    page.get_by_label("Your name, if you like").fill(name)
    page.get_by_role("button", name="Create the account").click()


def bar(page: Page) -> Locator:
    return page.locator(".bar")


def main_button(page: Page) -> Locator:
    """The one thing to do on a page."""
    return page.locator(".bar .button.primary")


def label_film(page: Page, url: str, item: Thing, folder: Path) -> Path:
    """Staff print the item's label on a sheet, and a camera is held before the first sticker.
    `page` is theirs, signed in."""
    page.goto(f"{url}/desk/labels?which=new")
    page.get_by_label("of this list").uncheck()
    page.get_by_role("checkbox", name=item.names["en"]).check()
    page.get_by_role("button", name="Print labels").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download for the printer").click()
    sheets = download.value.path().read_bytes()
    return write_camera_film(first_sticker(sheets), folder / "label.y4m", share=0.95)


def first_sticker(pdf: bytes) -> Image.Image:
    """The first cell of the sheet, with the dots of a label printer."""
    page: Image.Image = pypdfium2.PdfDocument(pdf)[0].render(scale=PRINTER_DPI / 72).to_pil()
    form, dots = sheet(SHEET), PRINTER_DPI / 25.4
    left, top = form.left_mm * dots, form.top_mm * dots
    right, bottom = left + form.label_width_mm * dots, top + form.label_height_mm * dots
    return page.crop((round(left), round(top), round(right), round(bottom)))


def photograph(page: Page) -> Image.Image:
    """A picture of the pass on the shopper's screen."""
    return Image.open(io.BytesIO(page.locator("[data-pass-picture]").screenshot()))


def read_code(picture: Image.Image) -> str:
    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    (code,) = zxingcpp.read_barcodes(picture, formats=wanted)
    return str(code.text)
