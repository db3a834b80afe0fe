"""Paying inside WeChat: its window over our page, for the WeChat that shows it and for no other."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from store import ids
from store.db import db
from store.payment.models import Attempt
from store.payment.sandboxes.wechat import WeChatSandbox
from tests.conftest import Clock
from tests.payment.practice import SHOP, Providers, deliver, providers
from tests.world import Somebody, Thing, Visitor, World

INSIDE = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 MicroMessenger/8.0.50"
OUTSIDE = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Safari/604.1"


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def wechat(practice: Providers) -> WeChatSandbox:
    practice.wechat.outgoing.clear()
    return practice.wechat


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings | {"HOLD_MINUTES": 180, "BASE_URL": SHOP}


@dataclass
class Phone:
    """A phone on which a page of the shop is open inside WeChat."""

    browser: Visitor

    def __post_init__(self) -> None:
        self.wechat = requests.Session()
        self.is_inside()

    def is_inside(self, agent: str = INSIDE) -> None:
        self.browser.client.environ_base["HTTP_USER_AGENT"] = agent

    def asked(self, address: str) -> str:
        """WeChat is asked who pays: where it sends the browser back to."""
        sent = self.browser.get(address)
        assert sent.status_code == 303, sent.text
        assert "scope=snsapi_base" in sent.location and sent.location.endswith("#wechat_redirect")
        told = self.wechat.get(sent.location, allow_redirects=False, timeout=5)
        assert told.status_code == 302, told.text
        parts = urlsplit(told.headers["Location"])
        assert parts.path == "/outside/wechat/payer/back"
        return f"{parts.path}?{parts.query}"

    def ways(self, item: Thing) -> str:
        """The page of the ways to pay, however it is come by."""
        answer = self.browser.get(f"/pay?code={item.code}")
        if answer.status_code == 303:
            back = self.browser.get(self.asked(answer.location))
            assert back.location == f"/pay?code={item.code}&payer=asked"
            answer = self.browser.get(back.location)
        assert answer.status_code == 200
        return answer.text

    def pays(self, item: Thing, key: str = "") -> str:
        """The page on which WeChat's window opens."""
        found = re.search(r'name="key" value="(\w+)"', self.ways(item))
        assert found
        answer = self.browser.post(
            "/pay", key=key or found[1], code=item.code, quantity=1, means="wechat",
            seen_minor=item.price_minor,
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        return str(answer.location).partition("?")[0]

    def handed(self, path: str) -> dict[str, str]:
        """What the page hands to the bridge."""
        answer = self.browser.get(path)
        assert "frame-src weixin:" in answer.headers["Content-Security-Policy"]
        found = re.search(r"data-bridge='([^']+)'", answer.text)
        assert found, answer.text
        said: dict[str, str] = json.loads(unescape(found[1]))
        return said


def phone_of(world: World, member: Somebody | None = None) -> Phone:
    return Phone(world.client_for(member) if member else world.visitor())


def attempt(world: World, path: str) -> Attempt:
    with world.app.app_context():
        return db.session.get_one(Attempt, path.rpartition("/")[2])


def test_members_and_guests_pay_in_the_window_of_their_own_wechat(
    world: World, wechat: WeChatSandbox, practice: Providers
) -> None:
    lin, item = world.member(), world.item(price="12.50", on_hand=3)
    for phone in (phone_of(world, lin), phone_of(world)):
        page = phone.ways(item)
        assert re.findall(r'name="means" value="(\w+)"', page) == ["wechat"]
        path = phone.pays(item)
        first, again = phone.handed(path), phone.handed(path)
        assert first["package"] == again["package"] and first["paySign"] != again["paySign"]
        is_signed(first, practice.settings["WECHAT_KEY"])
        # The bridge's word is nothing: nobody has paid yet.
        assert phone.browser.post(f"{path}/checks").location == path
        assert phone.browser.get(path).status_code == 200
        number = path.rpartition("/")[2]
        assert wechat.orders[number].asked["payer"]["openid"] in wechat.people.known
        assert wechat.plays(first, "pay") == {"err_msg": "get_brand_wcpay_request:ok"}
        assert deliver(phone.browser.client, wechat.outgoing[-1]).status_code in (200, 204)
        assert "/sales/" in phone.browser.get(path).location
    assert world.left(item) == 1
    assert world.faults() == []


def is_signed(said: dict[str, str], pem: str) -> None:
    """The four lines of WeChat's documentation, written out, under the merchant's public key."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey) and said["signType"] == "RSA"
    lines = [said["appId"], said["timeStamp"], said["nonceStr"], said["package"], ""]
    key.public_key().verify(
        b64decode(said["paySign"]), "\n".join(lines).encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    assert re.fullmatch(r"prepay_id=wx\w{32}", said["package"])
    assert re.fullmatch(r"\d{10}", said["timeStamp"]) and len(said["nonceStr"]) <= 32


def test_the_window_is_for_the_wechat_that_began_and_opens_for_two_hours(
    world: World, wechat: WeChatSandbox, clock: Clock
) -> None:
    lin, item, key = world.member(), world.item(price="12.50", on_hand=9), ids.new()
    mine, friends = phone_of(world, lin), phone_of(world, lin)
    path = mine.pays(item, key)
    assert mine.pays(item, key) == path, "the same page sent twice is one payment"

    # The same member in a friend's WeChat: the first window is not for it, another begins.
    friends.ways(item)
    assert "in the WeChat in which it was begun" in friends.browser.get(path).text
    theirs = friends.pays(item, key)
    assert theirs != path and attempt(world, path).state == "expired"
    numbers = (path.rpartition("/")[2], theirs.rpartition("/")[2])
    assert len({wechat.orders[number].asked["payer"]["openid"] for number in numbers}) == 2

    # Outside WeChat nothing is handed out, and the phone's own browser pays as ever.
    friends.is_inside(OUTSIDE)
    page = friends.browser.get(theirs).text
    assert "data-bridge" not in page and "in the WeChat in which it was begun" in page
    outside = friends.pays(item, key)
    assert attempt(world, outside).next_url and not attempt(world, outside).way
    friends.is_inside()

    # WeChat's own bound: the page says so, and begins anew.
    late = mine.pays(item)
    assert mine.handed(late)
    clock.tick(hours=2)
    said = mine.browser.get(late).text
    assert "for two hours, and they are over" in said and "data-bridge" not in said
    mine.browser.post(f"{late}/cancellations")
    over = mine.browser.get(late).text
    assert "Nothing was paid" in over and f'href="/pay?code={item.code}' in over
    assert wechat.orders[late.rpartition("/")[2]].state == "CLOSED"
    assert mine.pays(item) != late
    assert world.faults() == []


def test_a_state_is_of_use_once_in_its_own_visit_and_for_nothing_else(
    world: World, wechat: WeChatSandbox
) -> None:
    item = world.item(price="12.50", on_hand=3)
    lin, eve = phone_of(world, world.member()), phone_of(world, world.member())
    ask = lin.browser.get(f"/pay?code={item.code}").location
    back = lin.asked(ask)

    def is_offered(phone: Phone) -> bool:
        page = phone.browser.get(f"/pay?code={item.code}&payer=asked").text
        offered = 'value="wechat"' in page
        assert offered is ("Ask WeChat again" not in page)
        return offered

    eve.asked(ask)
    assert eve.browser.get(back).location.endswith("payer=asked") and not is_offered(eve)
    refused = eve.browser.post("/pay", key=ids.new(), code=item.code, quantity=1, means="wechat",
                               seen_minor=item.price_minor)  # fmt: skip
    assert refused.status_code == 409 and "has not told us who pays" in refused.text
    assert world.left(item) == 3

    assert lin.browser.get(back).status_code == 303 and is_offered(lin)
    cookie = lin.browser.client.get_cookie("payer")
    assert cookie
    eve.browser.client.set_cookie("payer", cookie.value)
    assert not is_offered(eve), "it is bound to the visit"
    lin.browser.client.set_cookie("payer", cookie.value[:-1] + "!")
    assert not is_offered(lin)
    lin.browser.get(back)
    assert not is_offered(lin), "used once"

    # Not for signing in, not after WeChat's own no, and on to no other site.
    fresh = lin.asked("/outside/wechat/payer?next=//evil.example/")
    assert lin.browser.get(fresh.replace("/payer/back", "/back")).status_code == 403
    for query in ("", "?code=x&state=x", "?error=access_denied", f"?code={'x' * 3000}&state=é"):
        gone = lin.browser.get(f"/outside/wechat/payer/back{query}")
        assert (gone.status_code, gone.location) == (303, "/?payer=asked")
    assert not is_offered(lin)
    lin.is_inside(OUTSIDE)
    assert lin.browser.get("/outside/wechat/payer").status_code == 404
    assert world.faults() == []


def test_orders_are_paid_in_the_window_too(world: World, wechat: WeChatSandbox) -> None:
    lin, item = phone_of(world, world.member()), world.item(price="12.50", on_hand=3)
    address = f"/order?code={item.code}&quantity=1&pay=wechat"
    back = lin.browser.get(lin.asked(lin.browser.get(address).location)).location
    page = lin.browser.get(back).text
    form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
    assert form["pay"] == "wechat", page
    path = lin.browser.post("/orders", form).location.partition("?")[0]
    wechat.plays(lin.handed(path), "never")
    assert lin.browser.post(f"{path}/checks").status_code == 303
    assert "/sales/" in lin.browser.get(path).location
    assert world.faults() == []
