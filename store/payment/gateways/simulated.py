"""The simulated gateway: practice money that behaves as badly as a real provider, on request.

It keeps no state: what was asked for is written into its reference, so that any process answers
the same. Its notices are signed as a provider signs them. It is switched off unless the setting
SIMULATED_GATEWAY says otherwise.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ... import clock, strict
from . import Answer, Approved, Declined, GatewayTimeout, Notice, NoticeForged, Order, Pending

WISHES = ("approve", "decline", "late", "twice", "time_out", "never")
"""What a tester may ask for: `late` is approved after LATE_S, `twice` sends its notice twice,
`time_out` takes the money and then does not answer, `never` stays pending."""

LATE_S = 8
OLDEST_NOTICE_S = 300
_NOTICE = (
    ("payment", str), ("amount_minor", int), ("currency", str), ("paid", bool), ("reference", str),
)  # fmt: skip
"""A notice's fields, of exactly these kinds: an amount of 12.5 or of true is no amount."""


@dataclass(frozen=True)
class Simulated:
    key: bytes = field(repr=False)
    hang_s: float = 0.5
    name: str = "simulated"
    thanks: str = ""

    def start(self, order: Order) -> Answer:
        wish = order.wish if order.wish in WISHES else "approve"
        if wish == "time_out":
            time.sleep(self.hang_s)
            raise GatewayTimeout("the simulated provider did not answer")
        reference = f"practice-{wish}-{int(clock.timestamp_s())}-{order.id}"
        return _answer(wish, replace(order, reference=reference))

    def status(self, order: Order) -> Answer:
        if not order.reference:
            # Started and never answered: the provider knows the payment by our id and took it.
            return _answer("time_out", replace(order, reference=f"practice-time_out-0-{order.id}"))
        return _answer(order.reference.split("-")[1], order)

    def capture(self, order: Order) -> Answer:
        return self.status(order)

    def close(self, order: Order) -> Answer:
        """It keeps no state, so it cannot close anything."""
        return self.status(order)

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        return Approved(f"practice-refund-{refund_id}", amount_minor, order.currency)

    def check(self, return_url: str) -> Declined | None:
        return None

    def sign(self, body: bytes, at_s: int) -> dict[str, str]:
        """The headers of a notice, as the provider would send them (for tests and the demo)."""
        return {"Practice-Time": str(at_s), "Practice-Signature": self._mac(body, str(at_s))}

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        at = headers.get("Practice-Time", "")
        given = headers.get("Practice-Signature", "").encode()
        if not hmac.compare_digest(self._mac(body, at).encode(), given):
            raise NoticeForged("The signature does not fit")
        if not at.isdigit() or abs(clock.timestamp_s() - int(at)) > OLDEST_NOTICE_S:
            raise NoticeForged("The notice is too old")
        try:
            said = strict.read(body)
            fields = [said[name] for name, _ in _NOTICE]
        except (ValueError, KeyError, TypeError) as error:
            raise NoticeForged("The notice cannot be read") from error
        if [type(field) for field in fields] != [kind for _, kind in _NOTICE]:
            raise NoticeForged("The notice has fields of the wrong kind")
        payment, amount_minor, currency, paid, reference = fields
        answer = Approved(reference) if paid else Declined("declined")
        return Notice(payment, amount_minor, currency, answer)

    def _mac(self, body: bytes, at: str) -> str:
        return hmac.digest(self.key, at.encode() + b"." + body, "sha256").hex()


def _answer(wish: str, order: Order) -> Answer:
    if wish == "decline":
        return Declined("declined by the simulated provider")
    if wish == "never":
        return Pending(order.reference)
    if wish == "late" and clock.timestamp_s() - int(order.reference.split("-")[2]) < LATE_S:
        return Pending(order.reference)
    return Approved(order.reference, order.amount_minor, order.currency)
