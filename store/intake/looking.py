"""Looking: what would become of a list, before anything of it is taken. It is read as the taking
reads it, held against the shop, and nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace

from ..catalogue import importing
from ..catalogue.drafts import Draft, Rejection
from ..catalogue.importing import Report, Weighed
from ..catalogue.importing_more import More
from ..catalogue.intake_models import Intake
from ..catalogue.tables import Row
from .pieces import defaults_of, reader_of, rows_of

__all__ = ["Fault", "Look", "Shown", "look"]

SHOWN = 6
EXAMPLES = 3
FAULTS = 30
WITHIN_S = 4.0
"""So long somebody waits for the page; what lies behind it is looked at when it is taken."""


@dataclass
class Fault:
    """What is wrong with `count` rows in the same way, with the first of them."""

    count: int = 0
    examples: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    """One of the first rows as it would be: `what` is new, changed, same or refused."""

    number: int
    what: str
    cells: list[str]
    draft: Draft | None = None
    refused: Rejection | None = None


@dataclass
class Look:
    """What would become of the first `looked` rows."""

    looked: int = 0
    report: Report = field(default_factory=Report)
    shown: list[Shown] = field(default_factory=list)
    faults: dict[Hashable, Fault] = field(default_factory=dict)

    @property
    def worst(self) -> list[Fault]:
        """Those that most rows have come first."""
        return sorted(self.faults.values(), key=lambda each: -each.count)[:FAULTS]


def look(
    one: Intake, kind_of: Callable[[str], Hashable], *, within_s: float = WITHIN_S
) -> Look:  # fmt: skip
    """`kind_of` tells reasons apart that differ in more than the words of a row. Raises
    ColumnTwice; FileRefused where no column holds a code."""
    reader, defaults = reader_of(one), defaults_of(one)
    found, seen = Look(), dict[tuple[str, str], int]()
    more: More | None = None
    until_s = time.monotonic() + within_s
    for number in range(one.pieces):
        rows = rows_of(one.id, number)
        drafts, unreadable = importing.read_rows(rows, reader)
        firsts, seconds = importing.without_seconds(drafts, reader, seen)
        weighed, more = importing.look_at(firsts, reader, defaults, more)
        rejections = sorted([*unreadable, *seconds, *weighed.rejections])
        found.looked += len(rows)
        found.report += replace(weighed.report, rejected=len(rejections))
        _count(found, rejections, kind_of)
        if number == 0:
            found.shown = _first(rows, drafts, weighed, rejections)
        if time.monotonic() > until_s:
            break
    return found


def _count(
    found: Look, rejections: Sequence[Rejection], kind_of: Callable[[str], Hashable]
) -> None:
    for rejection in rejections:
        fault = found.faults.setdefault((rejection.columns, kind_of(rejection.reasons)), Fault())
        fault.count += 1
        if len(fault.examples) < EXAMPLES:
            fault.examples.append(rejection)


def _first(
    rows: Sequence[Row], drafts: Sequence[Draft], weighed: Weighed, refused: Sequence[Rejection]
) -> list[Shown]:
    by_row = {draft.number: draft for draft in drafts}
    why = {rejection.number: rejection for rejection in refused}
    new = {draft.number for draft in weighed.new}
    changed = {draft.number for item_id, draft in weighed.old if item_id in weighed.touched}
    shown = []
    for number, cells, _ in rows[:SHOWN]:
        what = (
            "refused" if number in why
            else "new" if number in new
            else "changed" if number in changed else "same"
        )  # fmt: skip
        shown.append(Shown(number, what, cells, by_row.get(number), why.get(number)))
    return shown
