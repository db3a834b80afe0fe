"""How an order can be paid, as its page offers it."""

from __future__ import annotations

from typing import NamedTuple

from ... import payment
from ...payment.card_models import SavedMeans
from ...payment.on_delivery import MEANS
from ..paying.paying_views import cards_for, with_account
from . import at_the_door
from .ordering import Offer, Order

COURIER = "courier"


class Ways(NamedTuple):
    """`names` are what can be chosen; `chosen` is one of them. `why_not` says why the courier is
    none of them, up to `most_minor` the courier may be paid at all."""

    names: list[str]
    chosen: str
    balance_minor: int
    why_not: str
    most_minor: int
    part_minor: int
    cards: dict[str, SavedMeans]
    """Those of the names that are a kept card."""
    """What the account pays where a provider brings the rest."""


def ways(asked: Order, made: Offer | None, pay: str) -> Ways:
    """The ways for this order, and the one to begin with: what was chosen, else the account if it
    holds enough, else the first provider."""
    balance = payment.balance_of(asked.member_id, asked.currency)
    most, why = at_the_door.most_minor(asked.currency), "off"
    total = made.total_minor if made is not None else 0
    if made is not None and most:
        why = at_the_door.why_not(asked.member_id, asked.fulfilment, total, asked.currency)
    part, found = with_account(balance, total, "web") if total else (0, [])
    outside = [gateway.name for gateway in found]
    kept = {f"{card.gateway}:{card.id}": card for card in cards_for(asked.member_id, found)}
    outside = [*kept, *outside]
    names = ["account", *outside, *([] if why else [COURIER])]
    first = outside[0] if outside and balance < total else "account"
    chosen = pay if pay in names else first
    return Ways(names, chosen, balance, why, most, part if chosen in outside else 0, kept)


def means_of(pay: str) -> str:
    """What the books call a way of paying; a kept card is its provider's."""
    return MEANS if pay == COURIER else pay.partition(":")[0] or "account"
