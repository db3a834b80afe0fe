"""What every gateway goes through with the shop around it, on both databases: money is booked once
whoever tells of it, how often and when; nobody else's notice is believed; a provider that hangs, or
charges and then fails, costs nobody anything; and never more goes back than came."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from store import ids, sales
from store.db import db
from store.payment import asking, attempts, events, paybacks
from store.payment.calls import BREAKER
from store.payment.gateways import Declined, Gateway
from store.payment.gateways.offered import set_up
from store.payment.models import Attempt
from store.payment.sandboxes.serving import Sent
from store.sales.paying import paying
from tests.conftest import Clock
from tests.contracts.test_gateways import NAMES, goes_there
from tests.payment.practice import Providers, deliver, providers
from tests.world import Somebody, Thing, World

LARGE = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    yield str(request.param)
    BREAKER.close()


@pytest.fixture
def shop(world: World, practice: Providers, client: FlaskClient, name: str) -> Shop:
    return Shop(world, practice, client, name)


class Shop:
    """A shop, one gateway of it, and the provider behind that."""

    def __init__(self, world: World, practice: Providers, client: FlaskClient, name: str) -> None:
        self.world, self.practice, self.client, self.name = world, practice, client, name
        self.app: Flask = world.app
        self.provider: Any = practice.named(name)
        self.lin: Somebody = world.member()
        self.item: Thing = world.item(price="12.50", on_hand=3)

    @property
    def gateway(self) -> Gateway:
        return set_up(self.app.config)[self.name]

    def pays(self, *, goes: bool = True) -> Attempt:
        """A payment of 12.50 that is asked for; the shopper is on the provider's page."""
        lines = (sales.Line(self.item.id, 1),)
        asked = sales.Buy(
            self.lin.id, self.world.location, "CNY", lines, ids.new(), means=self.name
        )
        with self.app.app_context():
            begun = paying.pay(paying.Paying(asked, self.gateway, base_url="http://localhost"))
            mine = attempts.find(begun)
        if goes:
            goes_there(self.gateway, mine.next_url)
        return mine

    def ends(self, mine: Attempt, end: str) -> list[Sent]:
        """The shopper chooses; answers what the provider tells of it, in order. What is told when
        we have captured is among it."""
        before = len(self.provider.outgoing)
        self.provider.ends(mine.reference, end)
        with self.app.app_context():
            order = asking.order_of(db.session.get_one(Attempt, mine.id))
            db.session.rollback()
        if self.name == "paypal":
            self.gateway.capture(order)
        return list(self.provider.outgoing[before:])

    def asks(self, mine: Attempt) -> str:
        with self.app.app_context():
            return asking.ask_about(db.session.get_one(Attempt, mine.id), self.gateway)

    def state(self, mine: Attempt) -> str:
        with self.app.app_context():
            return db.session.get_one(Attempt, mine.id).state

    @contextmanager
    def loses_answers(self) -> Iterator[None]:
        setting = f"{self.name.upper()}_URL"
        right = self.app.config[setting]
        with Lossy(right) as self.app.config[setting]:
            yield
        self.app.config[setting] = right

    def refunds(self, mine: Attempt, clock: Clock) -> None:
        """The sale is given back, and the provider is asked until it is done."""
        with self.app.app_context():
            sale_id = str(attempts.find(mine.id).sale_id)
            sales.refund(sale_id, made_by=self.world.staff().id)
        self.works(clock)

    def works(self, clock: Clock) -> None:
        for _ in range(3):
            clock.tick(hours=2)
            with self.app.app_context():
                paybacks.work({self.name: self.gateway})

    @property
    def sold(self) -> int:
        return 3 - self.world.left(self.item)

    def everything(self) -> list[Any]:
        """All that a notice could change."""
        tables = ("attempts", "transfers", "accounts", "outbox", "disputes", "paybacks")
        with self.app.app_context():
            return [
                db.session.execute(text(f"SELECT * FROM {one} ORDER BY 1")).all() for one in tables
            ]


def test_money_buys_once_however_it_is_told(shop: Shop, clock: Clock) -> None:
    """Twice and backwards; after the shop has given it up; and once more after it went back."""
    once = shop.pays()
    notices = shop.ends(once, "twice")
    for notice in (*notices, *reversed(notices)):
        assert deliver(shop.client, notice).status_code in (200, 204)
    assert shop.asks(once) == "captured"
    assert shop.sold == 1
    shop.refunds(once, clock)
    for notice in notices:
        deliver(shop.client, notice)
    assert shop.state(once) == "refunded"
    assert shop.sold == 0
    late = shop.pays()
    with shop.app.app_context():
        attempts.give_up(late.id)
    for notice in shop.ends(late, "pay"):
        deliver(shop.client, notice)
    assert shop.state(late) == "captured"
    assert shop.sold == 1
    assert shop.world.faults() == []


def test_a_declined_payment_costs_nothing_and_is_tried_again(shop: Shop) -> None:
    mine = shop.pays()
    for notice in shop.ends(mine, "decline"):
        deliver(shop.client, notice)
    # At UnionPay the shopper may take another card until the time is over.
    assert shop.asks(mine) == ("pending" if shop.name == "unionpay" else "failed")
    assert shop.sold == 0
    again = shop.pays()
    for notice in shop.ends(again, "never"):
        deliver(shop.client, notice)
    assert shop.asks(again) == "captured"
    assert shop.sold == 1
    assert shop.world.faults() == []


def test_a_notice_that_is_not_ours_changes_nothing_and_is_counted(shop: Shop) -> None:
    mine = shop.pays()
    shop.ends(mine, "pay")
    before, many = shop.everything(), 0
    for wrong in not_ours(shop, mine):
        answer = deliver(shop.client, wrong)
        # Certificates are fetched once a second at most: who is told so tells it again later.
        for _ in range(20):
            if answer.status_code != 503:
                break
            time.sleep(0.2)
            answer = deliver(shop.client, wrong)
        assert answer.status_code in (400, 404, 409), (wrong.body[:80], answer.status_code)
        assert answer.mimetype == "application/problem+json" or answer.text
        many += 1
    assert shop.everything() == before
    with shop.app.app_context():
        counted = sum(count for (one, _), count in events.refused().items() if one == shop.name)
    assert counted == many
    for notice in shop.provider.outgoing[-2:]:
        deliver(shop.client, notice)
    assert shop.asks(mine) == "captured"
    assert shop.world.faults() == []


def not_ours(shop: Shop, mine: Attempt) -> Iterator[Sent]:
    """Genuine notices about something else, forged ones, and no notices at all."""
    true = shop.provider.outgoing[-1]
    yield from FOREIGN[shop.name](shop.provider, mine)
    yield replace(true, body=true.body + b" ")
    yield replace(true, body=true.body[:-9])
    yield replace(true, body=b"")
    yield replace(true, body=b"\x00" * 100)
    yield replace(true, body="付款".encode("gb18030"))
    yield replace(true, body=true.body.decode().encode("utf-16"))
    yield replace(true, body=b"[" * 100_000)
    yield replace(true, body=b"x" * LARGE)


def _stripe(provider: Any, mine: Attempt) -> Iterator[Sent]:
    shown = provider._shown(provider.sessions[mine.reference])
    for changed in (
        {"amount_total": 1}, {"currency": "usd"}, {"client_reference_id": ids.new(),
         "metadata": {"order": ids.new()}},
    ):  # fmt: skip
        yield provider.event("checkout.session.completed", {**shown, **changed})
    yield provider.event("checkout.session.completed", shown, livemode=True)
    yield provider.event("checkout.session.completed", shown, secret="whsec_another")


def _alipay(provider: Any, mine: Attempt) -> Iterator[Sent]:
    trade = provider.trades[mine.reference]
    for changed in (
        {"total_amount": "0.01"}, {"out_trade_no": ids.new()}, {"app_id": "2021999"},
        {"seller_id": "2088999"}, {"charset": "gbk"},
    ):  # fmt: skip
        yield provider.notice(trade, **changed)


def _wechat(provider: Any, mine: Attempt) -> Iterator[Sent]:
    one = provider.orders[mine.reference]
    for changed in (
        {"amount": {"total": 1, "currency": "CNY"}}, {"amount": {"total": 1250, "currency": "USD"}},
        {"out_trade_no": ids.new()}, {"mchid": "1900000009"}, {"appid": "wx9"},
    ):  # fmt: skip
        yield provider.notice(one, **changed)
    told = provider.notice(one)
    yield replace(told, headers={**told.headers, "Wechatpay-Serial": "PUB_KEY_ID_9"})


def _paypal(provider: Any, mine: Attempt) -> Iterator[Sent]:
    capture = provider.orders[mine.reference].capture
    for changed in (
        {"amount": {"value": "0.01", "currency_code": "CNY"}},
        {"amount": {"value": "12.50", "currency_code": "EUR"}}, {"custom_id": ids.new()},
    ):  # fmt: skip
        yield provider.event("PAYMENT.CAPTURE.DENIED", {**capture, **changed})
    told = provider.event("PAYMENT.CAPTURE.COMPLETED", capture)
    cert = told.headers["PayPal-Cert-Url"] + "2"
    yield replace(told, headers={**told.headers, "PayPal-Cert-Url": cert})


def _unionpay(provider: Any, mine: Attempt) -> Iterator[Sent]:
    one = provider.orders[mine.reference]
    for changed in (
        {"txnAmt": "1"}, {"currencyCode": "840"}, {"orderId": ids.new()},
        {"merId": "777290058110049"}, {"encoding": "GBK"},
    ):  # fmt: skip
        yield provider.notice(one, **changed)
    said = provider.signed({**provider._facts(one), "txnAmt": "1"}) | {"txnAmt": "1250"}
    yield replace(provider.notice(one), body=urlencode(said).encode())


FOREIGN: dict[str, Callable[[Any, Attempt], Iterator[Sent]]] = {
    "stripe": _stripe, "alipay": _alipay, "wechat": _wechat, "paypal": _paypal,
    "unionpay": _unionpay,
}  # fmt: skip


def test_a_provider_that_does_what_it_is_asked_and_then_fails(shop: Shop, clock: Clock) -> None:
    """It hears us and its answer is lost: it is asked again, and what it did it did once."""
    paid = shop.pays()
    with shop.loses_answers():
        lost = shop.pays(goes=False)
        assert shop.asks(lost) in ("created", "pending")
    BREAKER.close()
    for notice in shop.ends(paid, "pay"):
        deliver(shop.client, notice)
    assert shop.asks(paid) == "captured"
    with shop.loses_answers():
        shop.refunds(paid, clock)
        assert shop.state(paid) == "captured"
    BREAKER.close()
    shop.works(clock)
    assert shop.state(paid) == "refunded"
    with shop.app.app_context():  # It was one refund: nothing is left of it to send.
        order = asking.order_of(attempts.find(paid.id))
        assert isinstance(shop.gateway.refund(order, ids.new(), 1), Declined)
    assert shop.sold == 0
    assert shop.world.faults() == []


def test_a_provider_that_hangs_holds_up_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"store.payment.gateways.{shop.name}.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        shop.app.config[f"{shop.name.upper()}_URL"] = f"http://127.0.0.1:{port}/{shop.name}"
        mine = shop.pays(goes=False)
        assert shop.asks(mine) in ("created", "pending")
    assert shop.sold == 0
    assert shop.world.faults() == []


class Lossy:
    """Between us and a provider: what we ask gets through, and every answer is lost."""

    def __init__(self, url: str) -> None:
        self.there, _, self.name = url.removeprefix("http://").partition("/")
        self.socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/{self.name}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self._pass_on(connection)

    def _pass_on(self, connection: socket.socket) -> None:
        host, _, port = self.there.partition(":")
        with socket.create_connection((host, int(port))) as other:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            top, _, body = head.partition(b"\r\n\r\n")
            length = next(
                (int(line.split(b":")[1]) for line in top.split(b"\r\n")
                 if line.lower().startswith(b"content-length")), 0,
            )  # fmt: skip
            while len(body) < length:
                body += connection.recv(65_536)
            other.sendall(top.replace(b"keep-alive", b"close") + b"\r\n\r\n" + body)
            other.recv(65_536)

    def __exit__(self, *what: object) -> None:
        self.socket.close()
