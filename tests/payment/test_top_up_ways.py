"""Topping up by every provider, from the page of the amount to the books, over their practice
servers; and the way back to where the shopper wanted to pay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient, FlaskCliRunner

from store import ids
from store.db import db
from store.payment.gateways.offered import set_up
from store.payment.models import Attempt
from tests.conftest import Clock
from tests.contracts.test_gateways import goes_there
from tests.payment.practice import SHOP, Providers, deliver, providers
from tests.payment.test_disputes import held
from tests.sales.test_in_wechat import INSIDE, phone_of
from tests.world import Somebody, Visitor, World

NAMES = ["simulated", "stripe", "alipay", "wechat", "paypal", "unionpay"]


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    more = {"BASE_URL": SHOP, "BANK_ACCOUNT": "DE02120300000000202051"}
    return settings | practice.settings | more


class Shopper:
    """Somebody who tops up on the pages."""

    def __init__(self, world: World, practice: Providers, member: Somebody) -> None:
        self.world, self.practice, self.member = world, practice, member
        self.visitor: Visitor = world.client_for(member)

    def ways(self, amount: str = "12.50", forward: str = "/basket") -> dict[str, str]:
        """The form of the page of the ways, and under "means" which there are."""
        page = self.visitor.get(f"/me/top-up/ways?amount={amount}&next={forward}").text
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        return form | {"means": " ".join(re.findall(r'name="means" value="(\w+)"', page))}

    def goes(self, means: str, **changed: str) -> str:
        """To the provider: where the shopper comes back to."""
        answer = self.visitor.post("/me/top-up", self.ways() | {"means": means} | changed)
        assert answer.status_code == 303, answer.text
        return str(answer.location).partition("?")[0]

    def attempt(self, path: str) -> Attempt:
        with self.world.app.app_context():
            return db.session.get_one(Attempt, path.rpartition("/")[2])

    def at_provider(self, path: str) -> Attempt:
        """On the provider's page."""
        mine = self.attempt(path)
        there = goes_there(set_up(self.world.app.config)[mine.gateway], mine.next_url)
        assert there.status_code == 200
        return mine

    def ends(self, path: str, end: str) -> None:
        mine = self.at_provider(path)
        self.practice.named(mine.gateway).ends(mine.reference, end)

    def check(self, path: str, verb: str = "checks") -> str:
        """Ask now, or cancel: the page afterwards."""
        assert self.visitor.post(f"{path}/{verb}").location == path
        return self.visitor.get(path).text

    @property
    def balance(self) -> int:
        return self.world.balance(self.member)


@pytest.fixture
def lin(world: World, practice: Providers) -> Shopper:
    return Shopper(world, practice, world.member())


def test_every_provider_fills_the_account_once_whoever_tells(
    world: World, client: FlaskClient, practice: Providers, lin: Shopper
) -> None:
    assert lin.ways()["means"].split() == NAMES
    for number, name in enumerate(NAMES[1:]):
        path, before = lin.goes(name), lin.balance
        page = lin.visitor.get(f"{path}?go=1").text
        assert "data-forward=" in page and lin.attempt(path).next_url
        waits = lin.visitor.get(path).text
        assert "Not paid yet" in waits and "data-forward" not in waits
        assert "on the way" in lin.visitor.get("/me/account").text
        practice.named(name).outgoing.clear()
        lin.ends(path, "never" if number % 2 else "twice")
        for _ in range(2):
            for notice in list(practice.named(name).outgoing):
                assert deliver(client, notice).status_code in (200, 204)
            done = lin.check(path)
        assert "¥12.50 is in your account" in done and 'href="/basket"' in done
        assert lin.balance == before + 1250
        for notice in practice.named(name).outgoing:
            assert deliver(client, notice).status_code in (200, 204)
        assert "¥12.50 is in your account" in lin.check(path, "cancellations")
        assert lin.balance == before + 1250
    assert world.faults() == []


def test_declined_cancelled_and_paid_after_all(
    clock: Clock, world: World, client: FlaskClient, lin: Shopper, runner: FlaskCliRunner,
    practice: Providers,
) -> None:  # fmt: skip
    for name in NAMES[1:]:
        path = lin.goes(name)
        lin.ends(path, "decline")
        page = lin.check(path)
        if lin.attempt(path).state == "failed":  # UnionPay lets a shopper try again there.
            assert "The payment was declined" in page
            again = re.search(r'class="button primary" href="(/me/top-up/ways[^"]+)"', page)
            assert again and "amount=12.50" in again[1] and "next=/basket" in again[1]
        page = lin.check(lin.goes(name), "cancellations")
        assert "Nothing was paid" in page and 'href="/basket"' in page
    assert lin.balance == 0
    # Paid on a page that was still open when it was cancelled, or after its time: it is theirs.
    for name in ("stripe", "alipay"):
        path, before = lin.goes(name), lin.balance
        if name == "stripe":
            lin.ends(path, "pay")
            told = practice.stripe.outgoing[-1]
            lin.check(path, "cancellations")
        else:
            lin.at_provider(path)
            clock.tick(hours=25)
            runner.invoke(args=["payment", "settle"])
            assert lin.attempt(path).state == "expired"
            trade = practice.alipay.trades[lin.attempt(path).reference]
            trade.status = "TRADE_SUCCESS"
            told = practice.alipay.notice(trade)
        for _ in range(2):
            assert deliver(client, told).status_code in (200, 204)
        assert lin.balance == before + 1250
    assert world.faults() == []


def test_one_page_is_one_payment_and_another_way_begins_the_next(
    world: World, lin: Shopper, practice: Providers
) -> None:
    key = ids.new()
    first = lin.goes("stripe", key=key)
    assert lin.goes("stripe", key=key) == first
    second = lin.goes("alipay", key=key)
    assert second != first and lin.attempt(first).state == "expired"
    lin.ends(second, "decline")
    lin.check(second)
    third = lin.goes("alipay", key=key)
    assert third not in (first, second)
    lin.ends(third, "never")
    assert "is in your account" in lin.check(third)
    for means in ("alipay", "stripe"):
        assert lin.goes(means, key=key) == third, "paid is paid"
    answer = lin.visitor.post("/me/top-up", key=key, amount="13", means="stripe")
    assert (answer.status_code, lin.balance) == (409, 1250)
    assert world.faults() == []


def test_what_cannot_be_is_refused_and_nothing_is_begun(world: World, lin: Shopper) -> None:
    small, most = lin.ways(amount="0.50"), lin.ways(amount="5000")
    assert "stripe" not in small["means"] and "alipay" in small["means"]
    assert most["means"].split() == NAMES
    for changed, status in (
        ({"amount": "0.50", "means": "stripe"}, 422),
        ({"amount": "5000.01", "means": "stripe"}, 422),
        ({"amount": "20", "means": "bank"}, 404),
        ({"amount": "20", "means": "cash"}, 404),
        ({"amount": "20", "means": ""}, 422),
        ({"amount": "20", "means": "stripe", "key": "short"}, 422),
    ):
        assert lin.visitor.post("/me/top-up", small | changed).status_code == status, changed
    lin.visitor.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 AlipayClient/10"
    assert lin.ways()["means"] == "alipay"
    refused = lin.visitor.post("/me/top-up", small | {"amount": "20", "means": "stripe"})
    assert refused.status_code == 422
    assert "on the way" not in lin.visitor.get("/me/account").text
    # Nobody is led out of the shop, whatever stood in the address.
    del lin.visitor.client.environ_base["HTTP_USER_AGENT"]
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example", "/" + "x" * 900):
        page = lin.visitor.get("/me/top-up", query_string={"next": evil}).text
        assert 'name="next"' not in page and 'ways?amount=20"' in page
        path = lin.goes("alipay", next=evil, key=ids.new())
        assert lin.attempt(path).back_to == "/"
        lin.ends(path, "never")
        assert "evil" not in lin.check(path)
    stranger = world.client_for(world.member())
    for page in (path, f"{path}/checks", f"{path}/cancellations"):
        ask = stranger.get if page == path else stranger.post
        assert ask(page).status_code == 404
    assert world.faults() == []


def test_inside_wechat_its_window_opens_over_the_page(
    world: World, lin: Shopper, practice: Providers, client: FlaskClient
) -> None:
    phone = phone_of(world, lin.member)
    asked = phone.browser.get("/me/top-up/ways?amount=12.50&next=/basket")
    back = phone.browser.get(phone.asked(asked.location)).location
    assert back == "/me/top-up/ways?amount=12.50&next=/basket&payer=asked"
    page = phone.browser.get(back).text
    assert re.findall(r'name="means" value="(\w+)"', page) == ["wechat"]
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    path = phone.browser.post("/me/top-up", form, means="wechat").location.partition("?")[0]
    said = phone.handed(path)
    # The bridge's word is nothing, and outside WeChat nothing is handed out.
    assert "Not paid yet" in lin.visitor.get(path).text
    assert "data-bridge" not in lin.visitor.get(path).text
    assert practice.wechat.plays(said, "pay") == {"err_msg": "get_brand_wcpay_request:ok"}
    assert deliver(client, practice.wechat.outgoing[-1]).status_code in (200, 204)
    assert "is in your account" in phone.browser.get(path).text
    # Of a WeChat that has not told who pays: a way to ask it, and no button.
    other = world.client_for(world.member())
    other.client.environ_base["HTTP_USER_AGENT"] = INSIDE
    page = other.get("/me/top-up/ways?amount=5&payer=asked").text
    assert "Ask WeChat again" in page and 'name="means"' not in page
    sent = {"key": ids.new(), "amount": "5", "means": "wechat"}
    assert other.post("/me/top-up", sent).status_code == 409
    assert lin.balance == 1250
    assert world.faults() == []


def test_who_takes_a_top_up_back_at_their_bank_does_not_spend_it_too(
    world: World, lin: Shopper, practice: Providers, client: FlaskClient
) -> None:
    """What is left of it is withheld until the dispute is decided."""
    stripe, milk = practice.stripe, world.item(price="5")
    path = lin.goes("stripe")
    lin.ends(path, "never")
    lin.check(path)
    world.buy(lin.member, milk)
    reference = lin.attempt(path).reference
    told = stripe.dispute(reference, "needs_response")
    for _ in range(2):
        assert deliver(client, told).status_code == 204
    assert lin.balance == 0
    assert held(world) == {"disputed:CNY": 1250, "withheld:CNY": -750, "takings:CNY": -500}
    assert "This payment is disputed" in lin.visitor.get(path).text
    assert "Held back for a dispute" in lin.visitor.get("/me/account").text
    assert world.faults() == []
    for _ in range(2):
        assert deliver(client, stripe.dispute(reference, "won")).status_code == 204
    assert (lin.balance, lin.attempt(path).state) == (750, "captured")
    assert "No longer held back" in lin.visitor.get("/me/account").text
    second = stripe.dispute(reference, "lost", id="dp_second")
    for _ in range(2):
        assert deliver(client, second).status_code == 204
    assert lin.balance == 0
    assert held(world) == {}, "the loss of 12.50 is made good by 7.50 and what the milk brought"
    assert world.faults() == []
