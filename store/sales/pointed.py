"""Points for what was sold: booked after the sale by the outbox's worker.

A sale pays nothing for it. Its event, those of its refunds and that of a claim lead here; the sale
is read again with all that came back of it, and what is not booked yet is. Who comes twice, or in
another order, books the same: the points that went back are always the whole share of all that came
back so far, less what was booked before. So all refunds together take back exactly what was earned.

An order that is not paid yet, or whose money is held until its shopper has it, waits
(`point_waits`); the sweep looks at it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, or_, select

from .. import catalogue, clock, outbox
from ..db import connection, in_transaction, insert_new, repeatable, transaction
from ..membership import point_rules, points
from ..membership.point_models import PointWait
from ..membership.point_rules import Line, PointRules
from ..payment import escrow
from .models import REFUNDED, Refund, RefundLine, Sale, SaleLine

__all__ = ["book", "sweep"]

SOLD, BACK, CLAIMED = "sale.paid", "sale.refunded", "sale.claimed"
"""Topics: a sale, a refund of one, a sale that was nobody's and is a member's now. The subjects
are the ids of the sale, of the refund, and of the sale."""
BITE = 200


@outbox.handles(SOLD, CLAIMED)
def on_sales(batch: Sequence[outbox.Event]) -> None:
    """Joiner, called by the outbox."""
    book([event.subject for event in batch])


@outbox.handles(BACK)
def on_refunds(batch: Sequence[outbox.Event]) -> None:
    """Joiner, called by the outbox."""
    query = select(Refund.sale_id).where(Refund.id.in_([event.subject for event in batch]))
    book(connection().execute(query).scalars().all())


class Sold(NamedTuple):
    """A sale in a member's name, with its goods; and of each refund, the first refunds first, what
    of which line came back."""

    id: str
    member_id: int
    currency: str
    at: datetime
    lines: list[Line]
    back: dict[str, tuple[datetime, list[Line]]]


def book(sale_ids: Iterable[str]) -> None:
    """Joiner: earn what these sales bring and take back what went back of it, as far as that was
    not done. A shop without points pays one short statement for the question."""
    versions = point_rules.versions()
    if not versions:
        return
    sold = {one.id: one for one in _read(set(sale_ids)).values()}
    points.lock({one.member_id for one in sold.values()})
    booked: dict[str, list[Any]] = {}
    for row in points.entries_of(list(sold)):
        booked.setdefault(row.sale_id, []).append(row)
    rows, by_id = list[points.Row](), {one.id: one for one in versions}
    for sale_id, one in sorted(sold.items()):
        rules = point_rules.in_force(versions, one.at, one.currency)
        rows += _entries(one, booked.get(sale_id, []), rules, by_id)
    points.add(rows)
    now = clock.now()
    for member_id in sorted({
        row["member_id"] for row in rows
        if row["kind"] == "taken_back" and row["expires_at"] and row["expires_at"] <= now
    }):  # fmt: skip
        points.settle_old(member_id)


def _entries(
    sale: Sold, booked: Sequence[Any], rules: PointRules | None, versions: Mapping[int, PointRules]
) -> list[points.Row]:
    """The entries that a sale lacks."""
    earned = next((row for row in booked if row.kind == "earned"), None)
    rows = []
    if earned is not None:
        rules, factors, brought = versions[earned.rule_id], earned.factors, earned.points
        expires_at = earned.expires_at
    elif rules is None:
        return []
    else:
        factors = rules.factors_of(sale.lines)
        brought, expires_at = rules.earned(sale.lines, factors), rules.expires_at(sale.at)
        rows.append(points.entry(
            f"earned:{sale.id}", sale.member_id, "earned", brought, sale.at,
            base_minor=rules.base_of(sale.lines), rule_id=rules.id, factors=factors,
            sale_id=sale.id, expires_at=expires_at,
        ))  # fmt: skip
    done = {row.key for row in booked}
    before = -sum(row.points for row in booked if row.kind == "taken_back")
    came = [line for key, (_, lines) in sale.back.items() if f"back:{key}" in done
            for line in lines]  # fmt: skip
    for refund_id, (at, lines) in sale.back.items():
        if f"back:{refund_id}" in done:
            continue
        came += lines
        share = _share(rules, factors, brought, sale.lines, came)
        rows.append(points.entry(
            f"back:{refund_id}", sale.member_id, "taken_back", before - share, at,
            base_minor=-rules.base_of(lines), sale_id=sale.id, expires_at=expires_at,
        ))  # fmt: skip
        before = share
    return rows


def _share(
    rules: PointRules, factors: Mapping[str, int], brought: int, lines: Sequence[Line],
    came: Sequence[Line],
) -> int:  # fmt: skip
    """Of the points of a sale, what all that came back so far brought, rounded down."""
    whole = rules.weight_of(lines, factors)
    return brought * rules.weight_of(came, factors) // whole if whole > 0 else 0


def _read(sale_ids: Collection[str]) -> dict[str, Sold]:
    """Those of these sales that are somebody's and paid, and whose money is not held; the others
    are noted where they may be so later."""
    columns = (Sale.id, Sale.member_id, Sale.state, Sale.fulfilment, Sale.currency,
               Sale.created_at)  # fmt: skip
    query = select(*columns).where(Sale.id.in_(sale_ids), Sale.member_id.is_not(None))
    found = {row.id: row for row in connection().execute(query)} if sale_ids else {}
    ordered = [row.id for row in found.values() if row.fulfilment != "taken"]
    later = escrow.held_of(ordered).keys() | {
        row.id for row in found.values() if row.state == "due"
    }
    _wait(ordered, later)
    rest = {each for each, row in found.items() if each not in later and row.state != "cancelled"}
    lines = _lines(rest)
    back = _back([each for each in rest if found[each].state in REFUNDED], lines)
    return {
        each: Sold(
            each, found[each].member_id, found[each].currency, found[each].created_at,
            [line for at, line in sorted(lines[each].items()) if line.position == at],
            back.get(each, {}),
        )
        for each in rest
        if each in lines
    }  # fmt: skip


def _wait(ordered: Sequence[str], later: Collection[str]) -> None:
    """Joiner: note the orders that wait, and no more those that do not."""
    session, at = in_transaction(), clock.now()
    if later:
        session.execute(insert_new(PointWait), [{"sale_id": each, "since": at} for each in later])
    if over := [each for each in ordered if each not in later]:
        session.execute(delete(PointWait).where(PointWait.sale_id.in_(over)))


def _lines(sale_ids: Collection[str]) -> dict[str, dict[int, Line]]:
    """The goods of these sales, by position; a part of an opened bundle stands for the line of its
    bundle."""
    columns = (SaleLine.sale_id, SaleLine.position, SaleLine.of_position, SaleLine.kind,
               SaleLine.item_id, SaleLine.total_minor, SaleLine.tax_minor,
               catalogue.Item.category_id)  # fmt: skip
    query = (
        select(*columns)
        .join(catalogue.Item, catalogue.Item.id == SaleLine.item_id)
        .where(SaleLine.sale_id.in_(sale_ids))
        .where(or_(SaleLine.kind == "goods", SaleLine.kind == "part"))
    )
    found: dict[str, dict[int, Line]] = {}
    for row in connection().execute(query) if sale_ids else ():
        stands_for = row.of_position if row.kind == "part" else row.position
        found.setdefault(row.sale_id, {})[row.position] = Line(
            stands_for, row.item_id, row.category_id, row.total_minor, row.tax_minor
        )
    return found


def _back(
    sale_ids: Collection[str], lines: Mapping[str, Mapping[int, Line]]
) -> dict[str, dict[str, tuple[datetime, list[Line]]]]:
    """What came back of the goods of these sales, by sale and refund, the first refunds first."""
    query = (
        select(Refund.sale_id, Refund.id, Refund.created_at, RefundLine.position,
               RefundLine.total_minor, RefundLine.tax_minor)
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .where(Refund.sale_id.in_(sale_ids))
        .order_by(Refund.created_at, Refund.id, RefundLine.position)
    )  # fmt: skip
    found: dict[str, dict[str, tuple[datetime, list[Line]]]] = {}
    for row in connection().execute(query) if sale_ids else ():
        line = lines.get(row.sale_id, {}).get(row.position)
        refunds = found.setdefault(row.sale_id, {})
        _, came = refunds.setdefault(row.id, (row.created_at, []))
        if line is not None:
            came.append(line._replace(total_minor=row.total_minor, tax_minor=row.tax_minor))
    return found


def sweep() -> int:
    """Opener, many times: look again at the orders that wait, some in each commit; answers how many
    are booked now."""
    done, last = 0, ""
    while True:
        query = select(PointWait.sale_id).where(PointWait.sale_id > last)
        waiting = connection().execute(query.order_by(PointWait.sale_id).limit(BITE)).scalars()
        bite = list(waiting)
        if not bite:
            return done
        done += _look_again(bite)
        last = bite[-1]


@repeatable
def _look_again(sale_ids: Sequence[str]) -> int:
    with transaction():
        book(sale_ids)
        query = select(PointWait.sale_id).where(PointWait.sale_id.in_(sale_ids))
        return len(sale_ids) - len(connection().execute(query).all())
