"""A campaign in a real browser: an owner drafts it, looks at it, starts it; a member reads the
letter and ends it with one tap; the owner sees what it brought."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import OpenPhone
from tests.campaigns.making import agree, rounds
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in


@pytest.fixture(scope="module")
def more_settings() -> dict[str, object]:
    return {"PRACTICE_POST": True, "DEMO": True, "QUIET_HOURS": "", "ASK_CONSENT": False}


def draft(page: Page, url: str, channel: str) -> None:
    page.goto(f"{url}/owner/campaigns")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Name of the campaign").fill("Pears")
    page.get_by_label("Way").select_option(channel)
    page.get_by_label("Held out, in percent").fill("0")
    for group, heading, words in (
        ("English", "Pears are here", "Come and see."), ("中文", "梨到了", "欢迎来看。"),
    ):  # fmt: skip
        language = page.get_by_role("group", name=group)
        language.get_by_label("Subject, or heading").fill(heading)
        language.get_by_label("Words").fill(words)
    page.get_by_role("button", name="Save and look at it").click()


def test_from_the_draft_to_the_result(shop: OpenShop, open_phone: OpenPhone) -> None:
    url, world = shop.url, shop.world
    lin, owner = world.member(funds="90"), world.owner()
    milk = world.item(price="10.00")
    world.buy(lin, milk)
    with world.app.app_context():
        agree([lin], "mail", "page")
    desk = open_phone(desk=True)
    be_signed_in(desk, world.app, url, owner)
    desk.goto(f"{url}/owner/segments")
    desk.get_by_label("At least so often").fill("1")
    desk.get_by_label("Name of the segment").fill("Everybody who bought")
    desk.get_by_role("button", name="Keep the segment").click()

    draft(desk, url, "mail")
    expect(desk.get_by_role("heading", name="Whom it is for")).to_be_visible()
    expect(desk.get_by_text("You get this because this is true of you")).to_be_visible()
    expect(desk.get_by_text("您收到此信")).to_be_visible()
    desk.get_by_role("button", name="Start").click()
    expect(desk.get_by_text("It is started.")).to_be_visible()
    draft(desk, url, "page")
    desk.get_by_role("button", name="Start").click()
    with world.app.app_context():
        rounds()

    # The letter, as anybody can read it in the practice post of a demo.
    phone = open_phone()
    phone.goto(f"{url}/practice/post")
    letter = phone.get_by_text("Come and see.").first
    expect(letter).to_be_visible()
    path = re.search(r"(/stop/m\S+)", phone.locator("main").inner_text())
    assert path
    # The same on the shop's page; what is put away stays away.
    be_signed_in(phone, world.app, url, lin)
    phone.goto(url)
    card = phone.get_by_role("complementary", name="An offer for you")
    expect(card.get_by_role("heading", name="Pears are here")).to_be_visible()
    card.get_by_role("button", name="Put away").click()
    expect(card).to_have_count(0)
    phone.goto(f"{url}{path[1]}")
    phone.get_by_role("button", name="End this").click()
    expect(phone.get_by_role("heading", name="It is ended")).to_be_visible()

    world.buy(lin, (milk, 2))
    desk.goto(f"{url}/owner/campaigns")
    desk.get_by_role("link", name=re.compile("Pears.*by e-mail")).click()
    expect(desk.get_by_text("Nobody was held out")).to_be_visible()
    desk.get_by_role("link", name="To be told, Takings: ¥20.00").click()
    row = desk.get_by_role("row", name=lin.name)
    expect(row).to_contain_text("¥20.00")
    draft(desk, url, "mail")
    gone = desk.get_by_text("of these agreed to offers this way").locator("xpath=..")
    expect(gone.get_by_role("definition")).to_have_text("0")
