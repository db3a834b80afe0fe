"""Files of entries: CSV with the fields of a feed as headings, taken in deliveries of 500 rows.

The same file again does nothing; a file that was cut is taken as far as it goes, except for a last
line that may not be whole: it is listed for a person.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ..catalogue.tables import FileRefused, Row, open_table
from ..db import repeatable, transaction
from .feeds import MOST_ENTRIES, Outcome, take
from .reading import FEEDS, Entry, read

__all__ = ["Taken", "named", "take_file"]

NEEDED = {"id", "item", "at"}


@dataclass
class Taken:
    """How many rows became what, by the states of outcomes."""

    states: Counter[str] = field(default_factory=Counter)

    @property
    def listed(self) -> int:
        return self.states["conflict"] + self.states["refused"]


def take_file(
    path: Path,
    feed: str,
    source: str,
    currency: str,
    language: str,
    on_listed: Callable[[Row, Outcome], None] = lambda row, outcome: None,
) -> Taken:
    """Opener, once for every 500 rows. Raises FileRefused where nothing of it can be read."""
    taken = Taken()
    with open_table(path) as table:
        headings = [heading.strip().lower() for heading in table.headings]
        missing = sorted(NEEDED - set(headings))
        if missing:
            raise FileRefused(f"{path.name} has no column {missing[0]!r}")
        rows = _with_last(table.rows, whole=_ends_with_a_line(path))
        while chunk := list(islice(rows, MOST_ENTRIES)):
            entries = [_entry(row, headings, feed, currency, language, cut) for row, cut in chunk]
            outcomes = _take(source, entries)
            for (row, _), outcome in zip(chunk, outcomes):
                taken.states[outcome.state] += 1
                if outcome.state in ("conflict", "refused"):
                    on_listed(row, outcome)
    return taken


def named(path: Path) -> tuple[str, str] | None:
    """Source and feed of a file in a drop folder, from its name: erp.stock.2027-03-15.csv."""
    parts = path.name.split(".")
    wanted = path.name.lower().endswith((".csv", ".csv.gz")) and len(parts) >= 3
    return (
        (parts[0], parts[1].lower()) if wanted and parts[0] and parts[1].lower() in FEEDS else None
    )


@repeatable
def _take(source: str, entries: list[Entry]) -> list[Outcome]:
    with transaction():
        return take(source, entries, None)


def _entry(
    row: Row, headings: list[str], feed: str, currency: str, language: str, cut: bool
) -> Entry:
    cells = [cell.encode("utf-8", "replace").decode().strip() for cell in row.cells]
    entry = read(feed, dict(zip(headings, cells)), currency, language)
    if row.fault and not entry.code:
        entry.code, entry.reason = "unreadable", row.fault[:300]
    elif len(cells) > len(headings) and not entry.code:
        entry.code, entry.reason = "unreadable", "The row has more cells than the file has headings"
    elif cut:
        entry.doubt = ("row_cut", "The file ends in the middle of this line: it may be cut")
    return entry


def _with_last(rows: Iterator[Row], *, whole: bool) -> Iterator[tuple[Row, bool]]:
    """Each row, and whether it is the last one of a file that does not end with a line's end."""
    waiting = next(rows, None)
    while waiting is not None:
        following = next(rows, None)
        yield waiting, following is None and not whole
        waiting = following


def _ends_with_a_line(path: Path) -> bool:
    if path.suffix.lower() == ".xlsx":
        return True
    last = b""
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
        if path.suffix.lower() != ".gz":
            file.seek(max(path.stat().st_size - 2, 0))
        while piece := file.read(1 << 20):
            last = piece
    return last.rstrip(b"\x00").endswith((b"\n", b"\r"))
