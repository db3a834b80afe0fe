"""Staff sign in with two signs, on a phone: they are led to it, print their codes, and come in."""

from __future__ import annotations

import html
import re

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import main_button
from tests.world import PASSWORD, Somebody


@pytest.fixture(scope="module")
def more_settings() -> dict[str, object]:
    return {"SECOND_FACTOR": "staff"}


def first_step(phone: Page, shop: OpenShop, staff: Somebody) -> None:
    phone.goto(f"{shop.url}/sign-in?way=password&next=/desk")
    phone.get_by_label("Phone or e-mail").fill(staff.email)
    phone.get_by_label("Password").fill(PASSWORD)
    main_button(phone).click()


def test_a_new_colleague_sets_up_the_second_step(shop: OpenShop, open_phone: OpenPhone) -> None:
    staff, phone = shop.world.staff(), open_phone()
    first_step(phone, shop, staff)
    expect(phone.get_by_role("heading", name="Set up the second step")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    address = phone.get_by_role("link", name="Open in the app").get_attribute("href") or ""
    made = pyotp.parse_uri(html.unescape(address))
    assert isinstance(made, pyotp.TOTP)
    phone.get_by_label("Type the six digits").fill(made.now())
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    paper = re.findall(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b", phone.locator(".recovery").inner_text())
    phone.get_by_role("link", name="I have them").click()
    phone.wait_for_url("**/desk")

    # On another phone, without script: the first phone is not at hand, the paper is.
    other = open_phone(script=False)
    first_step(other, shop, staff)
    expect(other.get_by_role("heading", name="Second step")).to_be_visible()
    other.get_by_text("No phone at hand?").click()
    other.get_by_label("A recovery code").fill(paper[0])
    other.get_by_role("button", name="Use the code").click()
    other.wait_for_url("**/desk")
