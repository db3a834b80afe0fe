"""Cards that Stripe keeps: a card is known here by Stripe's own name for it, and nothing else.

Sources: docs.stripe.com/payments/save-during-payment (Checkout, `setup_future_usage`),
/api/payment_intents/create (`confirm`, while the shopper is here), /api/payment_methods/detach.
"""

from __future__ import annotations

from typing import Any

from . import Answer, Approved, Declined, Order, Pending, Saved
from .stripe_units import ours

__all__ = ["cancel", "find", "forget", "keeping", "kept", "pay", "read", "refundable"]

MOST_LISTED = 100


def keeping(customer: str) -> dict[str, Any]:
    """What a Checkout session says more, where its card is to be kept: for a shopper whom Stripe
    knows, or a new one."""
    return {"customer": customer} if customer else {"customer_creation": "always"}


def pay(api: Any, order: Order, amount: int) -> Answer:
    """The kept card pays at once; where its bank wants to ask the shopper, on the bank's page. The
    same order again is the same payment."""
    params = {
        "amount": amount, "currency": order.currency.lower(), "customer": order.customer,
        "payment_method": order.token, "payment_method_types": ["card"], "confirm": True,
        "return_url": order.return_url, "description": order.subject or order.id,
        "metadata": {"order": order.id, "by": "kept"},
    }  # fmt: skip
    made = api.payment_intents.create(params, {"idempotency_key": f"start-{order.id}"})
    return read(made)


def read(intent: Any) -> Answer:
    """What a payment by a kept card says of the money."""
    if intent.status == "succeeded":
        currency = str(intent.currency).upper()
        return Approved(str(intent.id), ours(int(intent.amount_received), currency), currency)
    if intent.status == "requires_action":
        there = getattr(intent.next_action, "redirect_to_url", None)
        return Pending(str(intent.id), next_url=str(getattr(there, "url", "") or ""))
    if intent.status in ("requires_payment_method", "canceled"):
        error = getattr(intent, "last_payment_error", None)
        return Declined(reason_of(error) or str(intent.status))
    return Pending(str(intent.id))


def reason_of(error: Any) -> str:
    """Why a bank said no: its own word where Stripe passes it on."""
    return str(getattr(error, "decline_code", None) or getattr(error, "code", None) or "")


def find(api: Any, order: Order) -> Any | None:
    """The payment of an order, also where we never heard what it is called: among those of the
    shopper. None where there is none."""
    if order.reference:
        return api.payment_intents.retrieve(order.reference)
    listed = api.payment_intents.list({"customer": order.customer, "limit": MOST_LISTED})
    for one in listed.data:
        if getattr(one.metadata, "order", None) == order.id:
            return one
    return None


def cancel(api: Any, order: Order) -> Answer:
    """Nobody pays it any more; what was paid stays paid, which `find` then tells."""
    found = find(api, order)
    if found is None:
        return Declined("closed")
    said = read(found)
    return said if not isinstance(said, Pending) else read(api.payment_intents.cancel(found.id))


def refundable(api: Any, order: Order) -> str:
    """Stripe's name of the payment that a refund is of."""
    if order.reference.startswith("pi_"):
        return order.reference
    return str(api.checkout.sessions.retrieve(order.reference).payment_intent)


def kept(api: Any, order: Order) -> Answer:
    """The card that paid on Stripe's page, if Stripe keeps it for the shopper: cards only."""
    asked = {"expand": ["payment_intent.payment_method"]}
    session = api.checkout.sessions.retrieve(order.reference, asked)
    method: Any = getattr(session.payment_intent, "payment_method", None)
    customer = str(session.customer or "")
    if not customer or getattr(method, "type", "") != "card" or method.customer != customer:
        return Declined("not_kept")
    card = method.card
    said = Saved(customer, str(method.id), str(card.brand), str(card.last4), int(card.exp_month),
                 int(card.exp_year))  # fmt: skip
    return Approved(str(session.id), saved=said)


def forget(api: Any, token: str) -> Answer:
    return Approved(str(api.payment_methods.detach(token).id))
