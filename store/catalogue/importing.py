"""Importing: many items from a file, checked row by row, taken a thousand at a time.

A row is known again by its codes, so the same file taken twice changes nothing, and an import that
was killed is finished by starting it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from .. import clock, logbook, outbox
from ..db import connection, in_transaction, repeatable, transaction
from . import importing_rows as rows_
from .costs import put_costs
from .drafts import Draft, Reader, Rejection
from .importing_more import More, new_costs
from .tables import Row

__all__ = [
    "Added", "Defaults", "Report", "Taken", "Weighed", "import_items", "look_at", "read_rows",
    "repeatedly", "take_drafts", "without_seconds",
]  # fmt: skip

CHUNK = 1000

T = TypeVar("T")


class Added(NamedTuple):
    """A new item, with what its row says for the stock room."""

    item_id: int
    stock: int | None
    shelf: str


@dataclass(frozen=True)
class Defaults:
    """What counts for a new item whose row does not say it. Costs are taken from who may see them
    (`with_costs`); else what the file says of them is left aside."""

    currency: str
    tax_rate_bp: int
    price_minor: int | None = None
    made_by: int | None = None
    with_costs: bool = True


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
        taken, found = repeatedly(lambda: _take(drafts, reader, defaults, on_added))  # noqa: B023
        by_number = {row.number: row for row in chunk}
        rejections = sorted([*rejections, *found])
        for rejection in rejections:
            on_rejected(by_number[rejection.number], rejection)
        report += replace(taken, rejected=len(rejections))
        on_progress(report)
    return report


def read_rows(rows: Iterable[Row], reader: Reader) -> tuple[list[Draft], list[Rejection]]:
    """The rows as drafts, and those that cannot be read."""
    drafts, rejections = [], []
    for row in rows:
        draft = reader.read(row)
        if isinstance(draft, Rejection):
            rejections.append(draft)
        else:
            drafts.append(draft)
    return drafts, rejections


def without_seconds(
    drafts: Iterable[Draft], reader: Reader, seen: dict[tuple[str, str], int]
) -> tuple[list[Draft], list[Rejection]]:
    """The drafts whose codes no earlier row of the file has. `seen` keeps the row of each code."""
    firsts, rejections = [], []
    for draft in drafts:
        twice = _seen_before(draft, seen)
        if twice:
            rejections.append(reader.reject(draft, *twice))
        else:
            firsts.append(draft)
    return firsts, rejections


def _read(
    chunk: Sequence[Row], reader: Reader, seen: dict[tuple[str, str], int]
) -> tuple[list[Draft], list[Rejection]]:
    drafts, rejections = read_rows(chunk, reader)
    firsts, seconds = without_seconds(drafts, reader, seen)
    return firsts, [*rejections, *seconds]


def _seen_before(draft: Draft, seen: dict[tuple[str, str], int]) -> tuple[str, str] | None:
    """The first row with a code counts, whatever becomes of it: else a second import of the same
    file could take another row than the first one did."""
    fault = None
    for name, code in rows_.codes_of(draft):
        first = seen.setdefault((name, code), draft.number)
        if first != draft.number and fault is None:
            fault = (name, f"duplicate code: row {first} has {code} already")
    return fault


def repeatedly(take: Callable[[], T]) -> T:
    """Somebody else may add an item with one of these codes at the same moment: then these rows
    are looked up again, and found."""
    for pause_s in (0.05, 0.2, 0.8):
        try:
            return take()
        except IntegrityError:
            time.sleep(pause_s)
    return take()


@repeatable
def _take(
    drafts: Sequence[Draft],
    reader: Reader,
    defaults: Defaults,
    on_added: Callable[[Sequence[Added]], None],
) -> tuple[Report, list[Rejection]]:
    with transaction():
        taken = take_drafts(drafts, reader, defaults, on_added)
        return taken.report, taken.rejections


@dataclass
class Weighed:
    """Drafts held against the catalogue: what each of them means. `moved` are items that become
    another seller's, `costs` those that cost another amount."""

    new: list[Draft] = field(default_factory=list)
    old: list[tuple[int, Draft]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    prices: list[dict[str, Any]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    costs: dict[int, int] = field(default_factory=dict)

    @property
    def touched(self) -> set[int]:
        """The items that are there, and of which something is another now."""
        priced = {row["item_id"] for row in self.prices}
        return {row["key"] for row in self.changed} | priced | self.moved | self.costs.keys()

    @property
    def report(self) -> Report:
        stand_ins = sum(not draft.names for draft in self.new)
        touched = len(self.touched)
        unchanged = len(self.old) - touched
        return Report(len(self.new), touched, unchanged, len(self.rejections), stand_ins)


@dataclass(frozen=True)
class Taken:
    """What a chunk became: figures without what was refused, which has a list of its own; the items
    that are new, and those that have changed."""

    report: Report
    rejections: list[Rejection]
    added: list[int]
    changed: list[int]


def weigh(
    conn: Connection, drafts: Sequence[Draft], reader: Reader, defaults: Defaults, more: More,
    categories: rows_.Categories,
) -> Weighed:  # fmt: skip
    """What these drafts mean for what is there. Only reads."""
    known, now = rows_.Known.read(conn, drafts, defaults.currency), clock.now()
    weighed, met = Weighed(), dict[int, int]()
    for draft in drafts:
        item, fault = known.find(draft)
        if item is not None and met.setdefault(item.id, draft.number) != draft.number:
            # Two rows may name one item by different codes of it.
            name, code = next(rows_.codes_of(draft))
            fault = (name, f"duplicate code: row {met[item.id]} has {code} already")
        fault = fault or (None if item else _lacking(draft, defaults))
        fault = fault or more.fault(draft, item)
        if fault:
            weighed.rejections.append(reader.reject(draft, *fault))
        elif item is None:
            weighed.new.append(draft)
        else:
            change, price = rows_.changes(item, draft, categories, more, now, defaults.currency)
            weighed.changed.extend(change)
            weighed.prices.extend(price)
            weighed.old.append((item.id, draft))
    weighed.moved = set(more.moves(weighed.old))
    weighed.costs = new_costs(weighed.old, defaults.currency) if defaults.with_costs else {}
    return weighed


def look_at(
    drafts: Sequence[Draft], reader: Reader, defaults: Defaults, before: More | None
) -> tuple[Weighed, More]:
    """What would become of these drafts; nothing is written. `before` is what the rows before them
    would have brought."""
    conn = connection()
    more = More.read(conn, drafts, defaults.currency, writes=False, before=before)
    categories = rows_.categories_for(conn, drafts, writes=False)
    return weigh(conn, drafts, reader, defaults, more, categories), more


def take_drafts(
    drafts: Sequence[Draft],
    reader: Reader,
    defaults: Defaults,
    on_added: Callable[[Sequence[Added]], None],
) -> Taken:
    """Joiner: the drafts become items, changes and prices."""
    conn, now = in_transaction().connection(), clock.now()
    categories = rows_.categories_for(conn, drafts)
    more = More.read(conn, drafts, defaults.currency)
    weighed = weigh(conn, drafts, reader, defaults, more, categories)
    report, touched = weighed.report, weighed.touched
    rows_.update_items(conn, weighed.changed)
    added = rows_.insert_items(conn, weighed.new, categories, more, defaults.tax_rate_bp, now)
    more.put_parts(conn, added)
    prices = list(weighed.prices)
    for item_id, draft in added:
        amount = defaults.price_minor if draft.price_minor is None else draft.price_minor
        prices.append(rows_.price_row(item_id, amount, defaults.currency, now))
    rows_.insert_prices(conn, [row | {"made_by": defaults.made_by} for row in prices])
    more.put_owners(conn, [*weighed.old, *added])
    paid = weighed.costs | (new_costs(added, defaults.currency) if defaults.with_costs else {})
    put_costs(paid, defaults.currency, "imported", made_by=defaults.made_by)
    rows_.touch_items(conn, weighed.moved, now)
    new = [item_id for item_id, _ in added]
    told = [*new, *(row["key"] for row in weighed.changed)]
    told += sorted(weighed.moved - set(told))
    if told:
        outbox.put("item.changed", str(told[0]), {"items": [str(each) for each in told]})
        said = {"added": len(new), "changed": len(told) - len(new)}
        logbook.note("items.imported", str(told[0]), after=said)
    if added:
        # A bundle has no stock of its own.
        on_added([Added(item_id, 0 if draft.parts else draft.stock, draft.shelf)
                  for item_id, draft in added])  # fmt: skip
    return Taken(replace(report, rejected=0), weighed.rejections, new, sorted(touched))


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
