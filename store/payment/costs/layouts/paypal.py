"""PayPal: the Settlement Report, STL-yyyymmdd.….CSV
(developer.paypal.com/docs/reports/sftp-reports/settlement-report), comma or tab separated.

Of its rows CH names the columns and SB tells a transaction; those of the file, the report and the
sections (FH, RH, SH, SF, SC, RF, RC, FF) are passed over. Amounts are whole minor units without a
sign, their direction stands beside them (CR, DR). Our order number is the Invoice ID. T-codes:
T00 payments, T11 refunds and reversals (T1110 and T1111 hold and release what is disputed), T12
chargebacks, T01 fees, T03 and T04 to and from the bank, T15 and T21 holds, which tell nothing of
ours. Conversions of currencies (T02) and the rest are listed for a person.
"""

from __future__ import annotations

import re

from ....errors import Invalid
from ....money import LARGEST_MINOR
from . import Fact, Here, Layout, Row, moment

__all__ = ["LAYOUT"]

_DIGITS = re.compile(r"\d{1,16}\Z", re.ASCII)
_KINDS = {
    "T00": "payment", "T11": "refund", "T12": "dispute", "T01": "fee", "T03": "payout",
    "T04": "payout",
}  # fmt: skip
_HOLDS = ("T15", "T21")


def _read(row: Row, here: Here) -> Fact | None:
    code = row["Transaction Event Code"].upper()
    if code.startswith(_HOLDS):
        return None
    kind = "dispute" if code in ("T1110", "T1111") else _KINDS.get(code[:3], "other")
    currency = row["Gross Transaction Currency"].upper()
    gross = _signed(row, "Gross Transaction Amount", "Transaction Debit or Credit")
    fee = -_signed(row, "Fee Amount", "Fee Debit or Credit")
    if fee and row.get("Fee Currency", currency).upper() != currency:
        raise Invalid("The fee is in another currency", field="Fee Currency")
    if kind == "payment" and gross < 0:
        kind = "other"  # Something that we paid.
    if kind == "fee":
        gross, fee = 0, fee - gross
    id_ = row["Transaction ID"]
    if not id_:
        raise Invalid("There is no Transaction ID", field="Transaction ID")
    if not gross and not fee:
        return None
    at = moment(row["Transaction Completion Date"] or row["Transaction Initiation Date"], here.zone)
    return Fact(
        kind, f"{id_}:{code}", gross, fee, currency,
        order=row.get("Invoice ID") or row.get("Custom Field", ""),
        reference=id_, at=at, paid_on=at.astimezone(here.zone).date(),
    )  # fmt: skip


def _signed(row: Row, field: str, direction: str) -> int:
    text, way = row.get(field, "").strip(), row.get(direction, "").strip().upper()
    if not text or not text.strip("0"):
        return 0
    if not _DIGITS.match(text) or int(text) > LARGEST_MINOR or way not in ("CR", "DR"):
        raise Invalid(f"{field}: {text[:40]!r} {way[:10]!r} is not an amount", field=field)
    return int(text) if way == "CR" else -int(text)


LAYOUT = Layout(
    "paypal", "paypal",
    frozenset({"Transaction ID", "Invoice ID", "Transaction Event Code",
               "Transaction Debit or Credit", "Gross Transaction Amount",
               "Gross Transaction Currency"}), _read, heading_mark="CH", row_mark="SB",
)  # fmt: skip
