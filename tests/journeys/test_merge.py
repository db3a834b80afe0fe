"""A shopper with two accounts brings them together: shows that the other is theirs, sees what comes
together, has one, and still sees which purchase came from where."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from store import outbox
from store.db import db, transaction
from store.membership import points
from store.payment.models import Account
from store.sales.models import Sale
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in, main_button
from tests.journeys.test_codes import code_to
from tests.membership.test_points import rules
from tests.sales.test_receipts_to_keep import prove


@pytest.fixture(scope="module")
def more_settings() -> dict[str, object]:
    return {"PRACTICE_POST": True}


def _row(page: Page, name: str) -> str:
    return page.locator("li.row", has=page.get_by_text(name, exact=True)).inner_text()


def test_two_accounts_become_one_and_are_told_apart(shop: OpenShop, open_phone: OpenPhone) -> None:
    url, world = shop.url, shop.world
    with world.app.app_context():
        rules(world, 1, 100)
    lin, old = world.member(funds="100"), world.member("Lin of old", funds="80")
    prove(world, lin)
    prove(world, old)
    milk, pear = world.item(price="10", on_hand=9), world.item("pear", price="7", on_hand=9)
    here, there = world.buy(lin, milk), world.buy(old, (pear, 2))
    with world.app.app_context():
        outbox.work()
        with transaction() as session:
            money = select(func.sum(Account.balance_minor)).where(Account.member_id.is_not(None))
            before = session.scalar(money)

    phone = open_phone()
    be_signed_in(phone, world.app, url, lin)
    phone.goto(f"{url}/me")
    phone.get_by_role("link", name="Bring two accounts together").click()
    phone.get_by_label("Phone or e-mail of your other account").fill(old.email)
    main_button(phone).click()
    code = phone.get_by_label("The six digits that we sent to")
    code.fill(code_to(shop, old.email))
    main_button(phone).click()

    expect(phone.get_by_role("heading", name="What comes together")).to_be_visible()
    assert "There ¥66.00, here ¥90.00" in _row(phone, "Money")
    assert "¥156.00" in _row(phone, "Money")
    assert "There 14, here 10" in _row(phone, "Points") and "24" in _row(phone, "Points")
    assert "There 1, here 1" in _row(phone, "Purchases")
    assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("button", name="Make them one").click()

    expect(phone.get_by_text("Your two accounts are one now.")).to_be_visible()
    assert "¥66.00" in _row(phone, "Money") and "14" in _row(phone, "Points")
    expect(phone.locator(f"a[href$='/sales/{there.id}']")).to_be_visible()
    expect(phone.locator(f"a[href$='/sales/{here.id}']")).to_have_count(0)
    assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("link", name="Your purchases").click()
    for sale in (here, there):
        expect(phone.locator(f"a[href$='/sales/{sale.id}']")).to_be_visible()
    phone.get_by_role("link", name="Which of these came from your other account").click()
    phone.get_by_role("link", name=old.email).click()
    expect(phone.get_by_role("heading", name=old.email)).to_be_visible()

    assert (world.balance(lin), world.balance(old)) == (15_600, 0)
    with world.app.app_context():
        assert db.session.scalar(money) == before
        assert [points.balance_of(who.id).points for who in (lin, old)] == [24, 0]
        assert set(db.session.scalars(select(Sale.member_id))) == {lin.id}
    assert world.faults() == []
