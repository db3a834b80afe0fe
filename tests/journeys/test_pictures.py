"""The pictures of the README, made by walking through the demo shop.

    STORE_PICTURES=1 make test ARGS=tests/journeys/test_pictures.py

writes them anew into docs/pictures/; without that word nothing is made.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from flask_migrate import upgrade
from PIL import Image
from playwright.sync_api import Page

from store import create_app, demo
from store.demo.goods import GOODS, OWNER, SHOPPER, STAFF, Person
from tests.browser import OpenPhone
from tests.live import ROOT, LiveServer, Start

PICTURES = ROOT / "docs" / "pictures"
BOUGHT = ("oat-milk", "strawberries", "croissant")

pytestmark = pytest.mark.skipif(
    "STORE_PICTURES" not in os.environ, reason="makes pictures only for STORE_PICTURES=1"
)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """One database is enough for pictures."""
    return {"INSTANCE": str(tmp_path / "instance"), "SECRET_KEY": "known-to-the-tests-only"}


@pytest.fixture
def shop(settings: dict[str, Any], live_server: Start) -> LiveServer:
    """The demo shop as `make run` opens it."""
    with create_app(settings).app_context():
        upgrade()
        demo.open_shop()
    return live_server()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures_of_a_buy(shop: LiveServer, open_phone: OpenPhone, language: str) -> None:
    ending = "" if language == "en" else f"-{language}"
    phone = open_phone(language=language)
    _sign_in(phone, shop, SHOPPER)
    phone.goto(shop.url + _path("oat-milk"))
    _keep(phone, f"item{ending}")
    for name in BOUGHT:
        phone.goto(shop.url + _path(name))
        phone.locator("button[formaction='/basket/lines']").click()
        phone.wait_for_url("**/basket")
    _keep(phone, f"basket{ending}")
    phone.locator("form[action='/basket/checkout'] button.primary").click()
    phone.wait_for_url(re.compile(r"/sales/\w+$"))
    _keep(phone, f"receipt{ending}")
    staff = open_phone(language=language)
    _sign_in(staff, shop, STAFF)
    staff.goto(f"{shop.url}/desk/exit")
    staff.locator("#code").fill(_pass_of(phone))
    staff.locator("#code").press("Enter")
    staff.locator(".verdict.good").wait_for()
    _keep(staff, f"exit{ending}")
    desk = open_phone(language=language, desk=True)
    _sign_in(desk, shop, OWNER)
    desk.goto(f"{shop.url}/owner/takings?period=last_week&by=day")
    _keep(desk, f"takings{ending}")


def _sign_in(page: Page, shop: LiveServer, person: Person) -> None:
    page.goto(f"{shop.url}/sign-in")
    page.locator("#identifier").fill(person.email)
    page.locator("#password").fill(person.password or "")
    page.locator("#password").press("Enter")
    page.wait_for_url(re.compile(r"/(?!sign-in)"))


def _path(name: str) -> str:
    good = GOODS[name]
    return f"/01/0{good.gtin}" if good.gtin else f"/i/{good.code}"


def _pass_of(phone: Page) -> str:
    """What the code on the receipt says, read from the screen as the door's camera would."""
    shown = Image.open(io.BytesIO(phone.locator(".pass").screenshot()))
    found = zxingcpp.read_barcodes(shown.convert("L"))
    assert found, "the pass on the screen cannot be read"
    return str(found[0].text)


def _keep(page: Page, name: str) -> None:
    """The page as it stands on the screen, as a small WebP."""
    page.wait_for_load_state("networkidle")
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    PICTURES.mkdir(exist_ok=True)
    shot.convert("RGB").save(PICTURES / f"{name}.webp", "WEBP", quality=80, method=6)
