"""WeChat Pay v3, for practice: signed requests in, signed answers and encrypted notices out.

It checks who asks, our RSA signature over method, path, time, nonce and body, and the age; signs
every answer by the platform's key; encrypts its notices with the APIv3 key; keeps payments by our
order number, refuses the same number for something else, and more back than was paid. A refund is
taken at once and done when it is asked about again, as the real one's are.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ... import clock
from .page import COMPLAINS, ENDS, page
from .serving import Sandbox, Sent
from .wechat_app import Bridge, People
from .wechat_complaints import Complaints

__all__ = ["Merchant", "WeChatSandbox"]

LATE_S = 8.0
OLDEST_S = 300
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_WAYS = {f"/v3/pay/transactions/{way}" for way in ("h5", "native", "jsapi")}
_ORDER = "/v3/pay/transactions/out-trade-no/"


@dataclass(frozen=True)
class Merchant:
    """Who may ask here, and by which keys."""

    app_id: str
    merchant_id: str
    serial: str
    api_key: str
    key: rsa.RSAPublicKey
    app_secret: str = ""


@dataclass
class _Order:
    asked: dict[str, Any]
    number: str
    state: str = "NOTPAY"
    refunds: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return int(self.asked["amount"]["total"])


class WeChatSandbox(Sandbox):
    name = "wechat"

    def __init__(self, merchant: Merchant, key: rsa.RSAPrivateKey, key_id: str) -> None:
        super().__init__()
        self.merchant, self.key, self.key_id = merchant, key, key_id
        self.orders: dict[str, _Order] = {}
        self.people = People(merchant.app_id, merchant.app_secret)
        self.bridge = Bridge(merchant.app_id, merchant.key)
        self.complaints = Complaints(merchant.merchant_id, merchant.key)

    def answer(self, request: Request, path: str) -> Response:
        if path.startswith(("/connect/", "/sns/")):
            return self.people.answer(request, path)
        if path == "/bridge":
            return self._over_our_page(request)
        if path.startswith("/pay/"):
            return self._shopper(request, path.removeprefix("/pay/"))
        if not self._knows(request, path):
            return self._said(401, {"code": "SIGN_ERROR", "message": "签名错误"})
        try:
            asked = json.loads(request.get_data() or b"{}")
            return self._said(*self._do(request.method, path, asked, request))
        except (ValueError, KeyError, TypeError):
            return self._said(400, {"code": "PARAM_ERROR", "message": "参数错误"})

    def _knows(self, request: Request, path: str) -> bool:
        """Whether the merchant has signed this, now."""
        kind, _, rest = request.headers.get("Authorization", "").partition(" ")
        said, mine = dict(_FIELD.findall(rest)), self.merchant
        who = (said.get("mchid"), said.get("serial_no"))
        at = said.get("timestamp", "")
        if kind != "WECHATPAY2-SHA256-RSA2048" or who != (mine.merchant_id, mine.serial):
            return False
        if not at.isdigit() or abs(time.time() - int(at)) > OLDEST_S:
            return False
        query = request.query_string.decode()
        there = f"{path}?{query}" if query else path
        head = "\n".join((request.method, there, at, said.get("nonce_str", ""), ""))
        try:
            mine.key.verify(
                b64decode(said.get("signature", "")), head.encode() + request.get_data() + b"\n",
                padding.PKCS1v15(), hashes.SHA256(),
            )  # fmt: skip
        except (InvalidSignature, ValueError):
            return False
        return True

    def _do(
        self, method: str, path: str, asked: dict[str, Any], request: Request
    ) -> tuple[int, dict[str, Any]]:
        if method == "POST" and path in _WAYS:
            return self._create(path.rpartition("/")[2], asked, request)
        if method == "POST" and path == "/v3/refund/domestic/refunds":
            return self._refund(asked)
        if path.startswith("/v3/merchant-service/"):
            status, said, acted = self.complaints.answer(
                method, path.removeprefix("/v3/merchant-service/"), asked, request.args.to_dict()
            )
            if acted:
                self.tells_of(*acted)
            return status, said
        if not path.startswith(_ORDER):
            return _no(404, "RESOURCE_NOT_EXISTS")
        number, _, verb = path.removeprefix(_ORDER).partition("/")
        found = self.orders.get(number)
        if (asked.get("mchid") or request.args.get("mchid")) != self.merchant.merchant_id:
            return _no(400, "MCH_NOT_EXISTS")
        if found is None:
            return _no(404, "ORDER_NOT_EXIST")
        if (method, verb) == ("GET", ""):
            return 200, self._facts(found)
        if (method, verb) != ("POST", "close"):
            return _no(404, "RESOURCE_NOT_EXISTS")
        if found.state not in ("NOTPAY", "CLOSED"):
            return _no(400, "ORDERPAID")
        found.state = "CLOSED"
        return 204, {}

    def _create(
        self, way: str, asked: dict[str, Any], request: Request
    ) -> tuple[int, dict[str, Any]]:
        mine = self.merchant
        if (asked["mchid"], asked["appid"]) != (mine.merchant_id, mine.app_id):
            return _no(400, "APPID_MCHID_NOT_MATCH")
        number, total = asked["out_trade_no"], asked["amount"]["total"]
        bad = type(total) is not int or total < 1 or asked["amount"]["currency"] != "CNY"
        if bad or not re.fullmatch(r"[\w|*-]{6,32}", number) or not asked["description"]:
            return _no(400, "PARAM_ERROR")
        if way == "h5" and not asked["scene_info"]["payer_client_ip"]:
            return _no(400, "PARAM_ERROR")
        if way == "jsapi" and asked["payer"]["openid"] not in self.people.known:
            return _no(400, "PARAM_ERROR")  # Nobody's, or of another app's.
        found = self.orders.setdefault(number, _Order(asked, f"42000{secrets.token_hex(11)}"))
        if found.asked != asked:
            return _no(403, "OUT_TRADE_NO_USED")
        if found.state != "NOTPAY":
            return _no(400, "ORDERPAID" if found.state != "CLOSED" else "ORDER_CLOSED")
        if way == "jsapi":
            return 200, {"prepay_id": self.bridge.prepaid(number)}
        # A real code says weixin://…; this one can be paid by a phone's camera.
        host = request.host if way == "h5" else f"{self._host(asked)}:{self.port}"
        return 200, {"h5_url" if way == "h5" else "code_url": f"http://{host}/wechat/pay/{number}"}

    def _host(self, asked: dict[str, Any]) -> str:
        return urlsplit(asked["notify_url"]).hostname or "localhost"

    def _refund(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = self.orders.get(asked["out_trade_no"])
        number, amount = asked["out_refund_no"], asked["amount"]
        if found is None or found.state not in ("SUCCESS", "REFUND"):
            return _no(404, "RESOURCE_NOT_EXISTS")
        before = found.refunds.get(number)
        wrong = type(amount["refund"]) is not int or amount["total"] != found.total
        if wrong or before not in (None, amount["refund"]):
            return _no(400, "INVALID_REQUEST")
        if before is None:
            if amount["refund"] < 1 or sum(found.refunds.values()) + amount["refund"] > found.total:
                return _no(400, "INVALID_REQUEST")
            found.refunds[number] = amount["refund"]
            found.state = "REFUND"
            if sum(found.refunds.values()) == found.total:
                for complaint in self.complaints.refunded(asked["out_trade_no"]):
                    self.tells_of(complaint, "SELLER_REFUND")
        return 200, {
            "out_refund_no": number, "out_trade_no": asked["out_trade_no"], "amount": amount,
            "refund_id": f"503{number}", "status": "PROCESSING" if before is None else "SUCCESS",
        }  # fmt: skip

    def _facts(self, one: _Order) -> dict[str, Any]:
        said = {
            "appid": self.merchant.app_id, "mchid": self.merchant.merchant_id,
            "out_trade_no": one.asked["out_trade_no"], "trade_state": one.state,
            "trade_state_desc": one.state, "amount": {"total": one.total, "currency": "CNY"},
        }  # fmt: skip
        return said | ({"transaction_id": one.number} if one.state in ("SUCCESS", "REFUND") else {})

    # The shopper's page

    def _shopper(self, request: Request, number: str) -> Response:
        one = self.orders.get(number)
        if one is None:
            return Response("There is no such payment\n", 404)
        if request.method == "GET":
            ends = COMPLAINS if one.state == "SUCCESS" else ENDS
            return page("WeChat Pay 微信支付", one.asked["description"], one.total, "CNY", ends)
        end = request.form.get("end", "")
        if end in ENDS:
            self.ends(number, end)
        if end in COMPLAINS and one.state == "SUCCESS":
            self.complains(number, "Practice: it is broken. 练习投诉：商品坏了。")
        back = request.args.get("redirect_url", "")
        return (
            redirect(back, 303)
            if back
            else page("WeChat Pay 微信支付", one.state, one.total, "CNY")
        )

    def _over_our_page(self, request: Request) -> Response:
        """WeChat's window, in a browser that is not WeChat."""
        said, back = request.args.to_dict(), request.args.get("back", "")
        number = self.bridge.number_of(said)
        if number is None:
            return Response("get_brand_wcpay_request:fail\n", 400)
        one = self.orders[number]
        if request.method == "GET" or not back:
            return page("WeChat Pay 微信支付", one.asked["description"], one.total, "CNY")
        self.plays(said, request.form.get("end", ""))
        return redirect(back, 303)

    def plays(self, said: dict[str, str], end: str) -> dict[str, str]:
        """What the bridge answers to our page, once the shopper has chosen how it ends."""
        number = self.bridge.number_of(said)
        if number is None or self.orders[number].state != "NOTPAY":
            return {"err_msg": "get_brand_wcpay_request:fail"}
        if end in ENDS:
            self.ends(number, end)
        how = {"cancel": "cancel", "decline": "fail"}.get(end, "ok" if end in ENDS else "cancel")
        return {"err_msg": f"get_brand_wcpay_request:{how}"}

    def ends(self, reference: str, end: str) -> None:
        one = self.orders[reference]
        if one.state != "NOTPAY" or end == "cancel":
            return
        one.state = "CLOSED" if end == "decline" else "SUCCESS"
        if end in ("never", "decline"):
            return  # WeChat tells of what was paid only.
        notice = self.notice(one)
        self.tell(notice, LATE_S if end == "late" else 0.0)
        if end == "twice":
            self.tell(notice)

    def notice(self, one: _Order, kind: str = "TRANSACTION.SUCCESS", **changed: Any) -> Sent:
        """A notice as it is sent: the facts encrypted, the whole signed."""
        facts = self._facts(one) | changed
        return self._sealed(one.asked["notify_url"], kind, "transaction", facts)

    def _sealed(self, url: str, kind: str, about: str, facts: dict[str, Any]) -> Sent:
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self.merchant.api_key.encode()).encrypt(
            nonce.encode(), json.dumps(facts).encode(), about.encode()
        )
        said = {
            "id": secrets.token_hex(16), "event_type": kind, "summary": about,
            "resource_type": "encrypt-resource",
            "resource": {
                "original_type": about, "algorithm": "AEAD_AES_256_GCM", "nonce": nonce,
                "associated_data": about, "ciphertext": b64encode(sealed).decode(),
            },
        }  # fmt: skip
        body = json.dumps(said, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **self.signed(body)}
        return Sent(url, body, headers)

    def complains(self, order: str, words: str, phone: str = "13800138000") -> Sent | None:
        """Who paid this complains; answers the notice, where the merchant wants any."""
        one = self.orders[order]
        return self.tells_of(
            self.complaints.make(order, one.number, one.total, words, phone), "CREATE_COMPLAINT"
        )

    def tells_of(self, complaint: str, action: str, **changed: Any) -> Sent | None:
        """Complaints are told of where the merchant has entered an address for it."""
        if not self.complaints.notice_url:
            return None
        kind = "CREATE" if action == "CREATE_COMPLAINT" else "STATE_CHANGE"
        facts = {"complaint_id": complaint, "action_type": action, **changed}
        sent = self._sealed(self.complaints.notice_url, f"COMPLAINT.{kind}", "complaint", facts)
        self.tell(sent)
        return sent

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers by which the platform signs a body, now."""
        at, nonce = str(int(clock.timestamp_s())), secrets.token_hex(16)
        signature = self.key.sign(
            f"{at}\n{nonce}\n".encode() + body + b"\n", padding.PKCS1v15(), hashes.SHA256()
        )
        return {
            "Wechatpay-Timestamp": at, "Wechatpay-Nonce": nonce, "Wechatpay-Serial": self.key_id,
            "Wechatpay-Signature": b64encode(signature).decode(),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }  # fmt: skip

    def _said(self, status: int, said: dict[str, Any]) -> Response:
        body = json.dumps(said, ensure_ascii=False).encode() if status != 204 else b""
        return Response(body, status, self.signed(body), content_type="application/json")


def _no(status: int, code: str) -> tuple[int, dict[str, Any]]:
    return status, {"code": code, "message": code}
