"""Notices of PayPal: believed by a certificate of its own, fresh, for our webhook; and what they
say of the money is asked of PayPal again."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from store import clock as shop_clock
from store import ids
from store.errors import Unavailable
from store.payment.gateways import Approved, Declined, NoticeForged, Order, Pending
from store.payment.gateways.offered import offered, set_up
from store.payment.gateways.paypal import PayPal
from store.payment.sandboxes.paypal import PayPalSandbox
from store.payment.sandboxes.serving import Sent
from tests.conftest import Clock
from tests.contracts.test_gateways import WITHOUT
from tests.payment.practice import Providers, providers


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def sandbox(practice: Providers) -> PayPalSandbox:
    return practice.paypal


@pytest.fixture
def ours(practice: Providers) -> PayPal:
    found = set_up(WITHOUT | practice.settings)["paypal"]
    assert isinstance(found, PayPal)
    return replace(found)  # It has read no certificate yet.


def agreed(gateway: PayPal, sandbox: PayPalSandbox, end: str = "pay") -> Order:
    mine = Order(ids.new(), 1250, "CNY", return_url="http://localhost/pay/x")
    answer = gateway.start(mine)
    assert isinstance(answer, Pending)
    mine = replace(mine, reference=answer.reference)
    sandbox.ends(mine.reference, end)
    return mine


def told(gateway: PayPal, notice: Sent, **changed: str) -> Any:
    return gateway.read_notice({**notice.headers, **changed}, notice.body).answer


def test_what_the_shopper_agreed_to_is_to_be_taken_and_then_is(
    ours: PayPal, sandbox: PayPalSandbox
) -> None:
    mine = agreed(ours, sandbox)
    assert told(ours, sandbox.outgoing[-1]) == Pending(mine.reference, to_capture=True)
    assert ours.capture(mine) == ours.capture(mine) == Approved(mine.reference, 1250, "CNY")
    assert told(ours, sandbox.outgoing[-1]) == Approved(mine.reference, 1250, "CNY")


def test_what_a_genuine_notice_says_was_paid_and_was_not_is_not(
    ours: PayPal, sandbox: PayPalSandbox
) -> None:
    """Its CRC-32 fits other bytes too: so PayPal is asked."""
    mine = agreed(ours, sandbox, "decline")
    claimed = {
        "custom_id": mine.id, "amount": {"currency_code": "CNY", "value": "12.50"},
        "supplementary_data": {"related_ids": {"order_id": mine.reference}},
    }  # fmt: skip
    answer = told(ours, sandbox.event("PAYMENT.CAPTURE.COMPLETED", claimed))
    assert not isinstance(answer, Approved)
    assert told(ours, sandbox.event("PAYMENT.CAPTURE.DENIED", claimed)) == Declined("denied")
    assert told(ours, sandbox.event("PAYMENT.CAPTURE.REFUNDED", claimed)) is None
    wrong: list[dict[str, Any]] = [
        {"custom_id": 7}, {"amount": None}, {"amount": {"currency_code": "CNY", "value": "1e3"}},
        {"amount": {"currency_code": 1, "value": 12}}, {"supplementary_data": None},
    ]  # fmt: skip
    for changed in wrong:
        with pytest.raises(NoticeForged):
            told(ours, sandbox.event("PAYMENT.CAPTURE.COMPLETED", claimed | changed))


def test_a_notice_by_another_hand_or_of_another_time_is_none(
    ours: PayPal, sandbox: PayPalSandbox, clock: Clock
) -> None:
    agreed(ours, sandbox)
    notice = sandbox.outgoing[-1]
    assert told(ours, notice)
    home = notice.headers["PayPal-Cert-Url"]
    for name, wrong in (
        ("PayPal-Transmission-Id", "other"), ("PayPal-Transmission-Time", "yesterday"),
        ("PayPal-Auth-Algo", "SHA1withRSA"), ("PayPal-Transmission-Sig", "not base 64"),
        ("PayPal-Transmission-Sig", base64.b64encode(b"x" * 256).decode()),
        ("PayPal-Cert-Url", "https://api.paypal.com.evil.example/v1/notifications/certs/C"),
        ("PayPal-Cert-Url", home.replace("127.0.0.1", "localhost")),
        ("PayPal-Cert-Url", f"{home}?x=1"), ("PayPal-Cert-Url", home.replace("certs", "../certs")),
    ):  # fmt: skip
        with pytest.raises(NoticeForged):
            told(ours, notice, **{name: wrong})
    with pytest.raises(NoticeForged):
        told(replace(ours, webhook_id="ANOTHER"), notice)
    clock.tick(days=5)
    with pytest.raises(NoticeForged):
        told(ours, notice)


def test_a_certificate_is_read_once_and_not_as_often_as_a_stranger_likes(
    ours: PayPal, sandbox: PayPalSandbox
) -> None:
    agreed(ours, sandbox)
    notice = sandbox.outgoing[-1]
    assert told(ours, notice)
    # However slow this machine is: it was read a moment ago.
    ours._kept["read"] = time.monotonic()
    with pytest.raises(Unavailable):
        told(ours, notice, **{"PayPal-Cert-Url": notice.headers["PayPal-Cert-Url"] + "2"})
    assert told(ours, notice)


@pytest.mark.parametrize("fault", ["name", "end", "rubbish"])
def test_a_certificate_of_somebody_else_is_none(
    ours: PayPal, sandbox: PayPalSandbox, fault: str
) -> None:
    agreed(ours, sandbox)
    right, now = sandbox.certificate, shop_clock.now()
    sandbox.__dict__["certificate"] = {
        "name": sandbox.certified("messageverificationcerts.paypal.com.evil.example", now),
        "end": sandbox.certified("messageverificationcerts.paypal.com", now - timedelta(9), 8),
        "rubbish": b"-----BEGIN CERTIFICATE-----",
    }[fault]
    with pytest.raises(NoticeForged):
        told(ours, sandbox.outgoing[-1])
    sandbox.__dict__["certificate"] = right


def test_it_is_offered_in_its_own_currencies(practice: Providers) -> None:
    for currency, there in (("EUR", True), ("JPY", True), ("KWD", False), ("TWD", False)):
        settings = {**WITHOUT, **practice.settings}
        found = offered(settings, amount_minor=1250, currency=currency)
        assert ("paypal" in {one.name for one in found}) == there


def test_without_a_webhook_the_owner_is_told(ours: PayPal) -> None:
    assert replace(ours, webhook_id="").check("http://localhost/") == Declined("webhook_id")
