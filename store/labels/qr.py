"""QR codes: the square of black and white modules for a text, and its picture as SVG or PNG.

The `qrcode` library makes about 200 codes a second, which is too slow for a shop's worth of labels.
Everything between the data bits and the modules is linear over GF(2): Reed-Solomon, interleaving,
placement. So qrcode itself is asked once, for each version and level, what every half byte of data
does to the whole square; after that a code is the XOR of a few big integers. The result is
bit-identical to qrcode's, the choice among the eight masks included, at over 10,000 a second.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import getitem, xor

from qrcode import base, constants, util
from qrcode.exceptions import DataOverflowError
from qrcode.main import QRCode

from ..errors import Invalid

__all__ = ["QUIET", "Matrix", "matrix", "png", "svg"]

QUIET = 4
"""White modules that must surround a code (ISO/IEC 18004, 6.3.8)."""

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
    tables = _tables(version, level)
    words = _codewords(data, version, tables.capacity)
    return tables.finish(reduce(xor, map(getitem, tables.effects, words.hex())))


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
    stream = 4 << (bits - 4) | len(data) << (8 * len(data)) | int.from_bytes(data)
    whole = min(-(-(bits + 4) // 8), capacity)
    filled = (stream << (8 * whole - bits)).to_bytes(whole)
    return filled + (b"\xec\x11" * capacity)[: capacity - whole]


def _plain(data: bytes, level: str) -> Matrix:
    """The code as qrcode makes it, without tables."""
    code: QRCode = QRCode(error_correction=LEVELS[level], border=0)
    code.add_data(util.QRData(data, mode=util.MODE_8BIT_BYTE), optimize=0)
    try:
        code.make()
    except (DataOverflowError, ValueError) as error:
        raise Invalid(f"{len(data)} bytes do not fit into a QR code") from error
    rows = tuple(int("".join("1" if dark else "0" for dark in row), 2) for row in code.modules)
    return Matrix(len(rows), rows)


class _Tables:
    """What the data does to the square of one version and level.

    A square is one integer: rows from the top, each `size` bits and one 0 bit that keeps
    neighbouring rows apart when bits are shifted past each other.
    """

    def __init__(self, version: int, level: str) -> None:
        self.size = version * 4 + 17
        self.stride = self.size + 1
        self.blocks = base.rs_blocks(version, LEVELS[level])
        self.capacity = sum(block.data_count for block in self.blocks)
        code: QRCode = QRCode(version=version, error_correction=LEVELS[level], border=0)
        total = sum(block.total_count for block in self.blocks)
        # qrcode judges the masks on a square whose format marks are still white (`test`).
        self.tried = [self._square(code, True, mask, [0] * total) for mask in range(8)]
        self.final = [self._square(code, False, mask, [0] * total) for mask in range(8)]
        self.effects = self._effects(self._places(code, total))
        row = ((1 << self.size) - 1) << 1
        self.inside = self._repeat(row, self.size)
        self.beside = self._repeat(row & ~2, self.size)
        self.below = self._repeat(row, self.size - 1)
        self.corners = self._repeat(row & ~2, self.size - 1)
        self.row = (1 << self.size) - 1

    def _repeat(self, row: int, count: int) -> int:
        """`row` in the first `count` rows (from the top), nothing in the others."""
        square = 0
        for at in range(self.size):
            square = square << self.stride | (row if at < count else 0)
        return square

    def _square(self, code: QRCode, test: bool, mask: int, words: list[int]) -> int:
        code.data_cache = words
        code.makeImpl(test, mask)
        return int("".join("1" if dark else "0" for row in code.modules for dark in (*row, 0)), 2)

    def _places(self, code: QRCode, total: int) -> list[int]:
        """For each bit of the interleaved codewords, the module where qrcode puts it.

        Bit k is found by as many squares as k has binary digits: in square j all bits are dark
        whose number has digit j set.
        """
        empty = self.final[0]
        digits = (8 * total).bit_length()
        squares = []
        for digit in range(digits):
            # Counted from 1, so that every bit is dark in at least one square.
            bits = [(number + 1) >> digit & 1 for number in range(8 * total)]
            words = [int("".join(map(str, bits[at : at + 8])), 2) for at in range(0, len(bits), 8)]
            squares.append(self._square(code, False, 0, words) ^ empty)
        places = [0] * (8 * total)
        for module in range(self.size * self.stride):
            number = sum((square >> module & 1) << at for at, square in enumerate(squares))
            if number:
                places[number - 1] = 1 << module
        return places

    def _effects(self, places: list[int]) -> list[dict[str, int]]:
        """For each half byte of the data codewords: hex digit to the modules that it turns."""
        effects = []
        for position in range(2 * self.capacity):
            shift = 4 * (1 - position % 2)
            single = [
                self._turned(position // 2, 1 << (shift + bit), places) for bit in range(4)
            ]
            effects.append(
                {
                    f"{value:x}": reduce(xor, (single[b] for b in range(4) if value >> b & 1), 0)
                    for value in range(16)
                }
            )
        return effects

    def _turned(self, word: int, value: int, places: list[int]) -> int:
        buffer = util.BitBuffer()
        buffer.buffer = [0] * self.capacity
        buffer.buffer[word] = value
        square = 0
        for at, byte in enumerate(util.create_bytes(buffer, self.blocks)):
            for bit in range(8):
                if byte >> (7 - bit) & 1:
                    square ^= places[8 * at + bit]
        return square

    def finish(self, data: int) -> Matrix:
        """Choose the mask as qrcode does (the first of the least points) and cut into rows."""
        points = [self._points(data ^ tried) for tried in self.tried]
        square = data ^ self.final[points.index(min(points))]
        stride, row = self.stride, self.row
        shifts = range((self.size - 1) * stride + 1, 0, -stride)
        return Matrix(self.size, tuple([square >> shift & row for shift in shifts]))

    def _points(self, dark: int) -> int:
        """The penalty of ISO/IEC 18004, 7.8.3, with the quirks of qrcode (no rounding of N4)."""
        stride = self.stride
        light = self.inside ^ dark
        # N1: runs of five or more of one colour, across and down. A run of k leaves k - 4 bits.
        across = ~(dark ^ dark << 1) & self.beside
        # Bit k of `across` says that the module there equals its right-hand neighbour.
        five = across & across >> 1
        five &= five >> 2
        down = ~(dark ^ dark << stride) & self.below
        five_down = down & down >> stride
        five_down &= five_down >> 2 * stride
        points = (
            five.bit_count()
            + 2 * (five & ~(five << 1)).bit_count()
            + five_down.bit_count()
            + 2 * (five_down & ~(five_down << stride)).bit_count()
        )
        # N2: squares of two by two.
        points += 3 * (across & across << stride & down).bit_count()
        # N3: 1:1:3:1:1 with four white modules before or after it, across and down.
        points += 40 * (_finders(dark, light, 1) + _finders(dark, light, stride))
        # N4: every five per cent away from half dark.
        share = float(dark.bit_count()) / (self.size**2)
        return points + int(abs(share * 100 - 50) / 5) * 10


def _finders(dark: int, light: int, step: int) -> int:
    two = light & light >> step
    four = two & two >> 2 * step
    core = dark & light >> step & dark >> 4 * step & light >> 5 * step & dark >> 6 * step
    core &= (dark & dark >> step) >> 2 * step
    if not core:
        return 0
    return (core & four >> 7 * step).bit_count() + (four & core >> 4 * step).bit_count()


@lru_cache(maxsize=8)
def _tables(version: int, level: str) -> _Tables:
    return _Tables(version, level)


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
