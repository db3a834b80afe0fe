"""PayPal: Orders v2. The shopper agrees on PayPal's page, comes back, and then we take the money.

Sources: developer.paypal.com, Orders v2, Payments v2, "Integrate webhooks". Every request carries a
PayPal-Request-Id, so that one that comes twice is one. Nothing is taken that we do not capture: an
order that is given up needs no closing.

What is verified of a notice: the certificate comes over TLS from PayPal's own host, names PayPal's
message signing, and is in force; its key has signed the transmission's id and time, our webhook's
id and the CRC-32 of the exact bytes. A CRC-32 can be forged for other bytes of the same
transmission, so that money came is asked of PayPal once more; of disputes the notice is believed.
The chain of issuers is not followed a second time beside TLS.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from ... import clock, money, strict
from ...errors import Invalid, Unavailable
from . import (
    SET_UP,
    TIMEOUT_S,
    Answer,
    Approved,
    Claim,
    Declined,
    GatewayTimeout,
    Notice,
    NoticeForged,
    Order,
    Pending,
)
from .keys import certificate, fits, in_force

LIVE = "https://api-m.paypal.com"
CERTIFICATES = re.compile(r"/v1/notifications/certs/[\w.-]{1,100}\Z", re.ASCII)
SIGNER = re.compile(r"messageverificationcerts\.(?:\w+\.)?paypal\.com\Z")
LARGEST_CERTIFICATE = 65_536
OLDEST_NOTICE_S = 4 * 86_400
"""PayPal repeats a notice for three days; one that was taken is known by its digest."""
FUTURE_S = 300
# Refusals that say that nothing is decided yet.
UNKNOWN = ("PREVIOUS_REQUEST_IN_PROGRESS", "REFUND_FAILED_INSUFFICIENT_FUNDS")
LOST = ("RESOLVED_BUYER_FAVOUR", "ACCEPTED")
"""Outcomes of disputes in which the money stays with the shopper."""
# A capture says that the money came, also when some of it went back since.
CAME = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


@dataclass(frozen=True)
class PayPal:
    client_id: str
    secret: str = field(repr=False)
    webhook_id: str
    url: str = ""
    name: str = "paypal"
    thanks: str = ""

    def start(self, order: Order) -> Answer:
        pages = {
            "return_url": order.return_url, "cancel_url": order.return_url,
            "user_action": "PAY_NOW", "shipping_preference": "NO_SHIPPING",
        }  # fmt: skip
        unit = {
            "custom_id": order.id, "invoice_id": order.id,
            "amount": _amount(order.amount_minor, order),
            "description": (order.subject or order.id)[:127],
        }  # fmt: skip
        said = self._ask("POST", "/v2/checkout/orders", f"start-{order.id}", {
            "intent": "CAPTURE", "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": pages}},
        })  # fmt: skip
        return said if isinstance(said, Declined) else _read(said, order)

    def status(self, order: Order) -> Answer:
        if not order.reference:
            return Pending("")  # The shopper never saw where to pay, so nothing was agreed to.
        said = self._ask("GET", f"/v2/checkout/orders/{order.reference}")
        return said if isinstance(said, Declined) else _read(said, order)

    def capture(self, order: Order) -> Answer:
        """Take what the shopper has agreed to. Their bank may still say no."""
        there = f"/v2/checkout/orders/{order.reference}/capture"
        said = self._ask("POST", there, f"capture-{order.id}", {})
        if isinstance(said, dict):
            return _read(said, order)
        asked = said.reason in ("ORDER_ALREADY_CAPTURED", "ORDER_NOT_APPROVED")
        return self.status(order) if asked else said

    def close(self, order: Order) -> Answer:
        answer = self.status(order)
        return answer if isinstance(answer, Approved) else Declined("closed")

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        found = self._ask("GET", f"/v2/checkout/orders/{order.reference}")
        if isinstance(found, Declined):
            return found
        taken = _captured(found)
        if taken is None:
            return Declined("not_captured")
        there = f"/v2/payments/captures/{taken['id']}/refund"
        said = self._ask("POST", there, f"refund-{refund_id}",
                         {"amount": _amount(amount_minor, order)})  # fmt: skip
        if isinstance(said, Declined):
            return said
        if said["status"] == "COMPLETED":
            return Approved(str(said["id"]), amount_minor, order.currency)
        return Pending(str(said["id"])) if said["status"] == "PENDING" else Declined(said["status"])

    def check(self, return_url: str) -> Declined | None:
        """Asks for an order that does not exist: who is answered that has the right keys."""
        if not self.webhook_id:
            return Declined("webhook_id")
        said = self._ask("GET", "/v2/checkout/orders/SETUPCHECK")
        if isinstance(said, Declined) and said.reason == SET_UP:
            return said
        return None

    @cached_property
    def _kept(self) -> dict[str, Any]:
        """What is kept between calls: the token and its end, certificates by address."""
        empty = {"token": "", "until": 0.0, "certificates": {}, "read": 0.0}
        return {"lock": threading.Lock(), **empty}

    def _ask(
        self, method: str, path: str, once: str = "", said: dict[str, Any] | None = None
    ) -> dict[str, Any] | Declined:
        """An answer of PayPal's, or its refusal. Raises GatewayTimeout."""
        token = self._token()
        if not token:
            return Declined(SET_UP)
        headers = {"Authorization": f"Bearer {token}", "Prefer": "return=representation"}
        if once:
            headers["PayPal-Request-Id"] = once
        status, answer = self._send(method, path, headers=headers, json=said)
        if 200 <= status < 300:
            return answer
        if status == 401:
            self._kept["until"] = 0.0  # It has ended before its time; the next call gets another.
            raise GatewayTimeout("the token is known no longer")
        details = answer.get("details") or [{}]
        reason = str(details[0].get("issue") or answer.get("name") or status)
        if status >= 500 or status == 429 or reason in UNKNOWN:
            raise GatewayTimeout(reason)
        return Declined(reason)

    def _token(self) -> str:
        """A token that is good for a while; "" where PayPal does not know our keys."""
        kept = self._kept
        with kept["lock"]:
            if time.monotonic() < kept["until"]:
                return str(kept["token"])
            status, answer = self._send(
                "POST", "/v1/oauth2/token", auth=(self.client_id, self.secret),
                data={"grant_type": "client_credentials"},
            )  # fmt: skip
            if status in (400, 401, 403):
                return ""
            if status != 200:
                raise GatewayTimeout(f"no token: {status}")
            kept["token"] = str(answer["access_token"])
            kept["until"] = time.monotonic() + max(0, int(answer["expires_in"]) - 60)
            return str(kept["token"])

    def _send(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        try:
            answer = requests.request(
                method, (self.url or LIVE) + path, timeout=TIMEOUT_S, allow_redirects=False, **more
            )
            said = strict.read(answer.content) if answer.content else {}
        except (OSError, ValueError) as error:
            raise GatewayTimeout(type(error).__name__) from error
        if not isinstance(said, dict):
            raise GatewayTimeout("an answer of another kind")
        return answer.status_code, said

    # Notices

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks time, certificate and signature. Raises Unavailable where the certificate cannot
        be had just now: PayPal tells again."""
        given = {name.lower(): value for name, value in headers.items()}
        verify(given, body, self.webhook_id, self._key, now_s=clock.timestamp_s())
        try:
            said = strict.read(body)
            kind, thing = said["event_type"], said["resource"]
            if kind == "CHECKOUT.ORDER.APPROVED":
                unit = thing["purchase_units"][0]
                return _told(
                    unit["custom_id"], unit["amount"], Pending(thing["id"], to_capture=True)
                )
            if kind.startswith("CUSTOMER.DISPUTE."):
                return _disputed(thing)
            if kind not in ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.DENIED"):
                return Notice("", 0, "", None)
            reference = str(thing["supplementary_data"]["related_ids"]["order_id"])
            order, amount = thing["custom_id"], thing["amount"]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise NoticeForged("The notice cannot be read") from error
        if kind == "PAYMENT.CAPTURE.DENIED":
            return _told(order, amount, Declined("denied"))
        told = _told(order, amount, None)
        return replace(told, answer=self._truth(told, reference))

    def _truth(self, told: Notice, reference: str) -> Answer:
        """What PayPal answers when it is asked about what a notice says. Raises Unavailable."""
        try:
            return self.status(
                Order(told.payment_id, told.amount_minor, told.currency, reference=reference)
            )
        except GatewayTimeout as error:
            raise Unavailable("PayPal does not answer just now") from error

    def _key(self, address: str) -> rsa.RSAPublicKey:
        """The key of a certificate of PayPal's, read once. Raises NoticeForged, Unavailable."""
        kept = self._kept
        if address in kept["certificates"]:
            return in_force(kept["certificates"][address])
        there, home = urlsplit(address), urlsplit(self.url or LIVE)
        host = (home.hostname or "").replace("api-m.", "api.")
        same = (there.scheme, there.hostname, there.port) == (home.scheme, host, home.port)
        if not same or there.query or not CERTIFICATES.match(there.path.removeprefix(home.path)):
            raise NoticeForged("The certificate is not at PayPal's")
        with kept["lock"]:
            if time.monotonic() - kept["read"] < 1:
                raise Unavailable("A certificate was read a moment ago; tell it again later")
            kept["read"] = time.monotonic()
        try:
            answer = requests.get(address, timeout=TIMEOUT_S, allow_redirects=False)
        except OSError as error:
            raise Unavailable("PayPal's certificate cannot be read just now") from error
        if answer.status_code != 200 or len(answer.content) > LARGEST_CERTIFICATE:
            raise NoticeForged("There is no such certificate")
        found = certificate(answer.content, SIGNER)
        key = in_force(found)
        if len(kept["certificates"]) > 8:
            kept["certificates"].clear()
        kept["certificates"][address] = found
        return key


def _amount(minor: int, order: Order) -> dict[str, str]:
    return {"currency_code": order.currency, "value": money.text(minor, order.currency)}


def _read(said: dict[str, Any], order: Order) -> Answer:
    """What an order says of the money. Raises GatewayTimeout for one that is not ours."""
    reference, state = str(said["id"]), said["status"]
    if said["purchase_units"][0].get("custom_id") != order.id:
        raise GatewayTimeout("an answer about another order")
    taken = _captured(said)
    if taken is not None and taken["status"] in CAME:
        amount = taken["amount"]
        minor = money.parse(amount["value"], order.currency)
        return Approved(reference, minor, str(amount["currency_code"]))
    if taken is not None and taken["status"] != "PENDING":
        return Declined(str(taken["status"]).lower())
    if state == "VOIDED":
        return Declined("voided")
    links = {one["rel"]: one["href"] for one in said.get("links", [])}
    page = links.get("payer-action") or links.get("approve") or ""
    return Pending(reference, next_url=page, to_capture=state == "APPROVED")


def _captured(said: dict[str, Any]) -> dict[str, Any] | None:
    """What was taken of an order, if anything."""
    found = said["purchase_units"][0].get("payments", {}).get("captures", [])
    return found[-1] if found else None


def _disputed(thing: dict[str, Any]) -> Notice:
    """A dispute, by the invoice number that we gave the payment."""
    told = _told(thing["disputed_transactions"][0]["invoice_number"], thing["dispute_amount"], None)
    state = "open"
    if thing["status"] == "RESOLVED":
        outcome = thing.get("dispute_outcome", {}).get("outcome_code")
        state = "lost" if outcome in LOST else "won"
    if not isinstance(thing["dispute_id"], str):
        raise TypeError("a number is text")
    claim = Claim(
        thing["dispute_id"], state, told.amount_minor, told.currency,
        str(thing.get("reason", "")),
    )  # fmt: skip
    return replace(told, claim=claim)


def _told(order: object, amount: Any, answer: Answer | None) -> Notice:
    try:
        currency = str(amount["currency_code"])
        minor = money.parse(amount["value"], currency)
    except (KeyError, TypeError, AttributeError, Invalid) as error:
        raise NoticeForged("The notice cannot be read") from error
    if not isinstance(order, str):
        raise NoticeForged("The notice has fields of the wrong kind")
    return Notice(order, minor, currency, answer)


def verify(
    given: Mapping[str, str], body: bytes, webhook_id: str, key_at: Any, *, now_s: float
) -> None:
    """Whether PayPal has signed "id|time|webhook|crc32" by the key of the certificate that it
    names. `given` has names in small letters. Raises NoticeForged, and what `key_at` raises."""
    said, at = given.get("paypal-transmission-id", ""), given.get("paypal-transmission-time", "")
    if given.get("paypal-auth-algo") != "SHA256withRSA" or not said or not webhook_id:
        raise NoticeForged("The signature is of another kind")
    try:
        age_s = now_s - datetime.fromisoformat(at).timestamp()
    except ValueError as error:
        raise NoticeForged("The notice has no time") from error
    if not -FUTURE_S <= age_s <= OLDEST_NOTICE_S:
        raise NoticeForged("The notice is too old")
    signed = f"{said}|{at}|{webhook_id}|{zlib.crc32(body)}".encode(errors="replace")
    key = key_at(given.get("paypal-cert-url", ""))
    if not fits(given.get("paypal-transmission-sig", ""), signed, key):
        raise NoticeForged("The signature does not fit")
