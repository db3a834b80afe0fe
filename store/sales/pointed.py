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
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import delete, or_, select

from .. import catalogue, clock, membership, outbox
from ..db import connection, in_transaction, insert_new, repeatable, transaction
from ..membership import point_ages, point_rules, points, tiers
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


class Came(NamedTuple):
    """What came back of a line: goods with what they cost, and which share of its units."""

    line: Line
    units: Fraction


Back = dict[str, tuple[datetime, list[Came]]]
"""When each refund was, and what came back with it; the first refunds first."""


class Sold(NamedTuple):
    """A sale in a member's name, with its goods and what came back of them. It `earns` once it is
    paid and its money is not held any more."""

    id: str
    member_id: int
    currency: str
    at: datetime
    earns: bool
    lines: list[Line]
    back: Back


def book(sale_ids: Iterable[str]) -> None:
    """Joiner: earn what these sales bring, take back what went back of it, and give back what was
    spent on that, as far as it was not done. A shop without points pays one short statement for
    the question."""
    versions = point_rules.versions()
    if not versions:
        return
    sold = _read(set(sale_ids))
    points.lock({one.member_id for one in sold.values()})
    booked: dict[str, list[Any]] = {}
    for row in points.entries_of(list(sold)):
        booked.setdefault(row.sale_id, []).append(row)
    spent = membership.points_on([
        sale for sale, rows in booked.items() if any(row.kind == "spent" for row in rows)
    ])  # fmt: skip
    earlier = tiers.History.read(_news(sold, booked))
    rows = list[points.Row]()
    for one in sorted(sold.values(), key=lambda each: (each.at, each.id)):
        percent = earlier.percent(one.member_id, one.at)
        brought = _earned(one, booked.get(one.id, []), versions, percent)
        for row in brought:
            earlier.note(row)
        rows += brought
        if one.id in spent:
            rows += _given_back(one, booked[one.id], spent[one.id], versions)
    points.add(rows)
    now = clock.now()
    for member_id, expires_at in sorted({
        (row["member_id"], row["expires_at"]) for row in rows
        if row["kind"] == "taken_back" and row["expires_at"] and row["expires_at"] <= now
    }):  # fmt: skip
        point_ages.forgive(member_id, expires_at)


def _news(sold: Mapping[str, Sold], booked: Mapping[str, Sequence[Any]]) -> dict[int, datetime]:
    """Who has bought what is not booked yet, and when the first of it was."""
    news = [one for one in sold.values()
            if not any(row.kind == "earned" for row in booked.get(one.id, ()))]  # fmt: skip
    return {one.member_id: one.at for one in sorted(news, key=lambda each: each.at, reverse=True)}


def _earned(
    sale: Sold, booked: Sequence[Any], versions: Sequence[PointRules], percent: int
) -> list[points.Row]:
    """The entries that a sale lacks of what it brings, by so many percent for the member's tier,
    and of what its refunds take of that."""
    earned = next((row for row in booked if row.kind == "earned"), None)
    rows = []
    if earned is not None:
        rules = next(one for one in versions if one.id == earned.rule_id)
        factors, brought, expires_at = earned.factors, earned.points, earned.expires_at
    else:
        held = point_rules.in_force(versions, sale.at, sale.currency)
        if held is None or not sale.earns:
            return []
        rules, factors = held, held.factors_of(sale.lines, percent)
        brought, expires_at = rules.earned(sale.lines, factors), rules.expires_at(sale.at)
        rows.append(points.entry(
            f"earned:{sale.id}", sale.member_id, "earned", brought, sale.at,
            base_minor=rules.base_of(sale.lines), rule_id=rules.id, factors=factors,
            sale_id=sale.id, expires_at=expires_at,
        ))  # fmt: skip
    before = -sum(row.points for row in booked if row.kind == "taken_back")
    came, new = _in_turn(sale, booked, "back")
    for refund_id, (at, lines) in new.items():
        came += lines
        share = _share(rules, factors, brought, sale.lines, [one.line for one in came])
        rows.append(points.entry(
            f"back:{refund_id}", sale.member_id, "taken_back", before - share, at,
            base_minor=-rules.base_of([one.line for one in lines]), sale_id=sale.id,
            expires_at=expires_at,
        ))  # fmt: skip
        before = share
    return rows


def _given_back(
    sale: Sold, booked: Sequence[Any], spent: Mapping[int, int], versions: Sequence[PointRules]
) -> list[points.Row]:
    """The entries that a sale lacks of what was spent on what came back. They live as long as new
    ones."""
    before = sum(row.points for row in booked if row.kind == "given_back")
    rows = []
    came, new = _in_turn(sale, booked, "given")
    for refund_id, (at, lines) in new.items():
        came += lines
        share = sum(_spent_on(line, many, came) for line in sale.lines
                    if (many := spent.get(line.position, 0)))  # fmt: skip
        if share > before:
            held = point_rules.in_force(versions, at, sale.currency)
            rows.append(points.entry(
                f"given:{refund_id}", sale.member_id, "given_back", share - before, at,
                sale_id=sale.id, expires_at=held.expires_at(at) if held else None,
            ))  # fmt: skip
            before = share
    return rows


def _in_turn(sale: Sold, booked: Sequence[Any], word: str) -> tuple[list[Came], Back]:
    """What came back with the refunds that are booked, and the refunds that are not."""
    done = {row.key for row in booked}
    came = [one for key, (_, lines) in sale.back.items() if f"{word}:{key}" in done
            for one in lines]  # fmt: skip
    return came, {key: of for key, of in sale.back.items() if f"{word}:{key}" not in done}


def _share(
    rules: PointRules, factors: Mapping[str, int], brought: int, lines: Sequence[Line],
    came: Sequence[Line],
) -> int:  # fmt: skip
    """Of the points of a sale, what all that came back so far brought, rounded down."""
    whole = rules.weight_of(lines, factors)
    return brought * rules.weight_of(came, factors) // whole if whole > 0 else 0


def _spent_on(line: Line, many: int, came: Sequence[Came]) -> int:
    """Of the points that were spent on a line, those of all that came back of it so far, rounded
    down: by what that cost, or by its units where points paid for all of it."""
    mine = [one for one in came if one.line.position == line.position]
    if line.total_minor > 0:
        return many * sum(one.line.total_minor for one in mine) // line.total_minor
    return int(many * sum((one.units for one in mine), Fraction(0)))


def _read(sale_ids: Collection[str]) -> dict[str, Sold]:
    """Those of these sales that are somebody's. Those that bring points later are noted."""
    columns = (Sale.id, Sale.member_id, Sale.state, Sale.fulfilment, Sale.currency,
               Sale.created_at)  # fmt: skip
    query = select(*columns).where(Sale.id.in_(sale_ids), Sale.member_id.is_not(None))
    found = {row.id: row for row in connection().execute(query)} if sale_ids else {}
    ordered = [row.id for row in found.values() if row.fulfilment != "taken"]
    later = escrow.held_of(ordered).keys() | {
        row.id for row in found.values() if row.state == "due"
    }
    _wait(ordered, later)
    lines = _lines(found.keys())
    back = _back([each for each, row in found.items() if row.state in REFUNDED], lines)
    return {
        each: Sold(
            each, row.member_id, row.currency, row.created_at,
            each not in later and row.state != "cancelled",
            [one.line for at, one in sorted(lines[each].items()) if one.line.position == at],
            back.get(each, {}),
        )
        for each, row in found.items()
        if each in lines
    }  # fmt: skip


def _wait(ordered: Sequence[str], later: Collection[str]) -> None:
    """Joiner: note the orders that wait, and no more those that do not."""
    session, at = in_transaction(), clock.now()
    if later:
        session.execute(insert_new(PointWait), [{"sale_id": each, "since": at} for each in later])
    if over := [each for each in ordered if each not in later]:
        session.execute(delete(PointWait).where(PointWait.sale_id.in_(over)))


def _lines(sale_ids: Collection[str]) -> dict[str, dict[int, Came]]:
    """The goods of these sales, by position, and which share of the units of a line one piece is.
    The parts of an opened bundle stand for the line of their bundle, all pieces alike."""
    columns = (SaleLine.sale_id, SaleLine.position, SaleLine.of_position, SaleLine.kind,
               SaleLine.item_id, SaleLine.total_minor, SaleLine.tax_minor, SaleLine.quantity,
               SaleLine.quantity_opened, catalogue.Item.category_id)  # fmt: skip
    query = (
        select(*columns)
        .join(catalogue.Item, catalogue.Item.id == SaleLine.item_id)
        .where(SaleLine.sale_id.in_(sale_ids))
        .where(or_(SaleLine.kind == "goods", SaleLine.kind == "part"))
    )
    rows = connection().execute(query).all() if sale_ids else []
    pieces: dict[tuple[str, int | None], int] = {}
    whole = {(row.sale_id, row.position): row for row in rows if row.kind == "goods"}
    for row in rows:
        if row.kind == "part":
            key = (row.sale_id, row.of_position)
            pieces[key] = pieces.get(key, 0) + row.quantity
    found: dict[str, dict[int, Came]] = {}
    for row in rows:
        position = row.of_position if row.kind == "part" else row.position
        one = Fraction(1, row.quantity)
        if row.kind == "part":
            of = whole[row.sale_id, position]
            one = Fraction(of.quantity_opened, of.quantity * pieces[row.sale_id, position])
        line = Line(position, row.item_id, row.category_id, row.total_minor, row.tax_minor)
        found.setdefault(row.sale_id, {})[row.position] = Came(line, one)
    return found


def _back(sale_ids: Collection[str], lines: Mapping[str, Mapping[int, Came]]) -> dict[str, Back]:
    """What came back of the goods of these sales."""
    query = (
        select(Refund.sale_id, Refund.id, Refund.created_at, RefundLine.position,
               RefundLine.quantity, RefundLine.total_minor, RefundLine.tax_minor)
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .where(Refund.sale_id.in_(sale_ids))
        .order_by(Refund.created_at, Refund.id, RefundLine.position)
    )  # fmt: skip
    found: dict[str, Back] = {}
    for row in connection().execute(query) if sale_ids else ():
        _, came = found.setdefault(row.sale_id, {}).setdefault(row.id, (row.created_at, []))
        of = lines.get(row.sale_id, {}).get(row.position)
        if of is not None:
            line = of.line._replace(total_minor=row.total_minor, tax_minor=row.tax_minor)
            came.append(Came(line, of.units * row.quantity))
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
