"""UnionPay: what it has signed is believed, and nothing else; a number and its time are one order;
what the browser posts on its way there is ours, and on its way back is believed in nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from store import clock as shop_clock
from store import ids
from store.payment.gateways import (
    Approved,
    Declined,
    GatewayTimeout,
    NoticeForeign,
    NoticeForged,
    Order,
    Pending,
)
from store.payment.gateways.offered import set_up
from store.payment.gateways.unionpay import SIGNER, UnionPay, _parted
from store.payment.sandboxes.serving import Sent
from store.payment.sandboxes.unionpay import NAME, Authority, UnionPaySandbox
from tests.conftest import Clock
from tests.contracts.test_gateways import WITHOUT, order, started
from tests.payment.practice import Providers, providers


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def sandbox(practice: Providers) -> UnionPaySandbox:
    return practice.unionpay


@pytest.fixture
def ours(practice: Providers) -> UnionPay:
    found = set_up(WITHOUT | practice.settings)["unionpay"]
    assert isinstance(found, UnionPay)
    return found


def told(ours: UnionPay, notice: Sent) -> Any:
    return ours.read_notice(notice.headers, notice.body).answer


def test_a_notice_is_of_our_shop_and_of_money_that_came(
    ours: UnionPay, sandbox: UnionPaySandbox
) -> None:
    one = sandbox.orders[started(ours, order()).id]
    one.state = "00"
    paid = Approved(one.number, 1250, "CNY")
    assert told(ours, sandbox.notice(one)) == paid
    assert told(ours, sandbox.notice(one, respCode="A6")) == paid
    for changed in ({"respCode": "51"}, {"respCode": "03"}, {"txnType": "04"}, {"txnType": "31"}):
        assert told(ours, sandbox.notice(one, **changed)) is None
    assert told(ours, sandbox.notice(one, currencyCode="840")) == replace(paid, currency="840")
    with pytest.raises(NoticeForeign):
        told(ours, sandbox.notice(one, merId="777290058110049"))
    forged = (
        {"txnAmt": "12.50"}, {"txnAmt": ""}, {"txnAmt": "1" * 13}, {"txnAmt": "１２"},
        {"queryId": ""}, {"encoding": "GBK"},
    )  # fmt: skip
    for changed in forged:
        with pytest.raises(NoticeForged):
            told(ours, sandbox.notice(one, **changed))
    body = sandbox.notice(one).body
    for other in (body + b"&txnAmt=1", body.replace(b"signMethod=01", b"signMethod=11"), b"\xff"):
        with pytest.raises(NoticeForged):
            ours.read_notice({}, other)


def test_a_certificate_is_unionpays_by_its_issuer_its_name_and_its_time(
    ours: UnionPay, sandbox: UnionPaySandbox, clock: Clock
) -> None:
    """Merchants have certificates of the same authority: the name alone tells them apart."""
    one = sandbox.orders[started(ours, order()).id]
    one.state = "00"
    right, key, here = sandbox.certificate, sandbox.key, sandbox.authority
    stranger = Authority(key)
    merchant = "041@8310000000083040@Another merchant@00016494"
    since = shop_clock.now()
    wrong = (
        here.certifies(key.public_key(), merchant, 3),
        here.certifies(key.public_key(), NAME.replace("SIGN", "SIGN2"), 3),
        here.certifies(key.public_key(), "00040000:SIGN", 3),
        here.certifies(key.public_key(), NAME, 3, since + timedelta(days=1)),
        stranger.certifies(key.public_key(), NAME, 3),
        stranger.certificate, "no certificate", "",
    )  # fmt: skip
    try:
        for certificate in wrong:
            sandbox.certificate = certificate
            with pytest.raises(NoticeForged):
                told(ours, sandbox.notice(one))
            with pytest.raises(GatewayTimeout):
                ours.status(order())
        sandbox.certificate = here.certifies(key.public_key(), f"041@Z@{SIGNER}@1", 4)
        assert told(replace(ours, url=""), sandbox.notice(one)) == Approved(one.number, 1250, "CNY")
    finally:
        sandbox.certificate = right
    assert isinstance(told(ours, sandbox.notice(one)), Approved)
    with pytest.raises(NoticeForged):  # A live shop believes no test centre.
        told(replace(ours, url=""), sandbox.notice(one))
    with pytest.raises(NoticeForged):
        told(replace(ours, issuers="lost"), sandbox.notice(one))


def test_a_refused_card_is_no_end_before_its_time(
    ours: UnionPay, sandbox: UnionPaySandbox, clock: Clock
) -> None:
    """On UnionPay's page the shopper takes another card; after the time nobody pays any more."""
    end = shop_clock.now() + timedelta(minutes=15)
    mine = started(ours, order(ends_at=end))
    sandbox.ends(mine.id, "decline")
    assert isinstance(ours.status(mine), Pending)
    sandbox.ends(mine.id, "pay")
    assert ours.status(mine) == Approved(sandbox.orders[mine.id].number, 1250, "CNY")
    other, late = started(ours, order(ends_at=end)), started(ours, order(ends_at=end))
    sandbox.ends(other.id, "decline")
    clock.tick(minutes=16)
    sandbox.ends(late.id, "pay")
    assert ours.status(other) == Declined("51")
    assert isinstance(ours.status(late), Pending)  # Never paid: it is given up by our own time.


def test_a_number_is_one_order_and_one_refund(ours: UnionPay, sandbox: UnionPaySandbox) -> None:
    mine = started(ours, order())
    answer = ours.start(replace(mine, amount_minor=1, onward_url="http://localhost/o"))
    assert isinstance(answer, Pending)
    fields = dict(parse_qsl(urlsplit(answer.next_url).query))
    assert requests.post(ours.posts_to(fields), data=fields, timeout=5).status_code == 400
    sandbox.ends(mine.id, "pay")
    number = ids.new()
    assert isinstance(ours.refund(mine, number, 500), Pending)
    with pytest.raises(GatewayTimeout):
        ours.refund(mine, number, 501)
    assert isinstance(ours.refund(mine, number, 500), Approved)
    assert sandbox.orders[mine.id].back == 500


def test_a_refund_names_the_payment_by_unionpays_number(
    ours: UnionPay, sandbox: UnionPaySandbox
) -> None:
    mine = started(ours, order())
    sandbox.ends(mine.id, "pay")
    paid = replace(mine, reference=sandbox.orders[mine.id].number)
    assert isinstance(ours.refund(paid, ids.new(), 1250), Pending)
    assert ours.refund(paid, ids.new(), 1) == Declined("36")
    assert ours.refund(replace(paid, reference="9"), ids.new(), 1) == Declined("35")


def test_a_code_to_scan_is_an_order_like_any_other(
    ours: UnionPay, sandbox: UnionPaySandbox
) -> None:
    mine = Order(ids.new(), 1250, "CNY", "qr", notice_url="http://shop.example/n")
    answer = ours.start(mine)
    assert str(getattr(answer, "code", "")).startswith("http://shop.example:")
    assert isinstance(ours.start(mine), Pending)  # Its code is shown already.
    sandbox.ends(mine.id, "pay")
    assert isinstance(ours.status(mine), Approved)
    assert isinstance(ours.refund(mine, ids.new(), 1250), Pending)


def test_an_order_carries_beijing_time_out_of_its_number(ours: UnionPay) -> None:
    number = ids.encode(int(datetime(2027, 3, 14, 16, 30, tzinfo=UTC).timestamp() * 1000) << 52, 20)
    assert ours._named(number)["txnTime"] == "20270315003000"
    with pytest.raises(ValueError, match="no id"):
        ids.made_at("short")


def test_an_answer_is_read_as_unionpay_writes_it() -> None:
    said = _parted("a=1&cert=-----BEGIN==\r\n-----&info={x=1&y=[2&3]}&empty=&respMsg=ok[00]")
    assert said == {
        "a": "1", "cert": "-----BEGIN==\r\n-----", "info": "{x=1&y=[2&3]}", "empty": "",
        "respMsg": "ok[00]",
    }  # fmt: skip
    for text in ("", "a", "a=1&a=2", "<html>", "a=1&b"):
        with pytest.raises(ValueError, match="no answer"):
            _parted(text)


def test_its_keys_are_tested(ours: UnionPay) -> None:
    for changed, why in (
        ({"key": "MIIE"}, "key"), ({"issuers": "x"}, "key"), ({"merchant_id": "1"}, "set_up"),
        ({"key": ours.key.split("-----BEGIN CERT")[0]}, "key"),
    ):  # fmt: skip
        assert replace(ours, **changed).check("http://localhost/") == Declined(why)


def test_the_way_there_and_back_leads_over_pages_of_the_shop(
    ours: UnionPay, practice: Providers, app: Flask, client: FlaskClient
) -> None:
    """Only what this shop has signed is shown as a form, and it goes to UnionPay only."""
    app.config.update(practice.settings)
    onward = "http://localhost/payments/onward/unionpay"
    answer = ours.start(replace(order(), onward_url=onward, return_url="http://localhost/pay/X"))
    assert isinstance(answer, Pending)
    address = answer.next_url.removeprefix("http://localhost")
    page = client.get(address)
    port = urlsplit(ours.url).port
    assert f"form-action 'self' http://localhost:{port};" in page.headers["Content-Security-Policy"]
    assert f'action="http://localhost:{port}/unionpay/gateway/api/frontTransReq.do"' in page.text
    assert 'href="/pay/X"' in page.text
    other = urlencode(dict(parse_qsl(urlsplit(address).query)) | {"txnAmt": "1"})
    there = urlsplit(address).path
    for wrong in (
        f"{there}?{other}",
        there,
        f"{there}?certId=1",
        address.replace("unionpay", "paypal", 1),
    ):
        assert client.get(wrong).status_code == 404
    # The browser comes back from another site: nothing is believed, and nobody is led away.
    back = client.post(
        f"{there}/pay/X", data={"respCode": "00"}, headers={"Origin": "https://g.cn"}
    )
    assert (back.status_code, back.headers["Location"]) == (303, "/pay/X")
    assert "Set-Cookie" not in back.headers
    for path in ("//evil.example", "/%5Cevil.example", "/%2Fevil.example"):
        where = client.post(f"{there}{path}").headers.get("Location", "/")
        assert where.startswith(("/", "http://localhost/"))
        assert not where.startswith(("//", "/\\"))
