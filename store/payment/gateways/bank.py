"""Bank transfer: the shopper's own bank brings the money, and the shop's statement tells of it.

Nobody can be asked. The payment is awaited under a creditor reference (ISO 11649) that carries our
order number, so that whoever reads it in a statement knows the payment without any table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stdnum import bic, iban
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

from ...money import text
from . import Answer, Declined, Notice, NoticeForged, Order, Pending

__all__ = ["NAME", "Bank", "grouped", "order_id_of", "reference_of", "references_in"]

NAME = "bank"
NUMBER = 20
"""So many characters has an order number; with RF and two check digits the reference has 24, one
less than the standard allows."""
EPC_MOST = 99_999_999_999
"""The largest amount of a SEPA credit transfer, in cents: EPC069-12, 4.1."""


def reference_of(order_id: str) -> str:
    """The creditor reference of an order number: RF, check digits by ISO 7064 MOD 97-10, the
    number."""
    return f"RF{mod_97_10.calc_check_digits(f'{order_id}RF')}{order_id}"


def order_id_of(said: str) -> str | None:
    """The order number in a reference as people type it; None where it is none of ours."""
    found = references_in(said)
    return found[0][4:] if len(found) == 1 else None


def references_in(said: str) -> list[str]:
    """Every reference of our form within a text, each once; spaces, dots and small letters are as
    banks and people write them."""
    plain = re.sub(r"[^0-9A-Z]", "", said.upper())
    found: dict[str, None] = {}
    for start in (each.start() for each in re.finditer(r"(?=RF\d\d)", plain)):
        one = plain[start : start + NUMBER + 4]
        if len(one) == NUMBER + 4 and mod_97_10.is_valid(one[4:] + one[:4]):
            found[one] = None
    return list(found)


def grouped(said: str) -> str:
    """In fours, as it is written by hand."""
    return " ".join(said[at : at + 4] for at in range(0, len(said), 4))


@dataclass(frozen=True)
class Bank:
    """The shop's own account, as a shopper needs it. `account` is an IBAN or any other number."""

    holder: str
    account: str
    bank: str = ""
    bic: str = ""
    currency: str = "EUR"
    name: str = NAME
    thanks: str = ""

    @property
    def is_iban(self) -> bool:
        return bool(iban.is_valid(self.account))

    @property
    def shown_account(self) -> str:
        return grouped(iban.compact(self.account)) if self.is_iban else self.account

    def start(self, order: Order) -> Answer:
        return Pending(reference_of(order.id))

    def status(self, order: Order) -> Answer:
        """Only a statement knows, and it settles by itself."""
        return Pending(order.reference or reference_of(order.id))

    def capture(self, order: Order) -> Answer:
        return self.status(order)

    def close(self, order: Order) -> Answer:
        """Nobody can keep a shopper from sending money; what comes late is late money."""
        return Pending(order.reference)

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        """It waits until somebody has sent it and says so."""
        return Pending(refund_id)

    def check(self, return_url: str) -> Declined | None:
        looks_like = re.match(r"[A-Z]{2}\d\d", iban.compact(self.account))
        try:
            if looks_like or self.currency == "EUR":
                iban.validate(self.account)
            if self.bic:
                bic.validate(self.bic)
        except ValidationError:
            return Declined("bank_account")
        return None

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise NoticeForged("A bank sends no notices")

    def scanned(self, order: Order) -> str:
        """What a banking app scans (EPC069-12, version 002, UTF-8, SEPA credit transfer), where the
        money is the euro and the account has an IBAN; else nothing."""
        if order.currency != "EUR" or not self.is_iban or not 0 < order.amount_minor <= EPC_MOST:
            return ""
        money = f"EUR{text(order.amount_minor, order.currency)}"
        lines = ["BCD", "002", "1", "SCT", bic.compact(self.bic), self.holder[:70],
                 iban.compact(self.account), money, "", order.reference]  # fmt: skip
        return "\n".join(lines)
