"""Calls of gateways: with no transaction open, within a deadline, and not again and again to one
that does not answer.

A provider that hangs would hold one thread of the shop after the other. After a few failures in a
row it is left alone for a while: who wants to pay is told at once to choose another way, and who
asks what became of a payment asks later. Each process learns it by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from ..db import db
from ..errors import Refusal
from .gateways import Answer, Approved, Declined, Gateway, GatewayTimeout, Pending, Told

__all__ = ["BREAKER", "Breaker", "GatewayAway", "call"]

log = logging.getLogger(__name__)

Said = TypeVar("Said", bound=Answer | Told)


class GatewayAway(Refusal):
    """The provider has not answered lately, so nothing was asked of it. `data`: gateway."""

    code = "gateway_away"
    status = 503
    title = "This way of paying does not answer just now"


class Breaker:
    """Opens after `most` failures of a gateway in a row, for `rest_s` seconds; then one call may
    try again, and closes it or opens it anew."""

    def __init__(self, most: int = 5, rest_s: float = 30.0) -> None:
        self.most, self.rest_s = most, rest_s
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[int, float]] = {}

    def lets_through(self, name: str) -> bool:
        with self._lock:
            failures, since = self._failed.get(name, (0, 0.0))
            if failures < self.most:
                return True
            if time.monotonic() - since < self.rest_s:
                return False
            self._failed[name] = (failures, time.monotonic())  # The others wait for this one.
            return True

    def note(self, name: str, *, worked: bool) -> None:
        with self._lock:
            if worked:
                self._failed.pop(name, None)
            else:
                failures, _ = self._failed.get(name, (0, 0.0))
                self._failed[name] = (failures + 1, time.monotonic())

    def rests(self, name: str) -> bool:
        """Whether this process leaves a gateway alone just now."""
        with self._lock:
            failures, since = self._failed.get(name, (0, 0.0))
            return failures >= self.most and time.monotonic() - since < self.rest_s

    def close(self) -> None:
        """Forget every failure."""
        with self._lock:
            self._failed.clear()


BREAKER = Breaker()


def call(gateway: Gateway, ask: Callable[[], Said]) -> Said:
    """Ask a provider. Whatever is not an answer (a timeout, a reset, rubbish) is a GatewayTimeout:
    the money may have moved, and is asked about again. Raises GatewayTimeout, GatewayAway."""
    session = db.session()
    if session.info.get("open"):
        raise RuntimeError("no transaction may be open while a gateway is called")
    session.rollback()  # What was read is dropped, and no connection is held meanwhile.
    if not BREAKER.lets_through(gateway.name):
        raise GatewayAway(gateway=gateway.name)
    try:
        answer = ask()
        if not isinstance(answer, Approved | Declined | Pending | Told):
            raise TypeError("this is no answer")
    except Exception as error:
        BREAKER.note(gateway.name, worked=False)
        # The error's own text may quote what was sent, keys too; its kind tells enough.
        log.warning("gateway %s: %s", gateway.name, type(error).__name__)
        if isinstance(error, GatewayTimeout):
            raise
        raise GatewayTimeout(f"{gateway.name}: {type(error).__name__}") from error
    BREAKER.note(gateway.name, worked=True)
    return answer
