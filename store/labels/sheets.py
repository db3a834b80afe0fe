"""Label sheets and rolls: the formats that shops buy, and where on the page each label lies. A
label of a roll is a page of its own.

Sizes are in millimetres from the top left corner. They are those of the makers' own templates,
rounded to a hundredth; a printer moves the paper by more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from store.errors import Invalid, NotFound

from .media import TABLE as MEDIA

__all__ = ["DPI", "SHEETS", "Cell", "Sheet", "cells", "dots", "sheet"]

DPI = (203, 300)
"""Dots an inch of the printers that print rolls; the first is the most common."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One format: `columns` by `rows` labels of one size, `pitch` from edge to the next edge."""

    name: str
    aka: tuple[str, ...]
    page_width_mm: float
    page_height_mm: float
    columns: int
    rows: int
    label_width_mm: float
    label_height_mm: float
    left_mm: float
    top_mm: float
    pitch_x_mm: float
    pitch_y_mm: float
    sure: bool = True
    """False where sources differ by a millimetre: print one page on plain paper first."""
    kind: str = "sheet"
    """sheet, roll, tag or talker."""
    hole_mm: float = 0.0
    """So much at the top of each label stays empty: a hole for the string."""

    @property
    def is_roll(self) -> bool:
        """Whether a label printer prints it, one label after the other."""
        return self.kind in {"roll", "tag"}

    @property
    def per_page(self) -> int:
        return self.columns * self.rows


class Cell(NamedTuple):
    """Where one label goes: the page from 0, and its top left corner."""

    page: int
    x_mm: float
    y_mm: float


def sheet(name: str) -> Sheet:
    """The format of this name in whatever case, with or without its maker, or of an equal number;
    a roll of any size is called by it, like 47x28 (millimetres, across first).

    Raises UnknownSheet, with the list of those that are known.
    """
    words = name.upper().replace("×", "X").split()
    found = (_BY_NAME.get(words[-1]) or _roll_of_size(words[-1])) if words else None
    if found is None:
        raise UnknownSheet(
            f"No label sheet is called {name[:40]!r}; known are {', '.join(SHEETS)}",
            known=list(SHEETS),
        )
    return found


_SIZE = re.compile(r"(\d{2,3}(?:\.\d)?)X(\d{2,3}(?:\.\d)?)\Z", re.ASCII)
_WIDEST, _LONGEST = 110.0, 300.0


def _roll_of_size(name: str) -> Sheet | None:
    size = _SIZE.match(name)
    width, height = map(float, size.groups()) if size else (0.0, 0.0)
    if not (15 <= width <= _WIDEST and 10 <= height <= _LONGEST):
        return None
    return _single(f"{width:g}x{height:g}", "roll", width, height)


def _single(
    name: str, kind: str, width: float, height: float, hole: float = 0.0, aka: tuple[str, ...] = ()
) -> Sheet:
    """A label that is a page of its own."""
    return Sheet(
        name, aka, width, height, 1, 1, width, height, 0.0, 0.0, width, height,
        kind=kind, hole_mm=hole,
    )  # fmt: skip


def dots(format_: Sheet, wanted: int | None = None) -> int:
    """The dots an inch that labels of this format are drawn for: those of the label printer, or 0
    where an office printer prints, whose dots are too fine to matter. Raises Invalid."""
    if wanted is not None and wanted not in DPI:
        raise Invalid(f"A label printer has {' or '.join(map(str, DPI))} dpi", field="dpi")
    return (wanted or DPI[0]) if format_.is_roll else 0


class UnknownSheet(NotFound):
    code = "unknown_sheet"
    title = "No label sheet has this name"


class SkipTooLarge(Invalid):
    """`most` is how many cells of the first page can be skipped."""

    code = "skip_too_large"
    title = "A sheet has not so many labels"


def cells(format_: Sheet, skip: int = 0) -> Iterator[Cell]:
    """The cells in reading order, page after page without end, after `skip` used ones.

    Raises SkipTooLarge when the whole first page would be skipped.
    """
    if not 0 <= skip < format_.per_page:
        raise SkipTooLarge(
            f"From 0 to {format_.per_page - 1} labels of a {format_.name} sheet can be skipped",
            field="skip", sheet=format_.name, most=format_.per_page - 1,
        )  # fmt: skip
    return _cells(format_, skip)


def _cells(format_: Sheet, number: int) -> Iterator[Cell]:
    while True:
        page, place = divmod(number, format_.per_page)
        row, column = divmod(place, format_.columns)
        yield Cell(
            page,
            format_.left_mm + column * format_.pitch_x_mm,
            format_.top_mm + row * format_.pitch_y_mm,
        )
        number += 1


_PAGES = {"A4": (210.0, 297.0), "LETTER": (215.9, 279.4)}

# Name, page, columns, rows, label width and height, left and top margin, pitch across and down,
# then the numbers of equal sheets (more of them behind a +). A ~ marks a format that is not sure.
_TABLE = """
# Avery, A4.
L7165  A4      2  4   99.06  67.73   4.67  13.04  101.64  67.73  7165 J8165
L7164  A4      3  4    63.5  71.98   7.35   3.53      66  71.98  7164 J8164
L7163  A4      2  7   99.09   38.1   3.35  15.17  103.01   38.1  7163
L7162  A4      2  8   99.09   33.9   3.99  12.98  102.48   33.9  7162
L7161  A4      3  6   63.57  46.74   7.41   8.11   65.93  46.74  7161 J8161
L7160  A4      3  7   63.99   38.1   7.48  15.49   66.04   38.1  7160 J8160
~L7159 A4      3  8    63.5   33.9    7.2   12.9      66   33.9  7159 J8159
L4770  A4      4 10    45.7   25.4     10     22    48.5   25.4  J8654 L6140 L6145 L7654
L8651  A4      5 13    38.1   21.2    4.7   10.9    40.6   21.2  8651 J8651 J8551 L7651 L7551
L4732  A4      5 16    35.6   16.9     11     13    38.1   16.9
# Avery, US Letter.
5164   LETTER  2  3   101.6  84.67   3.97   12.7  106.36  84.67
  + 5264 5514 5524 6464 6499 8164 8254 8464
5163   LETTER  2  5   101.6   50.8   4.13   12.7  106.36   50.8
  + 5263 5513 5523 5795 5923 5963 5978 8163 8253 8463 8663 8763 8923 15163 18163 18663
5162   LETTER  2  7   101.6  33.87   3.97  21.17  106.36  33.87
  + 5262 5512 5522 5922 5962 8162 8252 8462 8662 8922 8932 15162 18162 18662
5161   LETTER  2 10   101.6   25.4   3.97   12.7  106.36   25.4  5261 5961 8161 8461 18161
5160   LETTER  3 10   66.67   25.4   3.97   12.7   70.64   25.4
  + 5260 5510 5520 5560 5810 5920 5960 5970 5971 5972 5979 5980 6231 6233 6245 6460 6498
  + 8160 8250 8460 8560 8620 8660 8810 8920 8930 15160 18160 18660 25160
# Avery Zweckform, A4.
3659   A4      2  6   96.66  42.51      8  21.17   96.66  42.51
4781   A4      2  6      97   42.3      8  21.53      97   42.3
3669   A4      3  5      70   50.8      0  21.52      70   50.8
3348   A4      3  7      67     38      2     20      70     38
3474   A4      3  8      70     37      0      0      70     37
3475   A4      3  8      70     36      0   4.43      70     36  3490
4780   A4      4 10    48.5   25.4   8.11  19.01    48.5   25.4
3651   A4      4 10      52   29.5      1      1      52   29.5
6021   A4      4 16      46   16.9    8.5     14    48.3   16.9
# Herma, A4.
4099   A4      2  5      96   50.8      8   21.5      99   50.8
  + 4223 4349 4667 8653 8806 8845 8893 8967 10013 10307
4457   A4      2  6     105     48      0    5.5     105     48
4103   A4      3  7    63.5   38.1   6.75   15.5    66.5   38.1
  + 4113 4641B 4677 4904 5074 8632 8650 8680 8801 8838 8890 9600 9621 9661 10007 10301 10802
4614   A4      3  8      66   33.8    5.7     13      66   33.8  4670 5053
4098   A4      3  9    63.5   29.6    7.8   15.5    66.5   29.6
  + 4222 4233 4347 4418 4419 4864 5045 5140 5141 5142 5143 8865 8966 10006 10300
4102   A4      4 11    48.3   25.4    8.5    8.5    48.3   25.4
  + 4109 4112 4272 4357 4608 4680 4690 4812 5051 8631 8835 8961 8971 8981
4097   A4      4 12   45.72   21.2     10     22   48.72   21.2
  + 4221 4232 4235 4346 4366 4367 4368 4369 8864 8940 8965 9531 10004
4606   A4      5 13      38   21.2    9.5   10.5      38   21.2  4270
"""


def _read(table: str) -> dict[str, Sheet]:
    rows: list[list[str]] = []
    for line in table.splitlines():
        if line.startswith("  + "):
            rows[-1] += line[4:].split()
        elif line and not line.startswith("#"):
            rows.append(line.split())
    formats = {}
    for mark_and_name, page, columns, rows_, *rest in rows:
        name = mark_and_name.removeprefix("~")
        width, height, left, top, pitch_x, pitch_y = map(float, rest[:6])
        formats[name] = Sheet(
            name=name,
            aka=tuple(rest[6:]),
            page_width_mm=_PAGES[page][0],
            page_height_mm=_PAGES[page][1],
            columns=int(columns),
            rows=int(rows_),
            label_width_mm=width,
            label_height_mm=height,
            left_mm=left,
            top_mm=top,
            pitch_x_mm=pitch_x,
            pitch_y_mm=pitch_y,
            sure=name == mark_and_name,
        )
    return formats


def _read_media(table: str) -> dict[str, Sheet]:
    """Rolls and tags are `name kind width height hole`; of talkers the page and the grid follow."""
    formats = {}
    for line in table.split("\n"):
        if not line or line.startswith("#"):
            continue
        name, kind, *numbers = line.split()
        width, height, hole, *page = map(float, numbers)
        if not page:
            formats[name] = _single(name, kind, width, height, hole)
            continue
        columns, rows = int(page[2]), int(page[3])
        formats[name] = Sheet(
            name, (), page[0], page[1], columns, rows, width, height, 0.0, 0.0, width, height,
            kind=kind, hole_mm=hole,
        )  # fmt: skip
    return formats


SHEETS = _read(_TABLE) | _read_media(MEDIA)
"""Every format by its name."""

_BY_NAME = {name: each for each in SHEETS.values() for name in (each.name.upper(), *each.aka)}
