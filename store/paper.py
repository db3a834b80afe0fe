"""Paper: documents of A4 that flow over their pages, with lines, tables and a code: receipts,
statements.

Written page by page by `pdf`, in the fonts of the labels; millimetres from the top left corner.
What the fonts cannot show is told (`missing`), never printed as an empty box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from . import fonts
from .pdf import Document

__all__ = ["Column", "Paper", "Printed"]

WIDTH, HEIGHT = 210.0, 297.0
MARGIN = 20.0
FOOT = HEIGHT - 14.0
BODY = 3.4
"""The type size of a line, in millimetres."""
LEADING = 1.5


class Column(NamedTuple):
    """A column of a table: its heading, its width, and on which side its cells stand."""

    heading: str
    width_mm: float
    right: bool = False


class Printed(NamedTuple):
    pages: int
    missing: tuple[str, ...]
    """Characters that the fonts lack; a 〓 stands in their place."""


class Matrix(Protocol):
    @property
    def size(self) -> int: ...
    @property
    def rows(self) -> Sequence[int]: ...


class Paper:
    """A document that is written from front to back. `foot` stands at the bottom of each page,
    beside the page's number. End with `close`."""

    def __init__(self, output: BinaryIO, foot: str) -> None:
        self._document = Document(output, WIDTH, HEIGHT)
        self._missing: dict[str, None] = {}
        self._foot = self._shown(foot)
        self._pages = 1
        self._columns: Sequence[Column] = ()
        self._y = MARGIN

    def line(self, text: str, size: float = BODY, *, bold: bool = False) -> None:
        """Text from the left, over as many lines as it needs."""
        for part in _lines(self._shown(text), WIDTH - 2 * MARGIN, size, bold):
            self._down(size * LEADING)
            self._document.text(part, MARGIN, self._y, size, bold)

    def pair(self, name: str, value: str, size: float = BODY, *, bold: bool = False) -> None:
        """What something is called on the left, what it is at the right edge."""
        value = self._shown(value)
        room = fonts.width(value, bold) * size
        first = True
        for part in _lines(self._shown(name), WIDTH - 2 * MARGIN - room - 4, size, bold):
            self._down(size * LEADING)
            self._document.text(part, MARGIN, self._y, size, bold)
            if first:
                self._document.text(value, WIDTH - MARGIN - room, self._y, size, bold)
            first = False

    def table(self, *columns: Column) -> None:
        """Begin a table: its head is repeated on every page that it goes over."""
        self._columns = ()
        self._down(3 * BODY * LEADING)
        self._y -= 3 * BODY * LEADING
        self._columns = columns
        self._head()

    def row(self, *cells: str, bold: bool = False) -> None:
        """A row of the table; a cell is broken into lines where it is too long."""
        broken = [
            list(_lines(self._shown(cell), column.width_mm - 2, BODY, bold))
            for cell, column in zip(cells, self._columns, strict=True)
        ]
        for at in range(max(map(len, broken), default=0)):
            self._down(BODY * LEADING)
            self._cells([lines[at] if at < len(lines) else "" for lines in broken], bold)

    def end_table(self) -> None:
        self._columns = ()
        self.rule()

    def rule(self) -> None:
        self._down(1.6)
        self._document.rule(MARGIN, self._y, WIDTH - 2 * MARGIN)
        self.space(0.6)

    def space(self, height_mm: float) -> None:
        self._y += height_mm

    def code(self, matrix: Matrix, side_mm: float, beside: Sequence[str]) -> None:
        """A QR code with lines of text beside it, all on one page."""
        quiet = side_mm / matrix.size * 4
        lines = [
            line
            for text in beside
            for line in _lines(
                self._shown(text), WIDTH - 2 * MARGIN - side_mm - 2 * quiet, BODY, False
            )
        ]
        height = max(side_mm + 2 * quiet, len(lines) * BODY * LEADING)
        self._down(height)
        top = self._y - height
        self._document.mask(matrix.size, matrix.rows, MARGIN, top + quiet, side_mm)
        for at, line in enumerate(lines, start=1):
            y = top + quiet + at * BODY * LEADING - 1
            self._document.text(line, MARGIN + side_mm + quiet + 2, y, BODY)

    def close(self) -> Printed:
        self._end_page()
        self._document.close()
        return Printed(self._pages, tuple(self._missing))

    def named_missing(self) -> str:
        """The characters that could not be printed so far, by their names."""
        return fonts.named(self._missing)

    def _shown(self, text: str) -> str:
        kept, lost = fonts.printable(text)
        self._missing.update(dict.fromkeys(lost))
        return kept

    def _down(self, height_mm: float) -> None:
        """Go down by so much; to the next page where this one has not so much left."""
        if self._y + height_mm > FOOT - 6:
            self._end_page()
            self._pages += 1
            self._y = MARGIN
            if self._columns:
                self._head()
        self._y += height_mm

    def _head(self) -> None:
        self._y += BODY * LEADING
        self._cells([self._shown(column.heading) for column in self._columns], True)
        self.rule()

    def _cells(self, texts: Sequence[str], bold: bool) -> None:
        x = MARGIN
        for text, column in zip(texts, self._columns, strict=True):
            left = column.width_mm - fonts.width(text, bold) * BODY if column.right else 0
            if text:
                self._document.text(text, x + left, self._y, BODY, bold)
            x += column.width_mm

    def _end_page(self) -> None:
        size, number = BODY * 0.85, str(self._pages)
        self._document.text(self._foot, MARGIN, FOOT, size)
        right = WIDTH - MARGIN - fonts.width(number) * size
        self._document.text(number, right, FOOT, size)
        self._document.end_page()


def _lines(text: str, width_mm: float, size: float, bold: bool) -> Iterator[str]:
    """Printable text in lines of at most this width: broken at blanks, else wherever it must be."""
    line = ""
    for piece in _pieces(text):
        if line and fonts.width((line + piece).rstrip(), bold) * size > width_mm:
            yield line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
        while len(line) > 1 and fonts.width(line.rstrip(), bold) * size > width_mm:
            fits = next(
                at
                for at in range(len(line) - 1, 0, -1)
                if at == 1 or fonts.width(line[:at], bold) * size <= width_mm
            )
            yield line[:fits]
            line = line[fits:]
    yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """Words with the blank behind them; characters of Chinese may be parted anywhere."""
    piece = ""
    for character in text:
        if ord(character) > 0x2E7F and not (piece and character in "，。、；：！？）》”’"):
            if piece:
                yield piece
            piece = character
            continue
        if piece and ord(piece[-1]) > 0x2E7F and ord(character) <= 0x2E7F and character != " ":
            yield piece
            piece = ""
        piece += character
        if character == " ":
            yield piece
            piece = ""
    if piece:
        yield piece
