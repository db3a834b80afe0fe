"""Slips: work with stock that is scanned together, piece by piece, by one or more of the staff.

While a slip is open, scans are written down and nothing moves. What its end does is the matter of
purchases, deliveries, counts and transit; that it ends once is seen to here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update

from .. import catalogue, clock, ids, logbook
from ..db import connection, db, in_transaction, insert_new
from ..errors import Invalid, NotFound, Refusal
from . import afterwards
from .batch_codes import batch_differs, batch_needed, find_batch, read_code
from .batches import tracked
from .levels import LARGEST, on_hand
from .work_models import Slip, SlipLine, SlipScan

__all__ = [
    "NothingScanned", "Scanned", "Slip", "SlipClosed", "by_item", "cancel", "claim", "find",
    "listed", "numbered", "open_slip", "scan", "scanned", "settle", "shown_lines",
]  # fmt: skip


class SlipClosed(Refusal):
    """It was booked, sent, approved or cancelled meanwhile; nothing more can be scanned for it.
    `data`: slip."""

    code = "slip_closed"
    status = 409
    title = "This is closed already"


class NothingScanned(Invalid):
    code = "nothing_scanned"
    title = "Nothing was scanned yet"


@dataclass
class Scanned:
    """What was scanned of an item, of each batch by itself. `book` is the book's figure when its
    count began; `moved`, that the figure changed before the count of it ended. `last_at` is the
    newest scan."""

    item_id: int
    quantity: int
    book: int | None
    last_at: datetime
    members: set[int]
    moved: bool = False
    batch: str = ""
    expires_on: date | None = None

    @property
    def difference(self) -> int:
        """Counted less the book, at the moment of the count."""
        return self.quantity - (self.book or 0)


def open_slip(
    kind: str,
    location_id: int,
    member_id: int,
    *,
    key: str = "",
    target_id: int | None = None,
    purchase_id: int | None = None,
    title: str = "",
    note: str = "",
    expected_on: date | None = None,
) -> int:
    """Joiner: a new slip; with a key that is known, the slip of then. Answers its id."""
    session = in_transaction()
    key = key or ids.new()
    session.connection().execute(
        insert_new(Slip),
        [{"kind": kind, "location_id": location_id, "target_id": target_id, "key": key,
          "purchase_id": purchase_id, "title": title[:120], "note": note[:200],
          "expected_on": expected_on, "opened_at": clock.now(), "opened_by": member_id}],
    )  # fmt: skip
    return session.scalars(select(Slip.id).where(Slip.key == key)).one()


def find(slip_id: int, kind: str) -> Slip:
    """Raises NotFound."""
    found = db.session.get(Slip, slip_id)
    if found is None or found.kind != kind:
        raise NotFound("There is no such slip", what="slip")
    return found


def numbered(text: str) -> Slip | None:
    """The slip of a number as people write it, `#12`; None for anything else."""
    number = text.strip().removeprefix("#")
    if number == text.strip() or not number.isascii() or not number.isdigit() or len(number) > 15:
        return None
    return db.session.get(Slip, int(number))


def scan(
    slip_id: int,
    item_id: int,
    quantity: int,
    member_id: int,
    *,
    key: str,
    anew: bool = False,
    batch: str = "",
    expires_on: date | None = None,
) -> Slip:
    """Joiner: so many more of an item; with `anew`, so many in all, or in all of the batch. The
    same key and item again changes nothing. What is no longer sold neither is ordered nor comes in.
    Raises NotFound, Invalid, SlipClosed, ItemRetired, BatchNeeded, BatchDiffers, CountOvertaken."""
    if not 0 <= quantity <= LARGEST:
        raise Invalid(f"A quantity is 0 to {LARGEST}", field="quantity")
    session = in_transaction()
    # The slip is locked, so that nothing is scanned for it while it is being ended.
    slip = session.get(Slip, slip_id, with_for_update=True, populate_existing=True)
    if slip is None:
        raise NotFound("There is no such slip", what="slip")
    if slip.ended_at is not None or (slip.kind == "purchase" and slip.sent_at is not None):
        raise SlipClosed(slip=slip_id)
    if slip.kind in ("purchase", "delivery") and quantity:
        catalogue.refuse_retired(item_id)
    if catalogue.parts_of([item_id]):
        raise Invalid("A bundle has no stock of its own: its parts have", field="code")
    batch, expires_on = _of_batch(slip, item_id, batch, expires_on, needed=quantity > 0)
    done_at = logbook.done_at()
    book = _book(item_id, slip.location_id, done_at) if slip.kind == "count" else None
    session.connection().execute(
        insert_new(SlipScan),
        [{"slip_id": slip_id, "key": key, "stage": _stage(slip), "item_id": item_id,
          "quantity": quantity, "anew": anew, "book": book, "at": done_at or clock.now(),
          "member_id": member_id, "batch": batch, "expires_on": expires_on}],
    )  # fmt: skip
    return slip


def _book(item_id: int, location_id: int, at: datetime | None) -> int:
    """What the book says at the moment of a scan. Raises CountOvertaken."""
    return afterwards.book_at(item_id, location_id, at) if at else on_hand(item_id, location_id)


def _of_batch(
    slip: Slip, item_id: int, batch: str, expires_on: date | None, *, needed: bool
) -> tuple[str, date | None]:
    """The batch that counts: goods that come in have one; where goods are moved it is said where
    the pack says it; orders and counts know none."""
    if slip.kind not in ("delivery", "transfer") or not tracked([item_id]):
        return "", None
    if not batch:
        if slip.kind == "delivery" and needed:
            raise batch_needed(item_id)
        return "", None
    batch = read_code(batch)
    known = find_batch(item_id, batch)
    if known and known.expires_on and expires_on and known.expires_on != expires_on:
        raise batch_differs(batch, known.expires_on)
    return batch, expires_on


def _stage(slip: Slip) -> str:
    """A transfer is scanned twice: when it leaves, and where it arrives."""
    return "in" if slip.kind == "transfer" and slip.sent_at is not None else "out"


def scanned(slip_id: int, stage: str = "out") -> list[Scanned]:
    """What counts of all scans, by item and batch, what was scanned last first. Of a batch's last
    day the newest word counts."""
    query = (
        select(
            SlipScan.item_id, SlipScan.quantity, SlipScan.anew, SlipScan.book, SlipScan.at,
            SlipScan.member_id, SlipScan.batch, SlipScan.expires_on,
        )
        .where(SlipScan.slip_id == slip_id, SlipScan.stage == stage)
        .order_by(SlipScan.id)
    )  # fmt: skip
    found: dict[tuple[int, str], Scanned] = {}
    for row in connection().execute(query):
        item_id, quantity, anew, book, at, member_id, batch, expires_on = row
        known = found.pop((item_id, batch), None)
        expires_on = expires_on or (known.expires_on if known else None)
        if known is None or anew:
            known = Scanned(item_id, quantity, book, at, {member_id}, batch=batch)
        else:
            known.quantity += quantity
            known.moved = known.moved or known.book != book
            known.last_at = at
            known.members.add(member_id)
        known.expires_on = expires_on
        found[item_id, batch] = known
    return list(found.values())[::-1]


def by_item(lines: Iterable[Scanned]) -> dict[int, int]:
    """How many pieces of each item, of all batches together; without those of none."""
    sums: dict[int, int] = {}
    for one in lines:
        if one.quantity:
            sums[one.item_id] = sums.get(one.item_id, 0) + one.quantity
    return sums


def claim(slip_id: int, kind: str, member_id: int, *, send: bool = False) -> Slip:
    """Joiner: this call, and no other, ends the slip (or sends it on its way). Raises NotFound,
    SlipClosed."""
    session = in_transaction()
    at, open_ = clock.now(), Slip.sent_at if send else Slip.ended_at
    values: dict[Any, Any] = (
        {Slip.sent_at: at, Slip.sent_by: member_id}
        if send
        else {Slip.ended_at: at, Slip.ended_by: member_id, Slip.how: "done"}
    )
    mine = (Slip.id == slip_id, Slip.kind == kind)
    won = session.connection().execute(
        update(Slip).where(*mine, open_.is_(None), Slip.ended_at.is_(None)).values(values)
    )
    slip = session.scalars(
        select(Slip).where(*mine).execution_options(populate_existing=True)
    ).one_or_none()
    if slip is None:
        raise NotFound("There is no such slip", what="slip")
    if not won.rowcount:
        raise SlipClosed(slip=slip_id)
    return slip


def cancel(slip_id: int, member_id: int) -> Slip:
    """Joiner: it comes to nothing. A transfer that has left must arrive. Raises NotFound,
    SlipClosed."""
    slip = in_transaction().get(Slip, slip_id, with_for_update=True, populate_existing=True)
    if slip is None:
        raise NotFound("There is no such slip", what="slip")
    if slip.ended_at is not None or (slip.kind == "transfer" and slip.sent_at is not None):
        raise SlipClosed(slip=slip_id)
    slip.ended_at, slip.ended_by, slip.how = clock.now(), member_id, "cancelled"
    return slip


def settle(slip_id: int, lines: Sequence[tuple[int, int, int]]) -> None:
    """Joiner: write down what it came to: (item, expected, done) each."""
    rows = [
        {"slip_id": slip_id, "item_id": item, "expected": expected, "done": done}
        for item, expected, done in lines
    ]
    if rows:
        in_transaction().connection().execute(insert(SlipLine), rows)


def shown_lines(slip_id: int) -> list[tuple[int, int, int]]:
    """What it came to: (item, expected, done), in order of item."""
    query = (
        select(SlipLine.item_id, SlipLine.expected, SlipLine.done)
        .where(SlipLine.slip_id == slip_id)
        .order_by(SlipLine.item_id)
    )
    return [(row[0], row[1], row[2]) for row in connection().execute(query)]


def listed(which: ColumnElement[bool], *, ended: bool, limit: int = 40) -> list[Slip]:
    """Slips of this kind or place, open or ended, the newest first."""
    over = Slip.ended_at.is_not(None) if ended else Slip.ended_at.is_(None)
    query = select(Slip).where(which, over).order_by(Slip.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def goods(item_ids: Sequence[int]) -> dict[int, Any]:
    """Items by id, for lists."""
    if not item_ids:
        return {}
    item = catalogue.Item
    query = select(
        item.id, item.code, item.gtin, item.sku, item.names, item.picture, item.tracks_batches
    ).where(item.id.in_(item_ids))
    return {row.id: row for row in connection().execute(query)}
