"""UnionPay, for practice: signed forms in, signed answers and notices out.

It checks the merchant, the number of its certificate and our signature; signs what it says with a
certificate that an authority of its own has issued; knows an order by number and time, refuses a
number that was used for something else and one that comes too late, and more back than was paid.
What nobody has paid it has not heard of. Answers are fields that no address encodes, notices are
forms. The shopper's browser comes by a form and goes back by one.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from html import escape
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ... import clock
from .page import ENDS, page
from .serving import Sandbox, Sent

__all__ = ["Authority", "UnionPaySandbox"]

LATE_S = 8.0
NAME = "041@Z2027@00040000:SIGN@00000001"
BEIJING = ZoneInfo("Asia/Shanghai")
PAID = ("00",)
_BACK = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>UnionPay: practice</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main>
<form method="post" action="{action}">{fields}
<button>Back to the shop <span lang="zh">返回商户</span></button></form></main>
<script>document.forms[0].submit()</script></body></html>"""


@dataclass(frozen=True)
class Authority:
    """Who certifies merchants and UnionPay alike."""

    key: rsa.RSAPrivateKey
    name: str = "Practice authority"

    @cached_property
    def certificate(self) -> str:
        return self.certifies(self.key.public_key(), self.name, 1)

    def certifies(
        self, key: rsa.RSAPublicKey, name: str, number: int, since: datetime | None = None
    ) -> str:
        """A certificate as PEM, the same whenever it is made anew."""
        begins = since or datetime(2026, 1, 1, tzinfo=UTC)
        made = (
            x509.CertificateBuilder().subject_name(_named(name)).issuer_name(_named(self.name))
            .public_key(key).serial_number(number)
            .not_valid_before(begins).not_valid_after(begins + timedelta(days=7300))
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip
        return made.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class _Order:
    said: Mapping[str, str]
    number: str = field(default_factory=lambda: "27" + str(secrets.randbelow(10**19)).zfill(19))
    state: str = ""
    """The code of what became of it; empty while nobody has paid."""
    back: int = 0

    @property
    def amount(self) -> int:
        return int(self.said["txnAmt"])


class UnionPaySandbox(Sandbox):
    name = "unionpay"

    def __init__(
        self, merchant_id: str, shop: x509.Certificate, key: rsa.RSAPrivateKey, authority: Authority
    ) -> None:
        super().__init__()
        self.merchant_id, self.shop, self.key = merchant_id, shop, key
        self.authority, self.certificate = authority, authority.certifies(key.public_key(), NAME, 2)
        self.orders: dict[str, _Order] = {}

    def answer(self, request: Request, path: str) -> Response:
        if path.startswith("/pay/"):
            return self._shopper(request, path.removeprefix("/pay/"))
        said = request.form.to_dict()
        code = self._fault(said)
        if path == "/gateway/api/frontTransReq.do":
            code = code or self._open(said)
            there = f"/unionpay/pay/{said.get('orderId', '')}"
            return redirect(there, 303) if not code else Response(f"{code}\n", 400)
        asked = {name: said[name] for name in KEPT if name in said}
        if code:
            return self._said({**asked, "respCode": code, "respMsg": f"[{code}]"})
        if path == "/gateway/api/queryTrans.do":
            return self._said(asked | self._query(said))
        if path != "/gateway/api/backTransReq.do":
            return Response("There is nothing here\n", 404)
        more = self._refund(said) if said["txnType"] == "04" else self._code(said, request)
        return self._said(asked | more)

    def _fault(self, said: Mapping[str, str]) -> str:
        """What is wrong with who asks, as an answer's code."""
        if any(not said.get(name) for name in ("orderId", "txnTime", "txnType", "certId")):
            return "13"
        if said.get("version") != "5.1.0" or not said["orderId"].isalnum():
            return "10"
        if said.get("merId") != self.merchant_id:
            return "31"
        key = self.shop.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            signature = b64decode(said.get("signature", ""))
            key.verify(signature, _digest(said), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return "11"
        return "" if said["certId"] == str(self.shop.serial_number) else "11"

    def _open(self, said: Mapping[str, str]) -> str:
        """A purchase, if its number is new or stands for the same; else the code of a refusal."""
        amount, ends = said.get("txnAmt", ""), said.get("payTimeout", "")
        if not amount.isdigit() or int(amount) < 1 or said.get("currencyCode") != "156":
            return "10"
        if ends and ends < _now():
            return "39"
        one = self.orders.setdefault(said["orderId"], _Order(dict(said)))
        same = all(
            one.said.get(name) == said.get(name) for name in ("txnTime", "txnAmt", "txnType")
        )
        return "" if same and one.state not in PAID else "12"

    def _code(self, said: Mapping[str, str], request: Request) -> dict[str, str]:
        if (said["txnType"], said.get("txnSubType")) != ("01", "07"):
            return _no("32")
        again = said["orderId"] in self.orders
        if again or (code := self._open(said)):
            return _no("12" if again else code)
        # A real code says qr.95516.com; this one can be paid by a phone's camera.
        host = urlsplit(said["backUrl"]).hostname or "localhost"
        return {**_no("00"), "qrCode": f"http://{host}:{self.port}/unionpay/pay/{said['orderId']}"}

    def _query(self, said: Mapping[str, str]) -> dict[str, str]:
        one = self.orders.get(said["orderId"])
        if one is None or not one.state or one.said["txnTime"] != said["txnTime"]:
            return _no("34")
        return {
            **_no("00"), "origRespCode": one.state, "queryId": one.number,
            "txnAmt": str(one.amount), "currencyCode": "156",
        }  # fmt: skip

    def _refund(self, said: Mapping[str, str]) -> dict[str, str]:
        if said["orderId"] in self.orders:
            return _no("12")
        paid = next((one for one in self.orders.values() if _means(said, one)), None)
        if paid is None or paid.said["txnType"] != "01" or paid.state not in PAID:
            return _no("35")
        amount = int(said["txnAmt"]) if said.get("txnAmt", "").isdigit() else 0
        if amount < 1 or paid.back + amount > paid.amount:
            return _no("36")
        paid.back += amount
        self.orders[said["orderId"]] = _Order(dict(said), state="00")
        return {**_no("00"), "queryId": self.orders[said["orderId"]].number}

    # The shopper's page

    def _shopper(self, request: Request, number: str) -> Response:
        one = self.orders.get(number)
        if one is None:
            return Response("There is no such payment\n", 404)
        end = request.form.get("end", "")
        if end in ENDS:
            self.ends(number, end)
            if one.said.get("frontUrl"):
                return self._goes_back(one)
        return page("UnionPay 银联", f"{number} {one.state}", one.amount, "CNY")

    def _goes_back(self, one: _Order) -> Response:
        """As UnionPay does it: the browser posts to the shop what became of it."""
        said = self.signed(self._facts(one))
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in said.items()
        )
        text = _BACK.format(action=escape(one.said["frontUrl"]), fields=fields)
        return Response(text, content_type="text/html; charset=utf-8")

    def ends(self, reference: str, end: str) -> None:
        one = self.orders[reference]
        late = one.said.get("payTimeout", "") and one.said["payTimeout"] < _now()
        if one.state in PAID or end == "cancel" or late:
            return
        one.state = "51" if end == "decline" else "00"  # 51: not enough money on the card.
        if end in ("never", "decline"):
            return  # UnionPay tells of what was paid only.
        notice = self.notice(one)
        self.tell(notice, LATE_S if end == "late" else 0.0)
        if end == "twice":
            self.tell(notice)

    def _facts(self, one: _Order) -> dict[str, str]:
        kept = {name: one.said[name] for name in KEPT if name in one.said}
        return {
            **kept, **_no(one.state or "05"), "queryId": one.number, "txnAmt": str(one.amount),
            "settleAmt": str(one.amount), "currencyCode": "156", "settleCurrencyCode": "156",
        }  # fmt: skip

    def notice(self, one: _Order, **changed: str) -> Sent:
        """A notice as it is sent: a form, signed over its sorted fields."""
        body = urlencode(self.signed(self._facts(one) | changed)).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return Sent(one.said["backUrl"], body, kind)

    def signed(self, said: Mapping[str, str]) -> dict[str, str]:
        """The fields with our certificate and our signature."""
        whole = {**said, "signMethod": "01", "signPubKeyCert": self.certificate}
        signature = self.key.sign(_digest(whole), padding.PKCS1v15(), hashes.SHA256())
        return {**whole, "signature": b64encode(signature).decode()}

    def _said(self, said: Mapping[str, str]) -> Response:
        text = "&".join(f"{name}={value}" for name, value in self.signed(said).items())
        return Response(text, content_type="text/html;charset=UTF-8")


KEPT = ("version", "encoding", "txnType", "txnSubType", "bizType", "accessType", "merId", "orderId",
        "txnTime")  # fmt: skip
"""Fields that an answer and a notice repeat."""


def _means(said: Mapping[str, str], one: _Order) -> bool:
    """Whether a refund is of this order: by UnionPay's number for it, or by ours and its time."""
    if said.get("origQryId"):
        return said["origQryId"] == one.number
    asked = (said.get("origOrderId"), said.get("origTxnTime"))
    return asked == (one.said["orderId"], one.said["txnTime"])


def _digest(said: Mapping[str, str]) -> bytes:
    text = "&".join(f"{name}={said[name]}" for name in sorted(said) if name != "signature")
    return hashlib.sha256(text.encode()).hexdigest().encode()


def _now() -> str:
    return clock.now().astimezone(BEIJING).strftime("%Y%m%d%H%M%S")


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _no(code: str) -> dict[str, str]:
    return {"respCode": code, "respMsg": f"practice[{code}]"}
