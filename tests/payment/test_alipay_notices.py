"""Signatures of Alipay: the vectors of its own SDKs verify or are refused as they say, and a
genuine notice about something else settles nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from store import ids
from store.payment.gateways import Approved, NoticeForeign, NoticeForged, Order
from store.payment.gateways.alipay import Alipay, verify
from store.payment.gateways.keys import fields_of
from tests.payment.practice import Providers, providers

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "webhooks" / "alipay_rsa2.json"


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


def gateway(practice: Providers, **changed: str) -> Alipay:
    said = practice.settings
    fields = {
        "app_id": said["ALIPAY_APP_ID"], "seller_id": said["ALIPAY_SELLER_ID"],
        "key": said["ALIPAY_KEY"], "public_key": said["ALIPAY_PUBLIC_KEY"],
        "url": said["ALIPAY_URL"],
    }  # fmt: skip
    return Alipay(**fields | changed)


def given() -> dict[str, Any]:
    if not FILE.exists():
        pytest.skip("no ../shared/data beside this clone")
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def test_every_vector(practice: Providers) -> None:
    data = given()
    theirs = gateway(practice, public_key=data["alipay_public_key"])._sdk
    assert len(data["notifications"]) > 8
    for one in data["notifications"]:
        if one["valid"]:
            verify(one["params"], theirs)
            verify(fields_of(urlencode(one["params"]).encode(), "charset"), theirs)
        else:
            with pytest.raises(NoticeForged):
                verify(one["params"], theirs)
    verify(fields_of(data["notify_form_body"].encode(), "charset"), theirs)
    for one in data["response_signatures"]:
        signer = gateway(practice, public_key=one["public_key"])._sdk
        fields = {"sign": one["signature"]}
        try:
            fits = signer._verify(one["signed_text"], fields["sign"])
        except ValueError:
            fits = False
        assert fits == one["valid"]


def test_a_notice_is_of_our_shop_and_says_whether_it_was_paid(practice: Providers) -> None:
    ours, sandbox = gateway(practice), practice.alipay
    trade = sandbox._open(
        {"out_trade_no": ids.new(), "total_amount": "12.50", "subject": "s"}, {"notify_url": "n"}
    )

    def told(**changed: str) -> Any:
        notice = sandbox.notice(trade, **changed)
        return ours.read_notice(notice.headers, notice.body).answer

    paid = Approved(trade.number, 1250, "CNY")
    assert told(trade_status="TRADE_SUCCESS") == paid
    assert told(trade_status="TRADE_FINISHED") == paid
    assert told(trade_status="TRADE_FINISHED", refund_fee="12.50", gmt_refund="2027-03-15") is None
    assert told(trade_status="TRADE_SUCCESS", refund_fee="1.00", gmt_refund="2027-03-15") is None
    for changed in ({"app_id": "2021999"}, {"seller_id": "2088999"}, {"seller_id": ""}):
        with pytest.raises(NoticeForeign):
            told(trade_status="TRADE_SUCCESS", **changed)
    for changed in ({"total_amount": "12.505"}, {"total_amount": "1e3"}, {"total_amount": ""}):
        with pytest.raises(NoticeForged):
            told(trade_status="TRADE_SUCCESS", **changed)
    with pytest.raises(NoticeForged):
        told(charset="gbk")
    twice = sandbox.notice(trade).body + b"&total_amount=1.00"
    with pytest.raises(NoticeForged):
        ours.read_notice({}, twice)


def test_a_code_to_scan_is_an_order_like_any_other(practice: Providers) -> None:
    ours = gateway(practice)
    mine = Order(ids.new(), 1250, "CNY", "qr", subject="港湾路")
    answer = ours.start(mine)
    assert str(getattr(answer, "code", "")).endswith(f"/alipay/pay/{mine.id}")
