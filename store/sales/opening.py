"""Opening bundles: some of what is in one comes back, or never came, and the rest stays sold.

A bundle is one line of a sale, at a price of its own. Where a part of it goes back, as many units
of the line as that needs are opened: each part becomes a line of the kind `part`, with its share of
what was paid for these units. Those lines go back like any other, by the same guards; opened units
of the bundle's own line never do.

The share of a part is by what the parts cost alone when and where the bundle was sold; by pieces
where one of them had no price. Shares are whole coins, unit by unit, and add up to what was paid,
so never more than that goes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update

from .. import catalogue
from ..db import connection, in_transaction
from ..errors import Invalid, Refusal
from .models import Sale, SaleLine

__all__ = [
    "Content", "NotSoManyLeft", "Part", "contents_of", "given_units", "part_worth", "resolved",
    "share", "shares", "unit_shares",
]  # fmt: skip


class NotSoManyLeft(Refusal):
    """Fewer units of the line are left than should go back. `data`: position, left, asked."""

    code = "not_so_many_left"
    status = 409
    title = "Not so many of this are left to give back"


class Part(NamedTuple):
    """So many units of one line of a sale; or, with an item, so many pieces of what is in the
    bundle on that line."""

    position: int
    quantity: int
    item_id: int | None = None


def share(total_minor: int, quantity: int, before: int, many: int) -> int:
    """What the next `many` of a line's units give back when `before` of them went back already."""
    return total_minor * (before + many) // quantity - total_minor * before // quantity


def shares(total_minor: int, weights: Sequence[int]) -> list[int]:
    """An amount in parts by weight, in whole coins that add up to it."""
    whole, before, found = sum(weights), 0, list[int]()
    for weight in weights:
        found.append(share(total_minor, whole, before, weight))
        before += weight
    return found


def unit_shares(
    total_minor: int, quantity: int, before: int, many: int, weights: Sequence[int]
) -> list[int]:
    """What the next `many` of a line's units cost, by weight, after `before` of them: each unit is
    divided by itself, so that a part has cost the same however its bundles come back."""
    paid, each = share(total_minor, quantity, before, many), total_minor // quantity
    dearer = paid - many * each
    low, high = shares(each, weights), shares(each + 1, weights)
    return [(many - dearer) * one + dearer * other for one, other in zip(low, high)]


def given_units(line: Any) -> int:
    """How many units of a line are no longer to be given back as they are: those that went back,
    and those that were opened. What the next ones give back depends on it."""
    return int(line.quantity_refunded + line.quantity_opened)


class Content(NamedTuple):
    """A part of a bundle: its item, how many are in one, what all of these weigh in its price."""

    item_id: int
    names: dict[str, str]
    each: int
    weight: int


def contents_of(
    bundle_ids: Sequence[int], location_id: int, currency: str, at: datetime
) -> dict[int, list[Content]]:
    """What is in these bundles, with the weights of a sale there and then."""
    bundles = catalogue.parts_of(bundle_ids)
    items = {part.item_id for parts in bundles.values() for part in parts}
    prices = catalogue.prices_at(items, location_id, currency, at) if items else {}
    found = {}
    for bundle, parts in bundles.items():
        weights = [part.quantity * prices.get(part.item_id, 0) for part in parts]
        if not all(weights):
            weights = [part.quantity for part in parts]
        found[bundle] = [
            Content(part.item_id, part.names, part.quantity, weight)
            for part, weight in zip(parts, weights)
        ]
    return found


def resolved(sale: Sale, parts: Sequence[Part]) -> list[list[Part]]:
    """Joiner, the sale being ours: for each of these, in order, the units of lines that it is.
    Pieces out of a bundle become units of the lines of its parts: of those that are there, and
    then of as many units of the bundle as are opened for them. Raises Invalid, NotSoManyLeft."""
    inside: dict[int, dict[int, int]] = {}
    whole: dict[int, int] = {}
    for position, many, item in parts:
        if item is None:
            whole[position] = whole.get(position, 0) + many
        elif many < 1:
            raise Invalid("A quantity is 1 or more", field="quantity")
        else:
            wanted = inside.setdefault(position, {})
            wanted[item] = wanted.get(item, 0) + many
    if not inside:
        return [[part] for part in parts]
    lines = _lines(sale.id)
    bundles = [lines[position].item_id for position in inside if position in lines]
    contents = contents_of(bundles, sale.location_id, sale.currency, sale.created_at)
    for position, wanted in sorted(inside.items()):
        line = lines.get(position)
        if line is None or line.kind != "goods":
            raise Invalid("The sale has no such line", field="lines")
        known = contents.get(line.item_id, [])
        if wanted.keys() - {each.item_id for each in known}:
            raise Invalid("This is not in the bundle", field="item")
        _open_for(sale.id, line, known, wanted, lines, whole)
    lines = _lines(sale.id)
    free = {at: _left(line) - whole.get(at, 0) for at, line in lines.items()}
    return [
        [part] if part.item_id is None else _units(part, lines, free)
        for part in parts
    ]  # fmt: skip


def _units(part: Part, lines: Mapping[int, Any], free: dict[int, int]) -> list[Part]:
    """The units of the lines of a bundle's part, the first lines first; they are free no more."""
    left, found = part.quantity, list[Part]()
    for at, line in sorted(lines.items()):
        if line.kind == "part" and (line.of_position, line.item_id) == (part[0], part.item_id):
            many = min(left, free[at])
            if many > 0:
                found.append(Part(at, many))
                free[at] -= many
                left -= many
    return found


def _open_for(
    sale_id: str, line: Any, contents: Sequence[Content], wanted: Mapping[int, int],
    lines: Mapping[int, Any], whole: Mapping[int, int],
) -> None:  # fmt: skip
    """Joiner: open as many units of a bundle as these pieces need beyond those that are open;
    `whole` are units of lines that go back as they are, beside them."""
    there: dict[int, int] = {}
    for other in lines.values():
        if other.kind == "part" and other.of_position == line.position:
            free = _left(other) - whole.get(other.position, 0)
            there[other.item_id] = there.get(other.item_id, 0) + max(0, free)
    need = _needed({item: many - there.get(item, 0) for item, many in wanted.items()}, contents)
    free = _left(line) - whole.get(line.position, 0)
    if need > free:
        item, many = next(iter(wanted.items()))
        each = next(one.each for one in contents if one.item_id == item)
        left = there.get(item, 0) + max(0, free) * each
        raise NotSoManyLeft(position=line.position, left=left, asked=many)
    if need:
        _open(sale_id, line, need, contents)


def _needed(pieces: Mapping[int, int], contents: Sequence[Content]) -> int:
    """How many units of a bundle have so many pieces in them."""
    return max(-(-max(0, pieces.get(one.item_id, 0)) // one.each) for one in contents)


def _left(line: Any) -> int:
    return int(line.quantity - given_units(line) - line.quantity_returning)


def _open(sale_id: str, line: Any, many: int, contents: Sequence[Content]) -> None:
    session = in_transaction()
    opened = session.execute(
        update(SaleLine)
        .where(
            SaleLine.sale_id == sale_id, SaleLine.position == line.position,
            SaleLine.quantity_opened == line.quantity_opened,
            SaleLine.quantity_refunded == line.quantity_refunded,
        )
        .values(quantity_opened=SaleLine.quantity_opened + many)
    )  # fmt: skip
    if opened.rowcount != 1:  # type: ignore[attr-defined]
        raise NotSoManyLeft(position=line.position, left=0, asked=many)
    last = session.scalar(select(func.max(SaleLine.position)).where(SaleLine.sale_id == sale_id))
    totals, taxes = _shared(line, many, contents)
    rows = [
        {"sale_id": sale_id, "position": at, "item_id": one.item_id, "names": one.names,
         "quantity": one.each * many, "unit_minor": total // (one.each * many),
         "total_minor": total, "tax_minor": tax, "tax_rate_bp": line.tax_rate_bp,
         "label_id": None, "kind": "part", "of_position": line.position,
         "least_age": line.least_age}
        for at, (one, total, tax) in enumerate(zip(contents, totals, taxes), start=(last or 0) + 1)
    ]  # fmt: skip
    session.connection().execute(insert(SaleLine), rows)


def _shared(line: Any, many: int, contents: Sequence[Content]) -> tuple[list[int], list[int]]:
    """What was paid for the next units of a bundle, and its tax, by its parts."""
    units, weights = (line.quantity, given_units(line), many), [one.weight for one in contents]
    return (
        unit_shares(line.total_minor, *units, weights),
        unit_shares(line.tax_minor, *units, weights),
    )


def part_worth(sale: Sale, position: int, pieces: Mapping[int, int]) -> int:
    """What these pieces of the bundle on a line give back when they go back together, in minor
    units. Changes nothing."""
    line = _lines(sale.id)[position]
    known = contents_of([line.item_id], sale.location_id, sale.currency, sale.created_at)
    contents = known[line.item_id]
    many = _needed(pieces, contents)
    totals, _ = _shared(line, many, contents)
    return sum(
        share(total, one.each * many, 0, pieces.get(one.item_id, 0))
        for one, total in zip(contents, totals)
    )


def _lines(sale_id: str) -> dict[int, Any]:
    columns = (
        SaleLine.position, SaleLine.item_id, SaleLine.kind, SaleLine.of_position,
        SaleLine.quantity, SaleLine.quantity_refunded, SaleLine.quantity_returning,
        SaleLine.quantity_opened, SaleLine.total_minor, SaleLine.tax_minor, SaleLine.tax_rate_bp,
        SaleLine.least_age,
    )  # fmt: skip
    rows = connection().execute(select(*columns).where(SaleLine.sale_id == sale_id))
    return {row.position: row for row in rows}
