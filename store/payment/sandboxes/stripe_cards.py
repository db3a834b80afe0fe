"""Stripe's books of shoppers, their cards and payments by them, for practice.

As docs.stripe.com/api has them: a card belongs to one customer and pays for no other; it is
confirmed at once, or its bank asks the shopper on a page (`requires_action`); a decline is an error
of the card (402) that names the payment; what is detached pays never again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ENDS_OF_KEPT", "Cards", "Intent"]

ENDS_OF_KEPT = {
    "pay": ("Pay", "付款"),
    "asks": ("Pay with a card whose bank asks each time", "用每次都要银行验证的卡付款"),
    "refuses": ("Pay with a card that is declined next time", "用下次会被拒绝的卡付款"),
    "decline": ("Decline", "拒绝付款"),
    "cancel": ("Go back without paying", "不付款，返回商店"),
}
"""What the shopper may choose where the card is to be kept."""
DECLINES = {
    "refuses": {"code": "card_declined", "decline_code": "insufficient_funds"},
    "expired": {"code": "expired_card", "decline_code": "expired_card"},
}


@dataclass
class Card:
    """`does` is what it does when it pays: pay, asks, refuses, expired."""

    id: str
    customer: str
    does: str = "pay"
    brand: str = "visa"
    last4: str = "4242"
    exp_month: int = 12
    exp_year: int = 2034

    def shown(self) -> dict[str, Any]:
        card = {"brand": self.brand, "last4": self.last4, "exp_month": self.exp_month,
                "exp_year": self.exp_year}  # fmt: skip
        return {"id": self.id, "object": "payment_method", "type": "card", "card": card,
                "customer": self.customer or None}  # fmt: skip


@dataclass
class Intent:
    id: str
    params: dict[str, str]
    amount: int
    currency: str
    status: str
    error: dict[str, str] | None = None
    refunds: list[dict[str, Any]] = field(default_factory=list)


class Cards:
    def __init__(self) -> None:
        self.customers: set[str] = set()
        self.cards: dict[str, Card] = {}
        self.intents: dict[str, Intent] = {}

    def keep(self, customer: str, does: str) -> Card:
        """The card of a payment on Stripe's page, for a customer or a new one."""
        customer = customer or f"cus_{secrets.token_hex(7)}"
        self.customers.add(customer)
        card = Card(f"pm_{secrets.token_hex(12)}", customer, does)
        if does == "asks":
            card.brand, card.last4 = "mastercard", "3184"
        self.cards[card.id] = card
        return card

    def do(
        self, method: str, path: str, params: dict[str, str], url: str
    ) -> tuple[int, dict[str, Any]] | None:
        """What is answered at this path; None where it is none of these. `url` is where the bank's
        page begins."""
        parts = path.removeprefix("/v1/").split("/")
        if parts[0] == "payment_methods" and parts[2:] == ["detach"] and method == "POST":
            return self._detach(parts[1])
        if parts[0] != "payment_intents":
            return None
        if len(parts) == 1:
            return self._create(params, url) if method == "POST" else self._list(params, url)
        found = self.intents.get(parts[1])
        if found is None:
            return wrong(404, "resource_missing")
        if method == "POST" and parts[2:] == ["cancel"]:
            if found.status in ("succeeded", "canceled"):
                return wrong(400, "payment_intent_unexpected_state")
            found.status = "canceled"
        return 200, self.shown(found, url)

    def _create(self, params: dict[str, str], url: str) -> tuple[int, dict[str, Any]]:
        card, amount = self.cards.get(params.get("payment_method", "")), params.get("amount", "")
        if not amount.isdigit() or int(amount) < 1 or len(params.get("currency", "")) != 3:
            return wrong(400, "parameter_invalid_integer")
        customer = params.get("customer", "")
        if card is None or customer not in self.customers or card.customer != customer:
            return wrong(400, "resource_missing")
        if params.get("confirm") != "true" or not params.get("return_url"):
            return wrong(400, "parameter_missing")
        made = Intent(f"pi_{secrets.token_hex(8)}", params, int(amount), params["currency"],
                      "requires_action" if card.does == "asks" else "succeeded")  # fmt: skip
        self.intents[made.id] = made
        if card.does not in DECLINES:
            return 200, self.shown(made, url)
        made.status, made.error = "requires_payment_method", DECLINES[card.does]
        error = {"type": "card_error", "message": "Your card was declined.", **made.error,
                 "payment_intent": self.shown(made, url)}  # fmt: skip
        return 402, {"error": error}

    def _list(self, params: dict[str, str], url: str) -> tuple[int, dict[str, Any]]:
        theirs = [one for one in self.intents.values()
                  if one.params.get("customer") == params.get("customer")]  # fmt: skip
        found = [self.shown(one, url) for one in reversed(theirs)]
        return 200, {"object": "list", "data": found, "has_more": False}

    def _detach(self, token: str) -> tuple[int, dict[str, Any]]:
        card = self.cards.get(token)
        if card is None:
            return wrong(404, "resource_missing")
        if not card.customer:
            return wrong(400, "payment_method_unexpected_state")
        card.customer = ""
        return 200, card.shown()

    def shown(self, one: Intent, url: str) -> dict[str, Any]:
        asks = {"type": "redirect_to_url", "redirect_to_url": {
            "url": f"{url}/{one.id}", "return_url": one.params["return_url"]}}  # fmt: skip
        return {
            "id": one.id, "object": "payment_intent", "livemode": False, "amount": one.amount,
            "amount_received": one.amount if one.status == "succeeded" else 0,
            "currency": one.currency, "status": one.status,
            "customer": one.params.get("customer"), "last_payment_error": one.error,
            "payment_method": one.params.get("payment_method"),
            "next_action": asks if one.status == "requires_action" else None,
            "metadata": {"order": one.params.get("metadata[order]"),
                         "by": one.params.get("metadata[by]")},
        }  # fmt: skip


def wrong(status: int, code: str) -> tuple[int, dict[str, Any]]:
    return status, {"error": {"type": "invalid_request_error", "code": code, "message": code}}
