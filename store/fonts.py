"""The two weights of Shelf Sans SC for paper: which characters they have and how wide each is.

The fonts come with the program (static/fonts, made by docs/fonts/make_label_fonts.py), so that a
label looks the same on every machine: Latin, Greek, Cyrillic, kana, and the Chinese characters of
GB 2312 and of the common half of Big5. Other scripts are not printed; a character that cannot be
printed appears as the geta mark 〓, the printers' old sign for a missing type, and is reported.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

__all__ = ["GETA", "Font", "font", "missing_glyphs", "named", "printable", "told", "width"]

SOFT_HYPHEN = "\u00ad"
GETA = "〓"
FOLDER = Path(__file__).resolve().parents[1] / "static" / "fonts"


@dataclass(frozen=True, slots=True)
class Font:
    """One weight. Lengths are in thousandths of the type size, y upwards."""

    name: str
    file: Path
    glyphs: dict[int, int]
    """Code point to glyph number."""
    advances: tuple[int, ...]
    """Glyph number to width."""
    widths: dict[str, int]
    """Character to width."""
    cap_height: int
    ascent: int
    descent: int
    box: tuple[int, int, int, int]


@cache
def font(bold: bool = False) -> Font:
    """The weight, read from its file once for each process."""
    file = FOLDER / f"shelf-sans-sc-{'bold' if bold else 'regular'}.ttf"
    with TTFont(file, lazy=True) as source:
        if source["head"].unitsPerEm != 1000:
            raise ValueError(f"{file.name} must have 1000 units to the em")
        numbers = source.getReverseGlyphMap()
        head, metrics = source["head"], source["hmtx"].metrics
        named_glyphs = source.getBestCmap().items()
        return Font(
            name=source["name"].getDebugName(6),
            file=file,
            glyphs={point: numbers[name] for point, name in named_glyphs},
            advances=tuple(metrics[name][0] for name in source.getGlyphOrder()),
            widths={chr(point): metrics[name][0] for point, name in named_glyphs},
            cap_height=source["OS/2"].sCapHeight,
            ascent=source["hhea"].ascent,
            descent=source["hhea"].descent,
            box=(head.xMin, head.yMin, head.xMax, head.yMax),
        )


def width(text: str, bold: bool = False) -> float:
    """The width of printable text at type size 1."""
    return sum(map(font(bold).widths.__getitem__, text)) / 1000


def missing_glyphs(text: str) -> list[str]:
    """The characters of a text that no label can show, each once, in their order.

    Asked when a name is saved, so that a person is told then and not by the printer.
    """
    return printable(text)[1]


def named(characters: Iterable[str]) -> str:
    """Characters by number and name, for where they cannot be shown."""
    return ", ".join(f"U+{ord(one):04X} {unicodedata.name(one, '')}".strip() for one in characters)


def told(missing: Sequence[str]) -> str:
    """What the font lacks, for the screen: the first eight with their names, since the screen may
    lack them, too; of the others a hundred as they are."""
    first = ", ".join(f"{one} {named([one])}" for one in missing[:8])
    return " ".join([first, *(["…"] if missing[8:] else []), *missing[8:108]])


def printable(text: str) -> tuple[str, list[str]]:
    """What will be printed for a text, and the characters that it could not keep.

    Line breaks and other blanks become one space; marks that only steer other characters
    (joiners, directions, emoji variants) vanish; a rare form is printed as its common equal
    (ﬁ as fi, ㎖ as ml).
    """
    glyphs = font().glyphs
    kept: list[str] = []
    missing: dict[str, None] = {}
    for character in unicodedata.normalize("NFC", " ".join(text.split())):
        if character == SOFT_HYPHEN:
            continue  # It has a form, which is for the end of a line that breaks there.
        if ord(character) in glyphs:
            kept.append(character)
        elif unicodedata.category(character) in {"Cf", "Cc"} or _is_variant(character):
            continue
        else:
            equal = unicodedata.normalize("NFKC", character)
            if all(ord(part) in glyphs for part in equal):
                kept.append(equal)
            else:
                kept.append(GETA)
                missing[character] = None
    return "".join(kept), list(missing)


def _is_variant(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF
