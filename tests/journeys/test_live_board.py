"""The live board in a real browser: what others do at the shelf and at the exit appears on it by
itself; by events, by asking where those are held up on the way, and by loading without script."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button, photograph, read_code

BY_ITSELF_MS = 15_000


def _without_events(route: Route) -> None:
    """As a box on the way does that wants to see the whole of an answer before it lets it on."""
    if "event-stream" in route.request.headers["accept"]:
        route.fulfill(status=502, body="held up")
    else:
        route.continue_()


def _says(board: Page, passes: int, baskets: int, sold_out: str) -> None:
    tiles = {"Passes not scanned yet": passes, "Baskets in progress": baskets}
    for name, many in tiles.items():
        tile = board.locator(".tile", has_text=name).locator(".tile-many")
        expect(tile).to_have_text(str(many), timeout=BY_ITSELF_MS)
    alerts = board.get_by_role("region", name="Look at this")
    expect(alerts).to_contain_text(sold_out, timeout=BY_ITSELF_MS)


def test_what_others_do_appears_on_the_board_by_itself(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    url, world = shop.url, shop.world
    milk, pear = world.item(on_hand=1), world.item("pear", on_hand=9)
    sam, lin = world.staff(), world.member(funds="100")
    boards = [open_phone(desk=True), open_phone(desk=True), open_phone(desk=True, script=False)]
    by_events, by_asking, _ = boards
    asked: list[str] = []
    by_asking.route("**/desk/live/part*", _without_events)
    by_asking.on("requestfinished", lambda one: asked.append(one.headers.get("accept", "")))
    for board in boards:
        be_signed_in(board, world.app, url, sam)
        board.goto(f"{url}/desk/live")
        _says(board, 0, 0, "Nothing is sold out.")
    for board in (by_events, by_asking):
        board.evaluate("window.loadedOnce = true")

    phone = open_phone()
    be_signed_in(phone, world.app, url, lin)
    phone.goto(f"{url}{milk.path}")
    main_button(phone).click()
    expect(phone.locator("[data-pass-picture][src^='data:']")).to_be_visible()
    code = read_code(photograph(phone))
    guest = open_phone()
    guest.goto(f"{url}{pear.path}")
    guest.get_by_role("button", name="Add to basket").click()
    for board in boards:
        _says(board, 1, 1, milk.names["en"])

    exit_ = open_phone()
    be_signed_in(exit_, world.app, url, sam)
    exit_.goto(f"{url}/desk/exit")
    exit_.locator("#code").fill(code)
    exit_.locator("#code").press("Enter")
    expect(exit_.locator(".verdict.good")).to_be_visible()
    for board in boards:
        _says(board, 0, 1, milk.names["en"])
    for board in (by_events, by_asking):
        assert board.evaluate("window.loadedOnce"), "nobody loaded the page again"
        expect(board.locator("[data-state=live]")).to_be_visible()
    assert any("event-stream" not in kind for kind in asked), "and this one had no events"
