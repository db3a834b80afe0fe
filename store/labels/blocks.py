"""Blocks of type on a label: names that fit, the price, the number and the shelf.

Millimetres from the top left corner; each block fills a box and never leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from .. import fonts
from .typeset import POINT, Text, break_names, price_pieces, shorten

__all__ = ["CAP", "TOUCHING", "Box", "Price", "Worded", "info", "names_in", "small"]

CAP = 0.74
"""Height of figures and capitals at type size 1."""

DIP = 0.22
"""How far a comma hangs below the line, bold, at type size 1."""

HANG = 0.3
"""How far anything hangs below the line, and a little air, at type size 1."""

TOUCHING = 1e-6
"""Sums of decimals miss by less than this; a label that just fits fits."""


class Worded(Protocol):
    """What stands beside the code; empty is left out."""

    @property
    def code_text(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def price_text(self) -> str: ...
    @property
    def unit_price_text(self) -> str: ...
    @property
    def shelf_text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Box:
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


def names_in(
    names: tuple[str, ...], box: Box, height: float, cap: float = 22 * POINT
) -> tuple[list[Text], bool]:
    """The names from the top of the box, and whether they are all there. The type fits a label of
    this height and is no larger than `cap`."""
    if not names:
        return [], True
    # Accents over capitals (Ế) rise a third of the size above the box, into the margin.
    largest = min((4.5 + 0.2 * height) * POINT, cap, (box.y - 0.4) / 0.38)
    smallest = min(max(2 + 0.13 * height, 4.8), 9) * POINT
    lines, whole = break_names(names, (box.width, box.height), largest, min(smallest, largest))
    # The capitals of the first line touch the box's top; the leading hangs below the last.
    return [
        Text(line.text, box.x, box.y + line.top + CAP * lines[0].size, line.size, line.bold)
        for line in lines
    ], whole


def small(height: float) -> float:
    """The type size of what is read from near by: the number, the shelf, the unit price."""
    return min(max(4.3 + 0.07 * height, 5.2), 10) * POINT


def info(label: Worded, box: Box, small_size: float, figures: float) -> list[Text]:
    """From the bottom of the box up: the number in clear and the shelf, the unit price, the price.

    The figures of the price are at most `figures` high, and no wider than the box.
    """
    texts = number_and_shelf(label, box, small_size)
    price = Price(label.price_text)
    shown, size = fitted(label.unit_price_text, box.width, 1.15 * small_size)
    floor = min(
        (text.y - _above(text.size, size if shown else 0, 0.6) for text in texts),
        default=box.bottom,
    )
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


class Price:
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

    def set(self, box: Box, baseline: float, size: float) -> list[Text]:
        x = box.x + (box.width - self.width * size if box.right else 0)
        texts = []
        for piece in self.pieces:
            texts.append(
                Text(piece.text, x, baseline - size * piece.rise, size * piece.size, bold=True)
            )
            x += texts[-1].width * piece.advance
        return texts


def number_and_shelf(label: Worded, box: Box, size: float) -> list[Text]:
    """One line with the number at the left and the shelf at the right, or a line for each."""
    number, shelf = label.code_text, label.shelf_text
    widths = fonts.width(number) * size, fonts.width(shelf) * size
    if number and shelf and sum(widths) + size <= box.width:
        return [
            Text(number, box.x, box.bottom, size),
            Text(shelf, box.x + box.width - widths[1], box.bottom, size),
        ]
    lines: list[Text] = []
    for shown, own in (fitted(text, box.width, size) for text in (number, shelf) if text):
        below = lines[-1] if lines else None
        baseline = below.y - _above(below.size, own, 0.41) if below else box.bottom
        lines.append(box.line(shown, baseline, own))
    return lines


def _above(size: float, upper: float, gap: float) -> float:
    """How far above a baseline the next one lies: `gap` is a share of the lower line's size, but
    never less than what a larger line above hangs down (a slash, a comma, a g)."""
    return CAP * size + max(gap * size, HANG * upper)


def fitted(text: str, limit: float, size: float) -> tuple[str, float]:
    """The text and a size no larger than `size` at which it fits; shortened at 3.4 points.

    That is where 14 digits fill the narrowest column: a GTIN is never cut.
    """
    fitting = size * min(1.0, limit / max(fonts.width(text) * size, TOUCHING))
    smallest = min(3.4 * POINT, size)
    if fitting >= smallest:
        return text, fitting
    return shorten(text, limit / smallest), smallest
