"""Any other table: a card terminal's acquirer, or whoever writes one row for each payment. Its
columns are known by the headings that people use, or named by the owner (`amount=Gross`).

Without a column for the kind an amount below 0 is a refund. Where `net` is told and no fee, the fee
is what is missing. A row without a reference is known by all of its text and by how many such rows
came before it, so that two equal payments are two, and the file again is the same two.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ....catalogue.tables import FileRefused
from ....errors import Invalid
from ....money import decimals
from . import Fact, Here, Row, amount, moment

__all__ = ["FIELDS", "Plain", "columns_of"]

FIELDS: dict[str, tuple[str, ...]] = {
    "order": ("order", "order id", "order number", "merchant reference", "merchant order",
              "invoice", "商户订单号", "订单号"),
    "reference": ("reference", "transaction id", "rrn", "retrieval reference number", "arn",
                  "transaction reference", "参考号", "交易流水号", "流水号"),
    "amount": ("amount", "gross", "gross amount", "transaction amount", "交易金额", "金额"),
    "fee": ("fee", "fees", "commission", "merchant service charge", "手续费"),
    "net": ("net", "net amount", "settlement amount", "amount settled", "结算金额", "入账金额"),
    "kind": ("kind", "type", "transaction type", "交易类型"),
    "currency": ("currency", "transaction currency", "币种"),
    "at": ("at", "date", "transaction date", "date time", "time", "created", "交易时间",
           "交易日期"),
    "paid_on": ("paid on", "settlement date", "value date", "payout date", "结算日期", "入账日期"),
}  # fmt: skip
_KINDS = {
    "payment": "payment", "sale": "payment", "purchase": "payment", "charge": "payment",
    "capture": "payment", "消费": "payment", "交易": "payment", "收款": "payment",
    "refund": "refund", "return": "refund", "credit": "refund", "退款": "refund",
    "退货": "refund", "chargeback": "dispute", "dispute": "dispute", "拒付": "dispute",
    "fee": "fee", "手续费": "fee", "payout": "payout", "settlement": "payout", "结算": "payout",
}  # fmt: skip


def columns_of(headings: Sequence[str], said: Mapping[str, str]) -> dict[str, int] | None:
    """The place of each field, by what the owner says, else by its heading; None where no column
    tells an amount. Raises FileRefused for a field or a column that is not there."""
    places = {_plain(heading): at for at, heading in reversed([*enumerate(headings)])}
    found: dict[str, int] = {}
    for field, heading in said.items():
        if field not in FIELDS:
            raise FileRefused(f"There is no field {field[:40]!r}. Fields: {', '.join(FIELDS)}")
        if _plain(heading) not in places:
            return None
        found[field] = places[_plain(heading)]
    for field, known in FIELDS.items():
        if field not in found:
            at = next((places[name] for name in known if name in places), None)
            if at is not None and at not in found.values():
                found[field] = at
    return found if "amount" in found and {"order", "reference", "at"} & found.keys() else None


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", " ", heading.casefold()).strip()


class Plain:
    """The reader of one such file: it counts the rows that are equal."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def read(self, row: Row, here: Here) -> Fact | None:
        currency = (row.get("currency") or here.currency).upper()
        decimals(currency)
        gross = amount(row["amount"], currency, "amount")
        kind = self._kind(row, gross)
        if kind in ("refund", "dispute"):
            gross = -abs(gross)
        fee = _fee(row, gross, currency)
        if kind == "fee":
            gross, fee = 0, fee or abs(gross)
        if not gross and not fee:
            return None
        at = moment(row["at"], here.zone) if row.get("at") else None
        paid = moment(row["paid_on"], here.zone, "paid_on") if row.get("paid_on") else at
        reference = row.get("reference", "")
        return Fact(
            kind, f"{kind}:{reference}" if reference else self._key(row), gross, fee, currency,
            order=row.get("order", ""), reference=reference, at=at,
            paid_on=paid.astimezone(here.zone).date() if paid else None,
        )  # fmt: skip

    def _kind(self, row: Row, gross: int) -> str:
        said = row.get("kind", "").casefold().strip()
        if not said:
            return "refund" if gross < 0 else "payment"
        if said not in _KINDS:
            raise Invalid(f"kind: {said[:40]!r} is not known", field="kind")
        return _KINDS[said]

    def _key(self, row: Row) -> str:
        text = "\x1f".join(f"{name}={row[name]}" for name in sorted(row))
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:40]
        self.seen[digest] += 1
        return f"row:{digest}:{self.seen[digest]}"


def _fee(row: Row, gross: int, currency: str) -> int | None:
    if row.get("fee"):
        fee = amount(row["fee"], currency, "fee", least=True)
        return abs(fee) if gross > 0 else fee
    return gross - amount(row["net"], currency, "net") if row.get("net") else None
