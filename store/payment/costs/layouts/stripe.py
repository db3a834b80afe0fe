"""Stripe: the itemised reports *Payout reconciliation* and *Balance change from activity*
(docs.stripe.com/reports/report-types), as CSV.

Choose the column `payment_metadata[order]`, which holds our order number, and for refunds
`refund_metadata[refund]`; without them a refund is known by its id, and a payment not at all, for
the report does not name the Checkout session. Amounts are decimal, in the row's own currency; of
the times those in UTC count. Reports in which each row is a sum are not read.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from ....errors import Invalid
from . import Fact, Here, Layout, Row, amount, moment

__all__ = ["LAYOUT"]

_UTC = ZoneInfo("UTC")
# docs.stripe.com/reports/reporting-categories
_KINDS = {
    "charge": "payment", "refund": "refund", "refund_failure": "refund", "dispute": "dispute",
    "dispute_reversal": "dispute", "fee": "fee", "network_cost": "fee", "tax": "fee",
    "payout": "payout", "payout_reversal": "payout",
}  # fmt: skip


def _read(row: Row, here: Here) -> Fact | None:
    currency = row["currency"].upper()
    kind = _KINDS.get(row["reporting_category"], "other")
    gross = amount(row["gross"], currency, "gross")
    fee = amount(row["fee"], currency, "fee")
    if "net" in row and amount(row["net"], currency, "net") != gross - fee:
        raise Invalid("net is not gross less fee", field="net")
    if kind == "fee":  # Stripe's own charge: nothing of a shopper's.
        gross, fee = 0, fee - gross
        if not fee:
            return None
    id_ = row["balance_transaction_id"]
    if not id_:
        raise Invalid("There is no balance_transaction_id", field="balance_transaction_id")
    refund = row.get("refund_metadata[refund]", "") if kind == "refund" else ""
    return Fact(
        kind, id_, gross, fee, currency, order=refund or row.get("payment_metadata[order]", ""),
        reference=row.get("source_id", ""), at=_at(row, "created"), paid_on=_paid_on(row, here),
    )  # fmt: skip


def _at(row: Row, name: str) -> datetime | None:
    said = row.get(f"{name}_utc") or row.get(name) or ""
    return moment(said, _UTC, name).astimezone(UTC) if said else None


def _paid_on(row: Row, here: Here) -> date | None:
    for name in ("automatic_payout_effective_at", "available_on"):
        at = _at(row, name)
        if at is not None:
            return at.astimezone(here.zone).date()
    return None


LAYOUT = Layout(
    "stripe", "stripe",
    frozenset({"balance_transaction_id", "reporting_category", "gross", "fee", "currency"}), _read,
)  # fmt: skip
