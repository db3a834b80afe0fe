"""Bundles: several items sold as one, under one code and at one price; their stock is their parts'.

What is in a bundle is said when it is added and stays: what was sold keeps its meaning, and other
contents are another item. GS1 asks the same of its numbers (GTIN Management Standard, pre-defined
assortment: a changed content is a new GTIN).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from ..db import connection, in_transaction
from ..errors import Invalid
from .codes import find_item
from .deposits import COLUMNS, Deposit, read, with_deposit
from .models import BundlePart, Item

__all__ = ["Part", "kept_part", "parts_of", "read_parts", "set_parts"]

MOST_PARTS = 30
MOST_PIECES = 999


class Part(NamedTuple):
    """So many of an item are in a bundle."""

    item_id: int
    quantity: int
    code: str
    names: dict[str, str]
    tracks_batches: bool
    deposit: Deposit | None = None
    least_age: int = 0


def kept_part(values: Sequence[Any]) -> Part:
    """A part that was written down as a list, with the deposit in it as another."""
    plain = Part(*values[:5])
    age = int(values[6]) if len(values) > 6 else 0
    kept = None if values[5] is None else Deposit(*values[5])
    return plain._replace(deposit=kept, least_age=age) if kept or age else plain


def parts_of(item_ids: Collection[int]) -> dict[int, list[Part]]:
    """What is in these bundles, by their id, in one statement; an item that is none is left out."""
    query = (
        with_deposit(
            select(
                BundlePart.bundle_id, BundlePart.item_id, BundlePart.quantity, Item.code,
                Item.names, Item.tracks_batches, *COLUMNS, Item.least_age,
            ).join(Item, Item.id == BundlePart.item_id)
        )
        .where(BundlePart.bundle_id.in_(set(item_ids)))
        .order_by(BundlePart.bundle_id, BundlePart.item_id)
    )  # fmt: skip
    found: dict[int, list[Part]] = {}
    for row in connection().execute(query) if item_ids else ():
        part = Part(*row[1:6])._replace(deposit=read(row[6:-1]), least_age=row[-1])
        found.setdefault(row[0], []).append(part)
    return found


def read_parts(text: str) -> dict[int, int]:
    """Parts as people write them: codes with commas between them, "2 × D304, 9506000134352".
    Answers quantities by item. Raises Invalid for a code that nothing has."""
    parts: dict[int, int] = {}
    for many, code in split_parts(text):
        item = find_item(code)
        if item is None:
            raise Invalid(f"Nothing has the code {code[:40]!r}", field="parts")
        parts[item.id] = parts.get(item.id, 0) + many
    return parts


def split_parts(text: str) -> list[tuple[int, str]]:
    """How many of which codes. Raises Invalid."""
    parts = []
    for said in filter(None, (each.strip() for each in re.split(r"[,;\n]", text))):
        match = re.fullmatch(r"(\d{1,3})\s*[x×*]\s*(\S.*)", said)
        parts.append((int(match[1]), match[2]) if match else (1, said))
    if len(parts) > MOST_PARTS or not all(many for many, _ in parts):
        raise Invalid(f"A bundle has 1 to {MOST_PARTS} different parts", field="parts")
    return parts


def set_parts(bundle: Item, parts: Mapping[int, int]) -> None:
    """Joiner: what is in a bundle that was just added. Raises Invalid."""
    if not 1 <= len(parts) <= MOST_PARTS:
        raise Invalid(f"A bundle has 1 to {MOST_PARTS} different parts", field="parts")
    if not all(1 <= many <= MOST_PIECES for many in parts.values()):
        raise Invalid(f"Of each part 1 to {MOST_PIECES} are in a bundle", field="parts")
    session = in_transaction()
    single = select(Item.id).where(
        Item.id.in_(set(parts)), Item.archived_at.is_(None), Item.is_bundle.is_(False)
    )
    if set(session.scalars(single)) != set(parts):
        raise Invalid("A part is a single item that is for sale", field="parts")
    rows = [{"bundle_id": bundle.id, "item_id": item, "quantity": parts[item]} for item in parts]
    session.connection().execute(insert(BundlePart), rows)
