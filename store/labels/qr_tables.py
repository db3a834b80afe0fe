"""QR codes by tables: what each half byte of data does to the whole square, found out once.

Everything between the data bits and the modules of a QR code is linear over GF(2): Reed-Solomon,
interleaving, placement. So qrcode itself is asked once, for each version and level, what every bit
of data changes; after that a code is the XOR of a few big integers, and the eight masks are scored
by shifts and bit counts over such an integer instead of loops over its modules.
"""

from __future__ import annotations

from functools import reduce
from operator import getitem, xor
from typing import Any

from qrcode import base, util
from qrcode.main import QRCode

__all__ = ["Tables"]


class Tables:
    """What the data does to the square of one version and level.

    A square is one integer: rows from the top, each `size` bits and one 0 bit that keeps
    neighbouring rows apart when bits are shifted past each other.
    """

    def __init__(self, version: int, error_correction: int) -> None:
        self.size = version * 4 + 17
        self.stride = self.size + 1
        self.blocks = base.rs_blocks(version, error_correction)
        self.capacity = sum(block.data_count for block in self.blocks)
        code: QRCode[Any] = QRCode(version=version, error_correction=error_correction, border=0)
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

    def _square(self, code: QRCode[Any], test: bool, mask: int, words: list[int]) -> int:
        code.data_cache = words
        code.makeImpl(test, mask)
        return int(
            "".join("1" if dark else "0" for row in code.modules for dark in (*row, 0)),
            2,
        )

    def _places(self, code: QRCode[Any], total: int) -> list[int]:
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
        # qrcode cannot divide a block of zeros, so an effect is a difference from a block of ones.
        ground = self._codewords([1] * self.capacity)
        effects = []
        for word in range(self.capacity):
            words = [1] * self.capacity
            words[word] = 0
            turned = [
                left ^ right for left, right in zip(ground, self._codewords(words), strict=True)
            ]
            bits = []
            for _ in range(8):
                bits.append(_laid_out(turned, places))
                # The code is linear over GF(256) too: the next bit is the double of this one.
                turned = [byte << 1 ^ (0x11D if byte & 0x80 else 0) for byte in turned]
            effects += [_digits(bits[4:]), _digits(bits[:4])]
        return effects

    def _codewords(self, words: list[int]) -> list[int]:
        """Data codewords with their error correction, interleaved."""
        buffer = util.BitBuffer()
        buffer.buffer = words
        return util.create_bytes(buffer, self.blocks)

    def rows(self, words: bytes) -> tuple[int, ...]:
        """The finished code of these data codewords, row by row.

        Of the eight masks qrcode's choice: the first with the fewest penalty points.
        """
        data = reduce(xor, map(getitem, self.effects, words.hex()))
        points = [self._points(data ^ tried) for tried in self.tried]
        square = data ^ self.final[points.index(min(points))]
        stride, row = self.stride, self.row
        shifts = range((self.size - 1) * stride + 1, 0, -stride)
        return tuple([square >> shift & row for shift in shifts])

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


def _laid_out(words: list[int], places: list[int]) -> int:
    square = 0
    for at, byte in enumerate(words):
        for bit in range(8):
            if byte >> (7 - bit) & 1:
                square ^= places[8 * at + bit]
    return square


def _digits(bits: list[int]) -> dict[str, int]:
    """Each hex digit to the XOR of the squares of its bits, the lowest bit first."""
    return {
        f"{value:x}": reduce(xor, (square for at, square in enumerate(bits) if value >> at & 1), 0)
        for value in range(16)
    }


def _finders(dark: int, light: int, step: int) -> int:
    two = light & light >> step
    four = two & two >> 2 * step
    core = dark & light >> step & dark >> 4 * step & light >> 5 * step & dark >> 6 * step
    core &= (dark & dark >> step) >> 2 * step
    if not core:
        return 0
    return (core & four >> 7 * step).bit_count() + (four & core >> 4 * step).bit_count()
