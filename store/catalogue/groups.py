"""Groups: an item in several sizes or colours. Each variant is an item of its own, with its own
code, price and stock; the group says what they have in common and in what they differ.

A group has one to three options ("Size", "Colour"), each variant one value for each of them. No two
variants of a group have the same values: `option_key` is unique in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from .. import clock, outbox
from ..db import connection, in_transaction
from ..errors import Invalid
from .items import category_code, checked_texts
from .models import Item, ItemGroup
from .texts import clean

__all__ = ["Texts", "Variant", "add_group", "edit_group", "group_variants", "leave", "put_in"]

MOST_OPTIONS = 3
LONGEST_OPTION = 60
LONGEST_GROUP = 120

Texts = dict[str, str]
"""A text by language."""


class Variant(NamedTuple):
    """An item of a group as the desk shows it."""

    id: int
    code: str
    names: Texts
    values: list[Texts]


def add_group(names: Mapping[str, str], options: Sequence[Mapping[str, str]]) -> ItemGroup:
    """Joiner: a new group. Raises Invalid, also where one has that name."""
    session, kept = in_transaction(), _names(names)
    code = category_code(kept)
    if session.scalar(select(ItemGroup.id).where(ItemGroup.code == code)) is not None:
        raise Invalid("There is a group of that name", field="name")
    group = ItemGroup(code=code, names=kept, options=checked_options(options))
    session.add(group)
    try:
        session.flush()
    except IntegrityError as error:  # Somebody else has just made it.
        raise Invalid("There is a group of that name", field="name") from error
    return group


def edit_group(
    group_id: int, names: Mapping[str, str], options: Sequence[Mapping[str, str]]
) -> ItemGroup:
    """Joiner: other names. How many options there are stays. Raises Invalid."""
    group = existing(group_id)
    said = checked_options(options)
    if len(said) != len(group.options):
        raise Invalid("How many options a group has stays as it is", field="options")
    group.names, group.options = _names(names), said
    in_transaction().flush()
    return group


def put_in(item: Item, group: ItemGroup, values: Sequence[Mapping[str, str]]) -> None:
    """Joiner: the item is the variant of the group with these values. Raises Invalid."""
    said = [checked_texts(value, "options", LONGEST_OPTION) for value in values]
    if len(said) != len(group.options) or not all(said):
        raise Invalid("A variant has one value for each option", field="options")
    if item.group_id not in (None, group.id):
        raise Invalid("The item is in another group", field="code")
    key = option_key(said)
    session = in_transaction()
    other = select(Item.id).where(Item.group_id == group.id, Item.option_key == key)
    if session.scalar(other) not in (None, item.id):
        raise Invalid("The group has a variant with these values", field="options")
    item.group_id, item.option_values, item.option_key = group.id, said, key
    _changed(item)


def leave(item: Item) -> None:
    """Joiner: the opposite of put_in; the item stays for sale by itself."""
    item.group_id, item.option_values, item.option_key = None, [], None
    _changed(item)


def _changed(item: Item) -> None:
    item.updated_at = clock.now()
    in_transaction().flush()
    outbox.put("item.changed", str(item.id))


def existing(group_id: int) -> ItemGroup:
    group = in_transaction().get(ItemGroup, group_id)
    if group is None:
        raise Invalid("There is no such group", field="group")
    return group


def group_variants(group_id: int) -> list[Variant]:
    """The items of a group, the first one first."""
    columns = (Item.id, Item.code, Item.names, Item.option_values)
    query = select(*columns).where(Item.group_id == group_id, Item.archived_at.is_(None))
    return [Variant(*row) for row in connection().execute(query.order_by(Item.id))]


def option_key(values: Sequence[Mapping[str, str]]) -> str:
    """Values as they are told apart: in English or the first language, in small letters."""
    return "|".join(known_as(value).casefold().replace("|", "/") for value in values)


def known_as(texts: Mapping[str, str]) -> str:
    return texts.get("en") or next(iter(texts.values()), "")


def checked_options(options: Sequence[Mapping[str, str]]) -> list[Texts]:
    """The names of a group's options. Raises Invalid."""
    said = [checked_texts(option, "options", LONGEST_OPTION) for option in options]
    if not 1 <= len(said) <= MOST_OPTIONS or not all(said):
        raise Invalid(f"A group has 1 to {MOST_OPTIONS} options", field="options")
    return said


def _names(names: Mapping[str, str]) -> Texts:
    kept = checked_texts(names, "name", LONGEST_GROUP)
    if not kept:
        raise Invalid("The name is missing", field="name")
    return kept


# In files: "Size: S; Colour: Red"


def read_pairs(text: str, field: str = "options") -> list[tuple[str, str]]:
    """Options with their values as people write them in a table. Raises Invalid."""
    pairs = []
    for said in filter(None, (each.strip() for each in text.replace("；", ";").split(";"))):
        name, colon, value = said.replace("：", ":").partition(":")
        name, value = (clean(each, field, LONGEST_OPTION) for each in (name, value))
        if not (colon and name and value):
            raise Invalid('options are written like "Size: S; Colour: Red"', field=field)
        pairs.append((name, value))
    if not 1 <= len(pairs) <= MOST_OPTIONS:
        raise Invalid(f"a variant has 1 to {MOST_OPTIONS} options", field=field)
    return pairs


def write_pairs(options: Sequence[Mapping[str, str]], values: Sequence[Texts], of: str) -> str:
    """The opposite, in one language; empty where it is not all there."""
    pairs = [(name.get(of), value.get(of)) for name, value in zip(options, values)]
    if not pairs or not all(name and value for name, value in pairs):
        return ""
    return "; ".join(f"{name}: {value}" for name, value in pairs)
