"""Stripe, for practice: Checkout sessions, refunds, signed events.

As docs.stripe.com/api has them: the key as a bearer token; an Idempotency-Key that comes again
with the same parameters gets the same answer and with others is refused; no more goes back than
was paid; events are signed "t=…,v1=…".
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ... import clock
from ..gateways.stripe import signature
from ..gateways.stripe_units import THOUSANDTHS, ours
from .page import ENDS, page
from .serving import Sandbox, Sent
from .stripe_cards import ENDS_OF_KEPT, Cards, Intent, wrong

__all__ = ["StripeSandbox"]

LATE_S = 8.0
TENS = {**dict.fromkeys(THOUSANDTHS, 10), "ISK": 100, "UGX": 100}
"""In these currencies it takes only amounts that end with so many noughts."""


@dataclass
class _Session:
    id: str
    params: dict[str, str]
    amount: int
    currency: str
    status: str = "open"
    payment_status: str = "unpaid"
    intent: str = ""
    card: str = ""
    refunds: list[dict[str, Any]] = field(default_factory=list)


class StripeSandbox(Sandbox):
    name = "stripe"

    def __init__(self, key: str, webhook_secret: str, notice_url: str) -> None:
        super().__init__()
        self.key, self.webhook_secret, self.notice_url = key, webhook_secret, notice_url
        self.sessions: dict[str, _Session] = {}
        self.cards = Cards()
        self._answered: dict[str, tuple[object, int, dict[str, Any]]] = {}

    def answer(self, request: Request, path: str) -> Response:
        if path.startswith("/pay/"):
            return self._shopper(request, path.removeprefix("/pay/"))
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(401, "invalid_request_error", "Invalid API Key provided")
        params = (request.args if request.method == "GET" else request.form).to_dict()
        repeat = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
        said = (request.method, path, params)
        if repeat in self._answered and repeat:
            before, status, body = self._answered[repeat]
            if before != said:
                return _error(400, "idempotency_error", "Keys for idempotent requests …")
            return _json(status, body)
        status, body = self._do(request.method, path, params)
        if repeat and status < 500:
            self._answered[repeat] = (said, status, body)
        return _json(status, body)

    def _do(self, method: str, path: str, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return self._create(params)
        if (method, path) == ("GET", "/v1/checkout/sessions"):
            intent = params.get("payment_intent")
            found_all = [self._shown(one) for one in self.sessions.values() if one.intent == intent]
            return 200, {"object": "list", "data": found_all, "has_more": False}
        if method == "GET" and path.startswith("/v1/checkout/sessions/"):
            found = self.sessions.get(path.rpartition("/")[2])
            whole = params.get("expand[0]") == "payment_intent.payment_method"
            return (200, self._shown(found, whole)) if found else wrong(404, "resource_missing")
        if method == "POST" and path.endswith("/expire"):
            return self._expire(path.split("/")[-2])
        by_card = self.cards.do(method, path, params, self._pages(params.get("return_url", "")))
        if by_card is not None:
            return by_card
        if (method, path) == ("POST", "/v1/refunds"):
            return self._refund(params)
        if (method, path) == ("GET", "/v1/balance"):
            return 200, {"object": "balance", "livemode": False, "available": [], "pending": []}
        return wrong(404, "url_invalid")

    def _create(self, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        item = "line_items[0]"
        amount = params.get(f"{item}[price_data][unit_amount]", "")
        currency = params.get(f"{item}[price_data][currency]", "")
        wanted = ("success_url", "cancel_url", "client_reference_id")
        if not amount.isdigit() or int(amount) < 1 or len(currency) != 3:
            return wrong(400, "parameter_invalid_integer")
        if int(amount) % TENS.get(currency.upper(), 1):
            return wrong(400, "parameter_invalid_integer")
        if params.get("mode") != "payment" or not all(params.get(name) for name in wanted):
            return wrong(400, "parameter_missing")
        customer = params.get("customer")
        if customer and customer not in self.cards.customers:
            return wrong(400, "resource_missing")
        made = _Session(
            f"cs_test_{secrets.token_hex(12)}", params, int(amount), currency,
            intent=f"pi_{secrets.token_hex(8)}",
        )  # fmt: skip
        self.sessions[made.id] = made
        return 200, self._shown(made)

    def _expire(self, session_id: str) -> tuple[int, dict[str, Any]]:
        found = self.sessions.get(session_id)
        if found is None or found.status != "open":
            return wrong(400, "checkout_session_not_open")
        found.status = "expired"
        return 200, self._shown(found)

    def _refund(self, params: dict[str, str]) -> tuple[int, dict[str, Any]]:
        intent = params.get("payment_intent")
        sold = next((one for one in self.sessions.values() if one.intent == intent), None)
        by_card = self.cards.intents.get(intent or "")
        paid = by_card.status == "succeeded" if by_card else (
            sold is not None and sold.payment_status == "paid")  # fmt: skip
        one = by_card or sold
        if one is None or not paid:
            return wrong(404, "resource_missing")
        amount = int(params.get("amount") or one.amount)
        if amount % TENS.get(one.currency.upper(), 1):
            return wrong(400, "parameter_invalid_integer")
        if sum(each["amount"] for each in one.refunds) + amount > one.amount or amount < 1:
            return wrong(400, "charge_already_refunded")
        made = {"id": f"re_{secrets.token_hex(8)}", "object": "refund", "amount": amount,
                "currency": one.currency, "payment_intent": intent,
                "status": "succeeded"}  # fmt: skip
        one.refunds.append(made)
        return 200, made

    def _shown(self, one: _Session, whole: bool = False) -> dict[str, Any]:
        card = self.cards.cards.get(one.card)
        intent: object = one.intent
        if whole:
            intent = {"id": one.intent, "object": "payment_intent",
                      "payment_method": card.shown() if card else None}  # fmt: skip
        return {
            "id": one.id, "object": "checkout.session", "livemode": False,
            "amount_total": one.amount, "currency": one.currency, "status": one.status,
            "client_reference_id": one.params.get("client_reference_id"),
            "payment_status": one.payment_status,
            "payment_intent": intent if one.status == "complete" else None,
            "customer": card.customer if card else one.params.get("customer"),
            "metadata": {"order": one.params.get("metadata[order]")},
            "url": self._url(one) if one.status == "open" else None,
        }  # fmt: skip

    # The shopper's page: on the host by which their phone knows the shop

    def _url(self, one: _Session) -> str:
        return f"{self._pages(one.params['success_url'])}/{one.id}"

    def _pages(self, there: str) -> str:
        host = urlsplit(there).hostname or "localhost"
        return f"http://{host}:{self.port}/stripe/pay"

    def _shopper(self, request: Request, session_id: str) -> Response:
        asked = self.cards.intents.get(session_id)
        if asked is not None:
            return self._bank(request, asked)
        one = self.sessions.get(session_id)
        if one is None:
            return Response("There is no such payment\n", 404)
        if request.method == "GET":
            name = one.params.get("line_items[0][price_data][product_data][name]", "")
            ends = ENDS_OF_KEPT if self._keeps(one) else ENDS
            minor, currency = ours(one.amount, one.currency), one.currency.upper()
            return page("Stripe", name, minor, currency, ends)
        end = request.form.get("end", "")
        if end in ENDS or end in ENDS_OF_KEPT:
            self.ends(session_id, end)
        return redirect(one.params["cancel_url" if end == "cancel" else "success_url"], 303)

    def _bank(self, request: Request, one: Intent) -> Response:
        """The page of the bank of a kept card, that wants to know who pays."""
        if request.method == "GET":
            minor, currency = ours(one.amount, one.currency), one.currency.upper()
            return page("Stripe", one.params.get("description", ""), minor, currency)
        end = request.form.get("end", "")
        if end in ENDS:
            self.ends(one.id, end)
        return redirect(one.params["return_url"], 303)

    @staticmethod
    def _keeps(one: _Session) -> bool:
        return bool(one.params.get("payment_intent_data[setup_future_usage]"))

    def ends(self, session_id: str, end: str) -> None:
        """The shopper has chosen how it shall end. What is paid stays paid."""
        if session_id in self.cards.intents:
            self._ends_at_bank(self.cards.intents[session_id], end)
            return
        one = self.sessions[session_id]
        if one.status != "open" or end == "cancel":
            return
        one.status = "expired" if end == "decline" else "complete"
        one.payment_status = "unpaid" if end == "decline" else "paid"
        if one.payment_status == "paid" and self._keeps(one):
            one.card = self.cards.keep(one.params.get("customer", ""), end).id
        if end == "never":
            return
        kind = "checkout.session." + ("expired" if end == "decline" else "completed")
        notice = self.event(kind, self._shown(one))
        self.tell(notice, LATE_S if end == "late" else 0.0)
        if end == "twice":
            self.tell(notice)

    def _ends_at_bank(self, one: Intent, end: str) -> None:
        if one.status != "requires_action" or end == "cancel":
            return
        paid = end != "decline"
        one.status = "succeeded" if paid else "requires_payment_method"
        if not paid:
            one.error = {"code": "payment_intent_authentication_failure"}
        if end != "never":
            self.tell(self.of_card(one.id), LATE_S if end == "late" else 0.0)

    def of_card(self, intent_id: str) -> Sent:
        """What Stripe tells of a payment by a kept card."""
        one = self.cards.intents[intent_id]
        kind = "succeeded" if one.status == "succeeded" else "payment_failed"
        return self.event(f"payment_intent.{kind}", self.cards.shown(one, self._pages("")))

    def dispute(self, session_id: str, status: str, **changed: Any) -> Sent:
        """What Stripe tells of a dispute over this payment."""
        one = self.cards.intents.get(session_id) or self.sessions[session_id]
        intent = one.intent if isinstance(one, _Session) else one.id
        about = {
            "id": f"dp_{intent}", "object": "dispute", "amount": one.amount,
            "currency": one.currency, "payment_intent": intent, "status": status,
            "reason": "fraudulent", **changed,
        }  # fmt: skip
        kind = "closed" if status in ("won", "lost") else "created"
        return self.event(f"charge.dispute.{kind}", about)

    def event(self, kind: str, thing: dict[str, Any], *, secret: str = "", **more: Any) -> Sent:
        """An event as it is sent: signed over the moment and the exact bytes."""
        said = {
            "id": f"evt_{secrets.token_hex(8)}", "object": "event", "type": kind,
            "livemode": False, "data": {"object": thing}, **more,
        }  # fmt: skip
        body = json.dumps(said).encode()
        header = signature(body, secret or self.webhook_secret, int(clock.timestamp_s()))
        headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
        return Sent(self.notice_url, body, headers)


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def _error(status: int, kind: str, message: str) -> Response:
    return _json(status, {"error": {"type": kind, "message": message}})
