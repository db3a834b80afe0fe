"""Tables in files: CSV of many kinds and XLSX, read row by row; and written."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

from ..errors import Invalid
from ..spreadsheets import guarded, unguarded
from .encodings import detect_encoding, detect_separator

__all__ = ["MOST_ROWS", "FileRefused", "Row", "Table", "open_table", "write_table"]

MOST_ROWS = 1_000_000
MOST_COLUMNS = 200
MOST_IN_CELL = 20_000
MOST_IN_LINE = MOST_COLUMNS * MOST_IN_CELL * 4
MOST_UNPACKED = 512 * 2**20
MOST_UNPACKED_SHEET = 128 * 2**20


class FileRefused(Invalid):
    """The file as a whole cannot be read; nothing of it was taken. `message` says why."""

    code = "file_refused"
    title = "This file cannot be read"


class Row(NamedTuple):
    """A row by its number in a spreadsheet (the headings are row 1). `fault` is what keeps the
    whole row from being read."""

    number: int
    cells: list[str]
    fault: str = ""


@dataclass(frozen=True)
class Table:
    """An open file: its headings, then its rows, read as they are asked for. `likely_rows` is for
    telling how long it will take; `encoding` and `separator` are those of a CSV."""

    headings: list[str]
    rows: Iterator[Row]
    likely_rows: int
    is_sheet: bool = False
    encoding: str = ""
    separator: str = ""


def open_table(
    path: Path, encoding: str = "", *, is_list: bool = False
) -> AbstractContextManager[Table]:
    """A .csv, .tsv, .txt (also .gz) or .xlsx file. Raises FileRefused, then or while reading.

    In a list, which begins with its headings, a row of a CSV that has more cells than these is
    faulty; in files of banks and providers other lines stand before them.
    """
    name = path.name.lower()
    if name.endswith((".xlsx", ".xlsm")):
        return _open_sheet(path)
    if name.endswith((".xls", ".ods", ".numbers", ".pdf", ".zip")):
        raise FileRefused(f"{path.name}: save it as .xlsx or .csv first")
    return _open_csv(path, encoding, is_list)


# CSV


@contextmanager
def _open_csv(path: Path, encoding: str, is_list: bool) -> Iterator[Table]:
    try:
        found = detect_encoding(_pieces(path), encoding)
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise FileRefused(f"{path.name}: {error}") from error
    if found.name is None:
        raise FileRefused(f"{path.name}: {found.doubt}")
    with _unpacked(path) as raw:
        # Bytes that are not of the encoding survive as marks, and their rows are named.
        errors = "surrogateescape" if found.name == "utf-8-sig" else "strict"
        text = io.TextIOWrapper(raw, found.name, errors, newline="")
        try:
            separator, above = detect_separator(text)
        except UnicodeDecodeError as error:
            raise FileRefused(f"{path.name} is not {error.encoding}: {error.reason}") from error
        csv.field_size_limit(MOST_IN_CELL * 10)
        rows = _csv_rows(csv.reader(text, delimiter=separator), is_list, above)
        first = next(rows, None)
        if first is None:
            raise FileRefused(f"{path.name} is empty")
        encoding = found.name.removesuffix("-sig")
        yield Table(_headings(first), rows, found.lines, encoding=encoding, separator=separator)


def _unpacked(path: Path) -> gzip.GzipFile | io.BufferedReader:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rb")
    return path.open("rb")


def _pieces(path: Path) -> Iterator[bytes]:
    """The file's bytes; a small file that unpacks to a huge one, or to one line that would have to
    be held as a whole, is stopped on the way."""
    total = line = 0
    with _unpacked(path) as raw:
        while piece := raw.read(1 << 20):
            total += len(piece)
            end = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
            line = line + len(piece) if end < 0 else len(piece) - end - 1
            if line > MOST_IN_LINE:
                most = MOST_IN_LINE // 10**6
                raise FileRefused(f"{path.name} has a line of over {most} million characters")
            if total > MOST_UNPACKED:
                raise FileRefused(
                    f"{path.name} holds more than {MOST_UNPACKED // 2**20} MB when unpacked"
                )
            yield piece


def _csv_rows(reader: Any, is_list: bool, number: int) -> Iterator[Row]:
    width = 0
    while True:
        number += 1
        if number > MOST_ROWS:
            raise FileRefused(f"The file has more than {MOST_ROWS} rows")
        try:
            cells = [unguarded(cell) for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(number, [], f"unreadable: {error}")
            continue
        except UnicodeDecodeError as error:
            raise FileRefused(f"Row {number} is not {error.encoding}: {error.reason}") from error
        if any(cells):
            width = width or len(cells)
            # A separator inside a cell without quotes moves all that follows into other columns.
            is_wide = is_list and any(cells[width:])
            wide = "more cells than there are headings" if is_wide else ""
            yield Row(number, cells, _fault(cells) or wide)


# XLSX


@contextmanager
def _open_sheet(path: Path) -> Iterator[Table]:
    _refuse_bombs(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # The reader raises whatever a damaged file makes it stumble over.
        raise FileRefused(f"{path.name} is not a readable .xlsx file: {error}") from error
    try:
        sheet = book.active or book.worksheets[0]
        rows_said = min(sheet.max_row or 0, MOST_ROWS)
        rows = _sheet_rows(sheet, path.name)
        first = next(rows, None)
        if first is None:
            raise FileRefused(f"{path.name} is empty")
        yield Table(_headings(first), rows, rows_said, is_sheet=True)
    finally:
        book.close()


def _refuse_bombs(path: Path) -> None:
    """What a zip file says about its members binds its reader too: more is never unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED_SHEET:
                most = MOST_UNPACKED_SHEET // 2**20
                raise FileRefused(f"{path.name} holds more than {most} MB when unpacked")
            for member in archive.infolist():
                with archive.open(member) as inside:
                    if b"<!ENTITY" in inside.read(4096):
                        raise FileRefused(f"{path.name} declares entities; no spreadsheet does")
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise FileRefused(f"{path.name} is not a readable .xlsx file: {error}") from error


def _sheet_rows(sheet: Any, name: str) -> Iterator[Row]:
    with suppress(AttributeError):
        sheet.reset_dimensions()  # What a file says about its own size may be wrong or hostile.
    rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1)
    number = filled = 0
    while True:
        number += 1
        try:
            values = next(rows)
        except StopIteration:
            return
        except Exception as error:  # As above: the file is damaged further down.
            raise FileRefused(f"{name} is damaged at row {number}: {error}") from error
        if values.count(None) == len(values):
            continue  # A colour in the last row of a sheet has a million of these above it.
        filled += 1
        if filled > MOST_ROWS:
            raise FileRefused(f"{name} has more than {MOST_ROWS} rows")
        cells = [unguarded(_as_text(value)) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if any(cells):
            yield Row(number, cells, _fault(cells))


def _as_text(value: object) -> str:
    """A cell as a person sees it; 12.499999999999998 is how a machine keeps 12.5."""
    if value is None:
        return ""
    if isinstance(value, float):
        return format(value, ".15g") if abs(value) < 1e15 else str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)


# Both


def _fault(cells: list[str]) -> str:
    if len(cells) > MOST_COLUMNS:
        return f"more than {MOST_COLUMNS} columns"
    if any(len(cell) > MOST_IN_CELL for cell in cells):
        return f"a cell has more than {MOST_IN_CELL} characters"
    return ""


def _headings(row: Row) -> list[str]:
    if row.fault:
        raise FileRefused(f"The headings cannot be read: {row.fault}")
    if any("\udc80" <= character <= "\udcff" for cell in row.cells for character in cell):
        raise FileRefused("The headings are not in the encoding of the rest of the file")
    headings = [cell.strip().lstrip("\ufeff") for cell in row.cells]
    while headings and not headings[-1]:
        headings.pop()
    if len(headings) > MOST_COLUMNS:
        raise FileRefused(f"The file has more than {MOST_COLUMNS} columns")
    return headings


def write_table(path: Path, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write .csv (also .csv.gz) or .xlsx, no cell of which is run as a formula; answers the number
    of rows. The file appears under its name when it is whole."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        if path.name.lower().endswith(".xlsx"):
            count = _write_sheet(unfinished, headings, rows)
        else:
            count = _write_csv(unfinished, path.name, headings, rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _write_csv(
    path: Path, name: str, headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> int:
    packed = name.lower().endswith(".gz")
    # The mark at the beginning tells spreadsheets that Chinese names follow.
    with (
        gzip.open(path, "wt", encoding="utf-8-sig", newline="")
        if packed
        else path.open("w", encoding="utf-8-sig", newline="") as file
    ):
        writer = csv.writer(file)
        writer.writerow(headings)
        count = 0
        for row in rows:
            writer.writerow([guarded(cell) for cell in row])
            count += 1
    return count


def _write_sheet(path: Path, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("items")
    sheet.append(list(headings))
    count = 0
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, guarded(text))
            cell.data_type = "s"  # Digits stay text: a GTIN keeps its zeros.
            cells.append(cell)
        sheet.append(cells)
        count += 1
    book.save(path)
    return count
