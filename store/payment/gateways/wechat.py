"""WeChat Pay v3: the page for a phone's browser (H5), a code to scan (native), and its own window
over a page that WeChat shows (JSAPI), signed with RSA.

Sources: pay.weixin.qq.com/doc/v3, "H5 pay", "Native pay", "JSAPI pay", "refunds", and the pages on
signing, verifying and decrypting; complaints stand in `wechat_complaints`. WeChat knows a payment
by our own order number. What it says is believed with the signature of the one platform key that
the settings name, and while it is fresh.
Inside WeChat only JSAPI works: the payment is asked for with the openid of who pays, and the page
hands the answer, signed anew each time, to WeChat's bridge, which is believed in nothing.
"""

from __future__ import annotations

import importlib
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ... import clock, ids, strict
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
from . import wechat_complaints as complained
from .keys import fits, pem, public_key

KIND = "WECHATPAY2-SHA256-RSA2048"
OLDEST_S = 300
"""WeChat's own bound on the age of what is signed."""
PAID = ("SUCCESS", "REFUND")
"""What was refunded had been paid; its refunds are known by their own numbers."""
UNHEARD = ("ORDER_NOT_EXIST", "ORDERNOTEXIST")
OVER = ("CLOSED", "REVOKED", "PAYERROR")
JSAPI = "jsapi"
"""The way of what is paid inside WeChat, and behind a colon who pays it (`way_of`)."""
PREPAID_LASTS = timedelta(hours=2)
"""So long WeChat's window opens for a payment that was asked for."""
# Refusals that say that nothing is decided yet: too many calls, and a merchant without money.
UNKNOWN = ("FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "RATELIMIT_EXCEEDED", "NOT_ENOUGH")


@dataclass(frozen=True)
class WeChat:
    app_id: str
    merchant_id: str
    key: str = field(repr=False)
    serial: str
    api_key: str = field(repr=False)
    public_key: str
    public_key_id: str = ""
    url: str = ""
    name: str = "wechat"
    thanks: str = ""

    @cached_property
    def _theirs(self) -> rsa.RSAPublicKey:
        """The platform's key, out of a certificate too. Raises ValueError."""
        return public_key(self.public_key)

    @cached_property
    def _their_id(self) -> str:
        """The number by which WeChat names that key in what it signs."""
        if self.public_key_id or "BEGIN CERTIFICATE" not in self.public_key:
            return self.public_key_id
        number = x509.load_pem_x509_certificate(self.public_key.encode()).serial_number
        return f"{number:X}"

    @cached_property
    def _sdk(self) -> Any:
        library = importlib.import_module("wechatpayv3")
        shown = self._theirs.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        client = library.WeChatPay(
            library.WeChatPayType.H5, self.merchant_id, _bare(self.key), self.serial, self.app_id,
            self.api_key, timeout=TIMEOUT_S, public_key=shown.decode(),
            public_key_id=self._their_id,
        )  # fmt: skip
        if self.url:
            client._core._gate_way = self.url
        # The SDK would fetch certificates for every number that it does not know, and looks at no
        # time; we believe the one key of our settings.
        client._core._verify_signature = self._believes
        return client

    def _believes(self, headers: Mapping[str, str], body: str | bytes) -> bool:
        text = body if isinstance(body, bytes) else body.encode()
        verify(headers, text, self._theirs, self._their_id, now_s=clock.timestamp_s())
        return True

    def start(self, order: Order) -> Answer:
        types = importlib.import_module("wechatpayv3").WeChatPayType
        about: dict[str, Any] = {
            "description": (order.subject or order.id)[:40], "out_trade_no": order.id,
            "amount": {"total": order.amount_minor, "currency": order.currency},
            "notify_url": order.notice_url,
        }  # fmt: skip
        if order.ends_at is not None:
            beijing = order.ends_at + timedelta(hours=8)
            about["time_expire"] = beijing.strftime("%Y-%m-%dT%H:%M:%S+08:00")
        if order.way == "qr":
            said = self._ask(lambda api: api.pay(**about, pay_type=types.NATIVE))
            return said if isinstance(said, Declined) else Pending(order.id, code=said["code_url"])
        if order.way.startswith(JSAPI):
            payer = {"openid": order.payer}
            said = self._ask(lambda api: api.pay(**about, payer=payer, pay_type=types.JSAPI))
            return said if isinstance(said, Declined) else Pending(order.id, code=said["prepay_id"])
        scene = {"payer_client_ip": order.address or "127.0.0.1", "h5_info": {"type": "Wap"}}
        said = self._ask(lambda api: api.pay(**about, scene_info=scene, pay_type=types.H5))
        if isinstance(said, Declined):
            return said
        return Pending(order.id, next_url=self._page(said["h5_url"], order.return_url))

    def _page(self, page: str, return_url: str) -> str:
        """Where the shopper's browser goes, and comes back from; a practice WeChat is on the host
        that their phone knows the shop by."""
        there, host = urlsplit(page), urlsplit(return_url).hostname
        if self.url and host:
            page = there._replace(netloc=f"{host}:{there.port}").geturl()
        return f"{page}{'&' if there.query else '?'}redirect_url={quote(return_url, safe='')}"

    def opens(self, code: str) -> dict[str, str]:
        """What WeixinJSBridge wants for getBrandWCPayRequest; the signature is over app, time,
        chance and package, each with a line's end. Raises ValueError."""
        at, chance = str(int(clock.timestamp_s())), secrets.token_hex(16)
        package = f"prepay_id={code}"
        key = serialization.load_pem_private_key(pem(self.key, "PRIVATE KEY").encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("this is no RSA key")
        signed = "".join(f"{part}\n" for part in (self.app_id, at, chance, package)).encode()
        mark = b64encode(key.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()
        return {
            "appId": self.app_id, "timeStamp": at, "nonceStr": chance, "package": package,
            "signType": "RSA", "paySign": mark,
        }  # fmt: skip

    def practice_bridge(self, return_url: str) -> str:
        """A page of the practice WeChat, on the host by which the shopper knows the shop."""
        if not self.url:
            return ""
        there, host = urlsplit(f"{self.url}/bridge"), urlsplit(return_url).hostname
        return there._replace(netloc=f"{host}:{there.port}").geturl()

    def status(self, order: Order) -> Answer:
        said = self._ask(lambda api: api.query(out_trade_no=order.id))
        if isinstance(said, Declined):
            # Asked for and never answered: WeChat has not heard of it, so nobody can pay it yet.
            return Pending(order.reference) if said.reason in UNHEARD else said
        if said["out_trade_no"] != order.id or said["mchid"] != self.merchant_id:
            raise GatewayTimeout("an answer about another order")
        return _read(said)

    def capture(self, order: Order) -> Answer:
        """WeChat captures by itself."""
        return self.status(order)

    def close(self, order: Order) -> Answer:
        said = self._ask(lambda api: api.close(order.id))
        return self.status(order) if isinstance(said, Declined) else Declined("closed")

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        """WeChat takes it at once and sends it within minutes: it is asked for again, under the
        same number, until it says that it is done."""
        amount = {
            "refund": amount_minor, "total": order.amount_minor, "currency": order.currency,
        }  # fmt: skip
        said = self._ask(
            lambda api: api.refund(out_refund_no=refund_id, amount=amount, out_trade_no=order.id)
        )
        if isinstance(said, Declined):
            return said
        if (said["out_refund_no"], said["amount"]["refund"]) != (refund_id, amount_minor):
            raise GatewayTimeout("an answer about another refund")
        if said["status"] == "SUCCESS":
            return Approved(refund_id, amount_minor, order.currency)
        return Pending(refund_id) if said["status"] == "PROCESSING" else Declined(said["status"])

    @property
    def outcomes(self) -> tuple[str, ...]:
        return complained.OUTCOMES

    def complaint(self, reference: str) -> Told | Declined:
        return complained.one(self._ask, reference, self._opened)

    def complaints(self, since: datetime) -> Told | Declined:
        return complained.made_since(self._ask, since, self._opened)

    def reply(self, reference: str, words: str, outcome: str) -> Answer:
        return complained.reply(self._ask, reference, words, outcome)

    def listen(self, notice_url: str) -> Declined | None:
        return complained.listen(self._ask, notice_url)

    def _opened(self, sealed: str) -> str:
        """A field that WeChat has sealed with the key of our certificate."""
        return str(self._sdk.decrypt(sealed))

    def check(self, return_url: str) -> Declined | None:
        """Asks for an order that does not exist: who is answered that has the right keys."""
        try:
            serialization.load_pem_private_key(
                pem(_bare(self.key), "PRIVATE KEY").encode(), None
            )  # fmt: skip
            self._theirs  # noqa: B018
        except ValueError:
            return Declined("key")
        if len(self.api_key.encode()) != 32:
            return Declined("api_key")
        said = self._ask(lambda api: api.query(out_trade_no="SETUPCHECK"))
        if isinstance(said, Declined) and said.reason not in UNHEARD:
            return said
        return None

    def _ask(self, ask: Callable[[Any], tuple[int, Any]]) -> dict[str, Any] | Declined:
        """An answer that WeChat has signed, or its refusal. Raises GatewayTimeout."""
        try:
            status, text = ask(self._sdk)
            said = strict.read(text) if text else {}
        except NoticeForged as error:
            raise GatewayTimeout("an answer that WeChat has not signed") from error
        except (OSError, ValueError) as error:
            raise GatewayTimeout(type(error).__name__) from error
        if not isinstance(said, dict) or status >= 500:
            raise GatewayTimeout("WeChat does not know yet")
        if 200 <= status < 300:
            return said
        reason = str(said.get("code", status))
        if reason in UNKNOWN or status == 429:
            raise GatewayTimeout(reason)
        return Declined(SET_UP if status == 401 else reason)

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks number of the key, time and signature over the exact bytes, then decrypts."""
        verify(headers, body, self._theirs, self._their_id, now_s=clock.timestamp_s())
        try:
            said = strict.read(body)
            kind, resource = said["event_type"], said["resource"]
            if said["resource_type"] != "encrypt-resource":
                raise NoticeForged("The notice is not encrypted")
            told = strict.read(decrypt(resource, self.api_key))
            if kind in complained.KINDS:
                return Notice("", 0, "", None, complaint=complained.number(told["complaint_id"]))
            if kind != "TRANSACTION.SUCCESS":
                return Notice("", 0, "", None)  # Refunds and contracts: genuine, and not payments.
            merchant, app = told["mchid"], told["appid"]
            order, amount = told["out_trade_no"], told["amount"]
            total, currency = amount["total"], amount["currency"]
            answer = _read(told)
        except (ValueError, KeyError, TypeError) as error:
            raise NoticeForged("The notice cannot be read") from error
        kinds = (type(order), type(total), type(currency), type(told["trade_state"]))
        if kinds != (str, int, str, str):
            raise NoticeForged("The notice has fields of the wrong kind")
        if merchant != self.merchant_id or app != self.app_id:
            raise NoticeForeign("A notice for another merchant")
        return Notice(order, total, currency, answer)


def way_of(payer: str, key: bytes) -> str:
    """How an attempt remembers that it is paid inside WeChat, and by whom without their name."""
    return f"{JSAPI}:{ids.mac(key, 'payer', payer, length=10)}"


def _read(said: Mapping[str, Any]) -> Answer:
    """What a query or a notice says of the money."""
    state = said["trade_state"]
    if state in PAID:
        amount = said["amount"]
        return Approved(str(said["transaction_id"]), amount["total"], str(amount["currency"]))
    return Declined(state.lower()) if state in OVER else Pending(str(said["out_trade_no"]))


def verify(
    headers: Mapping[str, str], body: bytes, key: rsa.RSAPublicKey, key_id: str, *, now_s: float
) -> None:
    """Whether WeChat has signed this: RSA with SHA-256 over "time\\nnonce\\nbody\\n", by the key of
    that number, at most five minutes ago. Raises NoticeForged."""
    given = {name.lower(): value for name, value in headers.items()}
    if given.get("wechatpay-signature-type", KIND) != KIND:
        raise NoticeForged("The signature is of another kind")
    if not key_id or given.get("wechatpay-serial", "").lstrip("0") != key_id.lstrip("0"):
        raise NoticeForged("The key that it names is not known")
    at, nonce = given.get("wechatpay-timestamp", ""), given.get("wechatpay-nonce", "")
    if not (at.isascii() and at.isdigit() and len(at) < 12) or abs(now_s - int(at)) > OLDEST_S:
        raise NoticeForged("The notice is too old")
    signed = f"{at}\n{nonce}\n".encode(errors="replace") + body + b"\n"
    if not fits(given.get("wechatpay-signature", ""), signed, key):
        raise NoticeForged("The signature does not fit")


def decrypt(resource: Mapping[str, str], api_key: str) -> bytes:
    """What AEAD_AES_256_GCM has kept from others. Raises NoticeForged, KeyError, TypeError."""
    if resource.get("algorithm", "AEAD_AES_256_GCM") != "AEAD_AES_256_GCM":
        raise NoticeForged("It is encrypted in another way")
    try:
        sealed = b64decode(resource["ciphertext"], validate=True)
        about = (resource.get("associated_data") or "").encode()
        return AESGCM(api_key.encode()).decrypt(resource["nonce"].encode(), sealed, about)
    except (InvalidTag, ValueError, AttributeError) as error:
        raise NoticeForged("It cannot be decrypted") from error


def _bare(key: str) -> str:
    """A private key as the SDK takes it: without the lines around it."""
    return "\n".join(line for line in key.strip().splitlines() if not line.startswith("-----"))
