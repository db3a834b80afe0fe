"""Alipay, for practice: signed requests in, signed answers and notices out.

It checks our RSA2 signature over every request, signs the exact text of every answer, keeps trades
by our order number, answers a refund that comes again the same, and refuses more than was paid.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ... import clock, money
from .alipay_complaints import Complaints
from .page import COMPLAINS, ENDS, page
from .serving import Sandbox, Sent

__all__ = ["AlipaySandbox"]

LATE_S = 8.0


@dataclass
class _Trade:
    order: str
    amount: int
    subject: str
    notice_url: str
    return_url: str
    number: str
    status: str = "WAIT_BUYER_PAY"
    refunds: dict[str, int] = field(default_factory=dict)


class AlipaySandbox(Sandbox):
    name = "alipay"

    def __init__(
        self, app_id: str, seller_id: str, shop_key: rsa.RSAPublicKey, key: rsa.RSAPrivateKey
    ) -> None:
        super().__init__()
        self.app_id, self.seller_id, self.shop_key, self.key = app_id, seller_id, shop_key, key
        self.trades: dict[str, _Trade] = {}
        self.complaints = Complaints()

    def answer(self, request: Request, path: str) -> Response:
        if path.startswith("/pay/"):
            scanned = self.trades.get(path.removeprefix("/pay/"))
            gone = Response("There is no such payment\n", 404)
            return self._pages(request, scanned) if scanned else gone
        said = request.args.to_dict()
        method = said.get("method", "")
        fault = self._fault(said)
        if method == "alipay.trade.wap.pay":
            return self._shopper(request, said, fault)
        name = method.replace(".", "_") + "_response"
        if fault:
            wrong = {"code": "40002", "msg": "Invalid Arguments", "sub_code": fault}
            return _json(json.dumps({name: wrong}))
        text = json.dumps(
            self._do(method, json.loads(said["biz_content"]), said), ensure_ascii=False
        )
        return _json(f'{{"{name}":{text},"sign":"{self._sign(text)}"}}')

    def _fault(self, said: dict[str, str]) -> str:
        """What is wrong with who asks, in Alipay's words."""
        if said.get("app_id") != self.app_id:
            return "isv.invalid-app-id"
        signed = "&".join(f"{name}={said[name]}" for name in sorted(said) if name != "sign")
        try:
            self.shop_key.verify(
                b64decode(said.get("sign", "")), signed.encode(), padding.PKCS1v15(),
                hashes.SHA256(),
            )  # fmt: skip
        except (InvalidSignature, ValueError):
            return "isv.invalid-signature"
        return ""

    def _do(self, method: str, asked: dict[str, Any], said: dict[str, str]) -> dict[str, Any]:
        if method == "alipay.trade.precreate":
            trade = self._open(asked, said)
            # A real code says qr.alipay.com; this one can be paid by a phone's camera.
            host = urlsplit(trade.notice_url).hostname or "localhost"
            code = f"http://{host}:{self.port}/alipay/pay/{trade.order}"
            return _well(out_trade_no=trade.order, qr_code=code)
        if method.startswith("alipay.merchant.tradecomplain."):
            return self.complaints.answer(method.split(".", 3)[3], asked, said)
        trade_or_none = self.trades.get(asked.get("out_trade_no", ""))
        if trade_or_none is None:
            return _business("ACQ.TRADE_NOT_EXIST")
        if method == "alipay.trade.query":
            return _well(**self._facts(trade_or_none))
        if method == "alipay.trade.refund":
            return self._refund(trade_or_none, asked)
        if method == "alipay.trade.close":
            if trade_or_none.status != "WAIT_BUYER_PAY":
                return _business("ACQ.TRADE_STATUS_ERROR")
            trade_or_none.status = "TRADE_CLOSED"
            return _well(out_trade_no=trade_or_none.order, trade_no=trade_or_none.number)
        return _business("isv.invalid-method")

    def _open(self, asked: dict[str, Any], said: dict[str, str]) -> _Trade:
        order = asked["out_trade_no"]
        if order not in self.trades:
            self.trades[order] = _Trade(
                order, money.parse(asked["total_amount"], "CNY"), asked["subject"],
                said.get("notify_url", ""), said.get("return_url", ""),
                f"2027{secrets.randbelow(10**20):020}",
            )  # fmt: skip
        return self.trades[order]

    def _refund(self, trade: _Trade, asked: dict[str, Any]) -> dict[str, Any]:
        number, amount = asked.get("out_request_no", ""), money.parse(asked["refund_amount"], "CNY")
        if trade.status not in ("TRADE_SUCCESS", "TRADE_CLOSED") or (
            not trade.refunds and (trade.status == "TRADE_CLOSED")
        ):
            return _business("ACQ.TRADE_STATUS_ERROR")
        before = trade.refunds.get(number)
        if before is not None and before != amount:
            return _business("ACQ.DISCORDANT_REPEAT_REQUEST")
        if before is None:
            if amount < 1 or sum(trade.refunds.values()) + amount > trade.amount:
                return _business("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
            trade.refunds[number] = amount
            if sum(trade.refunds.values()) == trade.amount:
                trade.status = "TRADE_CLOSED"
        total = money.text(sum(trade.refunds.values()), "CNY")
        return _well(
            out_trade_no=trade.order, trade_no=trade.number, refund_fee=total,
            fund_change="Y" if before is None else "N",
        )  # fmt: skip

    def _facts(self, trade: _Trade) -> dict[str, str]:
        return {
            "out_trade_no": trade.order, "trade_no": trade.number, "trade_status": trade.status,
            "total_amount": money.text(trade.amount, "CNY"),
        }  # fmt: skip

    # The shopper's page

    def _shopper(self, request: Request, said: dict[str, str], fault: str) -> Response:
        if fault:
            return Response(f"{fault}\n", 400)
        return self._pages(request, self._open(json.loads(said["biz_content"]), said))

    def _pages(self, request: Request, trade: _Trade) -> Response:
        if request.method == "GET":
            ends = COMPLAINS if trade.status == "TRADE_SUCCESS" else ENDS
            return page("Alipay 支付宝", trade.subject, trade.amount, "CNY", ends)
        end = request.form.get("end", "")
        if end in COMPLAINS and trade.status == "TRADE_SUCCESS":
            self.complains(trade.order, "Practice: it is broken. 练习投诉：商品坏了。")
        if end in ENDS:
            self.ends(trade.order, end)
        if not trade.return_url:
            return page("Alipay 支付宝", trade.status, trade.amount, "CNY")
        return redirect(trade.return_url, 303)

    def ends(self, reference: str, end: str) -> None:
        trade = self.trades[reference]
        if trade.status != "WAIT_BUYER_PAY" or end == "cancel":
            return
        trade.status = "TRADE_CLOSED" if end == "decline" else "TRADE_SUCCESS"
        if end == "never":
            return
        notice = self.notice(trade)
        self.tell(notice, LATE_S if end == "late" else 0.0)
        if end == "twice":
            self.tell(notice)

    def notice(self, trade: _Trade, **changed: str) -> Sent:
        """A notice as it is sent: a form, signed over its sorted fields."""
        said = {
            **self._facts(trade), "app_id": self.app_id, "seller_id": self.seller_id,
            "notify_type": "trade_status_sync", "notify_id": secrets.token_hex(16),
            "subject": trade.subject, "charset": "utf-8", "version": "1.0", **changed,
        }  # fmt: skip
        signed = "&".join(f"{name}={said[name]}" for name in sorted(said) if said[name])
        form = {**said, "sign_type": "RSA2", "sign": self._sign(signed)}
        body = urlencode(form).encode()
        return Sent(trade.notice_url, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def complains(self, order: str, words: str, phone: str = "138****8000") -> Sent:
        """Who paid this complains; answers the message that goes out."""
        trade = self.trades[order]
        paid = money.text(trade.amount, "CNY")
        number = self.complaints.make(trade.order, trade.number, paid, words, phone)
        return self.tells_of(number, trade)

    def tells_of(self, number: str, trade: _Trade, **changed: str) -> Sent:
        """A message about a complaint, as Alipay sends it to the address in its console."""
        said = {
            "notify_id": secrets.token_hex(16),
            "msg_method": "alipay.merchant.tradecomplain.changed",
            "app_id": self.app_id, "version": "1.1", "charset": "UTF-8",
            "utc_timestamp": str(int(clock.timestamp_s() * 1000)),
            "biz_content": json.dumps({"complain_event_id": number}), **changed,
        }  # fmt: skip
        signed = "&".join(f"{name}={said[name]}" for name in sorted(said) if said[name])
        body = urlencode({**said, "sign_type": "RSA2", "sign": self._sign(signed)}).encode()
        sent = Sent(trade.notice_url, body, {"Content-Type": "application/x-www-form-urlencoded"})
        self.tell(sent)
        return sent

    def _sign(self, text: str) -> str:
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return b64encode(signature).decode()


def _well(**said: str) -> dict[str, Any]:
    return {"code": "10000", "msg": "Success", **said}


def _business(code: str) -> dict[str, Any]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": code}


def _json(text: str) -> Response:
    return Response(text, content_type="application/json;charset=utf-8")


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """The public half of a key, as a setting takes it."""
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
