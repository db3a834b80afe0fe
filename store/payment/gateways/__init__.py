"""Gateways: the ways in which money comes from outside, one file for each provider.

A gateway is a small value behind one protocol. It touches no session, table or template; it is
called while no transaction is open, and every call has a deadline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ...errors import Refusal

__all__ = ["Answer", "Approved", "Declined", "Gateway", "GatewayTimeout", "Notice", "Pending"]


@dataclass(frozen=True)
class Approved:
    """The money is ours. `reference` is the provider's name for the payment."""

    reference: str


@dataclass(frozen=True)
class Declined:
    reason: str


@dataclass(frozen=True)
class Pending:
    """Not known yet: ask again later, or send the shopper to `next_url` first."""

    reference: str
    next_url: str = ""


Answer = Approved | Declined | Pending


@dataclass(frozen=True)
class Notice:
    """What a provider told us by itself, after its signature was checked."""

    payment_id: str
    amount_minor: int
    currency: str
    answer: Answer


class GatewayTimeout(Exception):
    """The provider did not answer in time: the money may or may not have moved."""


class NoticeForged(Refusal):
    code = "notice_forged"
    status = 400
    title = "This notice is not from the provider"


class Gateway(Protocol):
    @property
    def name(self) -> str:
        """The provider's name in accounts and tables."""

    def start(self, payment_id: str, amount_minor: int, currency: str, wish: str) -> Answer:
        """Ask for the money. Raises GatewayTimeout."""

    def status(self, payment_id: str, reference: str) -> Answer:
        """What became of it. Raises GatewayTimeout."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Check a notice's signature and read it. Raises NoticeForged."""
