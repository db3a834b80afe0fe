"""A bag compared with its receipt: what was paid, what was scanned, and the difference.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .. import catalogue, sales


class Piece(NamedTuple):
    """An item: how many were paid (and not given back), how many were scanned."""

    item_id: int
    paid: int
    found: int

    @property
    def unpaid(self) -> int:
        return max(self.found - self.paid, 0)

    @property
    def absent(self) -> int:
        return max(self.paid - self.found, 0)


def paid(receipt: sales.Receipt) -> dict[int, int]:
    """What should be in the bag, by item, in the order of the receipt."""
    wanted: dict[int, int] = {}
    for line in receipt.lines:
        if line.kind in ("goods", "part") and line.kept:
            wanted[line.item_id] = wanted.get(line.item_id, 0) + line.kept
    return wanted


def compared(
    wanted: Mapping[int, int],
    scanned: Mapping[int, int],
    contents: Mapping[int, Sequence[catalogue.Part]],
) -> list[Piece]:
    """Each item that was paid or scanned. A bundle is scanned by its own code, or by all of its
    parts."""
    found = dict(scanned)
    for bundle, parts in contents.items():
        missing = wanted.get(bundle, 0) - found.get(bundle, 0)
        over = [(found.get(p.item_id, 0) - wanted.get(p.item_id, 0)) // p.quantity for p in parts]
        whole = max(min([missing, *over]), 0) if over else 0
        for part in parts if whole else ():
            found[part.item_id] = found.get(part.item_id, 0) - whole * part.quantity
        if whole:
            found[bundle] = found.get(bundle, 0) + whole
    every = dict.fromkeys([*wanted, *found])
    pieces = [Piece(item, wanted.get(item, 0), found.get(item, 0)) for item in every]
    return [piece for piece in pieces if piece.paid or piece.found]


def to_give_back(receipt: sales.Receipt, pieces: Sequence[Piece]) -> tuple[sales.Part, ...]:
    """Which units of which lines go back for what is not there: of an item the last lines first."""
    left = {piece.item_id: piece.absent for piece in pieces}
    parts = []
    for line in reversed(receipt.lines):
        many = min(left.get(line.item_id, 0), line.kept)
        if line.kind in ("goods", "part") and many > 0:
            left[line.item_id] -= many
            parts.append(sales.Part(line.position, many))
    return tuple(reversed(parts))


def to_buy(pieces: Sequence[Piece]) -> tuple[sales.Line, ...]:
    """What is there and was not paid."""
    return tuple(sales.Line(piece.item_id, piece.unpaid) for piece in pieces if piece.unpaid)


__all__ = ["Piece", "compared", "paid", "to_buy", "to_give_back"]
