"""The audit: what must be true of the whole database, read in one snapshot. Every count must be 0.

It reads the tables by name and trusts no code of the rooms: sums are made anew from the history.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select, text

from ..db import Base, connection, db
from . import (
    oracle_acts,
    oracle_approvals,
    oracle_bank,
    oracle_bundles,
    oracle_campaigns,
    oracle_cards,
    oracle_costs,
    oracle_couriers,
    oracle_deposits,
    oracle_doings,
    oracle_escrow,
    oracle_exit,
    oracle_guests,
    oracle_ledger,
    oracle_marks,
    oracle_membership,
    oracle_merges,
    oracle_payments,
    oracle_points,
    oracle_refunds,
    oracle_rounding,
    oracle_sales,
    oracle_sellers,
    oracle_splits,
    oracle_stock,
)
from .audit import differences

__all__ = ["Finding", "audit", "figures"]


class Finding(NamedTuple):
    name: str
    count: int  # type: ignore[assignment]  # It hides tuple.count, which nobody asks a finding for.
    meaning: str


RULES = (
    *oracle_ledger.RULES, *oracle_stock.RULES, *oracle_sales.RULES, *oracle_refunds.RULES,
    *oracle_payments.RULES, *oracle_doings.RULES, *oracle_deposits.RULES, *oracle_couriers.RULES,
    *oracle_bundles.RULES, *oracle_costs.RULES, *oracle_sellers.RULES, *oracle_escrow.RULES,
    *oracle_splits.RULES, *oracle_membership.RULES, *oracle_approvals.RULES,
    *oracle_rounding.RULES, *oracle_marks.RULES, *oracle_acts.RULES, *oracle_points.RULES,
    *oracle_guests.RULES, *oracle_cards.RULES, *oracle_exit.RULES, *oracle_bank.RULES,
    *oracle_merges.RULES, *oracle_campaigns.RULES,
)  # fmt: skip
"""Each counts rows that break a rule: a name, what it means, a query. They are written so that both
databases run them, and so that one scan of each table is enough."""


def audit() -> list[Finding]:
    """All rules over the whole database, in one snapshot."""
    db.session.rollback()
    conn = connection()
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    findings = [
        Finding(name, int(conn.execute(text(query)).scalar_one()), meaning)
        for name, meaning, query in RULES
    ]
    findings.append(
        Finding(
            "takings_off",
            sum(differences().values()),
            "rows of takings or flows that are not their sales or movements",
        )
    )
    db.session.rollback()
    return findings


def figures() -> dict[str, int]:
    """How much there is: what an audit has looked at."""
    names = ("members", "items", "sales", "sale_lines", "transfers", "movements", "outbox")
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in Base.metadata.tables.items()
        if name in names
    }
