"""The design of a label: where on it each line and the code lie, for a label of any size.

Two arrangements. On a label that is high for its width the names run across the top and the price
stands beside the code; on a long one the code is on the left and everything else beside it. The
margin is the code's own quiet zone, so that the code, the names and the price share their edges.

Millimetres from the top left corner. The same layout is drawn by pdf.py and picture.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from store.errors import Refusal

from .. import fonts
from . import qr
from .typeset import POINT, Text, break_names, price_pieces, shorten

__all__ = ["LabelTooSmall", "Layout", "PrintedLabel", "layout"]

# A code of a shelf label must be read by a phone at arm's length and printed by any office
# printer: the module sizes of the GS1 General Specifications for retail, in millimetres.
SMALLEST_MODULE = 0.396
WANTED_MODULE = 0.495
LARGEST_MODULE = 0.743

NARROWEST_TEXT = 11.0
"""Beside a code there must be this much room for a price and the digits of a GTIN."""

CAP = 0.74
"""Height of figures and capitals at type size 1."""

DIP = 0.22
"""How far a comma hangs below the line, bold, at type size 1."""

OVERHANG = 0.3
"""A V reaches this much over its left edge: kept between the quiet zone and the type beside it."""

TOUCHING = 1e-6
"""Sums of decimals miss by less than this; a label that just fits fits."""


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


@dataclass(frozen=True, slots=True)
class _Box:
    """Room for type, and whether its lines end at the right edge or begin at the left."""

    x: float
    y: float
    width: float
    height: float
    right: bool = False

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def line(self, text: str, baseline: float, size: float, *, bold: bool = False) -> Text:
        free = self.width - fonts.width(text, bold) * size
        return Text(text, self.x + (free if self.right else 0), baseline, size, bold)


def layout(label: PrintedLabel, width: float, height: float) -> Layout:
    """The label at a size in millimetres.

    Raises LabelTooSmall when the code with its quiet zone would need smaller modules than a phone
    reads.
    """
    code = qr.matrix(label.url)
    missing: dict[str, None] = {}
    clean = _clean(label, missing)
    module, across = _arrange(code.size, width, height)
    margin = qr.QUIET * module
    dark = code.size * module
    rest_x = margin + dark + margin + OVERHANG
    if across:
        code_y = height - margin - dark
        texts, _ = _names(
            clean.names, _Box(margin, margin, width - 2 * margin, code_y - 2 * margin), height
        )
        rest = _Box(rest_x, code_y, width - margin - rest_x, dark, right=True)
        texts += _info(clean, rest, _small(height), 0.52 * dark)
    else:
        code_y = (height - dark) / 2
        edge = code_y if code_y < margin + 1.2 else margin
        rest = _Box(rest_x, edge, width - min(margin, 2.2) - rest_x, height - 2 * edge)
        texts = _beside(clean, rest, height)
    return Layout(width, height, tuple(texts), code, margin, code_y, module, tuple(missing))


def _clean(label: PrintedLabel, missing: dict[str, None]) -> PrintedLabel:
    """The same label with what the font can show; what it cannot is noted in `missing`."""

    def shown(text: str) -> str:
        kept, lost = fonts.printable(text)
        missing.update(dict.fromkeys(lost))
        return kept

    return PrintedLabel(
        url=label.url,
        code_text=shown(label.code_text),
        names=tuple(name for name in map(shown, label.names[:2]) if name),
        price_text=shown(label.price_text),
        unit_price_text=shown(label.unit_price_text),
        shelf_text=shown(label.shelf_text),
    )


def _arrange(size: int, width: float, height: float) -> tuple[float, bool]:
    """The module, and whether the names run across the top of the label."""
    square = size + 2 * qr.QUIET
    limit = min(height / square, (width - NARROWEST_TEXT) / square, LARGEST_MODULE)
    if limit < SMALLEST_MODULE - TOUCHING:
        least = square * SMALLEST_MODULE
        raise LabelTooSmall(
            f"This code needs a label of {least + NARROWEST_TEXT:.1f} × {least:.1f} mm or more, "
            f"not {width:g} × {height:g} mm",
            min_width_mm=round(least + NARROWEST_TEXT + 0.05, 1),
            min_height_mm=round(least + 0.05, 1),
        )
    if width < 1.95 * height:
        module = min(limit, max(WANTED_MODULE, min(0.34 * width, 0.52 * height) / size))
        for smaller in (module, min(module, WANTED_MODULE)):
            if height - (size + 3 * qr.QUIET) * smaller >= 8.0:
                return smaller, True
    return min(limit, max(WANTED_MODULE, 0.3 * width / size)), False


def _beside(label: PrintedLabel, box: _Box, height: float) -> list[Text]:
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
        texts = _info(shown, box, _small(height), share * box.height)
        top = min((text.y - CAP * text.size for text in texts), default=box.bottom)
        names, whole = _names(label.names, _Box(box.x, box.y, box.width, top - 1.0 - box.y), height)
        texts = names + texts
        if whole:
            break
    return texts


def _names(names: tuple[str, ...], box: _Box, height: float) -> tuple[list[Text], bool]:
    """The names from the top of the box, and whether they are all there."""
    if not names:
        return [], True
    # Accents over capitals (Ế) rise a third of the size above the box, into the margin.
    largest = min((4.5 + 0.2 * height) * POINT, 22 * POINT, (box.y - 0.4) / 0.38)
    smallest = min(max(2 + 0.13 * height, 4.8), 9) * POINT
    lines, whole = break_names(names, (box.width, box.height), largest, min(smallest, largest))
    # The capitals of the first line touch the box's top; the leading hangs below the last.
    return [
        Text(line.text, box.x, box.y + line.top + CAP * lines[0].size, line.size, line.bold)
        for line in lines
    ], whole


def _small(height: float) -> float:
    """The type size of what is read from near by: the number, the shelf, the unit price."""
    return min(max(4.3 + 0.07 * height, 5.2), 10) * POINT


def _info(label: PrintedLabel, box: _Box, small: float, figures: float) -> list[Text]:
    """From the bottom of the box up: the number in clear and the shelf, the unit price, the price.

    The figures of the price are at most `figures` high, and no wider than the box.
    """
    texts = _number_and_shelf(label, box, small)
    floor = min((text.y - (CAP + 0.6) * text.size for text in texts), default=box.bottom)
    price = _Price(label.price_text)
    shown, size = _fitted(label.unit_price_text, box.width, 1.15 * small)
    if shown:
        unit = box.line(shown, floor, size)
        if price.fits(box.width - unit.width - size, min(figures, price.high(floor - box.y))):
            unit = replace(unit, x=box.x + box.width - unit.width)
        else:
            floor -= (CAP + 0.6) * size
        texts.append(unit)
    if label.price_text:
        high = min(figures, price.high(floor - box.y), CAP * box.width / price.width)
        baseline = box.y + high if box.right else floor - price.dip * high / CAP
        texts += price.set(box, baseline, high / CAP)
    return texts


class _Price:
    """A price in pieces, measured at type size 1."""

    def __init__(self, text: str) -> None:
        self.pieces = price_pieces(text) if text else []
        self.width = sum(
            fonts.width(piece.text, bold=True) * piece.size * piece.advance for piece in self.pieces
        )
        self.dip = max((DIP * p.size for p in self.pieces if "," in p.text), default=0.0)

    def high(self, room: float) -> float:
        """The height of figures that fill a height, their comma included."""
        return room * CAP / (CAP + self.dip)

    def fits(self, width: float, high: float) -> bool:
        return self.width * high / CAP <= width

    def set(self, box: _Box, baseline: float, size: float) -> list[Text]:
        x = box.x + (box.width - self.width * size if box.right else 0)
        texts = []
        for piece in self.pieces:
            texts.append(
                Text(piece.text, x, baseline - size * piece.rise, size * piece.size, bold=True)
            )
            x += texts[-1].width * piece.advance
        return texts


def _number_and_shelf(label: PrintedLabel, box: _Box, size: float) -> list[Text]:
    """One line with the number at the left and the shelf at the right, or a line for each."""
    number, shelf = label.code_text, label.shelf_text
    widths = fonts.width(number) * size, fonts.width(shelf) * size
    if number and shelf and sum(widths) + size <= box.width:
        return [
            Text(number, box.x, box.bottom, size),
            Text(shelf, box.x + box.width - widths[1], box.bottom, size),
        ]
    lines = []
    baseline = box.bottom
    for text in (number, shelf):
        if text:
            shown, own = _fitted(text, box.width, size)
            lines.append(box.line(shown, baseline, own))
            baseline -= 1.15 * own
    return lines


def _fitted(text: str, limit: float, size: float) -> tuple[str, float]:
    """The text and a size no larger than `size` at which it fits; shortened at 3.4 points.

    That is where 14 digits fill the narrowest column: a GTIN is never cut.
    """
    fitting = size * min(1.0, limit / max(fonts.width(text) * size, TOUCHING))
    smallest = min(3.4 * POINT, size)
    if fitting >= smallest:
        return text, fitting
    return shorten(text, limit / smallest), smallest
