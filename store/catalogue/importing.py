"""Importing: many items from a file, checked row by row, taken a thousand at a time.

A row is known again by its codes, so the same file taken twice changes nothing, and an import that
was killed is finished by starting it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy.exc import IntegrityError

from .. import clock, logbook, outbox
from ..db import repeatable, transaction
from . import importing_rows as rows_
from .drafts import Draft, Reader, Rejection
from .importing_more import More
from .tables import Row

__all__ = ["Added", "Defaults", "Report", "import_items"]

CHUNK = 1000


class Added(NamedTuple):
    """A new item, with what its row says for the stock room."""

    item_id: int
    stock: int | None
    shelf: str


@dataclass(frozen=True)
class Defaults:
    """What counts for a new item whose row does not say it."""

    currency: str
    tax_rate_bp: int
    price_minor: int | None = None


@dataclass(frozen=True)
class Report:
    """How many rows became what. `stand_in_names` of the added ones had no name of their own and
    are called by brand and category."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    stand_in_names: int = 0

    def __add__(self, other: Report) -> Report:
        return Report(
            self.added + other.added,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
            self.stand_in_names + other.stand_in_names,
        )


def import_items(
    rows: Iterable[Row],
    reader: Reader,
    defaults: Defaults,
    *,
    on_added: Callable[[Sequence[Added]], None] = lambda added: None,
    on_rejected: Callable[[Row, Rejection], None] = lambda row, rejection: None,
    on_progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Opener, once for every thousand rows. `on_added` is called in their transaction, so that
    items and what belongs to them (stock) are written together or not at all; `on_rejected` and
    `on_progress` after it."""
    report = Report()
    seen: dict[tuple[str, str], int] = {}
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        drafts, rejections = _read(chunk, reader, seen)
        taken, found = _take_repeatedly(drafts, reader, defaults, on_added)
        by_number = {row.number: row for row in chunk}
        rejections = sorted([*rejections, *found])
        for rejection in rejections:
            on_rejected(by_number[rejection.number], rejection)
        report += replace(taken, rejected=len(rejections))
        on_progress(report)
    return report


def _read(
    chunk: Sequence[Row], reader: Reader, seen: dict[tuple[str, str], int]
) -> tuple[list[Draft], list[Rejection]]:
    drafts, rejections = [], []
    for row in chunk:
        draft = reader.read(row)
        if isinstance(draft, Rejection):
            rejections.append(draft)
            continue
        twice = _seen_before(draft, seen)
        if twice:
            rejections.append(reader.reject(draft, *twice))
        else:
            drafts.append(draft)
    return drafts, rejections


def _seen_before(draft: Draft, seen: dict[tuple[str, str], int]) -> tuple[str, str] | None:
    """The first row with a code counts, whatever becomes of it: else a second import of the same
    file could take another row than the first one did."""
    fault = None
    for field, code in rows_.codes_of(draft):
        first = seen.setdefault((field, code), draft.number)
        if first != draft.number and fault is None:
            fault = (field, f"duplicate code: row {first} has {code} already")
    return fault


def _take_repeatedly(
    drafts: Sequence[Draft],
    reader: Reader,
    defaults: Defaults,
    on_added: Callable[[Sequence[Added]], None],
) -> tuple[Report, list[Rejection]]:
    """Somebody else may add an item with one of these codes at the same moment: then these rows
    are looked up again, and found."""
    for pause_s in (0.05, 0.2, 0.8):
        try:
            return _take(drafts, reader, defaults, on_added)
        except IntegrityError:
            time.sleep(pause_s)
    return _take(drafts, reader, defaults, on_added)


@repeatable
def _take(
    drafts: Sequence[Draft],
    reader: Reader,
    defaults: Defaults,
    on_added: Callable[[Sequence[Added]], None],
) -> tuple[Report, list[Rejection]]:
    with transaction() as session:
        conn, now = session.connection(), clock.now()
        known = rows_.Known.read(conn, drafts, defaults.currency)
        categories = rows_.categories_for(conn, drafts)
        more = More.read(conn, drafts, defaults.currency)
        rejections: list[Rejection] = []
        new: list[Draft] = []
        changed: list[dict[str, Any]] = []
        prices: list[dict[str, Any]] = []
        old: list[tuple[int, Draft]] = []
        for draft in drafts:
            item, fault = known.find(draft)
            fault = fault or (None if item else _lacking(draft, defaults))
            fault = fault or more.fault(draft, item)
            if fault:
                rejections.append(reader.reject(draft, *fault))
            elif item is None:
                new.append(draft)
            else:
                change, price = rows_.changes(item, draft, categories, more, now, defaults.currency)
                changed.extend(change)
                prices.extend(price)
                known.touched += bool(change or price)
                old.append((item.id, draft))
        rows_.update_items(conn, changed)
        added = rows_.insert_items(conn, new, categories, more, defaults.tax_rate_bp, now)
        more.put_parts(conn, added)
        for item_id, draft in added:
            amount = defaults.price_minor if draft.price_minor is None else draft.price_minor
            prices.append(rows_.price_row(item_id, amount, defaults.currency, now))
        rows_.insert_prices(conn, prices)
        moved = set(more.put_owners(conn, [*old, *added])) & {item_id for item_id, _ in old}
        rows_.touch_items(conn, moved, now)
        moved_only = moved - {row["key"] for row in changed} - {row["item_id"] for row in prices}
        known.touched += len(moved_only)
        told = [*(str(item_id) for item_id, _ in added), *(str(row["key"]) for row in changed)]
        told += [str(item_id) for item_id in sorted(moved) if str(item_id) not in told]
        if told:
            outbox.put("item.changed", told[0], {"items": told})
            said = {"added": len(added), "changed": len(told) - len(added)}
            logbook.note("items.imported", told[0], after=said)
        if added:
            on_added([Added(item_id, draft.stock, draft.shelf) for item_id, draft in added])
        stand_ins = sum(not draft.names for draft in new)
        unchanged = len(drafts) - len(rejections) - len(new) - known.touched
        return Report(len(new), known.touched, unchanged, 0, stand_ins), rejections


def _lacking(draft: Draft, defaults: Defaults) -> tuple[str, str] | None:
    """What a new item cannot do without."""
    if not draft.names and not draft.stand_in_names:
        return "name", "missing name"
    if draft.price_minor is None and defaults.price_minor is None:
        return "price", "missing price"
    return None


def numbered(rows: Iterable[Sequence[str]]) -> Iterator[Row]:
    """Rows that are not from a file, numbered as if headings stood above them."""
    for number, cells in enumerate(rows, start=2):
        yield Row(number, list(cells))
