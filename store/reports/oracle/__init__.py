"""The audit: what must be true of the whole database, read in one snapshot. Every count must be 0.

It reads the tables by name and trusts no code of the rooms: sums are made anew from the history.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select, text

from ...db import Base, connection, db
from ..audit import differences
from . import (
    acts,
    approvals,
    bank,
    bundles,
    campaigns,
    cards,
    costs,
    couriers,
    deposits,
    doings,
    escrow,
    exit,
    guests,
    ledger,
    marks,
    membership,
    merges,
    payments,
    points,
    refunds,
    rounding,
    sales,
    sellers,
    splits,
    stock,
)

__all__ = ["Finding", "audit", "figures"]


class Finding(NamedTuple):
    name: str
    count: int  # type: ignore[assignment]  # It hides tuple.count, which nobody asks a finding for.
    meaning: str


RULES = (
    *ledger.RULES, *stock.RULES, *sales.RULES, *refunds.RULES,
    *payments.RULES, *doings.RULES, *deposits.RULES, *couriers.RULES,
    *bundles.RULES, *costs.RULES, *sellers.RULES, *escrow.RULES,
    *splits.RULES, *membership.RULES, *approvals.RULES,
    *rounding.RULES, *marks.RULES, *acts.RULES, *points.RULES,
    *guests.RULES, *cards.RULES, *exit.RULES, *bank.RULES,
    *merges.RULES, *campaigns.RULES,
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
