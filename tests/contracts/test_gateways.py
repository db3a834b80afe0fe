"""What every gateway does, against its own practice provider, with the provider's own SDK."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from store import ids
from store.payment.gateways import (
    Answer,
    Approved,
    ByForm,
    Declined,
    Gateway,
    GatewayTimeout,
    NoticeForged,
    Order,
    Pending,
)
from store.payment.gateways.offered import offered, set_up
from store.payment.sandboxes.stripe import StripeSandbox
from tests.payment.practice import Providers, providers

NAMES = ("stripe", "alipay", "wechat", "paypal", "unionpay")
WITHOUT = {"SIMULATED_GATEWAY": False, "SECRET_KEY": "k", "STRIPE_KEY": "", "ALIPAY_APP_ID": "",
           "WECHAT_MERCHANT_ID": "", "PAYPAL_CLIENT_ID": "",
           "UNIONPAY_MERCHANT_ID": "", "BANK_ACCOUNT": ""}  # fmt: skip


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture(params=NAMES)
def gateway(request: pytest.FixtureRequest, practice: Providers) -> Gateway:
    return set_up(WITHOUT | practice.settings)[request.param]


def order(amount_minor: int = 1250, **more: Any) -> Order:
    return Order(
        ids.new(), amount_minor, "CNY", subject="Harbour Road 港湾路", **more,
        return_url="http://localhost/pay/x", notice_url="http://localhost/payments/notices/x",
        onward_url="http://localhost/payments/onward/x",
    )  # fmt: skip


def started(gateway: Gateway, wanted: Order) -> Order:
    answer = gateway.start(wanted)
    assert isinstance(answer, Pending)
    assert goes_there(gateway, answer.next_url).status_code == 200
    return replace(wanted, reference=answer.reference, return_url="", notice_url="")


def goes_there(gateway: Gateway, next_url: str) -> requests.Response:
    """The shopper's browser goes to the provider; to some by a form."""
    if isinstance(gateway, ByForm):
        fields = dict(parse_qsl(urlsplit(next_url).query, strict_parsing=True))
        return requests.post(gateway.posts_to(fields), data=fields, timeout=5)
    return requests.get(next_url, timeout=5)


def paid(gateway: Gateway, practice: Providers, end: str = "pay") -> Order:
    mine = started(gateway, order())
    practice.named(gateway.name).ends(mine.reference, end)
    found(gateway, mine)
    return mine


def found(gateway: Gateway, mine: Order) -> Answer:
    """What became of it, once what the shopper agreed to was taken."""
    answer = gateway.status(mine)
    capture = isinstance(answer, Pending) and answer.to_capture
    return gateway.capture(mine) if capture else answer


def test_what_is_started_waits_and_is_then_paid(gateway: Gateway, practice: Providers) -> None:
    mine = started(gateway, order())
    assert isinstance(gateway.status(mine), Pending)
    practice.named(gateway.name).ends(mine.reference, "pay")
    for _ in range(2):
        answer = found(gateway, mine)
        assert isinstance(answer, Approved)
        assert (answer.amount_minor, answer.currency) == (1250, "CNY")


def test_the_same_order_started_again_is_the_same_payment(gateway: Gateway) -> None:
    mine = order()
    first, second = gateway.start(mine), gateway.start(mine)
    assert isinstance(first, Pending)
    assert isinstance(second, Pending)
    assert first.reference == second.reference


def test_what_is_declined_is_declined(gateway: Gateway, practice: Providers) -> None:
    assert isinstance(found(gateway, paid(gateway, practice, "decline")), Declined)


def test_what_was_never_started_is_not_known_to_be_paid(gateway: Gateway) -> None:
    assert not isinstance(gateway.status(order()), Approved)


def test_a_refund_that_is_asked_for_twice_is_one(gateway: Gateway, practice: Providers) -> None:
    mine, number = paid(gateway, practice), ids.new()
    first = sent_back(gateway, mine, number, 500)
    assert isinstance(first, Approved)
    assert gateway.refund(mine, number, 500) == first
    assert isinstance(sent_back(gateway, mine, ids.new(), 750), Approved)
    assert isinstance(gateway.refund(mine, ids.new(), 1), Declined)
    assert isinstance(gateway.status(mine), Approved if gateway.name != "alipay" else Declined)


def sent_back(gateway: Gateway, mine: Order, number: str, amount_minor: int) -> Answer:
    """A refund, asked for again under its number while the provider is at it."""
    answer = gateway.refund(mine, number, amount_minor)
    return gateway.refund(mine, number, amount_minor) if isinstance(answer, Pending) else answer


def test_what_is_closed_is_paid_by_nobody_and_what_is_paid_is_not_closed(
    gateway: Gateway, practice: Providers
) -> None:
    mine = started(gateway, order())
    closed = Pending if gateway.name == "unionpay" else Declined  # It ends by its own time.
    for _ in range(2):
        assert isinstance(gateway.close(mine), closed)
    if closed is Declined:
        practice.named(gateway.name).ends(mine.reference, "pay")
        assert not isinstance(gateway.status(mine), Approved)
    assert isinstance(gateway.close(paid(gateway, practice)), Approved)


@pytest.mark.parametrize("amount", [1251, 10**9])
def test_more_than_was_paid_does_not_go_back(
    gateway: Gateway, practice: Providers, amount: int
) -> None:
    assert isinstance(gateway.refund(paid(gateway, practice), ids.new(), amount), Declined)


def test_what_was_not_paid_does_not_go_back(gateway: Gateway) -> None:
    assert not isinstance(gateway.refund(started(gateway, order()), ids.new(), 1), Approved)


def test_a_notice_is_read_and_a_changed_one_is_not(gateway: Gateway, practice: Providers) -> None:
    mine = paid(gateway, practice)
    notice = practice.named(gateway.name).outgoing[-1]
    told = gateway.read_notice(notice.headers, notice.body)
    assert (told.payment_id, told.amount_minor, told.currency) == (mine.id, 1250, "CNY")
    assert isinstance(told.answer, Approved)
    assert gateway.read_notice({k.lower(): v for k, v in notice.headers.items()}, notice.body)
    other = notice.body.replace(b"1250", b"1251").replace(b"12.50", b"12.51")
    if gateway.name == "wechat":  # Its amounts cannot be seen.
        other = notice.body.replace(b"TRANSACTION.SUCCESS", b"TRANSACTION.SUCCESs")
    for body in (other, notice.body + b" ", notice.body + b"x", b"", b"\xff\xfe"):
        with pytest.raises(NoticeForged):
            gateway.read_notice(notice.headers, body)
    if gateway.name not in ("alipay", "unionpay"):  # Theirs is a field of the form.
        with pytest.raises(NoticeForged):
            gateway.read_notice({}, notice.body)


def test_what_a_gateway_is_shows_none_of_its_keys(gateway: Gateway, practice: Providers) -> None:
    """Logs and error pages print what they meet."""
    shown = repr(gateway)
    for name, value in practice.settings.items():
        if name.endswith(("_KEY", "_SECRET", "_API_KEY")) and "PUBLIC" not in name:
            assert value.strip().splitlines()[-2:][0] not in shown


def test_keys_that_are_wrong_are_said_to_be(gateway: Gateway, practice: Providers) -> None:
    wrong = {**practice.settings, "STRIPE_KEY": "sk_test_wrong", "ALIPAY_APP_ID": "2021999",
             "WECHAT_SERIAL": "0F", "PAYPAL_SECRET": "guessed",
             "UNIONPAY_MERCHANT_ID": "777290058110049"}  # fmt: skip
    other = set_up(WITHOUT | wrong)[gateway.name]
    assert gateway.check("http://localhost/") is None
    assert other.check("http://localhost/") == Declined("set_up")
    assert other.refund(order(reference="r"), ids.new(), 1) == Declined("set_up")


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nrubbish"],
    ids=["reset", "502", "rubbish"],
)  # fmt: skip
def test_a_provider_that_answers_nothing_of_sense_is_no_answer(
    gateway: Gateway, practice: Providers, answer: bytes
) -> None:
    with Broken(answer) as url:
        name = f"{gateway.name.upper()}_URL"
        lost = set_up(WITHOUT | practice.settings | {name: url})[gateway.name]
        with pytest.raises((GatewayTimeout, ValueError, AttributeError)):
            lost.status(order(reference="r"))


class Broken:
    """A server that answers every connection with the same bytes and ends it."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self.answer)

    def __exit__(self, *what: object) -> None:
        self.socket.close()


@pytest.mark.parametrize(
    ("currency", "minor", "counted"),
    [("JPY", 500, 500), ("CNY", 1250, 1250), ("KWD", 1230, 1230), ("ISK", 500, 50_000),
     ("KWD", 1234, None)],
)  # fmt: skip
def test_stripe_counts_in_units_of_its_own(
    practice: Providers, currency: str, minor: int, counted: int | None
) -> None:
    """Thousandths only in tens; whole crowns in hundredths. What comes back is ours again."""
    settings = {**WITHOUT, **practice.settings}
    stripe, wanted = set_up(settings)["stripe"], replace(order(minor), currency=currency)
    names = [one.name for one in offered(settings, amount_minor=minor, currency=currency)]
    assert ("stripe" in names) is (counted is not None)
    if counted is None:
        assert stripe.start(wanted) == Declined("amount_invalid")
        return
    mine, sandbox = started(stripe, wanted), practice.named("stripe")
    assert isinstance(sandbox, StripeSandbox)
    assert sandbox.sessions[mine.reference].amount == counted
    sandbox.ends(mine.reference, "pay")
    assert stripe.status(mine) == Approved(mine.reference, minor, currency)
    back = stripe.refund(mine, ids.new(), minor - 10)
    assert isinstance(back, Approved)
    assert (back.amount_minor, back.currency) == (minor - 10, currency)


def test_which_are_offered_depends_on_the_amount_and_on_where_the_page_runs(
    practice: Providers,
) -> None:
    def names(amount_minor: int, agent: str = "", payer: str = "") -> list[str]:
        settings = {**WITHOUT, **practice.settings}
        found = offered(
            settings, amount_minor=amount_minor, currency="CNY", agent=agent, payer=payer
        )
        return [one.name for one in found]

    assert names(1250) == ["stripe", "alipay", "wechat", "paypal", "unionpay"]
    assert names(399) == ["alipay", "wechat", "paypal", "unionpay"]
    assert names(1250, "Mozilla/5.0 … MicroMessenger/8.0") == []
    assert names(1250, "Mozilla/5.0 … MicroMessenger/8.0", "openid") == ["wechat"]
    assert names(1250, "Mozilla/5.0 … AlipayClient/10.5") == ["alipay"]
