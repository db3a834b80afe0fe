"""PayPal, for practice: tokens, orders that the shopper agrees to and we capture, refunds, notices.

As developer.paypal.com has them: client credentials for a bearer token that ends; a
PayPal-Request-Id that comes again gets the same answer; nothing is taken before the shopper agreed;
no more goes back than was taken; notices are signed over id, time, webhook and CRC-32 by a
certificate that is served here.
"""

from __future__ import annotations

import json
import secrets
import time
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ... import clock, money
from .page import ENDS, page
from .serving import Sandbox, Sent

__all__ = ["App", "PayPalSandbox"]

LATE_S = 8.0
TOKEN_S = 900
CERTIFICATE = "/v1/notifications/certs/CERT-practice"
SIGNER = "messageverificationcerts.sandbox.paypal.com"


@dataclass(frozen=True)
class App:
    """Who may ask here, and where its notices go."""

    client_id: str
    secret: str
    webhook_id: str
    notice_url: str


@dataclass
class _Order:
    id: str
    unit: dict[str, Any]
    return_url: str
    status: str = "PAYER_ACTION_REQUIRED"
    end: str = ""
    capture: dict[str, Any] = field(default_factory=dict)
    refunds: list[int] = field(default_factory=list)

    @property
    def currency(self) -> str:
        return str(self.unit["amount"]["currency_code"])

    @property
    def minor(self) -> int:
        return money.parse(self.unit["amount"]["value"], self.currency)


class PayPalSandbox(Sandbox):
    name = "paypal"

    def __init__(self, app: App, key: rsa.RSAPrivateKey) -> None:
        super().__init__()
        self.app, self.key = app, key
        self.orders: dict[str, _Order] = {}
        self._tokens: dict[str, float] = {}
        self._answered: dict[str, tuple[int, dict[str, Any]]] = {}

    def answer(self, request: Request, path: str) -> Response:
        if path.startswith("/pay/"):
            return self._shopper(request, path.removeprefix("/pay/"))
        if path == CERTIFICATE:
            return Response(self.certificate, content_type="application/x-pem-file")
        if path == "/v1/oauth2/token":
            return self._grant(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, 0.0) < time.monotonic():
            return _json(401, {"name": "AUTHENTICATION_FAILURE"})
        once = request.headers.get("PayPal-Request-Id", "")
        key = f"{request.method} {path} {once}"
        if once and key in self._answered:
            return _json(*self._answered[key])
        try:
            status, said = self._do(request.method, path, json.loads(request.get_data() or b"{}"))
        except (ValueError, KeyError, TypeError, IndexError):
            status, said = _no(400, "INVALID_REQUEST")
        if once and status < 300:
            self._answered[key] = (status, said)
        return _json(status, said)

    def _grant(self, request: Request) -> Response:
        who = request.authorization
        if who is None or (who.username, who.password) != (self.app.client_id, self.app.secret):
            return _json(401, {"error": "invalid_client"})
        if request.form.get("grant_type") != "client_credentials":
            return _json(400, {"error": "unsupported_grant_type"})
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + TOKEN_S
        return _json(200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_S})

    def _do(self, method: str, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        parts = path.strip("/").split("/")
        if (method, path) == ("POST", "/v2/checkout/orders"):
            return self._create(asked)
        if parts[:3] == ["v2", "checkout", "orders"] and parts[3] in self.orders:
            found = self.orders[parts[3]]
            if method == "GET":
                return 200, self._shown(found)
            return self._capture(found)
        if parts[:3] == ["v2", "payments", "captures"] and parts[4:] == ["refund"]:
            return self._refund(parts[3], asked)
        return _no(404, "INVALID_RESOURCE_ID")

    def _create(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        unit = asked["purchase_units"][0]
        about = asked["payment_source"]["paypal"]["experience_context"]
        made = _Order(secrets.token_hex(9)[:17].upper(), unit, about["return_url"])
        if asked["intent"] != "CAPTURE" or made.minor < 1:
            return _no(422, "CANNOT_BE_ZERO_OR_NEGATIVE")
        self.orders[made.id] = made
        return 200, self._shown(made)

    def _capture(self, one: _Order) -> tuple[int, dict[str, Any]]:
        if one.status == "COMPLETED":
            return _no(422, "ORDER_ALREADY_CAPTURED")
        if one.status != "APPROVED":
            return _no(422, "ORDER_NOT_APPROVED")
        if one.end == "decline":
            return _no(422, "INSTRUMENT_DECLINED")
        one.status = "COMPLETED"
        one.capture = {
            "id": secrets.token_hex(9)[:17].upper(), "status": "COMPLETED",
            "amount": one.unit["amount"], "custom_id": one.unit["custom_id"],
            "supplementary_data": {"related_ids": {"order_id": one.id}},
        }  # fmt: skip
        self._tell(one, "PAYMENT.CAPTURE.COMPLETED", one.capture)
        return 201, self._shown(one)

    def _refund(self, capture: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = next(
            (one for one in self.orders.values() if one.capture.get("id") == capture), None
        )
        if found is None:
            return _no(404, "INVALID_RESOURCE_ID")
        amount = asked["amount"]
        minor = money.parse(amount["value"], found.currency)
        if amount["currency_code"] != found.currency or minor < 1:
            return _no(422, "CURRENCY_MISMATCH")
        if sum(found.refunds) + minor > found.minor:
            return _no(422, "REFUND_AMOUNT_EXCEEDED")
        found.refunds.append(minor)
        whole = sum(found.refunds) == found.minor
        found.capture["status"] = "REFUNDED" if whole else "PARTIALLY_REFUNDED"
        return 201, {"id": secrets.token_hex(8).upper(), "status": "COMPLETED", "amount": amount}

    def _shown(self, one: _Order) -> dict[str, Any]:
        host = urlsplit(one.return_url).hostname or "localhost"
        page_url = f"http://{host}:{self.port}/paypal/pay/{one.id}"
        taken = {"payments": {"captures": [one.capture]}} if one.capture else {}
        return {
            "id": one.id, "intent": "CAPTURE", "status": one.status,
            "purchase_units": [{**one.unit, **taken}],
            "links": [{"rel": "payer-action", "href": page_url, "method": "GET"}],
        }  # fmt: skip

    # The shopper's page

    def _shopper(self, request: Request, order_id: str) -> Response:
        one = self.orders.get(order_id)
        if one is None:
            return Response("There is no such payment\n", 404)
        if request.method == "GET":
            return page("PayPal", one.unit.get("description", ""), one.minor, one.currency)
        end = request.form.get("end", "")
        if end in ENDS:
            self.ends(order_id, end)
        return redirect(one.return_url, 303)

    def ends(self, reference: str, end: str) -> None:
        """The shopper agrees, or does not; a bank that declines is known when we capture."""
        one = self.orders[reference]
        if one.status != "PAYER_ACTION_REQUIRED" or end == "cancel":
            return
        one.status, one.end = "APPROVED", end
        self._tell(one, "CHECKOUT.ORDER.APPROVED", self._shown(one))

    def _tell(self, one: _Order, kind: str, thing: dict[str, Any]) -> None:
        if one.end == "never":
            return
        notice = self.event(kind, thing)
        self.tell(notice, LATE_S if one.end == "late" else 0.0)
        if one.end == "twice":
            self.tell(notice)

    def event(self, kind: str, thing: dict[str, Any], **changed: str) -> Sent:
        """A notice as it is sent, signed for our webhook."""
        body = json.dumps(
            {"id": f"WH-{secrets.token_hex(8)}", "event_type": kind, "resource": thing}
        ).encode()
        said = {
            "PayPal-Transmission-Id": secrets.token_hex(16),
            "PayPal-Transmission-Time": clock.now().astimezone(UTC).isoformat(timespec="seconds"),
            "PayPal-Auth-Algo": "SHA256withRSA",
            "PayPal-Cert-Url": f"http://127.0.0.1:{self.port}/paypal{CERTIFICATE}", **changed,
        }  # fmt: skip
        signed = "|".join((
            said["PayPal-Transmission-Id"], said["PayPal-Transmission-Time"],
            self.app.webhook_id, str(zlib.crc32(body)),
        ))  # fmt: skip
        made = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        said["PayPal-Transmission-Sig"] = b64encode(made).decode()
        return Sent(self.app.notice_url, body, {**said, "Content-Type": "application/json"})

    @cached_property
    def certificate(self) -> bytes:
        # Kept for as long as we serve: so it begins long before any clock that it is read by.
        return self.certified(SIGNER, datetime(2026, 1, 1, tzinfo=UTC), 7300)

    def certified(self, name: str, since: datetime, days: int = 3650) -> bytes:
        """A certificate over our key, in this name."""
        of = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder().subject_name(of).issuer_name(of)
            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(since).not_valid_after(since + timedelta(days=days))
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip
        return made.public_bytes(serialization.Encoding.PEM)


def _json(status: int, said: dict[str, Any]) -> Response:
    return Response(json.dumps(said), status, content_type="application/json")


def _no(status: int, issue: str) -> tuple[int, dict[str, Any]]:
    return status, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": issue}]}
