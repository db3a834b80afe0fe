"""The design of a label: where on it each line and the code lie, for a label of any size.

Of a shelf label there are two arrangements. On a label that is high for its width the names run
across the top and the price stands beside the code; on a long one the code is on the left and
everything else beside it. The margin is the code's own quiet zone, so that the code, the names and
the price share their edges. Hang tags and shelf talkers are arranged by posters.py.

Millimetres from the top left corner. The same layout is drawn by pdf.py, raster.py and picture.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from store.errors import Refusal

from .. import fonts
from . import posters, qr
from .blocks import CAP, TOUCHING, Box, info, names_in, small
from .sheets import Sheet
from .typeset import Text

__all__ = ["LabelTooSmall", "Layout", "PrintedLabel", "layout", "on_sheet"]

# A code of a shelf label must be read by a phone at arm's length and printed by any office
# printer: the module sizes of the GS1 General Specifications for retail, in millimetres.
SMALLEST_MODULE = 0.396
WANTED_MODULE = 0.495
LARGEST_MODULE = 0.743

NARROWEST_TEXT = 11.0
"""Beside a code there must be this much room for a price and the digits of a GTIN."""

OVERHANG = 0.3
"""A V reaches this much over its left edge: kept between the quiet zone and the type beside it."""


class LabelTooSmall(Refusal):
    """`min_width_mm` and `min_height_mm` are the smallest label for the longest code asked for."""

    code = "label_too_small"
    status = 422
    title = "The label is too small for its code"


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """What stands on one label. All of it is plain text as people read it; empty is left out."""

    url: str
    """The text of the QR code."""
    code_text: str
    """The number in clear."""
    names: tuple[str, ...]
    """One name, or two in two languages; the first is set bold."""
    price_text: str = ""
    unit_price_text: str = ""
    shelf_text: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    texts: tuple[Text, ...]
    code: qr.Matrix
    code_x: float
    code_y: float
    module: float
    missing: tuple[str, ...]
    """Characters that the font lacks; a 〓 stands in their place."""


def on_sheet(label: PrintedLabel, sheet: Sheet, dpi: int = 0) -> Layout:
    """The label as it lies on this medium. With `dpi` the modules are whole dots of a printer that
    has so many an inch. Raises LabelTooSmall."""
    return layout(
        label, sheet.label_width_mm, sheet.label_height_mm, kind=sheet.kind, hole=sheet.hole_mm,
        dot=25.4 / dpi if dpi else 0.0,
    )  # fmt: skip


def layout(
    label: PrintedLabel,
    width: float,
    height: float,
    *,
    kind: str = "sheet",
    hole: float = 0.0,
    dot: float = 0.0,
) -> Layout:
    """The label at a size in millimetres; the top `hole` of it stays empty; modules are whole
    `dot`s where one is given.

    Raises LabelTooSmall when the code with its quiet zone would need smaller modules than a phone
    reads.
    """
    code = qr.matrix(label.url)
    missing: dict[str, None] = {}
    clean = _clean(label, missing)
    grid = _Grid(code.size, dot)
    limit = grid.largest(width, height - hole)
    if limit is None:
        raise _too_small(grid, (width, height), hole)
    if kind in posters.KINDS:
        module = grid.whole(posters.module(code.size, width, height), limit)
        code_y, texts = posters.arrange(clean, width, height, hole, code.size * module, module)
    else:
        code_y, module, texts = _shelf(clean, grid, width, height, limit)
    if dot:
        code_y = math.floor(code_y / dot + TOUCHING) * dot
    margin = qr.QUIET * module
    return Layout(width, height, tuple(texts), code, margin, code_y, module, tuple(missing))


@dataclass(frozen=True, slots=True)
class _Grid:
    """The modules of a code of `size`, which a printer's dots may bind."""

    size: int
    dot: float

    @property
    def square(self) -> int:
        """Modules of the code with its quiet zone."""
        return self.size + 2 * qr.QUIET

    @property
    def smallest(self) -> float:
        if not self.dot:
            return SMALLEST_MODULE
        return math.ceil(SMALLEST_MODULE / self.dot - TOUCHING) * self.dot

    def largest(self, width: float, height: float) -> float | None:
        """The largest module that a label has room for, or None where no phone would read it."""
        room = min((height - self.dot) / self.square, (width - NARROWEST_TEXT) / self.square)
        limit = min(room, LARGEST_MODULE)
        if self.dot:
            limit = math.floor(limit / self.dot + TOUCHING) * self.dot
        return limit if limit >= self.smallest - TOUCHING else None

    def whole(self, wanted: float, limit: float) -> float:
        """The module nearest to what is wanted, no larger than the limit."""
        if self.dot:
            wanted = max(round(wanted / self.dot) * self.dot, self.smallest)
        return min(wanted, limit)


def _too_small(grid: _Grid, size: tuple[float, float], hole: float) -> LabelTooSmall:
    width = grid.square * grid.smallest + NARROWEST_TEXT
    height = grid.square * grid.smallest + grid.dot + hole
    return LabelTooSmall(
        f"This code needs a label of {width:.1f} × {height:.1f} mm or more, "
        f"not {size[0]:g} × {size[1]:g} mm",
        min_width_mm=round(width + 0.05, 1),
        min_height_mm=round(height + 0.05, 1),
    )


def _clean(label: PrintedLabel, missing: dict[str, None]) -> PrintedLabel:
    """The same label with what the font can show; what it cannot is noted in `missing`."""

    def shown(text: str) -> str:
        kept, lost = fonts.printable(text)
        missing.update(dict.fromkeys(lost))
        return kept

    return PrintedLabel(
        url=label.url,
        code_text=shown(label.code_text),
        names=_legible([shown(name) for name in label.names[:2]]),
        price_text=shown(label.price_text),
        unit_price_text=shown(label.unit_price_text),
        shelf_text=shown(label.shelf_text),
    )


def _legible(names: list[str]) -> tuple[str, ...]:
    """The names without those of which no letter can be shown, where there is another: a row of
    marks tells nobody anything."""
    kept = tuple(name for name in names if name)
    return tuple(n for n in kept if fonts.GETA not in n or any(map(str.isalnum, n))) or kept


def _shelf(
    label: PrintedLabel, grid: _Grid, width: float, height: float, limit: float
) -> tuple[float, float, list[Text]]:
    """The top of the code, the module and the type of a shelf label."""
    module, across = _arrange(grid, width, height, limit)
    margin = qr.QUIET * module
    dark = grid.size * module
    rest_x = margin + dark + margin + OVERHANG
    if across:
        code_y = height - margin - dark
        texts, _ = names_in(
            label.names, Box(margin, margin, width - 2 * margin, code_y - 2 * margin), height
        )
        rest = Box(rest_x, code_y, width - margin - rest_x, dark, right=True)
        return code_y, module, texts + info(label, rest, small(height), 0.52 * dark)
    code_y = (height - dark) / 2
    edge = code_y if code_y < margin + 1.2 else margin
    rest = Box(rest_x, edge, width - min(margin, 2.2) - rest_x, height - 2 * edge)
    return code_y, module, _beside(label, rest, height)


def _arrange(grid: _Grid, width: float, height: float, limit: float) -> tuple[float, bool]:
    """The module, and whether the names run across the top of the label."""
    size = grid.size
    if width < 1.95 * height:
        module = grid.whole(max(WANTED_MODULE, min(0.34 * width, 0.52 * height) / size), limit)
        for smaller in (module, min(module, grid.whole(WANTED_MODULE, limit))):
            if height - (size + 3 * qr.QUIET) * smaller >= 8.0:
                return smaller, True
    return grid.whole(max(WANTED_MODULE, 0.3 * width / size), limit), False


def _beside(label: PrintedLabel, box: Box, height: float) -> list[Text]:
    """Everything in one column: the names get what the price leaves.

    Where they would be cut short the price is set smaller, and the shelf, which is for the staff
    only, is left out.
    """
    unshelved = replace(label, shelf_text="")
    tries = [(label, 0.3), (label, 0.26), (unshelved, 0.26), (unshelved, 0.22)]
    if not label.names:
        tries = [(label, 0.6)]
    texts: list[Text] = []
    for shown, share in tries:
        texts = info(shown, box, small(height), share * box.height)
        top = min((text.y - CAP * text.size for text in texts), default=box.bottom)
        names, whole = names_in(
            label.names, Box(box.x, box.y, box.width, top - 1.0 - box.y), height
        )
        texts = names + texts
        if whole:
            break
    return texts
