"""Alipay: the mobile web page (wap) and a code to scan (pre-create), signed with RSA2.

Sources: opendocs.alipay.com, alipay.trade.wap.pay, .precreate, .query, .refund and the page on
asynchronous notices. Alipay knows a payment by our own order number from the moment it is started.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ... import clock, money
from ...errors import Invalid
from . import (
    SET_UP,
    TIMEOUT_S,
    Answer,
    Approved,
    Declined,
    GatewayTimeout,
    Notice,
    NoticeForeign,
    NoticeForged,
    Order,
    Pending,
    Told,
)
from . import alipay_complaints as complained
from .keys import fields_of, pem

BEIJING = ZoneInfo("Asia/Shanghai")
PAID = ("TRADE_SUCCESS", "TRADE_FINISHED")
WRONG_KEYS = ("isv.invalid-signature", "isv.invalid-app-id", "isv.missing-signature-key")
# Answers that say that Alipay itself failed: what was asked for may have happened.
UNKNOWN = ("20000", "10003")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")


@dataclass(frozen=True)
class Alipay:
    app_id: str
    seller_id: str
    key: str = field(repr=False)
    public_key: str
    url: str = ""
    name: str = "alipay"
    thanks: str = "success"

    @cached_property
    def _sdk(self) -> Any:
        library = importlib.import_module("alipay")
        utils = importlib.import_module("alipay.utils")

        class Client(library.AliPay):  # type: ignore[name-defined,misc]
            """Alipay reads the moment of a request in Beijing time, wherever the shop stands."""

            def build_body(self, *args: Any, **kwargs: Any) -> Any:
                data = super().build_body(*args, **kwargs)
                data["timestamp"] = clock.now().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
                return data

            def _get_string_to_be_signed(self, raw_string: str, response_type: str) -> str:
                """The SDK counts braces, also those that somebody has typed into a text."""
                name = f'"{response_type}"'
                start = raw_string.index("{", raw_string.index(name) + len(name))
                _, end = json.JSONDecoder().raw_decode(raw_string, start)
                return raw_string[start:end]

        client = Client(
            self.app_id, None, pem(self.key, "RSA PRIVATE KEY"), pem(self.public_key, "PUBLIC KEY"),
            config=utils.AliPayConfig(timeout=TIMEOUT_S),
        )  # fmt: skip
        if self.url:
            client._gateway = f"{self.url}/gateway.do"
        return client

    def start(self, order: Order) -> Answer:
        about = {
            "subject": order.subject or order.id, "out_trade_no": order.id,
            "total_amount": money.text(order.amount_minor, order.currency),
            "notify_url": order.notice_url,
        }  # fmt: skip
        if order.ends_at is not None:
            about["time_expire"] = _beijing(order.ends_at)
        if order.way == "qr":
            said = self._ask(lambda api: api.api_alipay_trade_precreate(**about))
            if said.get("code") != "10000":
                return _refused(said)
            return Pending(order.id, code=str(said["qr_code"]))
        # Signed here: the shopper's browser takes it to Alipay.
        signed = self._sdk.api_alipay_trade_wap_pay(
            **about, return_url=order.return_url, quit_url=order.return_url
        )
        return Pending(order.id, next_url=f"{self._page(order)}?{signed}")

    def _page(self, order: Order) -> str:
        """Where the shopper's browser goes; a practice Alipay is on the host that their phone
        knows the shop by."""
        there = urlsplit(str(self._sdk._gateway))
        host = urlsplit(order.return_url).hostname
        if not self.url or not host:
            return there.geturl()
        return there._replace(netloc=f"{host}:{there.port}").geturl()

    def status(self, order: Order) -> Answer:
        said = self._ask(lambda api: api.api_alipay_trade_query(out_trade_no=order.id))
        if said.get("sub_code") == "ACQ.TRADE_NOT_EXIST":
            return Pending(order.reference)  # Nobody has opened its page yet.
        if said.get("code") != "10000":
            return _refused(said)
        if said.get("out_trade_no") != order.id:
            raise GatewayTimeout("an answer about another order")
        return _answer(said, order.reference)

    def capture(self, order: Order) -> Answer:
        """Alipay captures by itself."""
        return self.status(order)

    def close(self, order: Order) -> Answer:
        """A page that nobody has opened yet is no trade of Alipay's, and ends by its own time."""
        said = self._ask(lambda api: api.api_alipay_trade_close(out_trade_no=order.id))
        return Declined("closed") if said.get("code") == "10000" else self.status(order)

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        amount = money.text(amount_minor, order.currency)
        said = self._ask(
            lambda api: api.api_alipay_trade_refund(
                amount, out_trade_no=order.id, out_request_no=refund_id
            )
        )
        if said.get("code") != "10000":
            return _refused(said)
        return Approved(refund_id, amount_minor, order.currency)

    @property
    def outcomes(self) -> tuple[str, ...]:
        return complained.OUTCOMES

    def complaint(self, reference: str) -> Told | Declined:
        return complained.one(self._ask, reference)

    def complaints(self, since: datetime) -> Told | Declined:
        return complained.made_since(self._ask, since)

    def reply(self, reference: str, words: str, outcome: str) -> Answer:
        return complained.reply(self._ask, reference, words, outcome)

    def listen(self, notice_url: str) -> Declined | None:
        """Where Alipay tells of complaints is entered in its console."""
        return None

    def check(self, return_url: str) -> Declined | None:
        """Asks for an order that does not exist: who is answered that has the right keys."""
        try:
            said = self._ask(lambda api: api.api_alipay_trade_query(out_trade_no="SET-UP-CHECK"))
        except (ValueError, IndexError, TypeError):
            return Declined("key")  # One of the two keys is no key at all.
        wrong = said.get("sub_code") not in ("ACQ.TRADE_NOT_EXIST", None)
        return _refused(said) if wrong else None

    def _ask(self, ask: Any) -> dict[str, Any]:
        """An answer that Alipay has signed. Raises GatewayTimeout."""
        errors = importlib.import_module("alipay.exceptions")
        try:
            said = ask(self._sdk)
        except errors.AliPayValidationError as error:
            raise GatewayTimeout("an answer that Alipay has not signed") from error
        except errors.AliPayException as error:
            # Without a signature only this is believed: that our own keys are wrong.
            if any(code in str(error) for code in WRONG_KEYS):
                return {"code": "40002", "sub_code": SET_UP}
            raise GatewayTimeout("an answer that Alipay has not signed") from error
        except OSError as error:
            raise GatewayTimeout(type(error).__name__) from error
        if not isinstance(said, dict) or said.get("code") in UNKNOWN:
            raise GatewayTimeout("Alipay does not know yet")
        return said

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """A form, signed over its sorted fields. Alipay repeats a notice for a day, so its age says
        nothing; one that was taken is known by its digest."""
        said = fields_of(body, "charset")
        verify(said, self._sdk)
        if said.get("msg_method") == complained.KIND and said.get("app_id") == self.app_id:
            return Notice("", 0, "", None, complaint=complained.number(said.get("biz_content", "")))
        if said.get("app_id") != self.app_id or said.get("seller_id") != self.seller_id:
            raise NoticeForeign("A notice for another merchant")
        try:
            amount = money.parse(said["total_amount"], "CNY")
            order = said["out_trade_no"]
        except (KeyError, Invalid) as error:
            raise NoticeForged("The notice cannot be read") from error
        # After a refund TRADE_FINISHED (or TRADE_SUCCESS once more) says nothing about the payment.
        if "gmt_refund" in said or "refund_fee" in said:
            return Notice(order, amount, "CNY", None)
        return Notice(order, amount, "CNY", _answer(said, ""))


def _answer(said: Mapping[str, Any], reference: str) -> Answer:
    """What a query or a notice says of the money."""
    if said.get("trade_status") in PAID:
        return Approved(str(said["trade_no"]), money.parse(str(said["total_amount"]), "CNY"), "CNY")
    if said.get("trade_status") == "TRADE_CLOSED":
        return Declined("closed")
    return Pending(reference)


def _refused(said: Mapping[str, Any]) -> Declined:
    return Declined(str(said.get("sub_code") or said.get("code") or "refused"))


def verify(said: Mapping[str, str], client: Any) -> None:
    """Whether Alipay has signed these fields: RSA2 over the sorted "name=value" that are not empty,
    without sign and sign_type. Raises NoticeForged."""
    if said.get("sign_type", "RSA2") != "RSA2":
        raise NoticeForged("The signature is of another kind")
    signed = {name: value for name, value in said.items() if value and name != "sign_type"}
    signature = signed.pop("sign", "")
    try:
        fits = bool(_BASE64.match(signature)) and client.verify(signed, signature)
    except (ValueError, TypeError):
        fits = False
    if not fits:
        raise NoticeForged("The signature does not fit")


def _beijing(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
