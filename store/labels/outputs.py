"""The ways in which a job leaves the shop: PDF for any printer, ZPL for Zebra and its like, ESC/POS
for receipt and label printers, PNG pictures.

ZPL and ESC/POS carry each label as dots: no printer's own font has all the characters of a name,
and what is drawn here is what was proved here. Every output is written label by label.

ZPL: Zebra's Programming Guide, ^GFA and its compression of repeated characters. ESC/POS: Epson's
reference, GS v 0 and FF.
"""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, NamedTuple

from PIL import Image

from ..errors import Invalid
from . import pdf
from .layout import Layout, PrintedLabel, on_sheet
from .pdf import Printed
from .raster import bitmap
from .sheets import Sheet

__all__ = ["OUTPUTS", "Output", "output_named", "write"]

PICTURE_DPI = 300
"""Of pictures of labels that no label printer prints."""
TOLD_EVERY = 50

Progress = Callable[[int], None]


class Output(NamedTuple):
    """What it is called, how its files end, and their type."""

    name: str
    title: str
    ending: str
    mimetype: str
    rolls_only: bool = False


OUTPUTS = {
    each.name: each
    for each in (
        Output("pdf", "PDF", "pdf", "application/pdf"),
        Output("zpl", "ZPL (Zebra)", "zpl", "application/octet-stream", rolls_only=True),
        Output("escpos", "ESC/POS", "bin", "application/octet-stream", rolls_only=True),
        Output("png", "PNG", "zip", "application/zip"),
    )
}


def output_named(name: str, sheet: Sheet) -> Output:
    """Raises Invalid for one that is not known, or not for this medium."""
    found = OUTPUTS.get(name)
    if found is None:
        raise Invalid(f"The format is one of {', '.join(OUTPUTS)}", field="format")
    if found.rolls_only and not sheet.is_roll:
        raise Invalid(f"{found.title} prints rolls and tags, not sheets", field="format")
    return found


def write(
    how: Output,
    labels: Iterable[PrintedLabel],
    sheet: Sheet,
    output: BinaryIO,
    skip: int = 0,
    progress: Progress | None = None,
    *,
    dpi: int = 0,
) -> Printed:
    """Write the labels in one of the ways. Raises LabelTooSmall, Invalid; what was written until
    then is no file, so write to a temporary name."""
    if how.name == "pdf":
        return pdf.write(labels, sheet, output, skip, progress, dpi=dpi)
    drawn = _Drawn(labels, sheet, dpi or PICTURE_DPI, progress)
    if how.name == "png":
        _zip(drawn, output)
    else:
        put = _zpl if how.name == "zpl" else _escpos
        for placed, image in drawn:
            output.write(put(placed, image))
    if not drawn.count:
        raise Invalid("There is no label to print", field="item")
    if progress:
        progress(drawn.count)
    return Printed(drawn.count, drawn.count, tuple(drawn.missing))


class _Drawn:
    """The labels as dots, one after the other; counts them, and notes what the font lacks."""

    def __init__(
        self, labels: Iterable[PrintedLabel], sheet: Sheet, dpi: int, progress: Progress | None
    ) -> None:
        self.labels, self.sheet, self.dpi, self.progress = labels, sheet, dpi, progress
        self.count = 0
        self.missing: dict[str, None] = {}

    def __iter__(self) -> Iterator[tuple[Layout, Image.Image]]:
        for label in self.labels:
            placed = on_sheet(label, self.sheet, self.dpi)
            self.missing.update(dict.fromkeys(placed.missing))
            self.count += 1
            yield placed, bitmap(placed, self.dpi)
            if self.progress and self.count % TOLD_EVERY == 0:
                self.progress(self.count)


def _zip(drawn: _Drawn, output: BinaryIO) -> None:
    """A picture for each label, in the order of the job; the time in the file is always the same,
    so that one job is one file."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as packed:
        for _, image in drawn:
            picture = BytesIO()
            image.save(picture, "PNG", dpi=(drawn.dpi, drawn.dpi))
            name = zipfile.ZipInfo(f"label-{drawn.count:06d}.png")
            packed.writestr(name, picture.getvalue())


def _rows(image: Image.Image) -> tuple[int, list[bytes]]:
    """Bytes a row, and the rows; a set bit is a black dot."""
    width = -(-image.width // 8)
    inverted = image.point(lambda dot: 0 if dot else 255)
    data = inverted.tobytes()
    return width, [data[at : at + width] for at in range(0, len(data), width)]


def _zpl(placed: Layout, image: Image.Image) -> bytes:
    """One label: its size in dots, its dots, one piece. ^MNY: labels are told apart by the gap."""
    width, rows = _rows(image)
    body: list[str] = []
    before = b""
    for row in rows:
        body.append(":" if row == before and body else _packed(row))
        before = row
    total = width * len(rows)
    return (
        f"^XA^PW{image.width}^LL{image.height}^LH0,0^FO0,0"
        f"^GFA,{total},{total},{width},{''.join(body)}^FS^PQ1^XZ\n"
    ).encode("ascii")


def _packed(row: bytes) -> str:
    """A row in hexadecimal, with counts before characters that repeat; a comma is "nothing but
    white from here", an exclamation mark nothing but black."""
    digits = row.hex().upper()
    tail = ""
    for sign, filled in (("0", ","), ("F", "!")):
        bare = digits.rstrip(sign)
        if len(digits) - len(bare) > 1:
            digits, tail = bare, filled
            break
    runs = ((sign, len(list(run))) for sign, run in itertools.groupby(digits))
    return "".join(_times(count) + sign for sign, count in runs) + tail


def _times(count: int) -> str:
    """G to Y stand for 1 to 19, g to z for 20, 40 … 400; a single character needs none."""
    if count == 1:
        return ""
    said = "z" * (count // 400)
    count %= 400
    if count >= 20:
        said += chr(ord("g") + count // 20 - 1)
    if count % 20:
        said += chr(ord("G") + count % 20 - 1)
    return said


BAND = 240
"""Rows of dots at once: small printers have little memory."""


def _escpos(placed: Layout, image: Image.Image) -> bytes:
    """One label: its dots in bands, then on to the next label, or the next black mark."""
    width, rows = _rows(image)
    pieces = [b"\x1b@"]
    for at in range(0, len(rows), BAND):
        band = rows[at : at + BAND]
        pieces.append(b"\x1dv0\x00" + width.to_bytes(2, "little") + len(band).to_bytes(2, "little"))
        pieces += band
    return b"".join([*pieces, b"\x0c"])
