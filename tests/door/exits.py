"""An exit without a network, in Python: what static/js/door does, from the same kit."""

from __future__ import annotations

import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from store import clock, ids
from store.door import away, signing
from tests.door.shop import DoorBrowser, DoorShop

AT_ONCE = 50


def signed_pass(
    shop: DoorShop, sale: str, *, place: int = 0, total: int = 3300, step: int = 0, age: int = 0
) -> str:
    """What the receipt's page shows once it has asked for more."""
    text = shop.pass_of(sale, place=place, step=step)
    return signing.signed(text, signing.Said(place or shop.main, 3, total, age << 3), shop.key)


class Exit:
    """A device at the door. `online` asks the shop; without, it decides by what it took along."""

    def __init__(self, shop: DoorShop, browser: DoorBrowser) -> None:
        self.shop, self.browser = shop, browser
        self.name = ids.secret().encode().hex()[:32]
        self.kit: dict[str, Any] = {}
        self.left: set[str] = set()
        self.checks: list[dict[str, Any]] = []
        self.ahead_ms = 0

    def take_along(self) -> None:
        since = f"?since={self.kit['now']}" if self.kit else ""
        self.kit = self.browser.get(f"/desk/exit/kit{since}").json or {}
        self.left |= {*self.kit["used"], *self.kit["refunded"]}

    def check(self, text: str, *, looks: bool = True) -> str:
        outcome = self._judged(text)
        if outcome == "accepted":
            self.left.add(text[:20])
            if looks and self._chosen(text):
                outcome = "looked"
        self.note(text, outcome)
        return outcome

    def asked_age(self, text: str, answer: str, outcome: str = "accepted") -> None:
        """The question that stands in the pass (`signing`), answered."""
        least = int(text.split(".")[6]) >> 3
        self.note(text, outcome)
        self.checks[-1]["age"] = {"least": least, "answer": answer}

    def note(self, text: str, outcome: str) -> None:
        at = int(clock.now().timestamp() * 1000) + self.ahead_ms
        self.checks.append({"id": ids.secret().encode().hex()[:32], "ticket": self.kit["ticket"],
                            "text": text, "outcome": outcome, "at": at})  # fmt: skip

    def _judged(self, text: str) -> str:
        said, _, signature = text.rpartition(".")
        value = 0
        for letter in signature:
            value = value << 5 | ids.ALPHABET.index(letter)
        numbers = ec.EllipticCurvePublicNumbers(
            int(self.kit["key"]["x"], 16), int(self.kit["key"]["y"], 16), ec.SECP256R1()
        )
        made = encode_dss_signature(value >> 256, value & (1 << 256) - 1)
        try:
            numbers.public_key().verify(made, said.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "pass_invalid"
        sale, _, _, place, *_ = said.split(".")
        if int(place) != self.kit["place"]:
            return "pass_elsewhere"
        return "pass_used" if sale in self.left else "accepted"

    def _chosen(self, text: str) -> bool:
        sale, total = text[:20], int(text.split(".")[5])
        for rules in self.kit["rules"]:
            dice = rules["dice"].get(sale[:5])
            amount = rules["amount_bp"] if total >= rules["amount_minor"] else 0
            for rule, rate in (("amount", amount), ("random", rules["random_bp"])):
                rolled = hmac.digest(bytes.fromhex(dice[rule]), sale.encode(), "sha256")[:8]
                if int.from_bytes(rolled) * 10_000 < rate << 64:
                    return True
            return False
        return False

    def tell(self, checks: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Tell what was checked, as the page does; answers what came of each."""
        waiting, outcomes = self.checks if checks is None else checks, []
        for at in range(0, len(waiting), AT_ONCE):
            now = int(clock.now().timestamp() * 1000) + self.ahead_ms
            told = {"scanner": self.name, "now": now, "checks": waiting[at : at + AT_ONCE]}
            answer = self.browser.post("/desk/exit/away", told=json.dumps(told))
            assert answer.status_code == 200, answer.text
            outcomes += (answer.json or {})["outcomes"]
        return outcomes


assert AT_ONCE <= away.MOST_TOLD
