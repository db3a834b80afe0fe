"""PDF, page by page: nothing of a finished page stays in memory.

A PDF library keeps every page until it saves, so that a big job grows without bound. What labels
and receipts need of PDF is little: lines of type in two embedded fonts, rules, and codes as 1-bit
image masks of one pixel a module, which printers and readers take best (no seams between modules,
and smallest). So this file writes that itself; only page numbers and the characters used are
remembered. ISO 32000-1: 7.5 (file structure), 8.9.7 (inline images), 9.7 (composite fonts).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from .pdf_fonts import EmbeddedFont

__all__ = ["Document"]

MM = 72 / 25.4
CATALOG, PAGES, REGULAR, BOLD = 1, 2, 3, 4
FIRST_FREE = 5


class Document:
    """A PDF that is written from front to back; `offsets` is all that grows with its pages."""

    def __init__(self, output: BinaryIO, width_mm: float, height_mm: float) -> None:
        self.output = output
        self.height_mm = height_mm
        self.media_box = f"[0 0 {_number(width_mm * MM)} {_number(height_mm * MM)}]"
        self.written = 0
        self.offsets: dict[int, int] = {}
        self.pages: list[int] = []
        self.next_free = FIRST_FREE
        self.fonts = {False: EmbeddedFont(bold=False), True: EmbeddedFont(bold=True)}
        self.drawing: list[str] = []
        # The second line tells every program that the file is binary (7.5.2).
        self._put(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")

    def text(self, text: str, x_mm: float, y_mm: float, size_mm: float, bold: bool = False) -> None:
        """A line of printable type, its baseline's left end there, measured from the page's top
        left corner."""
        self.texts(((text, x_mm, y_mm, size_mm, bold),))

    def texts(self, lines: Iterable[tuple[str, float, float, float, bool]]) -> None:
        self.drawing.append("BT")
        for text, x_mm, y_mm, size_mm, bold in lines:
            name = "/B" if bold else "/R"
            glyphs = self.fonts[bold].encode(text)
            x, y = _number(x_mm * MM), _number((self.height_mm - y_mm) * MM)
            self.drawing.append(
                f"{name} {_number(size_mm * MM)} Tf 1 0 0 1 {x} {y} Tm <{glyphs}> Tj"
            )
        self.drawing.append("ET")

    def rule(self, x_mm: float, y_mm: float, width_mm: float, thick_mm: float = 0.15) -> None:
        """A thin line from left to right."""
        x, y = _number(x_mm * MM), _number((self.height_mm - y_mm) * MM)
        self.drawing.append(f"{x} {y} {_number(width_mm * MM)} {_number(thick_mm * MM)} re f")

    def mask(self, size: int, rows: Sequence[int], x_mm: float, y_mm: float, side: float) -> None:
        """A square code as a 1-bit image mask, `side` millimetres wide; of each row the highest of
        `size` bits is on the left."""
        side_pt = side * MM
        left, bottom = _number(x_mm * MM), _number((self.height_mm - y_mm) * MM - side_pt)
        self.drawing.append(f"q {_number(side_pt)} 0 0 {_number(side_pt)} {left} {bottom} cm")
        self.drawing.append(_mask(size, rows))
        self.drawing.append("Q")

    def end_page(self) -> None:
        content = self._stream("\n".join(self.drawing).encode("ascii"))
        self.drawing.clear()
        page = self._take()
        self.pages.append(page)
        self._object(
            page,
            f"<< /Type /Page /Parent {PAGES} 0 R /MediaBox {self.media_box} "
            f"/Resources << /Font << /R {REGULAR} 0 R /B {BOLD} 0 R >> >> "
            f"/Contents {content} 0 R >>",
        )

    def close(self) -> None:
        """The fonts with the characters used, the page tree, and the table of places."""
        self._font(REGULAR, self.fonts[False])
        self._font(BOLD, self.fonts[True])
        kids = " ".join(f"{page} 0 R" for page in self.pages)
        self._object(PAGES, f"<< /Type /Pages /Count {len(self.pages)} /Kids [{kids}] >>")
        # A sheet of labels that is scaled to fit the printer's margins misses them.
        self._object(
            CATALOG,
            f"<< /Type /Catalog /Pages {PAGES} 0 R "
            f"/ViewerPreferences << /PrintScaling /None /PickTrayByPDFSize true >> >>",
        )
        start = self.written
        size = self.next_free
        self._put(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
        for number in range(1, size):
            self._put(f"{self.offsets[number]:010d} 00000 n \n".encode())
        trailer = f"trailer\n<< /Size {size} /Root {CATALOG} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        self._put(trailer.encode())

    def _font(self, number: int, font: EmbeddedFont) -> None:
        file = self._stream(font.file(), f"/Length1 {len(font.file())}")
        to_unicode = self._stream(font.to_unicode())
        descriptor, descendant = self._take(), self._take()
        self._object(descriptor, font.descriptor(file))
        self._object(descendant, font.descendant(descriptor))
        self._object(number, font.composite(descendant, to_unicode))

    def _take(self) -> int:
        self.next_free += 1
        return self.next_free - 1

    def _stream(self, data: bytes, more: str = "") -> int:
        packed = zlib.compress(data, 6)
        number = self._take()
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {more}>>\nstream\n"
        self._object(number, head.encode() + packed + b"\nendstream")
        return number

    def _object(self, number: int, body: str | bytes) -> None:
        self.offsets[number] = self.written
        body = body.encode("ascii") if isinstance(body, str) else body
        self._put(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _put(self, data: bytes) -> None:
        self.output.write(data)
        self.written += len(data)


def _mask(size: int, rows: Sequence[int]) -> str:
    """The code as an inline image mask that paints its dark modules black.

    In hexadecimal, so that no chance sequence of bytes looks like the end of the image.
    """
    width = -(-size // 8)
    spare = 8 * width - size
    bits = "".join(format(row << spare, f"0{2 * width}x") for row in rows)
    return f"BI /W {size} /H {size} /IM true /D [1 0] /F /AHx ID {bits}> EI"


def _number(value: float) -> str:
    """Four decimals of a point: far below a printer's dot, so that modules stay square."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
