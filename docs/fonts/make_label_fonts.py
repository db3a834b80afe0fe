"""Make the two fonts of the labels, static/fonts/shelf-sans-sc-{regular,bold}.ttf.

    python docs/fonts/make_label_fonts.py NOTO_PACKAGE SOURCE_PACKAGE static/fonts

The arguments are the unpacked npm packages @expo-google-fonts/noto-sans-sc 0.4.3 and
@expo-google-fonts/source-sans-3 0.4.1 (both SIL Open Font License 1.1). Same input, same bytes.

Noto Sans SC has every Chinese and Japanese character that a shop is likely to print, but lacks
half of Latin Extended-A and most currency signs. Its Latin letters are those of Source Sans, drawn
1.117 times larger, so what is missing is taken from there at that scale and matches exactly; so
are the marks that Noto draws as wide as an ideograph (quotation marks, ellipsis, middle dot), which
tear Latin words apart. The licence reserves the name "Source" and asks that a changed font be
renamed: hence "Shelf Sans SC".
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.pens.filterPen import DecomposingFilterPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SCALE = 1.117
WEIGHTS = {"Regular": "400Regular", "Bold": "700Bold"}


def characters_of(encoding: str, leads: range, trails: list[int]) -> set[int]:
    """Every character that two bytes of an old national encoding can name."""
    found = set()
    for lead in leads:
        for trail in trails:
            character = bytes([lead, trail]).decode(encoding, "ignore")
            found |= {ord(character)} if len(character) == 1 else set()
    return found


def wanted() -> set[int]:
    """GB 2312 (with kana, Greek, Cyrillic), the common halves of Big5 and JIS, and Latin."""
    high = list(range(0xA1, 0xFF))
    points = characters_of("gb2312", range(0xA1, 0xF8), high)
    points |= characters_of("big5", range(0xA1, 0xC7), list(range(0x40, 0x7F)) + high)
    points |= characters_of("euc_jp", range(0xA1, 0xD0), high)
    ranges = [
        (0x20, 0x250),
        (0x370, 0x530),
        (0x1E00, 0x1F00),
        (0x2010, 0x2060),
        (0x2070, 0x20D0),
    ]
    ranges += [(0x2100, 0x2190), (0x2212, 0x2213), (0x3000, 0x3100), (0xFF01, 0xFFA0)]
    for first, last in ranges:
        points |= set(range(first, last))
    return points


def borrow(font: TTFont, lender: TTFont, points: set[int]) -> None:
    """Give `font` the glyphs that it lacks or has too wide, flattened and scaled."""
    lent, shapes = lender.getBestCmap(), lender.getGlyphSet()
    tables = [table for table in font["cmap"].tables if table.isUnicode()]
    order = list(font.getGlyphOrder())
    own = font.getBestCmap()
    wide = {
        point for point, name in own.items() if point < 0x2200 and font["hmtx"][name][0] == 1000
    }
    for point in sorted(points & lent.keys() - (own.keys() - wide)):
        name = f"latin{point:04X}"
        pen = TTGlyphPen(None)
        scaled = TransformPen(pen, (SCALE, 0, 0, SCALE, 0, 0))
        shapes[lent[point]].draw(DecomposingFilterPen(scaled, shapes))
        glyph = pen.glyph()
        font["glyf"][name] = glyph
        glyph.recalcBounds(font["glyf"])
        advance = round(lender["hmtx"][lent[point]][0] * SCALE)
        font["hmtx"][name] = (advance, getattr(glyph, "xMin", 0))
        order.append(name)
        for table in tables:
            if point < 0x10000 or table.format == 12:
                table.cmap[point] = name
    font.setGlyphOrder(order)


def rename(font: TTFont, weight: str) -> None:
    """Our own name on it, the copyright and the licence kept."""
    names = font["name"]
    kept = {record.nameID: str(record) for record in names.names if record.nameID in (0, 13, 14)}
    kept[0] += " Latin letters from Source Sans 3, Copyright 2010-2020 Adobe."
    kept |= {1: "Shelf Sans SC", 2: weight, 3: f"ShelfSansSC-{weight}-1"}
    kept |= {4: f"Shelf Sans SC {weight}", 5: "Version 1.0", 6: f"ShelfSansSC-{weight}"}
    names.names = []
    for name_id, value in sorted(kept.items()):
        names.setName(value, name_id, 3, 1, 0x409)


def make(noto: Path, source: Path, target: Path, weight: str) -> None:
    folder = WEIGHTS[weight]
    font = TTFont(noto / folder / f"NotoSansSC_{folder}.ttf", recalcTimestamp=False)
    lender = TTFont(source / folder / f"SourceSans3_{folder}.ttf")
    for tag in ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "vhea", "vmtx", "prep", "gasp"):
        if tag in font:
            del font[tag]
    options = Options()
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    subsetter = Subsetter(options)
    points = wanted()
    subsetter.populate(unicodes=points)
    subsetter.subset(font)
    borrow(font, lender, points)
    rename(font, weight)
    font["post"].formatType = 3.0
    font.save(target / f"shelf-sans-sc-{weight.lower()}.ttf", reorderTables=None)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    for each in WEIGHTS:
        make(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), each)
