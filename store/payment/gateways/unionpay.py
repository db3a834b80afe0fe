"""UnionPay: the online gateway (web page) and a code to scan, interface 5.1.0 (全渠道).

Followed: what open.unionpay.com and UnionPay's own samples say of the purchase (frontTransReq, type
01/01), the code (backTransReq, 01/07), the query (queryTrans, 00), the refund (backTransReq, 04),
of fields, answers' codes, and of signatures. A request is signed by the merchant's key, of whose
certificate `certId` is the number: RSA, SHA-256, over the hexadecimal SHA-256 of the sorted fields.
What UnionPay says carries its certificate (signPubKeyCert); it is believed where one of the issuers
of our settings has signed it and its name is UnionPay's, for the same issuers certify merchants.

Two things follow from the interface. The shopper's browser posts the order, so the way leads over a
page of the shop (`posts_to`), and it posts again on its way back. And an order is known by its
number together with its time: both come from our own id, so that what is asked again is the same.

Not checked against UnionPay itself: that its test centre takes these requests; how long a code is
valid; how old the time of a refund may be when it is asked for again. An order is not closed by a
request: it ends by itself at `payTimeout`, and until then a refused card is no end, for the shopper
may take another. The same-day void (31) is not used: a refund (04) does the same, if later.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ... import clock, ids
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
)
from .keys import certificate, fields_of, fits, in_force, person

LIVE = "https://gateway.95516.com"
FRONT, BACK, QUERY = (
    f"/gateway/api/{name}.do" for name in ("frontTransReq", "backTransReq", "queryTrans")
)
BEIJING = ZoneInfo("Asia/Shanghai")
VERSION = "5.1.0"
CNY = "156"
NAMED = re.compile(r"[^@]*@[^@]*@[^@]+@[^@]*\Z")
SIGNER, TEST_SIGNER = "中国银联股份有限公司", "00040000:SIGN"
"""The third part of the name in UnionPay's certificates, live and in its test centre."""
NO_NOTICE = "http://www.specialUrl.com"
"""What UnionPay wants in place of an address where no notice is wanted."""

PAID = ("00", "A6")
OPEN = ("01", "03", "04", "05", "12", "34", "60")
"""Nothing is decided yet, or it was asked for before: ask again later."""
UNHEARD = "34"
WRONG_KEYS = ("10", "11", "13", "31", "32")
"""Not the form, the signature, the merchant or the product that UnionPay knows."""


@dataclass(frozen=True)
class UnionPay:
    merchant_id: str
    key: str = field(repr=False)
    issuers: str
    url: str = ""
    name: str = "unionpay"
    thanks: str = "ok"

    @cached_property
    def _mine(self) -> tuple[rsa.RSAPrivateKey, str]:
        """The merchant's key and the number of its certificate. Raises ValueError."""
        key = serialization.load_pem_private_key(self.key.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("this is no RSA key")
        return key, str(x509.load_pem_x509_certificate(self.key.encode()).serial_number)

    @cached_property
    def _issuers(self) -> list[x509.Certificate]:
        """Who certifies UnionPay. Raises ValueError."""
        return x509.load_pem_x509_certificates(self.issuers.encode())

    def start(self, order: Order) -> Answer:
        """The web page costs no call: the browser takes what is signed here to UnionPay."""
        if order.way == "qr":
            asked = {"txnType": "01", "txnSubType": "07", "bizType": "000000"}
            said = self._ask(BACK, self._order(order, asked))
            if said["respCode"] == "00":
                return Pending(order.id, code=said["qrCode"])
            return _refused(said, order.id)
        more = {
            "txnType": "01", "txnSubType": "01", "bizType": "000201",
            "frontUrl": f"{order.onward_url}{urlsplit(order.return_url).path}",
            "payTimeout": _beijing(order.ends_at) if order.ends_at else "",
        }  # fmt: skip
        said = self.signed(self._order(order, more))
        return Pending(order.id, next_url=f"{order.onward_url}?{urlencode(said)}")

    def _order(self, order: Order, more: Mapping[str, str]) -> dict[str, str]:
        return {
            **self._named(order.id), **more, "channelType": "08", "backUrl": order.notice_url,
            "currencyCode": CNY, "txnAmt": str(order.amount_minor),
        }  # fmt: skip

    def _named(self, number: str) -> dict[str, str]:
        """By what UnionPay knows a transaction: merchant, number and time together."""
        return {"merId": self.merchant_id, "orderId": number, "txnTime": _time_of(number)}

    def posts_to(self, said: Mapping[str, str]) -> str:
        """Where a browser takes these fields by a form; a practice UnionPay is on the host that the
        shopper's phone knows the shop by. Raises NoticeForged where we have not signed them."""
        key, number = self._mine
        signature = said.get("signature", "")
        if said.get("certId") != number or not fits(signature, _digest(said), key.public_key()):
            raise NoticeForged("The shop has not signed this")
        there, host = urlsplit(f"{self.url or LIVE}{FRONT}"), urlsplit(said["frontUrl"]).hostname
        return (
            there._replace(netloc=f"{host}:{there.port}").geturl() if self.url else there.geturl()
        )

    def status(self, order: Order) -> Answer:
        said = self._query(order.id)
        if said["respCode"] == UNHEARD:
            return Pending(order.reference)  # Nobody has paid on its page yet.
        if said["respCode"] != "00":
            return _unknown(said)
        if said.get("origRespCode") in PAID:
            return _paid(said)
        over = order.ends_at is None or clock.now() > order.ends_at
        if said.get("origRespCode") in OPEN or not over:
            return Pending(order.reference)
        return Declined(said.get("origRespCode", "refused"))

    def capture(self, order: Order) -> Answer:
        """UnionPay captures by itself."""
        return self.status(order)

    def close(self, order: Order) -> Answer:
        """UnionPay closes an order by its own time."""
        return self.status(order)

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        """UnionPay takes it at once and sends it later. It is asked first what became of it: on
        another day the same number would be another refund."""
        said = self._query(refund_id)
        if said["respCode"] == "00":
            if said.get("txnAmt") != str(amount_minor):
                raise GatewayTimeout("an answer about another refund")
            if said.get("origRespCode") in PAID:
                return Approved(refund_id, amount_minor, order.currency)
            return _refused({"respCode": said.get("origRespCode", "")}, refund_id)
        if said["respCode"] != UNHEARD:
            return _unknown(said)
        paid = {"origQryId": order.reference}
        if order.reference in ("", order.id):
            paid = {"origOrderId": order.id, "origTxnTime": _time_of(order.id)}
        said = self._ask(BACK, {
            **self._named(refund_id), **paid, "txnType": "04", "txnSubType": "00",
            "bizType": "000000" if order.way == "qr" else "000201", "channelType": "07",
            "backUrl": order.notice_url or NO_NOTICE, "txnAmt": str(amount_minor),
        })  # fmt: skip
        return Pending(refund_id) if said["respCode"] == "00" else _refused(said, refund_id)

    def check(self, return_url: str) -> Declined | None:
        """Asks for an order that does not exist: who is answered that has the right keys."""
        try:
            self._mine, self._issuers  # noqa: B018
        except ValueError:
            return Declined("key")
        said = self._query(ids.new())
        return None if said["respCode"] == UNHEARD else _unknown(said)

    def _query(self, number: str) -> dict[str, str]:
        asked = {"txnType": "00", "txnSubType": "00", "bizType": "000000"}
        said = self._ask(QUERY, {**self._named(number), **asked})
        theirs = {"merId": self.merchant_id, "orderId": number}
        if said["respCode"] == "00" and any(said.get(name) != theirs[name] for name in theirs):
            raise GatewayTimeout("an answer about another order")
        return said

    def _ask(self, path: str, asked: Mapping[str, str]) -> dict[str, str]:
        """An answer that UnionPay has signed: fields that no address encodes. Raises
        GatewayTimeout."""
        try:
            got = requests.post(
                f"{self.url or LIVE}{path}", data=self.signed(asked), timeout=TIMEOUT_S,
                allow_redirects=False,
            )  # fmt: skip
            said = _parted(got.content.decode())
        except (OSError, ValueError) as error:
            raise GatewayTimeout(type(error).__name__) from error
        try:
            self._believe(said)
        except NoticeForged as error:
            # Without a signature only this is believed: that our own keys are wrong.
            if said.get("respCode") in WRONG_KEYS:
                return {"respCode": said["respCode"]}
            raise GatewayTimeout("an answer that UnionPay has not signed") from error
        if got.status_code != 200 or "respCode" not in said:
            raise GatewayTimeout("UnionPay does not know yet")
        return said

    def signed(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The fields with what stands in every request, and our signature."""
        key, number = self._mine
        said = {
            **{name: value for name, value in asked.items() if value}, "version": VERSION,
            "encoding": "UTF-8", "signMethod": "01", "accessType": "0", "certId": number,
        }  # fmt: skip
        signature = key.sign(_digest(said), padding.PKCS1v15(), hashes.SHA256())
        return {**said, "signature": b64encode(signature).decode()}

    def _believe(self, said: Mapping[str, str]) -> None:
        """Whether UnionPay has signed these fields. Raises NoticeForged."""
        try:
            issuers = self._issuers
        except ValueError as error:
            raise NoticeForged("The issuers of the settings cannot be read") from error
        found = certificate(said.get("signPubKeyCert", "").encode(errors="replace"), NAMED)
        names = (SIGNER, TEST_SIGNER) if self.url else (SIGNER,)
        if person(found).split("@")[2] not in names:
            raise NoticeForged("The certificate is of somebody else")
        if not any(_issued(found, issuer) for issuer in issuers):
            raise NoticeForged("The certificate is by an issuer that is not in the settings")
        if not fits(said.get("signature", ""), _digest(said), in_force(found)):
            raise NoticeForged("The signature does not fit")

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """A form, signed over its sorted fields. It has no time: UnionPay tells five times within
        minutes, and one that was taken is known by its digest. Only what went well is told."""
        said = fields_of(body, "encoding")
        if said.get("signMethod") != "01":
            raise NoticeForged("The notice is of another kind")
        self._believe(said)
        if said.get("merId") != self.merchant_id:
            raise NoticeForeign("A notice for another merchant")
        if said.get("txnType") != "01" or said.get("respCode") not in PAID:
            return Notice("", 0, "", None)  # Refunds and others: genuine, and not payments.
        try:
            answer = _paid(said)
        except GatewayTimeout as error:
            raise NoticeForged("The notice cannot be read") from error
        return Notice(said["orderId"], answer.amount_minor or 0, answer.currency or "", answer)


def _paid(said: Mapping[str, str]) -> Approved:
    """What a query or a notice says of money that came. Raises GatewayTimeout."""
    amount, reference = said.get("txnAmt", ""), said.get("queryId", "")
    if not (amount.isascii() and amount.isdigit() and len(amount) < 13 and reference):
        raise GatewayTimeout("an answer that cannot be read")
    currency = said.get("currencyCode", "")
    return Approved(reference, int(amount), "CNY" if currency == CNY else currency)


def _refused(said: Mapping[str, str], reference: str) -> Declined | Pending:
    if said["respCode"] in WRONG_KEYS:
        return Declined(SET_UP)
    return Pending(reference) if said["respCode"] in OPEN else Declined(said["respCode"])


def _unknown(said: Mapping[str, str]) -> Declined:
    """A query that is not answered says nothing about what it asks for. Raises GatewayTimeout."""
    if said["respCode"] in WRONG_KEYS:
        return Declined(SET_UP)
    raise GatewayTimeout(f"UnionPay answers {said['respCode']}")


def _issued(found: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether this issuer, which must be in force, has signed the certificate."""
    try:
        in_force(issuer)
        found.verify_directly_issued_by(issuer)
    except (NoticeForged, ValueError, TypeError, InvalidSignature):
        return False
    return True


def _digest(said: Mapping[str, str]) -> bytes:
    """What is signed: the hexadecimal SHA-256 of all other fields, sorted by name."""
    text = "&".join(f"{name}={said[name]}" for name in sorted(said) if name != "signature")
    return hashlib.sha256(text.encode(errors="replace")).hexdigest().encode()


def _parted(text: str) -> dict[str, str]:
    """The fields of an answer, k=v&k=v with nothing encoded; a value in braces or brackets may
    have an & of its own. Raises ValueError where a field has no name or comes twice."""
    said: dict[str, str] = {}
    deep, begun = 0, 0
    for at, sign in enumerate(f"{text}&"):
        deep += (sign in "{[") - (sign in "}]")
        if sign == "&" and deep <= 0:
            name, given, value = text[begun:at].partition("=")
            if not given or name in said:
                raise ValueError("this is no answer")
            said[name], begun = value, at + 1
    return said


def _time_of(number: str) -> str:
    return _beijing(ids.made_at(number))


def _beijing(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")
