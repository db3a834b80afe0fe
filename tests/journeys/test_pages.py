"""Every page of the shop, seen by everybody who may see it: readable, in its place, reachable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser import OpenPhone
from tests.journeys.demo_shop import LONG_PERSON, DemoShop, open_demo

WHO = ("guest", "shopper", "staff", "owner")
PAPER = 688  # What the margins leave of A4.
WIDTHS = {"en": (320, 390, 1280), "zh": (320, 768)}
# What is well is not told: every element of every page by way of the browser's wire takes longer
# than looking at it.
FAULTS = {"resultTypes": ["violations"]}
CONTRAST = {**FAULTS, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
LOOK = "async (options) => (await axe.run(document, options)).violations"
# A chart is drawn again a moment after its place has changed.
TOO_WIDE = """async () => {
  const more = () => document.documentElement.scrollWidth - innerWidth;
  for (let turn = 0; turn < 20 && more() > 0; turn++) await new Promise((go) => setTimeout(go, 50));
  return Math.max(more(), 0);
}"""
CUT_OFF = """nav => [...nav.querySelectorAll("a, summary")]
  .filter((it) => it.checkVisibility() && it.scrollWidth > it.clientWidth)
  .map((it) => it.textContent)"""
EMPTY_CHOICES = """all => all.filter((it) => !it.textContent.trim())
  .map((it) => `${it.closest("select").name} has a choice that says nothing`)"""
# What a thumb is to meet. A link in a line of text is as high as its line; a table's are padded.
TOO_SMALL = """() => [...document.querySelectorAll(
    "main :is(button, .button, select, summary), .bar :is(a, button), main "
    + "input:not([type=hidden], [type=checkbox], [type=radio])")]
  .filter((it) => it.checkVisibility({ checkOpacity: true, visibilityProperty: true })
    && !it.closest(".visually-hidden"))
  .map((it) => [it.getBoundingClientRect(), it])
  .filter(([{ width, height }]) => width > 1 && (width < 44 || height < 44))
  .map(([{ width, height }, it]) => `${width} x ${height}: ${it.outerHTML.slice(0, 90)}`)"""
MOST_BYTES = 60 * 1024
MOST_SHIFT = 0.02
WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# What one sees of the focus: an outline, or a shadow or ground that is there only with it.
FOCUS = """() => {
  const it = document.activeElement, look = getComputedStyle(it);
  return { main: it.matches(".button.primary"), name: it.outerHTML.slice(0, 90),
    seen: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0 };
}"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoShop]:
    opened = open_demo(tmp_path_factory.mktemp("demo"))
    yield opened
    opened.server.stop()


def _phone(shop: DemoShop, open_phone: OpenPhone, who: str, **more: Any) -> Page:
    page = open_phone(**more)
    if who != "guest":
        page.context.add_cookies([shop.cookie(who)])
    return page


@pytest.mark.parametrize("who", WHO)
def test_every_page_can_be_read_by_everybody(
    shop: DemoShop, open_phone: OpenPhone, who: str
) -> None:
    page, faults, said = _phone(shop, open_phone, who), [], list[str]()
    page.add_init_script(WATCH_SHIFTS)
    page.add_init_script(AXE_SCRIPT)
    page.on("console", lambda message: said.append(message.text) if _is_bad(message) else None)
    for path in shop.seen[who]:
        page.emulate_media(color_scheme="light")
        answer = page.goto(shop.url + path)
        assert answer is not None
        assert answer.status < 500, path
        found = _shape(page)
        if who in ("guest", "shopper"):
            found += _shifts(page)
        for options, scheme in ((FAULTS, "light"), (CONTRAST, "dark")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            for each in page.evaluate(LOOK, options):
                found.append(f"{scheme}: {each['id']}: {each['nodes'][0]['html'][:200]}")
        faults += [f"{path}: {fault}" for fault in [*found, *said]]
        said.clear()
    assert not faults, "\n".join(faults)


def _is_bad(message: Any) -> bool:
    # That a page was not found is what a page about it says.
    return message.type == "error" and "responded with a status of 4" not in message.text


def _shape(page: Page) -> list[str]:
    """What every page must have."""
    faults = []
    if not page.title():
        faults.append("no title")
    if page.locator("h1").count() != 1:
        faults.append(f"{page.locator('h1').count()} h1")
    if page.locator("html").get_attribute("lang") != "en":
        faults.append("no lang")
    faults += page.locator("select option").evaluate_all(EMPTY_CHOICES)
    faults += page.evaluate(TOO_SMALL)
    return faults


def _shifts(page: Page) -> list[str]:
    """Under a thumb nothing moves. (At the desk cameras open and charts are drawn.)"""
    shifted = page.evaluate("() => window.shifted")
    return [f"moves by {shifted:.3f} while it loads"] if shifted > MOST_SHIFT else []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("who", WHO)
def test_no_page_is_wider_than_the_screen(
    shop: DemoShop, open_phone: OpenPhone, who: str, language: str
) -> None:
    page, faults = _phone(shop, open_phone, who, language=language, desk=True), []
    for path in shop.seen[who]:
        page.goto(shop.url + path)
        for width in WIDTHS[language]:
            page.set_viewport_size({"width": width, "height": 800})
            if more := page.evaluate(TOO_WIDE):
                faults.append(f"{path} is {more} px too wide at {width}")
        if language == "en" and who in ("staff", "owner"):
            page.emulate_media(media="print")
            page.set_viewport_size({"width": PAPER, "height": 800})
            if more := page.evaluate(TOO_WIDE):
                faults.append(f"{path} is {more} px too wide for a sheet")
            page.emulate_media(media="screen")
    assert not faults, "\n".join(faults)


def test_a_long_name_pushes_no_figure_off_a_phone(shop: DemoShop, open_phone: OpenPhone) -> None:
    page = _phone(shop, open_phone, "owner")
    page.goto(f"{shop.url}/owner/sales")
    assert page.get_by_text(LONG_PERSON).is_visible()
    ends = page.locator(".report-amount").evaluate_all(
        "all => all.map(it => it.getBoundingClientRect().right)"
    )
    assert ends and max(ends) <= 390


@pytest.mark.parametrize("kind", ["items", "shoppers"])
def test_a_long_name_pushes_no_sum_off_a_phone(
    shop: DemoShop, open_phone: OpenPhone, kind: str
) -> None:
    page = _phone(shop, open_phone, "owner", language="zh")
    page.goto(f"{shop.url}/owner/takings/{kind}?period=this_year")
    ends = page.locator(".report-table .num:not(.report-share)").evaluate_all(
        "all => all.map(it => it.getBoundingClientRect().right)"
    )
    assert len(ends) > 12 and max(ends) <= 390


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("who", ["staff", "owner"])
def test_every_place_of_the_desk_is_two_touches_away_on_a_small_phone(
    shop: DemoShop, open_phone: OpenPhone, who: str, language: str
) -> None:
    page = _phone(shop, open_phone, who, language=language, script=False)
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{shop.url}/desk")
    nav = page.locator(".desk-nav")
    assert nav.evaluate("it => it.scrollWidth <= it.clientWidth")
    assert nav.evaluate(CUT_OFF) == []
    at_hand = set(nav.locator("> a:visible").evaluate_all("all => all.map(it => it.pathname)"))
    nav.locator("summary").click()
    rest = set(nav.locator("div a:visible").evaluate_all("all => all.map(it => it.pathname)"))
    assert len(at_hand) == 4 and not at_hand & rest
    assert nav.evaluate(CUT_OFF) == []
    nav.locator("div a").first.click()
    assert nav.locator("summary").get_attribute("aria-current") == "true"


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("guest", "/01/09521000003019"), ("shopper", "/01/09521000003019"), ("shopper", "/basket"),
        ("guest", "/sign-in"), ("guest", "/scan"), ("shopper", "/me/top-up"),
        ("staff", "/desk/labels"), ("owner", "/desk/items/new"),
    ],
)  # fmt: skip
def test_the_keyboard_reaches_the_one_thing_to_do(
    shop: DemoShop, open_phone: OpenPhone, who: str, path: str
) -> None:
    page = _phone(shop, open_phone, who, desk=True)
    page.goto(shop.url + path)
    for _ in range(250):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["seen"], f"nobody sees the focus on {focus['name']}"
        if focus["main"]:
            return
    raise AssertionError("the main button cannot be reached")


@pytest.mark.parametrize("who", ["guest", "shopper"])
def test_an_item_page_with_its_picture_is_light(
    shop: DemoShop, open_phone: OpenPhone, who: str
) -> None:
    page = _phone(shop, open_phone, who)
    came: list[float] = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    page.goto(f"{shop.url}/01/09521000003019", wait_until="networkidle")
    assert page.locator(".item-picture img").evaluate("it => it.naturalWidth") > 300
    assert len(came) >= 6  # The page, four sheets of style, the picture.
    assert sum(came) <= MOST_BYTES
