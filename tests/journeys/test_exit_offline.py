"""The exit whose network goes: it reads passes by itself, knows what left, and tells it when it is
back."""

from __future__ import annotations

import os

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from store import clock, identity
from store.db import db, transaction
from store.door import rules
from store.door.models import AwayCheck, PassUse
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button, photograph, read_code


def scan(desk: Page, code: str) -> None:
    desk.locator("#code").fill(code)
    desk.locator("#code").press("Enter")


def test_passes_are_checked_without_a_network_and_told_later(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    url, world = shop.url, shop.world
    lin, sam = world.member(funds="100"), world.staff()
    milk = world.item("oat-milk", price="12.50", on_hand=9)
    with world.app.app_context(), transaction():
        owner = identity.find(sam.email)
        assert owner is not None
        rules.set_rules(
            rules.Rules(amount_bp=10_000, amount_minor=2000), by=owner.id, at=clock.now()
        )
    phone, desk = open_phone(), open_phone()
    be_signed_in(phone, world.app, url, lin)
    be_signed_in(desk, world.app, url, sam)
    desk.goto(f"{url}/desk/exit")
    expect(desk.locator("html[data-taken-along]")).to_be_attached()

    codes = []
    for quantity in (1, 2):
        phone.goto(f"{url}{milk.path}?quantity={quantity}")
        with phone.expect_response(lambda answer: "ahead=" in answer.url):
            main_button(phone).click()
        expect(phone.locator("[data-pass-picture][src^='data:'][data-signed]")).to_be_visible()
        codes.append(read_code(photograph(phone)))
    small, large = codes
    assert len(small) > 150

    desk.context.set_offline(True)
    expect(desk.get_by_text("This device checks passes by itself until")).to_be_visible()
    scan(desk, small)
    expect(desk.get_by_role("heading", name="1 piece")).to_be_visible()
    expect(desk.locator(".verdict.good")).to_contain_text("¥12.50")
    _seen(desk, "exit-away-good")
    assert Axe().run(desk).response["violations"] == []
    # One letter is another: nobody signed that.
    scan(desk, small[:-1] + ("0" if small[-1] != "0" else "1"))
    expect(desk.get_by_role("heading", name="Not our pass")).to_be_visible()

    # The page is loaded again, still without a network: what left is known, and the rules hold.
    desk.reload()
    expect(desk.get_by_text("2 checks wait to be told")).to_be_visible()
    scan(desk, small.lower())
    expect(desk.get_by_role("heading", name="Used already")).to_be_visible()
    scan(desk, large)
    expect(desk.get_by_role("heading", name="Check this bag")).to_be_visible()
    expect(desk.locator(".verdict.warn")).to_contain_text("a large amount")
    _seen(desk, "exit-away-check")
    assert Axe().run(desk).response["violations"] == []
    desk.get_by_role("button", name="All is right: let through").click()
    expect(desk.get_by_role("heading", name="2 pieces")).to_be_visible()
    with world.app.app_context():
        assert db.session.scalars(select(PassUse)).first() is None

    desk.context.set_offline(False)
    expect(desk.get_by_text("4 checks without a network are booked.")).to_be_visible()
    expect(desk.locator("[data-away]")).to_be_hidden()
    with world.app.app_context():
        assert len(db.session.scalars(select(PassUse)).all()) == 2
        told = db.session.scalars(select(AwayCheck).order_by(AwayCheck.id)).all()
        assert [one.outcome for one in told] == ["accepted", "pass_invalid", "pass_used", "looked"]
        assert {one.flag for one in told} == {None}
    assert world.faults() == []


def _seen(page: Page, name: str) -> None:
    """A picture for whoever wants to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
