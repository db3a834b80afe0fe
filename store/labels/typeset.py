"""Setting type: breaking names into lines that fit, and prices with small decimals.

Lengths are millimetres; a type size is the height of its em. Everything is measured with the
widths of the very font that is printed, so what fits here fits on paper.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from ..fonts import width

__all__ = ["POINT", "Line", "Piece", "Text", "break_names", "price_pieces", "shorten"]

POINT = 25.4 / 72
LEADING = 1.2
SECOND_NAME = 0.86
ELLIPSIS = "…"

# Marks that may not begin a line, and marks that may not end one.
_NOT_FIRST = frozenset(
    "，。、；：！？）】》」』〉”’…・ー,.;:!?)]}%％℃々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
)
_NOT_LAST = frozenset("（【《「『〈“‘([{¥￥$€£")
_IDEOGRAPHIC = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_PRICE = re.compile(r"(\D*)(\d[\d ',.’]*?)(?:([.,])(\d\d))?(\D*)")


@dataclass(frozen=True, slots=True)
class Text:
    """A line of type at its place: `x` of its left end, `y` of its baseline from the top."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False

    @property
    def width(self) -> float:
        return width(self.text, self.bold) * self.size


class Line(NamedTuple):
    """A line of a name: its type size, and how far its top is below that of the first."""

    text: str
    size: float
    bold: bool
    top: float


class Piece(NamedTuple):
    """Part of a price: its size and its raise above the baseline as shares of the figures'.

    The next piece begins after `advance` of its width: raised decimals stand above their mark.
    """

    text: str
    size: float
    rise: float
    advance: float = 1.0


def break_names(
    names: Sequence[str], space: tuple[float, float], largest: float, smallest: float
) -> tuple[list[Line], bool]:
    """The names in lines that fit into a width and a height, the first bold; and whether all of it.

    First the type shrinks a little to keep each name on one line; then names wrap, in the largest
    size at which all fits; at last, in the smallest size, they end in an ellipsis. A second name is
    left out where there is no line for it.
    """
    sizes = [largest]
    while sizes[-1] * 0.96 > smallest:
        sizes.append(sizes[-1] * 0.96)
    sizes.append(smallest)
    words = [_words(name, bold=at == 0) for at, name in enumerate(names)]
    for size in sizes:
        if size >= 0.8 * largest:
            lines = _set(words, space, size, most=1)
            if lines:
                return lines, True
    for size in sizes:
        lines = _set(words, space, size, most=99)
        if lines:
            return lines, True
    return _cut(words, space, smallest), False


class _Word(NamedTuple):
    """What is not broken: its text, whether a blank stands before it, its width at size 1."""

    text: str
    blank: bool
    width: float


def _words(text: str, *, bold: bool) -> list[_Word]:
    """Words at blanks, after hyphens and slashes, and at every ideograph."""
    parts: list[str] = []
    blanks: list[bool] = []
    for word in text.split(" "):
        start = True
        for character in word:
            if start or _may_break(parts[-1][-1], character):
                parts.append(character)
                blanks.append(start and len(parts) > 1)
            else:
                parts[-1] += character
            start = False
    return [
        _Word(part, blank, width(part, bold)) for part, blank in zip(parts, blanks, strict=True)
    ]


def _may_break(before: str, after: str) -> bool:
    if after in _NOT_FIRST or before in _NOT_LAST:
        return False
    if before in "-/" and after.isalpha():
        return True
    return bool(_IDEOGRAPHIC.match(before) or _IDEOGRAPHIC.match(after))


def _set(
    names: list[list[_Word]], space: tuple[float, float], size: float, most: int
) -> list[Line] | None:
    """The names in at most `most` lines each, or None where they do not fit."""
    if not _may_fit(names, space, size, most):
        return None
    lines: list[Line] = []
    top = 0.0
    for at, words in enumerate(names):
        own = size if at == 0 else size * SECOND_NAME
        broken = _wrap(words, space[0] / own, bold=at == 0)
        if broken is None or len(broken) > most:
            return None
        for text in broken:
            lines.append(Line(text, own, at == 0, top))
            top += own * LEADING
    return lines if top <= space[1] + 0.01 else None


def _may_fit(names: list[list[_Word]], space: tuple[float, float], size: float, most: int) -> bool:
    """Whether there is room for so much type at all, wherever the lines break: most sizes that are
    tried are too large, and this says so sooner than breaking the lines."""
    high = 0.0
    for at, words in enumerate(names):
        own = size if at == 0 else size * SECOND_NAME
        least = math.ceil(sum([word.width for word in words]) * own / space[0] - 1e-6)
        if least > most:
            return False
        high += least * own * LEADING
    return high <= space[1] + 0.02


def _wrap(words: list[_Word], limit: float, *, bold: bool) -> list[str] | None:
    """Lines no wider than `limit` (at size 1), or None where one word is wider."""
    blank = width(" ", bold)
    lines: list[str] = []
    used = limit + 1
    for word in words:
        if word.width > limit:
            return None
        wanted = used + word.width + (blank if word.blank else 0)
        if wanted <= limit:
            lines[-1] += " " + word.text if word.blank else word.text
            used = wanted
        else:
            lines.append(word.text)
            used = word.width
    return lines


def _cut(names: list[list[_Word]], space: tuple[float, float], size: float) -> list[Line]:
    """The smallest size, words broken anywhere, and an ellipsis where the lines run out."""
    lines: list[Line] = []
    top = 0.0
    for at, words in enumerate(names):
        own = size if at == 0 else size * SECOND_NAME
        later = sum(size * SECOND_NAME * LEADING for _ in names[at + 1 :])
        count = int((space[1] - top - later + 0.01) / (own * LEADING))
        if at == 0:
            count = max(count, 1)
        elif count < 1:
            break
        text = "".join(" " * word.blank + word.text for word in words)
        for line in _chop(text, words, space[0] / own, count, bold=at == 0):
            lines.append(Line(line, own, at == 0, top))
            top += own * LEADING
    return lines


def _chop(text: str, words: list[_Word], limit: float, count: int, *, bold: bool) -> list[str]:
    lines = _wrap(words, limit, bold=bold)
    if lines is not None and len(lines) <= count:
        return lines
    lines = lines or _wrap_anywhere(text, limit, bold=bold)
    if len(lines) <= count:
        return lines
    done = 0
    for line in lines[: count - 1]:
        done = text.index(line, done) + len(line)
    return [*lines[: count - 1], shorten(text[done:].lstrip(), limit, bold=bold)]


def _wrap_anywhere(text: str, limit: float, *, bold: bool) -> list[str]:
    lines = [""]
    for character in text:
        if width(lines[-1] + character, bold) > limit and lines[-1]:
            lines.append("")
        lines[-1] = (lines[-1] + character).lstrip()
    return lines


def shorten(text: str, limit: float, *, bold: bool = False) -> str:
    """The text, or as much of it as fits before an ellipsis, no wider than `limit` at size 1."""
    if width(text, bold) <= limit:
        return text
    ends = list(accumulate(width(character, bold) for character in text))
    fits = bisect_right(ends, limit - width(ELLIPSIS, bold))
    return text[:fits].rstrip() + ELLIPSIS


def price_pieces(text: str) -> list[Piece]:
    """A price as shops set it: figures large, the currency and two decimals small and raised.

    ¥12.50 is ¥, 12., 50. Three decimals stay large: they look like thousands.
    """
    match = _PRICE.fullmatch(text)
    if match is None:
        return [Piece(text, 1.0, 0.0)]
    before, whole, mark, decimals, after = match.groups()
    small, rise = 0.5, 0.5 * 0.74
    pieces = [
        Piece(before, small, rise),
        Piece(whole, 1.0, 0.0),
        Piece(mark or "", small, 0.0, 0.4),
        Piece(decimals or "", small, rise),
        Piece(after, small, rise),
    ]
    return [piece for piece in pieces if piece.text]
