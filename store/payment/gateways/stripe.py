"""Stripe: Checkout. The shopper pays on Stripe's own page; no card number ever touches us.

Sources: docs.stripe.com/api/checkout/sessions, /api/refunds, /api/idempotent_requests, /webhooks.
The SDK is loaded when it is first needed: it takes most of a second.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ... import clock, strict
from ...errors import Unavailable
from . import (
    SET_UP,
    TIMEOUT_S,
    Answer,
    Approved,
    Claim,
    Declined,
    GatewayTimeout,
    Notice,
    NoticeForeign,
    NoticeForged,
    Order,
    Pending,
    stripe_cards,
)
from .stripe_units import charged, ours

OLDEST_NOTICE_S = 300
# Checkout takes no session that ends sooner; docs.stripe.com/api/checkout/sessions/create.
SHORTEST_SESSION_S = 1800 + 60
# What says whether the money came; everything else is genuine and settles nothing.
_TOLD = {
    "checkout.session.completed", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "checkout.session.expired",
}  # fmt: skip
# The same of a card that we keep: a payment on Stripe's page tells of itself as above.
_TOLD_OF_CARDS = ("payment_intent.succeeded", "payment_intent.payment_failed")
MISSING = "resource_missing"
DISPUTES = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed")
# docs.stripe.com/api/disputes/object#dispute_object-status; every other status is still open.
DECIDED = {"won": "won", "warning_closed": "won", "charge_refunded": "won", "lost": "lost"}


@dataclass(frozen=True)
class Stripe:
    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    url: str = ""
    live: bool = True
    name: str = "stripe"
    thanks: str = ""

    @cached_property
    def _sdk(self) -> Any:
        return importlib.import_module("stripe")

    @cached_property
    def _client(self) -> Any:
        return self._sdk.StripeClient(
            self.key,
            base_addresses={"api": self.url} if self.url else {},
            max_network_retries=0,
            http_client=self._sdk.RequestsClient(timeout=TIMEOUT_S),
        )

    def start(self, order: Order) -> Answer:
        amount = charged(order.amount_minor, order.currency)
        if amount is None:
            return Declined("amount_invalid")
        if order.token:
            return self._ask(lambda api: stripe_cards.pay(api, order, amount))
        price = {
            "currency": order.currency.lower(),
            "unit_amount": amount,
            "product_data": {"name": order.subject or order.id},
        }
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": order.id,
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": order.return_url,
            "cancel_url": order.return_url,
            "metadata": {"order": order.id},
            "payment_intent_data": {"metadata": {"order": order.id}},
        }
        if order.keeps:
            params["payment_intent_data"]["setup_future_usage"] = "on_session"
            params |= stripe_cards.keeping(order.customer)
        if order.ends_at is not None:
            soonest = clock.timestamp_s() + SHORTEST_SESSION_S
            params["expires_at"] = int(max(order.ends_at.timestamp(), soonest))
        answer = self._create(params, f"start-{order.id}")
        if answer == Declined(MISSING) and params.pop("customer", ""):
            # The shopper is known to another account of Stripe's, which this shop had before.
            answer = self._create(params | stripe_cards.keeping(""), f"start-{order.id}-new")
        return answer

    def _create(self, params: dict[str, Any], key: str) -> Answer:
        def ask(api: Any) -> Answer:
            return _read(api.checkout.sessions.create(params, {"idempotency_key": key}))

        return self._ask(ask)

    def status(self, order: Order) -> Answer:
        if _by_kept_card(order):
            return self._ask(lambda api: _found(stripe_cards.find(api, order)))
        if not order.reference:
            # The shopper never saw where to pay, so nothing can have been paid.
            return Pending("")
        return self._ask(lambda api: _read(api.checkout.sessions.retrieve(order.reference)))

    def capture(self, order: Order) -> Answer:
        """Checkout captures by itself."""
        return self.status(order)

    def close(self, order: Order) -> Answer:
        if _by_kept_card(order):
            said = self._ask(lambda api: stripe_cards.cancel(api, order))
            return self.status(order) if isinstance(said, Declined) and order.reference else said
        if not order.reference:
            return Declined("closed")
        said = self._ask(lambda api: _read(api.checkout.sessions.expire(order.reference)))
        return self.status(order) if isinstance(said, Declined) else said

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        amount = charged(amount_minor, order.currency)
        if amount is None:
            return Declined("amount_invalid")

        def ask(api: Any) -> Answer:
            made = api.refunds.create(
                {"payment_intent": stripe_cards.refundable(api, order), "amount": amount,
                 "metadata": {"refund": refund_id}},
                {"idempotency_key": f"refund-{refund_id}"},
            )  # fmt: skip
            if made.status in ("failed", "canceled"):
                return Declined(str(getattr(made, "failure_reason", "") or made.status))
            if made.status != "succeeded":
                return Pending(str(made.id))
            currency = str(made.currency).upper()
            return Approved(str(made.id), ours(int(made.amount), currency), currency)

        return self._ask(ask)

    def kept(self, order: Order) -> Answer:
        return self._ask(lambda api: stripe_cards.kept(api, order))

    def forget(self, token: str) -> Answer:
        return self._ask(lambda api: stripe_cards.forget(api, token))

    def check(self, return_url: str) -> Declined | None:
        """Reads the balance, which every key may that can take payments."""
        if not self.webhook_secret.startswith("whsec_"):
            return Declined("webhook_secret")
        answer = self._ask(lambda api: Approved(str(api.balance.retrieve().object)))
        return answer if isinstance(answer, Declined) else None

    def _ask(self, ask: Any) -> Answer:
        """A refusal by Stripe is an answer; no answer, or one of theirs that says they failed, is
        a GatewayTimeout."""
        errors = self._sdk.error if hasattr(self._sdk, "error") else self._sdk
        try:
            answer: Answer = ask(self._client.v1)
        except errors.CardError as error:
            said = stripe_cards.reason_of(getattr(error, "error", None))
            return Declined(said or str(error.code or type(error).__name__))
        except errors.InvalidRequestError as error:
            return Declined(str(error.code or type(error).__name__))
        except (errors.AuthenticationError, errors.PermissionError):
            return Declined(SET_UP)
        except errors.StripeError as error:
            raise GatewayTimeout(type(error).__name__) from error
        return answer

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks the signature, then the age: at most five minutes, by our clock."""
        header = {name.lower(): value for name, value in headers.items()}.get("stripe-signature")
        verify(body, header or "", self.webhook_secret, now_s=clock.timestamp_s())
        try:
            said = strict.read(body)
            kind, session = said["type"], said["data"]["object"]
            if kind in DISPUTES and said["livemode"] is self.live:
                return self._disputed(session)
            by_card = kind in _TOLD_OF_CARDS and session["metadata"].get("by") == "kept"
            if kind not in _TOLD and not by_card:
                return _nothing(session)
            names = ("metadata", "amount") if by_card else ("client_reference_id", "amount_total")
            order, amount = session[names[0]], session[names[1]]
            order = order["order"] if by_card else order
            currency, live = session["currency"], said["livemode"]
        except (ValueError, KeyError, TypeError) as error:
            raise NoticeForged("The notice cannot be read") from error
        kinds = (type(order), type(amount), type(currency), type(live))
        if kinds != (str, int, str, bool):
            raise NoticeForged("The notice has fields of the wrong kind")
        if live is not self.live:
            raise NoticeForeign("A notice of the other mode, live or test")
        if by_card:
            answer = stripe_cards.read(_Values(session))
            return Notice(order, ours(amount, currency), currency.upper(), answer)
        if kind == "checkout.session.async_payment_failed":
            return Notice(order, ours(amount, currency), currency.upper(), Declined("declined"))
        return Notice(order, ours(amount, currency), currency.upper(), _read(_Values(session)))

    def _disputed(self, thing: dict[str, Any]) -> Notice:
        """A dispute names the payment as the bank has it; Stripe says which session that was."""
        intent, amount, currency = thing["payment_intent"], thing["amount"], thing["currency"]
        kinds = (type(thing["id"]), type(intent), type(amount), type(currency))
        if kinds != (str, str, int, str):
            raise NoticeForged("The notice has fields of the wrong kind")
        claim = Claim(
            thing["id"], DECIDED.get(thing["status"], "open"), ours(amount, currency),
            currency.upper(),
            str(thing.get("reason") or ""),
        )  # fmt: skip
        try:
            found = self._ask(lambda api: Approved(_order_of(api, intent)))
        except GatewayTimeout as error:
            raise Unavailable("Stripe does not answer just now") from error
        return Notice(getattr(found, "reference", ""), 0, "", None, claim)


def _by_kept_card(order: Order) -> bool:
    return bool(order.token) or order.reference.startswith("pi_")


def _found(intent: Any | None) -> Answer:
    """Of a payment that Stripe does not know we cannot say that it will not come."""
    return stripe_cards.read(intent) if intent is not None else Pending("")


def _order_of(api: Any, intent: str) -> str:
    """Our order of a payment as the bank has it: that of its session, or its own."""
    for session in api.checkout.sessions.list({"payment_intent": intent, "limit": 1}).data:
        return str(session.client_reference_id)
    return str(getattr(api.payment_intents.retrieve(intent).metadata, "order", ""))


class _Values:
    """A JSON object read as the SDK's objects are."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        value = self._values.get(name)
        return _Values(value) if isinstance(value, dict) else value


def _read(session: Any) -> Answer:
    """What a Checkout session says of the money."""
    if session.payment_status == "paid":
        currency = str(session.currency).upper()
        return Approved(str(session.id), ours(session.amount_total, currency), currency)
    if session.status == "expired":
        return Declined("expired")
    return Pending(str(session.id), next_url=str(session.url or ""))


def _nothing(thing: Any) -> Notice:
    """A genuine event about something else, bound to an order where it names one."""
    metadata = thing.get("metadata") if isinstance(thing, dict) else None
    order = metadata.get("order") if isinstance(metadata, dict) else None
    return Notice(order if isinstance(order, str) else "", 0, "", None)


def signature(body: bytes, secret: str, at_s: int) -> str:
    """The Stripe-Signature header of a body, as the provider makes it."""
    return f"t={at_s},v1={_mac(str(at_s), body, secret)}"


def _mac(at: str, body: bytes, secret: str) -> str:
    return hmac.digest(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hex()


def verify(
    body: bytes,
    header: str,
    secret: str,
    *,
    now_s: float,
    tolerance_s: int | None = OLDEST_NOTICE_S,
) -> None:
    """Whether a Stripe-Signature is the provider's: t=<seconds>,v1=<hex HMAC of "t.body">, of which
    one must fit (docs.stripe.com/webhooks#verify-manually). Raises NoticeForged."""
    pairs = [part.partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in pairs if name.strip() == "t"]
    given = [value for name, value in pairs if name.strip() == "v1"]
    if not times or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        raise NoticeForged("The signature has no time")
    wanted = _mac(times[0], body, secret)
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given):
        raise NoticeForged("The signature does not fit")
    if tolerance_s is not None and abs(now_s - int(times[0])) > tolerance_s:
        raise NoticeForged("The notice is too old")
