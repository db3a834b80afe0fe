"""Deposits of what is given back: a unit takes its deposit with it, a part of a bundle its own."""

from __future__ import annotations

from typing import Any

from ... import catalogue

__all__ = ["with_deposits"]


def with_deposits(lines: dict[int, Any], asked: dict[int, int]) -> dict[int, int]:
    """A unit that goes back takes its deposit with it, a part of a bundle its own."""
    of_parts = _deposits_of_parts(lines, asked)
    for at, line in lines.items():
        if line.kind == "deposit":
            each = line.quantity // lines[line.of_position].quantity
            many = asked.get(line.of_position, 0) * each
            many += of_parts.get((line.of_position, line.item_id), 0)
            if many:
                asked[at] = min(many, line.quantity - line.quantity_refunded)
    return {at: many for at, many in asked.items() if many}


def _deposits_of_parts(lines: dict[int, Any], asked: dict[int, int]) -> dict[tuple[int, int], int]:
    """How many deposits the parts of bundles take with them, by the bundle's line and the deposit's
    item."""
    parts = [lines[at] for at in asked if lines[at].kind == "part"]
    found: dict[tuple[int, int], int] = {}
    if not parts:
        return found
    bundles = catalogue.parts_of({lines[line.of_position].item_id for line in parts})
    for line in parts:
        for each in bundles.get(lines[line.of_position].item_id, ()):
            if each.item_id == line.item_id and each.deposit is not None:
                key = (line.of_position, each.deposit.item_id)
                found[key] = found.get(key, 0) + asked[line.position]
    return found
