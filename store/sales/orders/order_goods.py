"""Goods of an order: which units of which lines they are, and what these cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ... import catalogue
from ...db import connection
from ..goods import counted
from ..models import Sale, SaleLine
from ..opening import Part, given_units, part_worth

__all__ = ["pieces_of", "positions_of", "worth"]


def pieces_of(wanted: Mapping[int, int]) -> dict[int, int]:
    """What these quantities by item are off the shelf: of bundles the parts, counted together with
    what is wanted alone. One statement."""
    parts = catalogue.parts_of(wanted)
    pieces: dict[int, int] = {}
    for item, quantity in wanted.items():
        for each, many in counted(item, quantity, parts):
            pieces[each] = pieces.get(each, 0) + many
    return pieces


def positions_of(sale_id: str, goods: Mapping[int, int]) -> list[Part]:
    """Which units of which lines these goods are, only of what was not given back, the last lines
    first: bundles that are there whole, items by themselves, parts of opened bundles, and the rest
    out of bundles that are not opened yet."""
    left = {item: many for item, many in goods.items() if many}
    lines = [line for line in _lines(sale_id) if line.kind in ("goods", "part")]
    kept = {line.position: line.quantity - given_units(line) for line in lines}
    bundles = catalogue.parts_of({line.item_id for line in lines})
    units = list[Part]()
    for line in lines:
        parts = bundles.get(line.item_id, ())
        if line.kind == "goods" and parts:
            many = min(left.get(each.item_id, 0) // each.quantity for each in parts)
            many = min(many, kept[line.position])
            if many:
                units.append(Part(line.position, many))
                kept[line.position] -= many
                for each in parts:
                    left[each.item_id] -= many * each.quantity
    for line in [*_of("goods", lines), *_of("part", lines)]:
        many = min(left.get(line.item_id, 0), kept[line.position])
        if many and line.item_id not in bundles:
            units.append(Part(line.position, many))
            left[line.item_id] -= many
    for line in _of("goods", lines):
        for each in bundles.get(line.item_id, ()):
            many = min(left.get(each.item_id, 0), kept[line.position] * each.quantity)
            if many:
                units.append(Part(line.position, many, each.item_id))
                left[each.item_id] -= many
    return units


def _of(kind: str, lines: list[Any]) -> list[Any]:
    return [line for line in lines if line.kind == kind]


def worth(sale: Sale, goods: Mapping[int, int]) -> int:
    """What these goods of an order cost with their deposits, in minor units."""
    if not goods:
        return 0
    lines = {line.position: line for line in _lines(sale.id)}
    total, inside, deposits = 0, dict[int, dict[int, int]](), dict[tuple[int, int], int]()
    for position, many, item in positions_of(sale.id, goods):
        line = lines[position]
        if item is None:
            total += line.total_minor * many // line.quantity
        if item is not None or line.kind == "part":
            of = position if line.of_position is None else line.of_position
            key = (of, item or line.item_id)
            deposits[key] = deposits.get(key, 0) + many
        else:
            total += _deposits(lines, position, many)
        if item is not None:
            inside.setdefault(position, {})[item] = many
    total += sum(part_worth(sale, position, pieces) for position, pieces in inside.items())
    return total + _deposits_of_parts(lines, deposits)


def _deposits(lines: Mapping[int, Any], position: int, many: int) -> int:
    """The deposits on so many units of a line."""
    return sum(
        line.total_minor * many // lines[position].quantity
        for line in lines.values()
        if line.kind == "deposit" and line.of_position == position
    )


def _deposits_of_parts(lines: Mapping[int, Any], pieces: Mapping[tuple[int, int], int]) -> int:
    """The deposits on pieces out of bundles, by the bundle's line and the item."""
    if not pieces:
        return 0
    bundles = catalogue.parts_of({lines[position].item_id for position, _ in pieces})
    paid = {
        (line.of_position, line.item_id): line.unit_minor
        for line in lines.values()
        if line.kind == "deposit"
    }
    return sum(
        many * paid.get((position, each.deposit.item_id), 0)
        for (position, item), many in pieces.items()
        for each in bundles.get(lines[position].item_id, ())
        if each.item_id == item and each.deposit is not None
    )


def _lines(sale_id: str) -> list[Any]:
    """The lines of a sale, the last ones first."""
    columns = (
        SaleLine.position, SaleLine.item_id, SaleLine.kind, SaleLine.of_position,
        SaleLine.quantity, SaleLine.quantity_refunded, SaleLine.quantity_opened,
        SaleLine.unit_minor, SaleLine.total_minor,
    )  # fmt: skip
    query = select(*columns).where(SaleLine.sale_id == sale_id)
    return list(connection().execute(query.order_by(SaleLine.position.desc())))
