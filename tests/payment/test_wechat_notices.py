"""Signatures and ciphers of WeChat Pay: the vectors of its own SDKs verify or are refused as they
say; a genuine notice about something else settles nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

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
from store.payment.gateways.keys import fits, public_key
from store.payment.gateways.offered import set_up
from store.payment.gateways.wechat import WeChat, decrypt, verify
from store.payment.sandboxes.wechat import WeChatSandbox
from tests.conftest import Clock
from tests.contracts.test_gateways import WITHOUT
from tests.payment.practice import Providers, providers

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "webhooks" / "wechatpay_v3.json"


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def sandbox(practice: Providers) -> WeChatSandbox:
    return practice.wechat


@pytest.fixture
def ours(practice: Providers) -> WeChat:
    found = set_up(WITHOUT | practice.settings)["wechat"]
    assert isinstance(found, WeChat)
    return found


def asked(gateway: WeChat, **more: Any) -> Order:
    mine = Order(ids.new(), 1250, "CNY", notice_url="http://localhost/n", **more)
    assert isinstance(gateway.start(mine), Pending)
    return mine


def given() -> dict[str, Any]:
    if not FILE.exists():
        pytest.skip("no ../shared/data beside this clone")
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def test_every_vector() -> None:
    data = given()
    key, serial = public_key(data["public_key"]), data["platform_serial"]
    assert public_key(data["platform_certificate"]).public_numbers() == key.public_numbers()
    for one in data["raw_signatures"]:
        assert fits(one["signature"], one["message"].encode(), key) == one["valid"]
    assert len(data["notifications"]) > 8
    for one in data["notifications"]:
        said = (one["headers"], one["body"].encode(), key, serial)
        if one["valid"]:
            verify(*said, now_s=one["now"])
        else:
            with pytest.raises(NoticeForged):
                verify(*said, now_s=one["now"])


def test_every_cipher_of_the_vectors() -> None:
    data = given()

    def opened(one: dict[str, str]) -> bytes:
        sealed = {"associated_data": one["aad"], **one}
        return decrypt(sealed, one["key"])

    for one in data["aes_gcm"]:
        assert opened(one) == one["plaintext"].encode()
    for one in data["aes_gcm_must_fail"]:
        with pytest.raises(NoticeForged):
            opened(one)


def test_a_certificate_names_its_own_number() -> None:
    data = given()
    ours = WeChat("", "", "", "", "", data["platform_certificate"])
    assert ours._their_id == data["platform_serial"]


def test_a_notice_is_of_our_shop_fresh_and_readable(
    ours: WeChat, sandbox: WeChatSandbox, clock: Clock
) -> None:
    one = sandbox.orders[asked(ours).id]
    one.state = "SUCCESS"

    def told(kind: str = "TRANSACTION.SUCCESS", **changed: Any) -> Any:
        notice = sandbox.notice(one, kind, **changed)
        return ours.read_notice(notice.headers, notice.body).answer

    assert told() == Approved(one.number, 1250, "CNY")
    assert told(trade_state="CLOSED") == Declined("closed")
    assert told("REFUND.SUCCESS") is None
    foreign: list[dict[str, Any]] = [{"mchid": "1900000009"}, {"appid": "wx9"}, {"mchid": None}]
    for changed in foreign:
        with pytest.raises(NoticeForeign):
            told(**changed)
    forged: list[dict[str, Any]] = [
        {"amount": {"total": "1250", "currency": "CNY"}}, {"amount": {"total": True}},
        {"amount": None}, {"out_trade_no": 7}, {"trade_state": None},
    ]  # fmt: skip
    for changed in forged:
        with pytest.raises(NoticeForged):
            told(**changed)
    notice = sandbox.notice(one)
    for wrong in (
        {"Wechatpay-Serial": "PUB_KEY_ID_9"}, {"Wechatpay-Signature-Type": "WECHATPAY2-SM2"},
        {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc"}, {"Wechatpay-Timestamp": "1e9"},
        {"Wechatpay-Nonce": "\ud800"},
    ):  # fmt: skip
        with pytest.raises(NoticeForged):
            ours.read_notice({**notice.headers, **wrong}, notice.body)
    with pytest.raises(NoticeForged):
        replace(ours, api_key="x" * 32).read_notice(notice.headers, notice.body)
    clock.tick(seconds=301)
    with pytest.raises(NoticeForged):
        ours.read_notice(notice.headers, notice.body)


def test_a_code_to_scan_is_an_order_like_any_other(ours: WeChat, practice: Providers) -> None:
    answer = ours.start(Order(ids.new(), 1250, "CNY", "qr", notice_url="http://shop.example/n"))
    assert str(getattr(answer, "code", "")).startswith("http://shop.example:")


def test_a_number_is_used_for_one_payment(ours: WeChat) -> None:
    mine = asked(ours)
    assert ours.start(replace(mine, amount_minor=1)) == Declined("OUT_TRADE_NO_USED")


def test_an_answer_by_another_key_or_of_another_time_is_none(
    ours: WeChat, sandbox: WeChatSandbox, clock: Clock
) -> None:
    mine, right = asked(ours), sandbox.key_id
    sandbox.key_id = "PUB_KEY_ID_9"
    with pytest.raises(GatewayTimeout):
        ours.status(mine)
    sandbox.key_id = right
    stale = sandbox.signed(b"{}")
    clock.tick(minutes=6)
    with pytest.raises(NoticeForged):
        ours._believes(stale, b"{}")


def test_its_keys_are_tested(ours: WeChat) -> None:
    for changed, why in (
        ({"key": "MIIE"}, "key"), ({"public_key": "x"}, "key"), ({"api_key": "short"}, "api_key"),
        ({"merchant_id": "1900000009"}, "set_up"),
    ):  # fmt: skip
        assert replace(ours, **changed).check("http://localhost/") == Declined(why)


def test_its_window_opens_for_its_own_people_and_for_what_we_have_signed(
    ours: WeChat, sandbox: WeChatSandbox, clock: Clock
) -> None:
    def begun(payer: str) -> tuple[Order, Any]:
        mine = Order(ids.new(), 1250, "CNY", "jsapi:mark", subject="Quay",
                     notice_url="http://localhost/n", payer=payer)  # fmt: skip
        return mine, ours.start(mine)

    for payer in ("", "oOfAnotherApp"):
        assert begun(payer)[1] == Declined("PARAM_ERROR")
    mine, said = begun(sandbox.people.person())
    assert isinstance(said, Pending) and said.code and not said.next_url
    assert ours.start(mine) == said, "asked for again, it is the same payment"
    good, failed = ours.opens(said.code), {"err_msg": "get_brand_wcpay_request:fail"}
    for field in good:
        assert sandbox.plays(good | {field: good[field][:-1] + "x"}, "pay") == failed, field
    assert sandbox.plays(ours.opens("wx-of-nobody"), "pay") == failed
    assert sandbox.plays(good, "cancel") == {"err_msg": "get_brand_wcpay_request:cancel"}
    assert isinstance(ours.status(mine), Pending)
    clock.tick(minutes=6)
    assert sandbox.plays(good, "pay") == failed, "signed for another showing"
    assert sandbox.plays(ours.opens(said.code), "pay")["err_msg"].endswith(":ok")
    assert isinstance(ours.status(mine), Approved)
    assert sandbox.plays(ours.opens(said.code), "pay") == failed, "it is paid"
