"""Reading: a provider's file, whichever layout it has, row by row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ...catalogue import tables
from ...catalogue.tables import FileRefused
from ...errors import Invalid
from .layouts import Fact, Here, Layout, Row, alipay, paypal, plain, stripe, wechat

__all__ = ["LAYOUTS", "MOST_BYTES", "MOST_LINES", "Read", "Reject", "opened", "wanted_columns"]

MOST_BYTES = 10 * 2**20
MOST_LINES = 100_000
LAYOUTS = (
    stripe.LAYOUT, alipay.TRADE, alipay.ACCOUNT, wechat.TRADE, wechat.FLOW, paypal.LAYOUT,
)  # fmt: skip
HEADINGS_BY = 60
"""The headings stand in one of so many first rows."""


@dataclass(frozen=True)
class Reject:
    """A row that could not be read."""

    number: int
    why: str
    row: str


@dataclass(frozen=True)
class Read:
    """An open file: the name of its layout, and what its rows tell, each by its number."""

    layout: str
    rows: Iterator[tuple[int, Fact] | Reject]


def wanted_columns(said: str) -> dict[str, str]:
    """What the owner says of the columns: `order=Merchant ref, amount=Gross`. Raises Invalid."""
    pairs = [part.partition("=") for part in said.split(",") if part.strip()]
    if any(not middle or not field.strip() or not heading.strip()
           for field, middle, heading in pairs):  # fmt: skip
        raise Invalid("Columns are named like amount=Gross, order=Order No", field="columns")
    return {field.strip(): heading.strip() for field, _, heading in pairs}


@contextmanager
def opened(path: Path, means: str, here: Here, columns: Mapping[str, str]) -> Iterator[Read]:
    """A file of one means. Raises FileRefused where its layout is not known, or is that of another
    provider."""
    if path.stat().st_size > MOST_BYTES:
        raise FileRefused(f"The file is larger than {MOST_BYTES // 2**20} MB")
    try:
        with _table(path) as table:
            first = tables.Row(1, table.headings)
            cleaned = chain([first], table.rows)
            rows = ((row.number, row.fault, _clean(row.cells)) for row in cleaned)
            yield _read(rows, means, here, columns)
    except UnicodeDecodeError as error:
        raise FileRefused(f"The file is not text of one encoding: {error.reason}") from error


@contextmanager
def _table(path: Path) -> Iterator[tables.Table]:
    """Few Chinese words among many digits leave the encoding in doubt: then it is GB 18030, in
    which Chinese providers write."""
    try:
        with tables.open_table(path) as table:
            yield table
        return
    except FileRefused as error:
        if "encoding cannot be told" not in error.message:
            raise
    with tables.open_table(path, "gb18030") as table:
        yield table


_Rows = Iterable[tuple[int, str, list[str]]]


def _clean(cells: list[str]) -> list[str]:
    """Without what keeps spreadsheets from touching long numbers: tabs, back ticks."""
    return [
        cell.encode("utf-8", "replace").decode().replace("\x00", " ").strip().lstrip("`").strip()
        for cell in cells
    ]


def _heading(cell: str) -> str:
    return cell.translate(str.maketrans("（）", "()")).lstrip("\ufeff").replace(" (", "(")


def _read(rows: _Rows, means: str, here: Here, columns: Mapping[str, str]) -> Read:
    rows = iter(rows)
    for number, fault, cells in rows:
        headings = [_heading(cell) for cell in cells]
        for layout in () if columns else LAYOUTS:
            marked = not layout.heading_mark or headings[:1] == [layout.heading_mark]
            if marked and layout.needed <= set(headings):
                if layout.means != means:
                    raise FileRefused(f"This is a file of {layout.means}, not of {means}")
                return Read(layout.name, _limited(_facts(rows, layout, headings, here)))
        places = None if fault else plain.columns_of(headings, columns)
        if places is not None and not cells[0].startswith("#"):
            return Read("plain", _limited(_plain_facts(rows, places, here)))
        if number > HEADINGS_BY:
            break
    raise FileRefused(
        "The file has no headings that are known. Name the columns: "
        f"amount=…, order=… ({', '.join(plain.FIELDS)})"
    )


def _facts(
    rows: _Rows, layout: Layout, headings: list[str], here: Here
) -> Iterator[tuple[int, Fact] | Reject]:
    for number, fault, cells in rows:
        first = cells[0] if cells else ""
        if layout.ends and first.startswith(layout.ends):
            return
        if first.startswith("#") or (layout.row_mark and first != layout.row_mark):
            continue
        if [_heading(cell) for cell in cells] == headings:
            continue
        if not fault and len(cells) > len(headings) and any(cells[len(headings) :]):
            fault = "The row has more cells than the file has headings"
        row = dict(zip(headings, [*cells, *[""] * (len(headings) - len(cells))]))
        yield from _one(number, fault, cells, row, layout.read, here)


def _plain_facts(
    rows: _Rows, places: Mapping[str, int], here: Here
) -> Iterator[tuple[int, Fact] | Reject]:
    reader = plain.Plain()
    for number, fault, cells in rows:
        row = {name: cells[at] if at < len(cells) else "" for name, at in places.items()}
        if cells[:1] and cells[0].startswith("#"):
            continue
        yield from _one(number, fault, cells, row, reader.read, here)


def _one(
    number: int, fault: str, cells: list[str], row: Row,
    read: Callable[[Row, Here], Fact | None], here: Here,
) -> Iterator[tuple[int, Fact] | Reject]:  # fmt: skip
    try:
        if fault:
            raise Invalid(fault)
        fact = read(row, here)
        if fact is not None:
            yield number, _fitting(fact)
    except Invalid as refusal:
        yield Reject(number, refusal.message[:200], ", ".join(cells)[:300])


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _fitting(fact: Fact) -> Fact:
    """Raises Invalid for what our tables cannot hold."""
    for name, most in (("key", 160), ("order", 64), ("reference", 128)):
        text = getattr(fact, name)
        if len(text) > most or _CONTROL.search(text):
            raise Invalid(f"{name} is too long, or cannot be kept", field=name)
    return fact


def _limited(
    facts: Iterator[tuple[int, Fact] | Reject],
) -> Iterator[tuple[int, Fact] | Reject]:
    for many, fact in enumerate(facts, start=1):
        if many > MOST_LINES:
            raise FileRefused(f"The file has more than {MOST_LINES} rows; send it in parts")
        yield fact
