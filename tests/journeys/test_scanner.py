"""The scanner in a real browser, with a camera that sees a label: into the shop, and out of it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from store import clock, ids, ticks
from store.db import db
from store.door import passes
from store.door.live import address
from store.door.models import PassUse
from store.labels import qr
from tests.browser import OpenPhone, write_camera_film
from tests.door.shop import MILK_GTIN, DoorShop, make_shop, sign_in

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NO_DETECTOR = "delete window.BarcodeDetector;"
# A browser that reads codes by itself. `seen` is what its camera shows; it counts its looks.
DETECTOR = """
window.looks = 0;
window.BarcodeDetector = class {
  static async getSupportedFormats() {
    return ["qr_code", "ean_13", "ean_8", "upc_a", "upc_e", "data_matrix"];
  }
  async detect() {
    window.looks += 1;
    return window.seen ? [{ rawValue: window.seen, format: "qr_code" }] : [];
  }
};
"""


@pytest.fixture
def shop(app: Flask) -> DoorShop:
    return make_shop(app)


@pytest.fixture
def url(shop: DoorShop) -> Iterator[str]:
    """The shop, open in this very process: what is looked at here is the page, not the server."""
    server = make_server("127.0.0.1", 0, shop.app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """A test says only what failed."""


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, *, bars: bool = False) -> Path:
        return write_camera_film(bars_of(text) if bars else code_of(text), tmp_path / "film.y4m")

    return write


def code_of(text: str) -> Image.Image:
    return Image.open(io.BytesIO(qr.png(qr.matrix(text), 8)))


def bars_of(digits: str) -> Image.Image:
    code = zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat.EAN13)
    picture = Image.fromarray(code.to_image(scale=4))
    framed = Image.new("L", (picture.width + 120, picture.height + 80), 255)
    framed.paste(picture, (60, 40))
    return framed


def signed_in(page: Page, shop: DoorShop, url: str, member: int) -> None:
    """Give the phone the cookie of somebody who is signed in."""
    secret = ids.secret()
    with shop.app.app_context():
        sign_in(member, secret)
    page.context.add_cookies(
        [{"name": f"visit-{url.rpartition(':')[2]}", "value": secret, "url": url}]
    )


def uses(shop: DoorShop) -> list[str]:
    with shop.app.app_context():
        return list(db.session.scalars(select(PassUse.sale_id)))


# Into the shop


def test_our_label_opens_its_item(
    url: str, open_phone: OpenPhone, film: Callable[..., Path]
) -> None:
    page = open_phone(camera=film(f"{url}/01/{MILK_GTIN}?l=ABC"))
    page.add_init_script(NO_DETECTOR)
    page.goto(f"{url}/scan")
    page.wait_for_url(f"{url}/01/{MILK_GTIN}?l=ABC", timeout=20_000)
    expect(page.get_by_role("heading", name="Oat milk")).to_be_visible()


def test_the_makers_bars_open_the_item(
    url: str, open_phone: OpenPhone, film: Callable[..., Path]
) -> None:
    page = open_phone(camera=film(MILK_GTIN[1:], bars=True))
    page.add_init_script(NO_DETECTOR)
    page.goto(f"{url}/scan")
    page.wait_for_url(f"{url}/01/{MILK_GTIN}", timeout=20_000)


def test_a_sticker_of_another_host_does_not_lead_there(
    url: str, open_phone: OpenPhone, film: Callable[..., Path]
) -> None:
    page = open_phone(camera=film(f"https://evil.example/01/{MILK_GTIN}?l=ABC"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/scan")
    page.wait_for_url(f"{url}/01/{MILK_GTIN}", timeout=20_000)
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []


def test_a_browser_that_reads_codes_itself_loads_no_reader_and_looks_twelve_times_a_second(
    url: str, open_phone: OpenPhone, film: Callable[..., Path]
) -> None:
    page = open_phone(camera=film("nothing of ours"))
    page.add_init_script(DETECTOR)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/scan")
    expect(page.locator("[data-scanner]")).to_have_attribute("data-state", "live")
    before = page.evaluate("window.looks")
    page.wait_for_timeout(2000)
    assert 2 <= page.evaluate("window.looks") - before <= 26
    page.evaluate(f"window.seen = '{url}/01/{MILK_GTIN}'")
    page.wait_for_url(f"{url}/01/{MILK_GTIN}")
    assert not [each for each in asked if "zxing" in each]


def test_the_camera_rests_while_nobody_looks_and_is_given_back(
    url: str, open_phone: OpenPhone, film: Callable[..., Path]
) -> None:
    page = open_phone(camera=film("nothing of ours"))
    page.add_init_script(DETECTOR)
    page.goto(f"{url}/scan")
    scanner = page.locator("[data-scanner]")
    expect(scanner).to_have_attribute("data-state", "live")
    page.evaluate("window.track = document.querySelector('video').srcObject.getTracks()[0]")
    hide(page, True)
    expect(scanner).to_have_attribute("data-state", "paused")
    assert page.evaluate("window.track.readyState") == "ended"
    looks = page.evaluate("window.looks")
    page.wait_for_timeout(500)
    assert page.evaluate("window.looks") == looks
    hide(page, False)
    expect(scanner).to_have_attribute("data-state", "live")
    page.evaluate("window.track = document.querySelector('video').srcObject.getTracks()[0]")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert page.evaluate("window.track.readyState") == "ended"


def hide(page: Page, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


TROUBLES = {
    "NotAllowedError": "The camera is not allowed",
    "NotFoundError": "No camera here",
    "NotReadableError": "The camera is busy",
    "TypeError": "The scanner did not load",
}


@pytest.mark.parametrize("trouble", [*TROUBLES, "insecure", "unsupported"])
def test_without_a_camera_the_page_says_why_and_takes_a_typed_code(
    url: str, open_phone: OpenPhone, trouble: str
) -> None:
    page = open_phone()
    if trouble == "insecure":
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    elif trouble == "unsupported":
        page.add_init_script(
            "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
        )
    else:
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = async () => "
            f"{{ throw new DOMException('no', '{trouble}') }}"
        )
    page.goto(f"{url}/scan")
    heading = TROUBLES.get(trouble, "Use the camera of your phone")
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.get_by_label("Or type the code").fill("690123-4567892")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url(f"{url}/01/{MILK_GTIN}")


def test_the_scanner_page_works_without_script(url: str, open_phone: OpenPhone) -> None:
    page = open_phone(script=False)
    page.goto(f"{url}/scan")
    expect(page.locator("[data-scanner]")).to_be_hidden()
    expect(page.get_by_role("heading", name="Use the camera of your phone")).to_be_visible()
    page.get_by_label("Or type the code").fill("6901234567892")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url(f"{url}/01/{MILK_GTIN}")


# Out of the shop


def live_pass(shop: DoorShop, url: str, sale: str) -> str:
    # The next step's code: it stays good while the browser opens.
    return address(shop.pass_of(sale, step=1), url)


def test_a_pass_before_the_camera_is_checked_once(
    shop: DoorShop, url: str, open_phone: OpenPhone, film: Callable[..., Path]
) -> None:
    sale = shop.bought(3)
    page = open_phone(camera=film(live_pass(shop, url, sale)))
    page.add_init_script(NO_DETECTOR)
    signed_in(page, shop, url, shop.staff)
    page.goto(f"{url}/desk/exit")
    answer = page.locator("[data-verdict]")
    expect(answer).to_have_attribute("data-verdict", "accepted", timeout=20_000)
    expect(page.get_by_role("heading", name="4 pieces")).to_be_visible()
    expect(page.locator(".bag li")).to_have_count(2)
    expect(page.locator("[data-announce]")).to_have_text("4 pieces. Paid. Let through.")
    assert uses(shop) == [sale]
    # The phone is still in sight: that is no second shopper.
    page.wait_for_timeout(2000)
    expect(answer).to_have_attribute("data-verdict", "accepted")


def test_a_hand_scanner_types_and_the_second_scan_is_red(
    shop: DoorShop, url: str, open_phone: OpenPhone
) -> None:
    sale = shop.bought()
    page = open_phone(desk=True)
    signed_in(page, shop, url, shop.staff)
    page.goto(f"{url}/desk/exit")
    answer = page.locator("[data-verdict]")
    for verdict in ("accepted", "pass_used"):
        # It has the keyboard, not the mouse: the field has the focus by itself.
        page.keyboard.type(live_pass(shop, url, sale))
        page.keyboard.press("Enter")
        expect(answer).to_have_attribute("data-verdict", verdict)
    expect(answer).to_contain_text("Harbour Road")
    expect(answer).to_contain_text("Mei")
    page.keyboard.type("4006381333931")
    page.keyboard.press("Enter")
    expect(answer).to_have_attribute("data-verdict", "pass_invalid")
    assert uses(shop) == [sale]
    # The separator of what a pack holds is no character: scanners press two keys for it.
    page.goto(f"{url}/desk")
    page.keyboard.type(f"01{MILK_GTIN}10AB")
    page.keyboard.press("Control+]")
    page.keyboard.type("17261231")
    page.keyboard.press("Enter")
    expect(page.get_by_text("31 December 2026")).to_be_visible()


def test_an_answer_lost_on_the_way_is_asked_for_again_and_is_green(
    shop: DoorShop, url: str, open_phone: OpenPhone
) -> None:
    sale = shop.bought()
    page = open_phone(desk=True)
    signed_in(page, shop, url, shop.staff)
    page.goto(f"{url}/desk/exit")
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method != "POST" or lost:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    page.route("**/desk/exit", lose_the_first)
    page.keyboard.type(live_pass(shop, url, sale))
    page.keyboard.press("Enter")
    expect(page.locator("[data-verdict]")).to_have_attribute("data-verdict", "accepted")
    assert lost == [200]
    assert uses(shop) == [sale]


def test_without_a_connection_nobody_is_let_through(
    shop: DoorShop, url: str, open_phone: OpenPhone
) -> None:
    sale = shop.bought()
    page = open_phone(desk=True)
    signed_in(page, shop, url, shop.staff)
    # Nor was there one long enough for it to take anything along.
    page.route("**/desk/exit/kit", lambda route: route.abort())
    page.goto(f"{url}/desk/exit")
    page.context.set_offline(True)
    page.keyboard.type(live_pass(shop, url, sale))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Not checked")).to_be_visible()
    assert uses(shop) == []
    page.unroute("**/desk/exit/kit")
    page.context.set_offline(False)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("[data-verdict]")).to_have_attribute("data-verdict", "accepted")


def test_staff_without_script_check_a_pass_too(
    shop: DoorShop, url: str, open_phone: OpenPhone
) -> None:
    page = open_phone(script=False)
    signed_in(page, shop, url, shop.staff)
    page.goto(live_pass(shop, url, shop.bought()))
    page.get_by_role("button", name="Let through, mark used").click()
    expect(page.locator("[data-verdict]")).to_have_attribute("data-verdict", "accepted")


# The pass that ticks


def shown_pass(page: Page) -> passes.Pass:
    """What a scanner reads on the shopper's screen."""
    picture = Image.open(io.BytesIO(page.locator("[data-pass-picture]").screenshot()))
    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    (code,) = zxingcpp.read_barcodes(picture, formats=wanted)
    return passes.read(code.text)


def test_the_pass_ticks_on_without_a_signal_and_recovers(
    shop: DoorShop, url: str, open_phone: OpenPhone
) -> None:
    sale = shop.bought()
    page = open_phone()
    page.clock.install()
    signed_in(page, shop, url, shop.shopper)
    with page.expect_response("**/pass.svg?ahead=6"):
        page.goto(f"{url}/sales/{sale}")
    first = shown_pass(page)
    assert first.sale_id == sale
    assert abs(first.step - ticks.step_at(clock.now())) <= 1
    page.context.set_offline(True)
    page.clock.run_for(60_000)
    expect(page.get_by_text("No connection. The code goes on until")).to_be_visible()
    assert shown_pass(page).step - first.step in (3, 4)
    page.clock.run_for(150_000)
    expect(page.get_by_text("the code has run out")).to_be_visible()
    page.context.set_offline(False)
    page.clock.run_for(5_000)
    expect(page.get_by_text("the code has run out")).to_be_hidden()
    page.clock.run_for(300)
    assert abs(shown_pass(page).step - ticks.step_at(clock.now())) <= 1


def test_the_pass_goes_away_when_it_was_used(
    shop: DoorShop, url: str, open_phone: OpenPhone
) -> None:
    sale = shop.bought()
    page = open_phone()
    page.clock.install()
    signed_in(page, shop, url, shop.shopper)
    with page.expect_response("**/pass.svg?ahead=6"):
        page.goto(f"{url}/sales/{sale}")
    with shop.app.app_context():
        shop.check(shop.pass_of(sale))
    page.clock.run_for(16_000)
    expect(page.get_by_text("Checked at the door")).to_be_visible()
    expect(page.locator("[data-pass]")).to_have_count(0)


# For everybody


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("desk", [False, True], ids=["phone", "desk"])
def test_every_page_of_the_door_can_be_used_by_everybody(
    shop: DoorShop, url: str, open_phone: OpenPhone, dark: bool, desk: bool
) -> None:
    sale, other = shop.bought(), shop.bought()
    page = open_phone(dark=dark, desk=desk)
    signed_in(page, shop, url, shop.staff)
    text = live_pass(shop, url, sale)
    for path in ("/scan", "/desk", "/desk/exit", text.removeprefix(url)):
        page.goto(f"{url}{path}")
        faults(page, path)
    for scanned in (live_pass(shop, url, other), live_pass(shop, url, other), "nonsense"):
        page.goto(f"{url}/desk/exit")
        page.locator("[name=code]").fill(scanned)
        page.keyboard.press("Enter")
        expect(page.locator(".verdict[data-tone]")).to_be_visible()
        faults(page, scanned)


def faults(page: Page, where: str) -> None:
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], where
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{where} is {wide} px too wide"
