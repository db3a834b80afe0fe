"""Spot checks: which bag is looked at, kept when its pass is first scanned, and what became of it.

The rules decide (`rules`); the steps of a check are in `steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update

from .. import catalogue, identity, sales
from ..db import connection, db, in_transaction, insert_new
from ..sales import counting as sold
from . import rules
from .bags import Piece, compared, paid
from .models import SpotCheck, SpotScan
from .uses import Check

UNDER_WAY = ("open", "asked")
FORGOTTEN = timedelta(hours=2)
"""A check that began so long ago has nobody waiting in it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A check that is under way."""

    sale_id: str
    kind: str
    state: str
    at: datetime
    by: str


def due(receipt: sales.Receipt, asked: Check, secret: bytes) -> SpotCheck | None:
    """Joiner, the sale being held: the check that this sale needs before it may leave, or None.

    What was decided at the first scan stands, whoever scans again; who refused a check comes back
    to the same one.
    """
    session = in_transaction()
    known = session.get(SpotCheck, receipt.id, with_for_update=True, populate_existing=True)
    if known is None:
        version = rules.in_force(receipt.created_at)
        if version is None or not version.rules.hold:
            return None
        _keep(receipt, version, asked, secret)
        known = session.get(SpotCheck, receipt.id)
        assert known is not None
    if known.state == "refused":
        session.execute(
            update(SpotCheck)
            .where(SpotCheck.sale_id == known.sale_id, SpotCheck.state == "refused")
            .values(state="open", ended_at=None, ended_by=None, round=SpotCheck.round + 1)
        )
        session.refresh(known)
    return known if known.state in UNDER_WAY else None


def _keep(receipt: sales.Receipt, version: rules.Version, asked: Check, secret: bytes) -> None:
    """Decide, and write it down. What staff sold is not looked at: they had it in their hands."""
    facts = _facts(receipt, version.rules)
    decision = rules.Decision(None, 0, "none")
    if receipt.sold_by is None:
        decision = rules.decide(version.rules, version.id, facts, receipt.id, secret)
    state = "open" if decision.kind != "none" else "ended"
    keep(receipt, version, decision, asked, newcomer=facts.newcomer, state=state)


def keep(
    receipt: sales.Receipt, version: rules.Version, decision: rules.Decision, asked: Check, *,
    newcomer: bool, state: str,
) -> None:  # fmt: skip
    """Joiner: what was decided about a sale, and how the check stands."""
    pieces = receipt.kept_pieces
    chosen, over = decision.kind != "none", state != "open"
    row = {
        "sale_id": receipt.id, "location_id": asked.location_id, "rules_id": version.id,
        "rule": decision.rule, "rate_bp": decision.rate_bp, "kind": decision.kind,
        "newcomer": newcomer, "pieces": pieces, "sample": decision.sample,
        "whole": decision.kind == "rescan" and decision.sample == pieces,
        "state": state, "outcome": "ok" if chosen and state == "ended" else None,
        "staff_id": asked.staff_id, "at": asked.at,
        "ended_by": asked.staff_id if over else None, "ended_at": asked.at if over else None,
    }  # fmt: skip
    in_transaction().connection().execute(insert_new(SpotCheck), row)


def shrink(sale_id: str, pieces: int) -> None:
    """Joiner: some of the bag stays here and was given back; of the rest no more is asked."""
    in_transaction().execute(
        update(SpotCheck)
        .where(SpotCheck.sale_id == sale_id, SpotCheck.state.in_(UNDER_WAY))
        .values(pieces=pieces, sample=case((SpotCheck.sample > pieces, pieces),
                                           else_=SpotCheck.sample))
    )  # fmt: skip


def is_newcomer(receipt: sales.Receipt) -> bool:
    """Whether this is the first purchase in its shopper's name, or in nobody's."""
    member = receipt.member_id
    return member is None or not sales.earlier(member, receipt.created_at, 1)


def _facts(receipt: sales.Receipt, held: rules.Rules) -> rules.Facts:
    before: list[str] = []
    if receipt.member_id is not None:
        before = sales.earlier(receipt.member_id, receipt.created_at)
    missed, right = _past(before, receipt.created_at - timedelta(days=held.wary_days))
    return rules.Facts(
        receipt.total_minor, receipt.kept_pieces, _risky(receipt, held),
        not before, missed, right,
    )  # fmt: skip


def _past(sale_ids: Sequence[str], since: datetime) -> tuple[bool, int]:
    """Whether something was missing since then, and how many of the newest checks were right."""
    if not sale_ids:
        return False, 0
    query = (
        select(SpotCheck.outcome, SpotCheck.ended_at)
        .where(SpotCheck.sale_id.in_(sale_ids), SpotCheck.outcome.is_not(None))
        .order_by(SpotCheck.ended_at.desc())
    )
    found = connection().execute(query).all()
    right = next((at for at, one in enumerate(found) if one.outcome != "ok"), len(found))
    wrong = [one for one in found if one.outcome in ("missing", "both")]
    return any(one.ended_at >= since for one in wrong), right


def _risky(receipt: sales.Receipt, held: rules.Rules) -> bool:
    if not held.risk_bp or not (held.risk_items or held.risk_categories):
        return False
    item, wanted = catalogue.Item, {line.item_id for line in receipt.lines if line.kept}
    parts = catalogue.parts_of(wanted)
    wanted |= {part.item_id for inside in parts.values() for part in inside}
    if wanted & set(held.risk_items):
        return True
    query = select(item.id).where(item.id.in_(wanted), item.category_id.in_(held.risk_categories))
    return connection().execute(query.limit(1)).first() is not None


# What is known


def found(sale_id: str) -> SpotCheck | None:
    """The check of a sale that was chosen; None for one that was not, or not yet."""
    if not sale_id.isascii() or len(sale_id) > 20:
        return None
    query = select(SpotCheck).where(SpotCheck.sale_id == sale_id, SpotCheck.kind != "none")
    return db.session.scalar(query.execution_options(populate_existing=True))


def scanned(check: SpotCheck) -> dict[int, int]:
    """What was scanned of the bag in this round, by item, what was scanned last first."""
    query = (
        select(SpotScan.item_id, func.sum(SpotScan.quantity))
        .where(SpotScan.sale_id == check.sale_id, SpotScan.round == check.round)
        .group_by(SpotScan.item_id)
        .order_by(func.max(SpotScan.id).desc())
    )
    return {row[0]: int(row[1]) for row in connection().execute(query) if row[1] > 0}


def pieces_of(check: SpotCheck, receipt: sales.Receipt) -> list[Piece]:
    """The bag as it was scanned in this round, beside what was paid."""
    bundles = [line.item_id for line in receipt.lines if line.is_bundle and line.kept]
    contents = catalogue.parts_of(bundles) if bundles else {}
    return compared(paid(receipt), scanned(check), contents)


def goods(pieces: Sequence[Piece]) -> dict[int, Any]:
    """The items of these pieces by id, for lists."""
    item = catalogue.Item
    query = select(item.id, item.code, item.gtin, item.sku, item.names, item.picture)
    rows = connection().execute(query.where(item.id.in_([piece.item_id for piece in pieces])))
    return {row.id: row for row in rows}


def waiting(location_id: int, now: datetime) -> list[Waiting]:
    """The checks that are under way at a location, the first first."""
    query = (
        select(SpotCheck.sale_id, SpotCheck.kind, SpotCheck.state, SpotCheck.at, SpotCheck.staff_id)
        .where(SpotCheck.location_id == location_id, SpotCheck.at > now - FORGOTTEN)
        .where(SpotCheck.state.in_(UNDER_WAY), sold.stands(SpotCheck.sale_id))
        .order_by(SpotCheck.at, SpotCheck.sale_id)
    )
    rows = connection().execute(query).all()
    names = identity.names_of({row[4] for row in rows})
    return [Waiting(*row[:4], names.get(row[4], "")) for row in rows]


__all__ = [
    "FORGOTTEN", "UNDER_WAY", "SpotCheck", "Waiting", "due", "found", "goods", "is_newcomer",
    "keep", "pieces_of", "scanned", "shrink", "waiting",
]  # fmt: skip
