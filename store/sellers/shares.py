"""Shares: what of each line is the seller's, booked after the sale by the outbox's worker.

A sale pays nothing for it: its own event and those of its refunds are read again and divided, once
(an entry's key is its line, or the refund of it), in one commit with the event's end. A settlement
does the same for what no worker has done yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import insert, select

from .. import catalogue, clock, outbox
from ..catalogue.owners import take_turn
from ..db import connection, repeatable, transaction
from ..payment.shares import Division, divide
from ..prepared import Many, Prepared, one_of
from ..sales.opening import contents_of, shares, unit_shares
from ..sales.sold import CameBack, Sold, came_back, goods_sold
from .contracts import known
from .models import Share
from .rules import Kept, kept, taken_back

__all__ = ["book_refunds", "book_sales", "catch_up"]

SOLD, BACK = "sale.paid", "sale.refunded"
CHUNK = 500

_insert = Prepared(
    lambda dialect: insert(Share),
    (
        "sale_id", "refund_id", "position", "item_id", "seller_id", "contract_id", "weight",
        "quantity", "currency", "total_minor", "commission_minor", "fee_minor", "share_minor",
        "at", "booked_at", "settlement_id",
    ),
)  # fmt: skip
_of_sales = Prepared(
    lambda dialect: select(*Share.__table__.columns).where(one_of(Share.sale_id, "sales", dialect))
)

Row = dict[str, Any]


@outbox.handles(SOLD, BACK)
def on_events(batch: Sequence[outbox.Event]) -> None:
    """Joiner, called by the outbox."""
    _book(batch[0].topic, [event.subject for event in batch])


def catch_up(on_progress: Callable[[int], None] = lambda done: None) -> int:
    """Opener, once for every few hundred events: book what still waits in the outbox, whatever
    keeps it there. Answers how many events were looked at; they stay for the others to do."""
    done = 0
    for topic in (SOLD, BACK):
        query = select(outbox.Outbox.subject).where(outbox.Outbox.topic == topic)
        if topic == SOLD:
            query = query.where(
                ~select(Share.id).where(Share.sale_id == outbox.Outbox.subject).exists()
            )
        waiting = sorted(connection().execute(query).scalars())
        for at in range(0, len(waiting), CHUNK):
            _book_chunk(topic, waiting[at : at + CHUNK])
            done += len(waiting[at : at + CHUNK])
            on_progress(done)
    return done


@repeatable
def _book_chunk(topic: str, subjects: Sequence[str]) -> None:
    with transaction():
        _book(topic, subjects)


def _book(topic: str, subjects: Sequence[str]) -> None:
    if catalogue.has_sellers():
        (book_sales if topic == SOLD else book_refunds)(subjects)


def book_sales(sale_ids: Iterable[str]) -> None:
    """Joiner: divide what these sales brought, those that are not divided yet. Lines of the house
    alone leave no trace."""
    take_turn()
    booked = {row.sale_id for row in _of_sales.all(sales=Many(set(sale_ids)))}
    lines = goods_sold(set(sale_ids) - booked)
    pieces = [(line, _pieces(line)) for line in lines if line.seller_id or line.is_bundle]
    contracts = known({seller for _, found in pieces for *_, seller in found if seller})
    now = clock.now()
    rows: list[Row] = []
    for line, found in pieces:
        if any(seller for *_, seller in found):
            rows += [_sold(line, *piece, contracts, now) for piece in found]
    _write(rows, contracts)


def _pieces(line: Sold) -> list[tuple[int, int, int, int, int | None]]:
    """(item, pieces, weight, total, seller) of a line: one, or one for each part of a bundle."""
    if not line.is_bundle:
        return [(line.item_id, line.quantity, 0, line.total_minor, line.seller_id)]
    contents = contents_of([line.item_id], line.location_id, line.currency, line.at)
    parts = contents.get(line.item_id, [])
    whose = catalogue.owners_of([one.item_id for one in parts], line.at)
    weights = [one.weight for one in parts]
    totals = unit_shares(line.total_minor, line.quantity, 0, line.quantity, weights)
    return [
        (one.item_id, one.each * line.quantity, one.weight, total, whose.get(one.item_id))
        for one, total in zip(parts, totals)
    ]


def _sold(
    line: Sold, item_id: int, quantity: int, weight: int, total_minor: int, seller: int | None,
    contracts: Mapping[int, Sequence[Any]], now: datetime,
) -> Row:  # fmt: skip
    contract = None
    if seller is not None:
        # A seller has a contract from the first moment on, before anything is theirs.
        contract = next(one for one in contracts[seller] if one.starts_at <= line.at)
    parts = kept(total_minor, contract, line.means) if contract else Kept(0, 0)
    return {
        "sale_id": line.sale_id, "refund_id": "", "position": line.position, "item_id": item_id,
        "seller_id": seller, "contract_id": contract and contract.id, "weight": weight,
        "quantity": quantity, "currency": line.currency, "total_minor": total_minor,
        "commission_minor": parts.commission_minor, "fee_minor": parts.fee_minor,
        "share_minor": total_minor - parts.total_minor, "at": line.at, "booked_at": now,
        "settlement_id": None,
    }  # fmt: skip


def book_refunds(refund_ids: Iterable[str]) -> None:
    """Joiner: take back what these refunds gave back, by the rule by which it was divided."""
    back = came_back(refund_ids)
    if not back:
        return
    book_sales({line.sale_id for line in back})
    entries = _of_sales.all(sales=Many({line.sale_id for line in back}))
    sold: dict[tuple[str, int], list[Any]] = {}
    gone: dict[tuple[str, int, int], int] = {}
    booked = set()
    for one in sorted(entries, key=lambda row: row.id):
        if one.refund_id:
            booked.add(one.refund_id)
            key = (one.sale_id, one.position, one.item_id)
            gone[key] = gone.get(key, 0) - one.total_minor
        else:
            sold.setdefault((one.sale_id, one.position), []).append(one)
    lines = [one for one in back if (one.sale_id, one.position) in sold]
    rows: list[Row] = []
    for refund_id, found in groupby(lines, key=lambda line: line.refund_id):
        if refund_id not in booked:
            rows += _refunded(list(found), sold, gone)
    _write(rows, known({row["seller_id"] for row in rows if row["seller_id"]}))


def _refunded(
    lines: Sequence[CameBack], sold: Mapping[tuple[str, int], Sequence[Any]],
    gone: dict[tuple[str, int, int], int],
) -> list[Row]:  # fmt: skip
    """The entries of one refund: one for each entry of the sale that some of goes back."""
    amounts: dict[tuple[str, int, int], tuple[int, int]] = {}
    for line in lines:
        for one, quantity, total in _divided(line, sold[line.sale_id, line.position]):
            key = (one.sale_id, one.position, one.item_id)
            before = amounts.get(key, (0, 0))
            amounts[key] = before[0] + quantity, before[1] + total
    rows, now = [], clock.now()
    for key, (quantity, total) in amounts.items():
        one = next(each for each in sold[key[:2]] if each.item_id == key[2])
        of = Kept(one.commission_minor, one.fee_minor)
        back = taken_back(one.total_minor, of, gone.get(key, 0), total)
        gone[key] = gone.get(key, 0) + total
        rows.append({
            "sale_id": one.sale_id, "refund_id": lines[0].refund_id, "position": one.position,
            "item_id": one.item_id, "seller_id": one.seller_id, "contract_id": one.contract_id,
            "weight": one.weight, "quantity": -quantity, "currency": one.currency,
            "total_minor": -total, "commission_minor": -back.commission_minor,
            "fee_minor": -back.fee_minor, "share_minor": back.total_minor - total,
            "at": lines[0].at, "booked_at": now, "settlement_id": None,
        })  # fmt: skip
    return rows


def _divided(line: CameBack, sold: Sequence[Any]) -> list[tuple[Any, int, int]]:
    """(entry of the sale, pieces, amount) of units that went back: of a line alone all of it, of a
    bundle's part all of it to this part, of whole bundles as much as each part was of them."""
    if line.part_id is not None:
        return [
            (one, line.quantity, line.total_minor) for one in sold if one.item_id == line.part_id
        ]
    if not sold[0].weight:
        return [(sold[0], line.quantity, line.total_minor)]
    weights = [one.weight for one in sold]
    each = sum(one.total_minor for one in sold) // line.sold
    dearer = line.total_minor - each * line.quantity
    low, high = shares(each, weights), shares(each + 1, weights)
    return [
        (one, one.quantity // line.sold * line.quantity,
         (line.quantity - dearer) * least + dearer * most)
        for one, least, most in zip(sold, low, high)
    ]  # fmt: skip


def _write(rows: Sequence[Row], contracts: Mapping[int, Sequence[Any]]) -> None:
    """The entries, and one division in the ledger for each sale and seller."""
    if not rows:
        return
    _insert.run(rows)
    sums: dict[tuple[str, str, int], list[int]] = {}
    for row in rows:
        if row["seller_id"]:
            of = sums.setdefault((row["currency"], row["sale_id"], row["seller_id"]), [0, 0, 0])
            for at, name in enumerate(("share_minor", "commission_minor", "fee_minor")):
                of[at] += row[name]
    for currency in sorted({key[0] for key in sums}):
        divide(
            [
                Division(sale, contracts[seller][0].code, *amounts)
                for (money, sale, seller), amounts in sums.items()
                if money == currency
            ],
            currency, rows[0]["booked_at"],
        )  # fmt: skip
