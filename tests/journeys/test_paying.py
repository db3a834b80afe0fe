"""Paying from outside on a phone: on the practice providers' own pages, paid, declined, abandoned,
and with the way back lost."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from store import clock, sales
from store.db import db, transaction
from store.payment.commands import settle_pending
from store.payment.models import Attempt
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button, read_code
from tests.payment.practice import Providers, providers
from tests.sales.test_escrow import arrives, state
from tests.world import Thing

OF = {"stripe": "oat-milk", "alipay": "pear", "wechat": "jam", "paypal": "tea",
      "unionpay": "noodles"}  # fmt: skip
"""What is bought by which means."""


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture(scope="module")
def more_settings(practice: Providers) -> dict[str, object]:
    return practice.settings | {"ESCROW_DAYS": 7}


def goes_to(phone: Page, shop: OpenShop, item: Thing, means: str) -> None:
    """From the item's page to the provider's."""
    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_role("link", name="Pay another way").click()
    phone.locator(f"button[value={means}]").click()
    expect(phone.get_by_text("Practice: no bank is asked")).to_be_visible()


def test_a_card_is_kept_by_a_tick_and_pays_by_a_tap(shop: OpenShop, open_phone: OpenPhone) -> None:
    world = shop.world
    lin, item = world.member(), world.item("croissant", price="12.50", on_hand=5)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)
    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_role("link", name="Pay another way").click()
    phone.get_by_label("Keep this card").check()
    phone.locator("button[value=stripe]").click()
    phone.get_by_role("button", name="Pay with a card whose bank asks each time").click()
    expect(phone).to_have_url(re.compile("/sales/"))
    with world.app.app_context():
        settle_pending()
    phone.goto(f"{shop.url}/me/cards")
    expect(phone.get_by_text("Mastercard •••• 3184").first).to_be_visible()
    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_role("link", name="Pay another way").click()
    phone.get_by_role("button", name="Mastercard •••• 3184").click()
    expect(phone.get_by_text("Practice: no bank is asked")).to_be_visible()
    phone.get_by_role("button", name="Decline").click()
    phone.get_by_role("link", name="Pay another way").click()
    phone.get_by_role("button", name="Mastercard •••• 3184").click()
    expect(phone.get_by_text("Practice: no bank is asked")).to_be_visible()
    phone.get_by_role("button", name="Pay", exact=False).first.click()
    expect(phone).to_have_url(re.compile("/sales/"))
    assert world.left(item) == 3


@pytest.mark.parametrize("means", ["stripe", "alipay"])
def test_paid_declined_and_abandoned(
    shop: OpenShop, open_phone: OpenPhone, practice: Providers, means: str
) -> None:
    world = shop.world
    lin, item = world.member(), world.item(OF[means], on_hand=3)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)

    goes_to(phone, shop, item, means)
    phone.get_by_role("button", name="Decline").click()
    expect(phone.get_by_role("heading", name="The payment was declined")).to_be_visible()

    goes_to(phone, shop, item, means)
    phone.get_by_role("button", name="Go back without paying").click()
    expect(phone.get_by_role("heading", name="Not paid yet")).to_be_visible()
    phone.get_by_role("button", name="Cancel").click()
    expect(phone.get_by_role("heading", name="Nothing was paid")).to_be_visible()

    # Nobody tells the shop: the page asks by itself when the shopper is back.
    goes_to(phone, shop, item, means)
    phone.get_by_role("button", name="Go back without paying").click()
    main_button(phone).click()
    phone.get_by_role("button", name="Pay, and never tell the shop").click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert world.left(item) == 2
    assert world.balance(lin) == 0


WORDS = {
    "en": ("Pay another way", "Practice: no bank is asked", "The payment was declined", "Paid"),
    "zh": ("用其他方式付款", "练习：不会联系银行", "付款被拒绝", "已付款"),
}


@pytest.mark.parametrize(
    ("means", "other", "language"), [("wechat", "alipay", "zh"), ("paypal", "unionpay", "en")]
)
def test_declined_and_then_paid_with_another(
    shop: OpenShop, open_phone: OpenPhone, means: str, other: str, language: str
) -> None:
    """Nobody tells the shop: the page asks by itself."""
    world = shop.world
    another, practice_note, declined, paid = WORDS[language]
    lin, item = world.member(), world.item(OF[means], on_hand=3)
    phone = open_phone(language=language)
    be_signed_in(phone, world.app, shop.url, lin)
    for chosen in (means, other):
        phone.goto(f"{shop.url}{item.path}")
        phone.get_by_role("link", name=another).click()
        expect(phone.locator(f"button[value={chosen}]")).to_be_visible()
        assert Axe().run(phone).response["violations"] == []
        phone.locator(f"button[value={chosen}]").click()
        expect(phone.get_by_text(practice_note)).to_be_visible()
        if chosen == means:
            phone.locator("button[value=decline]").click()
            expect(phone.get_by_role("heading", name=declined)).to_be_visible()
            assert Axe().run(phone).response["violations"] == []
    phone.locator("button[value=never]").click()
    expect(phone.get_by_role("heading", name=paid, exact=True)).to_be_visible()
    assert world.left(item) == 2


def test_an_empty_account_is_filled_on_the_way_and_pays(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    """Declined by one provider, brought by another, which tells nobody; and on to what was in
    hand."""
    world = shop.world
    lin, item = world.member(), world.item("red-apple", price="12.50", on_hand=3)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)
    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_role("link", name="Top up").click()
    expect(phone.get_by_role("heading", name="Top up")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("link", name="¥20.00").click()
    for means, end in (("alipay", "decline"), ("stripe", "never")):
        expect(phone.get_by_text("Then in your account")).to_be_visible()
        assert Axe().run(phone).response["violations"] == []
        phone.locator(f"button[value={means}]").click()
        expect(phone.get_by_text("Practice: no bank is asked")).to_be_visible()
        phone.locator(f"button[value={end}]").click()
        if end == "decline":
            expect(phone.get_by_role("heading", name="The payment was declined")).to_be_visible()
            phone.get_by_role("link", name="Try again").click()
    expect(phone.get_by_role("heading", name="¥20.00 is in your account")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("link", name="Go on and pay").click()
    phone.get_by_role("button", name="Pay ¥12.50").click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert (world.left(item), world.balance(lin)) == (2, 750)


@pytest.mark.parametrize("leaves", ["back button", "closed tab"])
def test_what_nobody_pays_for_ends_with_its_time(
    shop: OpenShop, open_phone: OpenPhone, practice: Providers, leaves: str
) -> None:
    """The shopper leaves the provider's page. When the time is over nothing is kept any more, and
    the provider lets nobody pay; the next one buys."""
    world = shop.world
    name = "banana" if leaves == "back button" else "bread"
    lin, item = world.member(), world.item(name, on_hand=1)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)
    goes_to(phone, shop, item, "alipay")
    if leaves == "back button":
        phone.go_back()
        expect(phone.get_by_role("heading", name="How do you want to pay?")).to_be_visible()
        assert Axe().run(phone).response["violations"] == []
    phone.close()
    with world.app.app_context():
        number = db.session.scalars(select(Attempt.id).where(Attempt.member_id == lin.id)).one()
        db.session.rollback()
        over = clock.now() - timedelta(seconds=1)
        with transaction() as session:
            session.execute(
                update(Attempt).where(Attempt.id == number).values(ends_at=over, ask_at=over)
            )
        settle_pending()
        assert db.session.get_one(Attempt, number, populate_existing=True).state == "expired"
        db.session.rollback()
    assert practice.alipay.trades[number].status == "TRADE_CLOSED"
    world.buy(world.member(funds="100"), item)
    assert world.left(item) == 0


def test_a_refused_card_at_unionpay_and_another_one(shop: OpenShop, open_phone: OpenPhone) -> None:
    """There and back by forms, and the back button does not lead into a loop."""
    world = shop.world
    lin, item = world.member(), world.item(OF["unionpay"], on_hand=3)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)
    goes_to(phone, shop, item, "unionpay")
    phone.get_by_role("button", name="Decline").click()
    expect(phone.get_by_role("heading", name="Not paid yet")).to_be_visible()
    main_button(phone).click()
    expect(phone.get_by_text("Practice: no bank is asked")).to_be_visible()
    phone.go_back()
    expect(phone.get_by_role("heading", name="Not paid yet")).to_be_visible()
    main_button(phone).click()
    phone.get_by_role("button", name="Pay, and never tell the shop").click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert world.left(item) == 2


def test_to_unionpay_and_back_without_script(shop: OpenShop, open_phone: OpenPhone) -> None:
    world = shop.world
    lin, item = world.member(), world.item("eggs", on_hand=3)
    phone = open_phone(script=False)
    be_signed_in(phone, world.app, shop.url, lin)
    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_role("link", name="Pay another way").click()
    phone.locator("button[value=unionpay]").click()
    expect(phone.get_by_role("heading", name="On to UnionPay")).to_be_visible()
    phone.get_by_role("button", name="On to UnionPay").click()
    phone.get_by_role("button", name="Pay, and never tell the shop").click()
    phone.get_by_role("button", name="Back to the shop").click()
    phone.get_by_role("button", name="Check now").click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert world.left(item) == 2


def test_a_phone_that_never_comes_back_has_its_receipt(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    """The signal is lost on the provider's page: the outbox's worker settles it."""
    world = shop.world
    mei, item = world.member(), world.item("butter", on_hand=1)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, mei)
    goes_to(phone, shop, item, "stripe")
    phone.route(f"{shop.url}/**", lambda route: route.abort())
    phone.get_by_role("button", name="Pay, and never tell the shop").click()
    phone.unroute_all()
    other = open_phone(script=False)
    be_signed_in(other, world.app, shop.url, mei)
    for _ in range(40):
        other.goto(f"{shop.url}/me/sales")
        if other.get_by_role("link", name="Honey").count():
            break
        other.wait_for_timeout(250)
    assert world.left(item) == 0


def test_a_code_on_the_tills_screen_is_scanned_and_paid(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    """The shopper is nobody the shop knows; the till's page becomes the receipt by itself."""
    world = shop.world
    item = world.item("rice", on_hand=2)
    till = open_phone(desk=True)
    be_signed_in(till, world.app, shop.url, world.staff())
    till.goto(f"{shop.url}/desk/till")
    till.locator("input[name=code]").fill(item.code)
    till.get_by_role("button", name="Add").click()
    till.get_by_role("button", name="WeChat Pay").click()
    code = till.get_by_role("img", name="Code to pay with WeChat Pay")
    expect(code).to_be_visible()
    assert Axe().run(till).response["violations"] == []
    phone = open_phone()
    phone.goto(read_code(Image.open(io.BytesIO(code.screenshot()))))
    phone.get_by_role("button", name="Pay", exact=False).first.click()
    expect(till.get_by_role("link", name="Next customer")).to_be_visible()
    assert world.left(item) == 1
    assert world.faults() == []


def test_an_order_is_paid_in_two_parts_and_released_by_its_shopper(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    """The account gives what it holds, a card the rest; it is the shop's when the shopper has
    everything."""
    world = shop.world
    lin, item = world.member(funds="5"), world.item("honey", price="20", on_hand=2)
    world.zone((5000, "6"))
    world.address(lin)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)
    phone.goto(f"{shop.url}/order?code={item.code}&how=deliver")
    phone.get_by_role("link", name="Card online").click()
    expect(phone.get_by_text("¥5.00 from your account, ¥21.00 with")).to_be_visible()
    main_button(phone).filter(has_text="¥21.00").click()
    expect(phone.get_by_text("Practice: no bank is asked")).to_be_visible()
    assert world.balance(lin) == 0
    phone.get_by_role("button", name="Pay, and never tell the shop").click()
    expect(phone.get_by_text("We hold ¥26.00 until you have your order")).to_be_visible()
    with world.app.app_context():
        sale = sales.receipts(member_id=lin.id)[0]
    arrives(world, sale)
    phone.reload()
    phone.get_by_role("button", name="I have everything").click()
    expect(phone.get_by_text("With the shop")).to_be_visible()
    assert state(world, sale) == ("released", 0)
    assert world.faults() == []


def test_an_order_is_paid_at_the_provider(shop: OpenShop, open_phone: OpenPhone) -> None:
    """Collected, chosen by links, paid with Alipay; who goes away finds it waiting."""
    world = shop.world
    lin, item = world.member(), world.item("soap", on_hand=1)
    phone = open_phone()
    be_signed_in(phone, world.app, shop.url, lin)
    phone.goto(f"{shop.url}/order?code={item.code}&how=collect")
    phone.get_by_role("link", name="Alipay").click()
    expect(phone.locator(".choice[aria-current]", has_text="Alipay")).to_be_visible()
    main_button(phone).filter(has_text="Alipay").click()
    expect(phone.get_by_text("Practice: no bank is asked")).to_be_visible()
    phone.goto(f"{shop.url}/order?code={item.code}&how=collect")
    expect(phone.get_by_text("waits for your payment")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("link", name="Pay or cancel it").click()
    main_button(phone).click()
    phone.get_by_role("button", name="Pay, and never tell the shop").click()
    expect(phone.get_by_text("The code to show appears here")).to_be_visible()
    assert (world.left(item), world.balance(lin)) == (1, 0)
    assert world.faults() == []


IN_WECHAT = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 MicroMessenger/8.0.50"
BRIDGE = """window.WeixinJSBridge = {
  invoke: (name, said, done) => window.plays(name, said).then(done) };"""


def test_inside_wechat_its_window_opens_over_the_page(
    shop: OpenShop, open_phone: OpenPhone, practice: Providers
) -> None:
    world = shop.world
    lin, item = world.member(), world.item("tulip", on_hand=3)
    phone = open_phone(agent=IN_WECHAT)
    be_signed_in(phone, world.app, shop.url, lin)

    # In a browser that is not WeChat a page of the practice WeChat is its window.
    goes_to(phone, shop, item, "wechat")
    phone.get_by_role("button", name="Go back without paying").click()
    expect(phone.get_by_role("heading", name="Not paid yet")).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("button", name="Pay ¥").click()
    phone.get_by_role("button", name="Pay, and never tell the shop").click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()

    # A bridge that answers: its cancel leaves the page, its ok asks the server.
    ends = iter(("cancel", "never"))

    def plays(name: str, said: dict[str, str]) -> dict[str, str]:
        assert name == "getBrandWCPayRequest"
        return practice.wechat.plays(said, next(ends))

    phone.expose_function("plays", plays)
    phone.add_init_script(BRIDGE)
    phone.goto(f"{shop.url}{item.path}")
    phone.get_by_role("link", name="Pay another way").click()
    expect(phone.locator("button[name=means]")).to_have_count(1)
    phone.locator("button[value=wechat]").click()
    button = phone.get_by_role("button", name="Pay ¥")
    expect(button).to_be_focused()
    button.click()
    expect(phone.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    assert world.left(item) == 1
