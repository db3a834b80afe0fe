"""Signing in on a phone: a first purchase by a code in three screens, and by a passkey after."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page, expect

from store import identity, payment
from store.db import transaction
from store.post.practice import latest
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button


@pytest.fixture(scope="module")
def more_settings() -> dict[str, object]:
    return {"PRACTICE_POST": True}


def code_to(shop: OpenShop, to: str) -> str:
    """What the practice post would have brought."""
    folder = Path(shop.world.app.config["INSTANCE"], "practice-post")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for letter in latest(folder):
            if letter.to == to:
                return str(re.findall(r"\b\d{6}\b", letter.text)[0])
        time.sleep(0.02)
    raise AssertionError(f"nothing came for {to}")


def screens(page: Page) -> list[str]:
    """The pages that the shopper sees from now on, by the beginning of their path."""
    seen: list[str] = []

    def note(frame: Frame) -> None:
        if frame is page.main_frame:
            seen.append("/" + frame.url.split("?")[0].split("/")[3])

    page.on("framenavigated", note)
    return seen


@pytest.mark.parametrize("script", [True, False])
def test_a_first_purchase_takes_three_screens(
    shop: OpenShop, open_phone: OpenPhone, script: bool
) -> None:
    world = shop.world
    item = world.item("oat-milk" if script else "pear", on_hand=3)
    phone = open_phone(script=script)
    seen = screens(phone)
    to = f"new{script:d}@shop.example"

    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_label("Phone or e-mail").fill(to)
    phone.get_by_role("button", name="Continue").click()

    expect(phone.get_by_role("heading", name="Your code")).to_be_visible()
    field = phone.get_by_label("Six digits")
    assert field.get_attribute("autocomplete") == "one-time-code"
    code = code_to(shop, to)
    if script:
        assert Axe().run(phone).response["violations"] == []
        # Pasted as it stands in some messages.
        field.evaluate("(field, text) => field.setRangeText(text)", f"{code[:3]} {code[3:]}")
    else:
        field.fill(code)
    main_button(phone).click()

    expect(phone.get_by_role("heading", name="How do you want to pay?")).to_be_visible()
    phone.locator("button[value=simulated]").click()

    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert seen == ["/" + item.path.split("/")[1], "/code", "/pay", "/sales"], (
        "three screens, and it is paid"
    )
    assert world.left(item) == 2


@pytest.mark.parametrize(
    ("language", "goods"), [("en", ("honey", "jam")), ("zh", ("rice", "salt"))]
)
def test_taps_and_screens_are_few(
    shop: OpenShop, open_phone: OpenPhone, language: str, goods: tuple[str, str]
) -> None:
    """Counted by the browser itself: a first purchase, and the next one of the same phone, for who
    has money in their account."""
    world, to = shop.world, f"taps-{language}@shop.example"
    first, second = (world.item(name, price="9.00", on_hand=3) for name in goods)
    phone = open_phone(language=language)
    taps: list[str] = []

    def note(text: str) -> None:
        taps.append(text)

    phone.expose_function("tapped", note)
    phone.add_init_script("addEventListener('click', e => e.isTrusted && "
                          "tapped(e.target.textContent.trim().slice(0, 30)), true)")  # fmt: skip
    seen = screens(phone)

    phone.goto(f"{shop.url}{first.path}")
    phone.locator("input[name=identifier]").tap()
    phone.locator("input[name=identifier]").fill(to)
    main_button(phone).tap()
    phone.locator("input[autocomplete=one-time-code]").fill(code_to(shop, to))
    main_button(phone).tap()
    phone.locator("button[value=simulated]").tap()
    expect(phone.locator("[data-pass-picture]")).to_be_visible()
    assert len(seen) == 4 and seen[1:] == ["/code", "/pay", "/sales"], "three, then the receipt"
    assert len(taps) == 4, taps  # The field, on, the code is in, the way of paying.

    with world.app.app_context():
        member = identity.find(to)
        assert member is not None
        with transaction():
            payment.deposit(member.id, 5_000, world.currency, "cash")
    taps.clear()
    seen.clear()
    phone.goto(f"{shop.url}{second.path}")
    main_button(phone).tap()
    expect(phone.locator("[data-pass-picture]")).to_be_visible()
    assert [path for path in seen if path != "/sales"] == ["/" + second.path.split("/")[1]]
    assert 1 <= len(taps) <= 2, taps
    assert world.left(second) == 2


def test_a_wrong_code_and_a_new_one(shop: OpenShop, open_phone: OpenPhone) -> None:
    phone = open_phone(language="zh")
    phone.goto(f"{shop.url}/sign-in?next=/scan")
    phone.get_by_label("手机号或邮箱").fill("138 0013 8000")
    main_button(phone).click()
    code = code_to(shop, "+8613800138000")
    wrong = f"{(int(code) + 1) % 10**6:06}"
    phone.get_by_label("六位数字").fill(wrong)
    main_button(phone).click()
    expect(phone.get_by_text("还可以试 4 次")).to_be_visible()
    phone.get_by_label("六位数字").fill(code)
    main_button(phone).click()
    expect(phone).to_have_url(f"{shop.url}/scan")


# Guests


def test_a_guest_buys_proves_and_claims(shop: OpenShop, open_phone: OpenPhone) -> None:
    item, phone = shop.world.item("tea", on_hand=3), open_phone()
    seen, to = screens(phone), "guest@shop.example"
    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_role("link", name="Pay without account").click()
    expect(phone.get_by_role("heading", name="How do you want to pay?")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    phone.locator("button[value=simulated]").click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert seen == ["/" + item.path.split("/")[1], "/pay", "/sales"]
    expect(phone.locator("[data-pass-picture]")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []

    phone.get_by_role("link", name="Put it into my account").click()
    phone.get_by_label("Phone or e-mail").fill(to)
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("Six digits").fill(code_to(shop, to))
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Bought without an account")).to_be_visible()
    expect(phone.get_by_text("from this phone")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    main_button(phone).click()
    expect(phone.get_by_text("1 purchase is in your account now.")).to_be_visible()
    phone.get_by_role("link", name=item.names["en"]).click()
    expect(phone.get_by_role("link", name="Return something")).to_be_visible()
    assert shop.world.left(item) == 2


# Passkeys


DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def with_a_finger(phone: Page) -> None:
    devtools = phone.context.new_cdp_session(phone)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def test_one_touch_signs_in(shop: OpenShop, open_phone: OpenPhone) -> None:
    world, url = shop.world, shop.url.replace("127.0.0.1", "localhost")
    phone = open_phone()
    with_a_finger(phone)
    be_signed_in(phone, world.app, url, world.member("Lin", funds="100"))
    item = world.item("noodles", on_hand=2)

    phone.goto(f"{url}/me/passkeys")
    main_button(phone).click()
    expect(phone.get_by_text("The passkey is added")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []

    phone.goto(f"{url}/me")
    phone.get_by_role("button", name="Sign out").click()
    expect(phone.get_by_role("link", name="Sign in")).to_be_visible()
    # The touch that fills the field in is the authenticator's own here: it signs in by itself.
    phone.goto(f"{url}/sign-in?next={item.path}")
    expect(phone).to_have_url(f"{url}{item.path}")
    main_button(phone).click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
