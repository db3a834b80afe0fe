"""Items: adding, changing and archiving what is sold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from .. import clock, outbox
from ..db import in_transaction
from ..errors import Invalid
from . import bundles, owners, prices
from .codes import (
    CodeTaken,
    ItemNotForSale,
    checked_gtin,
    checked_short_code,
    checked_sku,
    fresh_code,
)
from .deposits import checked_deposit
from .figures import OLDEST
from .models import Category, Item
from .sizes import read_size
from .texts import LONGEST_DESCRIPTION, LONGEST_NAME, clean, searchable

__all__ = ["ItemFields", "add_item", "archive_item", "bring_back", "edit_item", "search_text"]

LONGEST_BRAND = 120
LONGEST_CATEGORY = 120
LONGEST_SIZE = 60


class ItemFields(TypedDict, total=False):
    """What may be said about an item. `category` is its names by language; an empty one is none."""

    names: Mapping[str, str]
    descriptions: Mapping[str, str]
    gtin: str | None
    sku: str | None
    brand: str
    category: Mapping[str, str]
    size_text: str
    tax_rate_bp: int
    tracks_batches: bool
    least_age: int
    picture: str | None
    deposit_id: int | None
    seller_id: int | None


def add_item(
    *,
    code: str = "",
    price_minor: int | None = None,
    currency: str = "",
    made_by: int | None = None,
    parts: Mapping[int, int] | None = None,
    **fields: Unpack[ItemFields],
) -> Item:
    """Joiner: a new item; without a `code` it gets a fresh one. `names` and `tax_rate_bp` must be
    given; a price begins now, for all locations. With `parts` (quantities by item) it is a bundle
    and has no stock of its own. Raises CodeTaken, CodeFault, Invalid."""
    session = in_transaction()
    if "tax_rate_bp" not in fields:
        raise Invalid("The tax rate is missing", field="tax_rate")
    now = clock.now()
    item = Item(
        code=checked_short_code(code) if code else _unused_code(),
        names={}, descriptions={}, brand="", size_text="", picture=None,
        gtin=None, sku=None, category_id=None, content=None, content_unit=None,
        tracks_batches=False, is_bundle=bool(parts), least_age=0, deposit_id=None,
        group_id=None, option_values=[], option_key=None,
        created_at=now, updated_at=now, archived_at=None,
    )  # fmt: skip
    fields.setdefault("names", {})
    _refuse_taken_codes({"code": item.code} if code else {}, None)
    _change(item, fields)
    session.add(item)
    try:
        session.flush()
    except IntegrityError as error:  # Somebody else has just added one with the same.
        raise CodeTaken("Another item has one of these codes") from error
    if parts:
        bundles.set_parts(item, parts)
    if fields.get("seller_id"):
        owners.set_owner(item.id, fields["seller_id"], made_by=made_by)
    if price_minor is not None:
        prices.set_price(item.id, price_minor, currency, made_by=made_by)
    outbox.put("item.changed", str(item.id))
    return item


def edit_item(
    item_id: int, *, made_by: int | None = None, **fields: Unpack[ItemFields]
) -> Item:  # fmt: skip
    """Joiner: change what is given, leave the rest. Raises ItemNotForSale, CodeTaken, CodeFault,
    Invalid."""
    item = _existing(item_id)
    _change(item, fields)
    item.updated_at = clock.now()
    in_transaction().flush()
    if "seller_id" in fields:
        owners.set_owner(item.id, fields["seller_id"], made_by=made_by)
    outbox.put("item.changed", str(item.id))
    return item


def archive_item(item_id: int) -> Item:
    """Joiner: no longer for sale, on no list; what was sold of it keeps its name and history."""
    item = _existing(item_id)
    item.archived_at = item.archived_at or clock.now()
    outbox.put("item.changed", str(item.id))
    return item


def bring_back(item_id: int) -> Item:
    """Joiner: the opposite of archive_item."""
    item = _existing(item_id)
    item.archived_at = None
    outbox.put("item.changed", str(item.id))
    return item


def search_text(item: Item | Mapping[str, Any], category: Mapping[str, str] | None) -> str:
    """What a search for this item looks at: names, brand, category, size and codes."""
    of = item if isinstance(item, Mapping) else vars(item)
    gtin = of["gtin"] or ""
    # A GTIN is found by 8, 12, 13 or 14 digits: the digits without their leading zeros are in all.
    return searchable(
        (*of["names"].values(), of["brand"], *(category or {}).values(), of["size_text"],
         gtin, of["sku"], of["code"])
    )  # fmt: skip


def _existing(item_id: int) -> Item:
    item = in_transaction().get(Item, item_id)
    if item is None:
        raise ItemNotForSale("There is no such item")
    return item


def _change(item: Item, fields: ItemFields) -> None:
    _change_codes(item, fields)
    if "names" in fields:
        item.names = checked_texts(fields["names"], "name", LONGEST_NAME)
        if not item.names:
            raise Invalid("The name is missing", field="name")
    if "descriptions" in fields:
        texts = checked_texts(fields["descriptions"], "description", LONGEST_DESCRIPTION)
        item.descriptions = texts
    if "brand" in fields:
        item.brand = clean(fields["brand"], "brand", LONGEST_BRAND)
    if "size_text" in fields:
        item.size_text = clean(fields["size_text"], "size", LONGEST_SIZE)
        content = read_size(item.size_text)
        item.content, item.content_unit = content or (None, None)
    if "tax_rate_bp" in fields:
        if not 0 <= fields["tax_rate_bp"] <= 10_000:
            raise Invalid("A tax rate is 0 to 100 percent", field="tax_rate")
        item.tax_rate_bp = fields["tax_rate_bp"]
    if "tracks_batches" in fields:
        if item.is_bundle and fields["tracks_batches"]:
            raise Invalid("Of a bundle the parts are tracked by batch", field="tracks_batches")
        item.tracks_batches = fields["tracks_batches"]
    if "least_age" in fields:
        if not 0 <= fields["least_age"] <= OLDEST:
            raise Invalid(f"A least age is 1 to {OLDEST} years", field="least_age")
        item.least_age = fields["least_age"]
    if "deposit_id" in fields:
        item.deposit_id = checked_deposit(fields["deposit_id"])
    if "picture" in fields:
        item.picture = fields["picture"]
    if "category" in fields:
        item.category_id = category_named(fields["category"])
    kept = in_transaction().get(Category, item.category_id) if item.category_id else None
    item.search = search_text(item, kept.names if kept else None)


def _change_codes(item: Item, fields: ItemFields) -> None:
    wanted: dict[str, str | None] = {}
    if "gtin" in fields:
        wanted["gtin"] = checked_gtin(fields["gtin"]) if fields["gtin"] else None
    if "sku" in fields:
        wanted["sku"] = checked_sku(fields["sku"] or "") or None
    _refuse_taken_codes({name: value for name, value in wanted.items() if value}, item.id)
    for name, value in wanted.items():
        setattr(item, name, value)


def _refuse_taken_codes(wanted: Mapping[str, str | None], item_id: int | None) -> None:
    for name, value in wanted.items():
        query = select(Item.id, Item.code).where(getattr(Item, name) == value)
        other = in_transaction().execute(query).first()
        if other is not None and other.id != item_id:
            field = "short_code" if name == "code" else name
            message = f"Item {other.code} has the {field} {value} already"
            raise CodeTaken(message, field=field, value=value, item=other.code)


def _unused_code() -> str:
    while True:
        code = fresh_code()
        taken = select(Item.id).where(or_(Item.code == code, Item.sku == code))
        if in_transaction().execute(taken).first() is None:
            return code


def checked_texts(texts: Mapping[str, str], field: str, most: int) -> dict[str, str]:
    """Texts by language, cleaned; languages without one are left out. Raises Invalid."""
    kept = {language: clean(text, field, most) for language, text in texts.items()}
    return {language: kept[language] for language in sorted(kept) if kept[language]}


def category_code(names: Mapping[str, str]) -> str:
    """How a category is known again: its English name, else its first, in small letters, with
    everything that is no letter or digit as one dash."""
    name = names.get("en") or next(iter(names.values()))
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-") or name.casefold()


def category_named(names: Mapping[str, str]) -> int | None:
    """Joiner: the category with these names, made if it is new; a language that it lacks is added
    to it. None for no name at all."""
    session = in_transaction()
    names = checked_texts(names, "category", LONGEST_CATEGORY)
    if not names:
        return None
    code = category_code(names)
    category = session.scalar(select(Category).where(Category.code == code))
    if category is None:
        category = Category(code=code, names=names)
        session.add(category)
        session.flush()
    elif not names.keys() <= category.names.keys():
        category.names = dict(sorted({**names, **category.names}.items()))
    return category.id
