"""Spreadsheets: CSV files that people open in one, and XLSX. Written in pieces, however long they
are, and no cell of somebody else's words runs as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

__all__ = ["XLSX", "guarded", "unguarded", "workbook", "written"]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""The media type of a workbook."""

# Spreadsheets run a cell that begins like this as a formula. A quote before it makes it text; one
# more quote before what has one already, so that taking one away gives back exactly what was.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
PIECE = 32_000


def guarded(cell: str) -> str:
    """Somebody's words as a cell. What we write as a number needs none, though it begins with a
    minus."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def written(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The file in pieces of some 32,000 characters."""
    # The mark at the start tells spreadsheets that this is UTF-8.
    buffer = io.StringIO("\ufeff")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(head)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > PIECE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def workbook(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """The same rows as XLSX: numbers and days are such, and every text is text, whatever it begins
    with. The sheet grows on disk, so memory stays flat."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([_text_cell(sheet, cell) for cell in head])
    for row in rows:
        sheet.append([_text_cell(sheet, cell) if isinstance(cell, str) else cell for cell in row])
    with TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", unguarded(text)))
    cell.data_type = "s"
    return cell
