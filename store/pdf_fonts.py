"""A font inside a PDF: the glyphs that were used, their widths, and what they mean.

Composite fonts (ISO 32000-1, 9.7) with glyph numbers as codes: any number of characters is one
font, and the numbers are known before the job has ended. The file embedded is cut to the glyphs
used and keeps their numbers.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from io import BytesIO

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from . import fonts

__all__ = ["EmbeddedFont"]

CMAP_HEAD = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
"""
CMAP_TAIL = "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"


class EmbeddedFont:
    """One weight and the characters that a document has used of it."""

    def __init__(self, *, bold: bool) -> None:
        self.face = fonts.font(bold)
        self.used: dict[int, int] = {}
        """Glyph number to code point."""

    def encode(self, text: str) -> str:
        """The hexadecimal codes of printable text; its characters will be embedded."""
        codes = []
        for character in text:
            point = ord(character)
            glyph = self.face.glyphs[point]
            self.used.setdefault(glyph, point)
            codes.append(f"{glyph:04X}")
        return "".join(codes)

    @cached_property
    def _subset(self) -> bytes:
        options = Options()
        options.retain_gids = True
        options.hinting = False
        options.notdef_outline = True
        options.name_IDs = []
        options.drop_tables += ["OS/2", "name", "post", "cmap"]
        subsetter = Subsetter(options)
        subsetter.populate(gids=[0, *self.used])
        with TTFont(self.face.file, lazy=True, recalcTimestamp=False) as font:
            subsetter.subset(font)
            packed = BytesIO()
            font.save(packed)
        return packed.getvalue()

    def file(self) -> bytes:
        """The TrueType file to embed. Ask when the last text is encoded."""
        return self._subset

    @property
    def name(self) -> str:
        """The font's name with the six letters that mark a cut font (9.6.4)."""
        digest = hashlib.sha256(repr(sorted(self.used)).encode()).digest()
        return "".join(chr(65 + byte % 26) for byte in digest[:6]) + "+" + self.face.name

    def descriptor(self, file: int) -> str:
        face = self.face
        box = " ".join(map(str, face.box))
        stem = 140 if face.name.endswith("Bold") else 80
        return (
            f"<< /Type /FontDescriptor /FontName /{self.name} /Flags 4 /FontBBox [{box}] "
            f"/ItalicAngle 0 /Ascent {face.ascent} /Descent {face.descent} "
            f"/CapHeight {face.cap_height} /StemV {stem} /FontFile2 {file} 0 R >>"
        )

    def descendant(self, descriptor: int) -> str:
        widths = " ".join(f"{glyph} [{self.face.advances[glyph]}]" for glyph in sorted(self.used))
        return (
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{self.name} "
            f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
            f"/FontDescriptor {descriptor} 0 R /CIDToGIDMap /Identity /DW 1000 /W [{widths}] >>"
        )

    def composite(self, descendant: int, to_unicode: int) -> str:
        return (
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{self.name} /Encoding /Identity-H "
            f"/DescendantFonts [{descendant} 0 R] /ToUnicode {to_unicode} 0 R >>"
        )

    def to_unicode(self) -> bytes:
        """The map that lets people search and copy the text."""
        pairs = [
            f"<{glyph:04X}> <{chr(point).encode('utf-16-be').hex().upper()}>"
            for glyph, point in sorted(self.used.items())
        ]
        blocks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]
        body = "".join(
            f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks
        )
        return (CMAP_HEAD + body + CMAP_TAIL).encode("ascii")
