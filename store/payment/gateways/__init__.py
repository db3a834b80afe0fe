"""Gateways: the ways in which money comes from outside, one file for each provider.

A gateway is a small value behind one protocol. It touches no session, table or template; it is
called while no transaction is open (`payment.calls`), and every call has a deadline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from ...errors import Refusal

__all__ = [
    "NAMES",
    "OUTSIDE",
    "REFUND_DAYS",
    "SET_UP",
    "TIMEOUT_S",
    "Answer",
    "Approved",
    "ByForm",
    "Claim",
    "Complaint",
    "Declined",
    "Gateway",
    "GatewayTimeout",
    "Hears",
    "InApp",
    "Keeps",
    "Notice",
    "NoticeForeign",
    "NoticeForged",
    "Order",
    "Pending",
    "Saved",
    "Told",
]

NAMES = ("simulated", "stripe", "alipay", "wechat", "paypal", "unionpay")
"""Every gateway there is, as accounts, sales and addresses name it. A new one needs a migration:
the tables check the names."""

OUTSIDE = (*NAMES, "bank")
"""Where the money of a web order can come from outside: from these, or by bank transfer, which no
provider settles and no till takes."""

REFUND_DAYS = {"alipay": 365, "wechat": 365, "paypal": 180}
"""After so many days a provider takes nothing back any more. Alipay: what the contract says, twelve
months at most (alipay.trade.refund); WeChat Pay: a year (pay.weixin.qq.com, v3 refunds); PayPal:
180 days (Payments v2, refund a captured payment). Others say no limit."""

TIMEOUT_S = 8
"""A provider that has not answered by then is asked again later."""

SET_UP = "set_up"
"""The reason of a provider that does not know our keys: it says nothing about any payment."""


@dataclass(frozen=True)
class Order:
    """A payment as its provider gets it. `id` is our order number, unique for ever; `reference` is
    the provider's own name for it, once it has told us; `wish` is what a tester wants of practice
    money; `address` is the network address of the shopper's phone; `onward_url` is the shop's page
    for a provider to which the browser posts (`ByForm`). `customer` and `token` are a provider's
    names (`Keeps`) for the shopper and for the card of theirs that pays; `keeps`: the shopper wants
    the card kept that they are going to pay with. `payer` is what WeChat calls the shopper whose
    WeChat shows our page."""

    id: str
    amount_minor: int
    currency: str
    way: str = ""
    reference: str = ""
    subject: str = ""
    return_url: str = ""
    notice_url: str = ""
    wish: str = ""
    ends_at: datetime | None = None
    address: str = ""
    onward_url: str = ""
    customer: str = ""
    token: str = field(default="", repr=False)
    keeps: bool = False
    payer: str = field(default="", repr=False)


@dataclass(frozen=True)
class Saved:
    """A card that the provider keeps, as it may be shown. No number of it is ever here: `token` is
    the provider's own name for it, `customer` for whose it is."""

    customer: str
    token: str = field(repr=False)
    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True)
class Approved:
    """The money is ours. `reference` is the provider's name for the payment; what it says was paid
    is compared with what we asked for."""

    reference: str
    amount_minor: int | None = None
    currency: str | None = None
    saved: Saved | None = None


@dataclass(frozen=True)
class Declined:
    reason: str


@dataclass(frozen=True)
class Pending:
    """Not known yet: ask again later. The shopper goes on at `next_url`, or scans `code`; what
    the shopper has agreed to and we must still `capture` says so."""

    reference: str
    next_url: str = ""
    code: str = ""
    to_capture: bool = False


Answer = Approved | Declined | Pending


@dataclass(frozen=True)
class Claim:
    """A dispute over a payment, as the provider tells of it: `state` is open, won or lost, from
    our side; `reference` is its own number for it."""

    reference: str
    state: str
    amount_minor: int
    currency: str
    reason: str = ""


@dataclass(frozen=True)
class Complaint:
    """What a shopper told the provider about a payment, as it stands there now. No money is held
    for it. `state`: open (we are asked), answered (we have said something, or the provider looks
    at it), ended. `amount_minor` is what was paid; `words` and `phone` are the shopper's."""

    reference: str
    payment_id: str
    state: str
    amount_minor: int
    currency: str
    reason: str = ""
    words: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True)
class Told:
    """The complaints that a provider answers with."""

    complaints: tuple[Complaint, ...]


@dataclass(frozen=True)
class Notice:
    """What a provider told us by itself, after its signature was checked. `answer` is None where
    the notice is genuine and says nothing about whether the money came; `claim` is there where it
    tells of a dispute; `complaint` is the number of a complaint to ask about."""

    payment_id: str
    amount_minor: int
    currency: str
    answer: Answer | None
    claim: Claim | None = None
    complaint: str = ""


class GatewayTimeout(Exception):
    """The provider did not answer in time: the money may or may not have moved."""


class NoticeForged(Refusal):
    """The signature does not fit, is too old, or stands over something that cannot be read."""

    code = "notice_forged"
    status = 400
    title = "This notice is not from the provider"


class NoticeForeign(Refusal):
    """A genuine notice for another merchant, amount, currency or payment than ours."""

    code = "notice_foreign"
    status = 409
    title = "This notice does not fit the payment"


class Gateway(Protocol):
    @property
    def name(self) -> str:
        """The provider's name in accounts and tables."""

    @property
    def thanks(self) -> str:
        """What the provider wants to read when its notice was taken."""

    def start(self, order: Order) -> Answer:
        """Ask for the money; the same order number again is the same payment. Raises
        GatewayTimeout."""

    def status(self, order: Order) -> Answer:
        """What became of it. Raises GatewayTimeout."""

    def capture(self, order: Order) -> Answer:
        """Take what the shopper has agreed to. Raises GatewayTimeout."""

    def close(self, order: Order) -> Answer:
        """Let nobody pay it any more: Declined where it is closed, Approved where it was paid a
        moment before, Pending where the provider closes nothing. Raises GatewayTimeout."""

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        """Send so much of it back; the same refund's id again is the same refund. Raises
        GatewayTimeout."""

    def check(self, return_url: str) -> Declined | None:
        """Whether its set-up works: asks the provider for nothing but an answer, and says what is
        wrong. Raises GatewayTimeout."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Check a notice's signature and read it. Raises NoticeForged, NoticeForeign."""


@runtime_checkable
class Keeps(Protocol):
    """A gateway that keeps cards for shoppers: an order with a `token` is paid by that card."""

    def kept(self, order: Order) -> Answer:
        """Approved with the card (`saved`) that paid this order, Declined where none is kept.
        Raises GatewayTimeout."""

    def forget(self, token: str) -> Answer:
        """Keep this card no longer; Declined where it is not kept (any more). Raises
        GatewayTimeout."""


@runtime_checkable
class Hears(Protocol):
    """A gateway at which shoppers complain about a payment, and the shop answers."""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What an answer may say has become of it."""

    def complaint(self, reference: str) -> Told | Declined:
        """How one stands; Declined where there is none. Raises GatewayTimeout."""

    def complaints(self, since: datetime) -> Told | Declined:
        """Those that were made since then, at most thirty days ago. Raises GatewayTimeout."""

    def reply(self, reference: str, words: str, outcome: str) -> Answer:
        """Tell the shopper this, at most 200 characters. Raises GatewayTimeout."""

    def listen(self, notice_url: str) -> Declined | None:
        """Have complaints told of there, where the provider must be told so; Declined where it
        will not. Raises GatewayTimeout."""


@runtime_checkable
class InApp(Protocol):
    """A gateway whose own app, where it shows our page, opens its window over it."""

    def opens(self, code: str) -> dict[str, str]:
        """What our page hands to the app for this payment, signed now. Raises ValueError."""

    def practice_bridge(self, return_url: str) -> str:
        """Where a browser that is not the app plays its part; "" outside practice."""


@runtime_checkable
class ByForm(Protocol):
    """A gateway whose page is reached by a form that the shopper's browser posts."""

    def posts_to(self, said: Mapping[str, str]) -> str:
        """Where the browser takes these fields. Raises NoticeForged where we have not signed
        them."""
