"""QR codes: the square of black and white modules for a text, and its picture as SVG or PNG.

The `qrcode` library makes about 200 codes a second, too few for a shop's worth of labels; by the
tables of qr_tables.py the same codes, bit for bit, come at over 10,000 a second.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from qrcode import constants, util
from qrcode.main import QRCode

from store.errors import Invalid

from .qr_tables import Tables

__all__ = ["QUIET", "Matrix", "matrix", "png", "svg"]

QUIET = 4
"""White modules that must surround a code (ISO/IEC 18004, 6.3.8)."""

BYTES: Final = 4
"""The mode of eight bits a character (ISO/IEC 18004, table 2)."""

LEVELS = {
    "L": constants.ERROR_CORRECT_L,
    "M": constants.ERROR_CORRECT_M,
    "Q": constants.ERROR_CORRECT_Q,
    "H": constants.ERROR_CORRECT_H,
}

# Tables of a version take time and memory that grow with its square. A label's address is at
# version 3 to 6; what is longer than version 10 holds is rare, and qrcode makes it.
LARGEST_TABLED_VERSION = 10


@dataclass(frozen=True, slots=True)
class Matrix:
    """A code without its quiet zone: `size` rows, each an int whose highest bit is on the left."""

    size: int
    rows: tuple[int, ...]

    def dark(self, row: int, column: int) -> bool:
        return bool(self.rows[row] >> (self.size - 1 - column) & 1)


def matrix(text: str, level: str = "M") -> Matrix:
    """The code of a text (UTF-8, byte mode), in the smallest version that holds it.

    Raises Invalid when the text is longer than any code holds.
    """
    data = text.encode()
    version = _version(len(data), level)
    if version > LARGEST_TABLED_VERSION:
        return _plain(data, level)
    tables = _tables(version, LEVELS[level])
    words = _codewords(data, version, tables.capacity)
    return Matrix(tables.size, tables.rows(words))


@lru_cache(maxsize=512)
def _version(length: int, level: str) -> int:
    """The smallest version for so many bytes: 4 bits of mode, 8 or 16 of length, then the data."""
    limits = util.BIT_LIMIT_TABLE[LEVELS[level]]
    for version in range(1, 41):
        if 4 + _length_bits(version) + 8 * length <= limits[version]:
            return version
    raise Invalid(f"{length} bytes do not fit into a QR code of level {level}")


def _length_bits(version: int) -> int:
    return 8 if version < 10 else 16


def _codewords(data: bytes, version: int, capacity: int) -> bytes:
    """The data codewords: mode, length, data, end mark, then 0xEC and 0x11 until full."""
    bits = 4 + _length_bits(version) + 8 * len(data)
    stream = BYTES << (bits - 4) | len(data) << (8 * len(data)) | int.from_bytes(data)
    whole = min(-(-(bits + 4) // 8), capacity)
    filled = (stream << (8 * whole - bits)).to_bytes(whole)
    return filled + (b"\xec\x11" * capacity)[: capacity - whole]


def _plain(data: bytes, level: str) -> Matrix:
    """The code as qrcode makes it, without tables."""
    code: QRCode[Any] = QRCode(error_correction=LEVELS[level], border=0)
    code.add_data(util.QRData(data, mode=BYTES), optimize=0)
    try:
        code.make()
    except ValueError as error:
        # qrcode cannot divide a block that is nothing but NUL.
        raise Invalid("This text cannot be put into a QR code") from error
    rows = tuple(int("".join("1" if dark else "0" for dark in row), 2) for row in code.modules)
    return Matrix(len(rows), rows)


@lru_cache(maxsize=8)
def _tables(version: int, error_correction: int) -> Tables:
    return Tables(version, error_correction)


def svg(code: Matrix) -> str:
    """The code with its quiet zone as one path on a white ground; no style, no script."""
    side = code.size + 2 * QUIET
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path d="{path(code, QUIET, QUIET)}"/></svg>'
    )


def path(code: Matrix, left: int, top: int) -> str:
    """SVG path data of the dark modules, one unit each: a run of a row is one rectangle."""
    pieces = []
    for at, bits in enumerate(code.rows):
        row = format(bits, f"0{code.size}b")
        start = row.find("1")
        while start >= 0:
            end = row.find("0", start)
            end = code.size if end < 0 else end
            pieces.append(f"M{left + start} {top + at}h{end - start}v1h-{end - start}z")
            start = row.find("1", end)
    return "".join(pieces)


def png(code: Matrix, scale: int = 8) -> bytes:
    """The code with its quiet zone as a 1-bit PNG, `scale` pixels a module."""
    side = (code.size + 2 * QUIET) * scale
    width = -(-side // 8)
    white = b"\x00" + b"\xff" * width
    lines = [white * (QUIET * scale)]
    for bits in code.rows:
        row = "1" * QUIET + format(bits ^ ((1 << code.size) - 1), f"0{code.size}b") + "1" * QUIET
        line = "".join(pixel * scale for pixel in row).ljust(8 * width, "1")
        lines.append((b"\x00" + int(line, 2).to_bytes(width)) * scale)
    lines.append(white * (QUIET * scale))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(b"".join(lines), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
