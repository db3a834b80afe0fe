"""What an import reads from the tables and writes into them, a thousand rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from .bulk import among, insert_many
from .codes import fresh_code
from .deposits import deposit_due
from .drafts import Draft
from .importing_more import More
from .items import category_code, search_text
from .models import Category, Item, Price
from .prices import price_in_force

__all__ = [
    "Known",
    "categories_for",
    "changes",
    "codes_of",
    "insert_items",
    "insert_prices",
    "price_row",
    "touch_items",
    "update_items",
]

Categories = Mapping[str, tuple[int, Mapping[str, str]]]
"""By their code: id and names."""

# What an import may change of an item that is there; also the shape of its one UPDATE.
_MUTABLE = (
    "gtin", "sku", "names", "descriptions", "brand", "category_id", "size_text", "content",
    "content_unit", "tax_rate_bp", "tracks_batches", "least_age", "search", "updated_at",
    "archived_at", "group_id", "option_values", "option_key", "deposit_id",
)  # fmt: skip


def codes_of(draft: Draft) -> Iterator[tuple[str, str]]:
    """(field, code) of every code that the row has."""
    if draft.gtin:
        yield "gtin", draft.gtin
    if draft.sku:
        yield "sku", draft.sku
    if draft.short_code:
        yield "short_code", draft.short_code


@dataclass
class Known:
    """The items that are there already under the codes of these rows."""

    by_code: dict[tuple[str, str], Any]

    @classmethod
    def read(cls, conn: Connection, drafts: Sequence[Draft], currency: str) -> Known:
        wanted: dict[str, list[str]] = {"gtin": [], "sku": [], "short_code": []}
        for draft in drafts:
            for field, code in codes_of(draft):
                wanted[field].append(code)
        price = price_in_force(Item.id, None, currency=currency).label("price_minor")
        deposit = deposit_due(Item).label("deposit_minor")
        query = select(
            *Item.__table__.columns, Category.names.label("category_names"), price, deposit
        )
        query = query.outerjoin(Category, Category.id == Item.category_id)
        by_code: dict[tuple[str, str], Any] = {}
        for field, codes in wanted.items():
            if codes:
                column = Item.code if field == "short_code" else getattr(Item, field)
                for row in conn.execute(query.where(among(conn, column, codes))):
                    by_code[field, row.code if field == "short_code" else row._mapping[field]] = row
        return cls(by_code)

    def find(self, draft: Draft) -> tuple[Any, tuple[str, str] | None]:
        """The item of this row, or None; and, where its codes belong to two, the fault."""
        found = [
            (field, self.by_code[field, code])
            for field, code in codes_of(draft)
            if (field, code) in self.by_code
        ]
        if not found:
            return None, None
        item = found[0][1]
        for field, other in found[1:]:
            if other.id != item.id:
                return None, (field, f"duplicate code: item {other.code} has this {field} already")
        if draft.short_code and draft.short_code != item.code:
            # Labels with the old one may hang on shelves.
            return None, ("short_code", f"item {item.code} has these codes, and keeps its own")
        return item, None


def categories_for(conn: Connection, drafts: Iterable[Draft], *, writes: bool = True) -> Categories:
    """The categories of these rows by their code, made where they are new; or, where nothing is to
    be written, as if they had been."""
    wanted: dict[str, dict[str, str]] = {}
    for draft in drafts:
        if draft.category:
            names = wanted.setdefault(category_code(draft.category), {})
            for language, name in draft.category.items():
                names.setdefault(language, name)
    found = _read_categories(conn, wanted)
    if not writes:
        return {code: found.get(code, (-1, names)) for code, names in wanted.items()}
    new = [{"code": code, "names": names} for code, names in wanted.items() if code not in found]
    fuller = [
        {"key": found[code][0], "names": {**names, **found[code][1]}}
        for code, names in wanted.items()
        if code in found and not names.keys() <= found[code][1].keys()
    ]
    if new:
        conn.execute(insert(Category), new)
    if fuller:
        change = update(Category.__table__).where(Category.id == bindparam("key"))  # type: ignore[arg-type]
        conn.execute(change.values(names=bindparam("names")), fuller)
    return _read_categories(conn, wanted) if new or fuller else found


def _read_categories(conn: Connection, codes: Iterable[str]) -> dict[str, Any]:
    named = among(conn, Category.code, list(codes))
    query = select(Category.code, Category.id, Category.names).where(named)
    return {row.code: (row.id, row.names) for row in conn.execute(query)}


def changes(
    item: Any, draft: Draft, categories: Categories, more: More, now: datetime, currency: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The update and the price that the row means for an item that is there: none or one each. An
    empty cell never takes anything away; an archived item that a file names is sold again."""
    was = item._mapping
    after = {name: was[name] for name in _MUTABLE}
    after |= {"gtin": draft.gtin or item.gtin, "sku": draft.sku or item.sku, "archived_at": None}
    after["names"] = {**item.names, **draft.names}
    after["descriptions"] = {**item.descriptions, **draft.descriptions}
    after["brand"] = draft.brand or item.brand
    category_names = item.category_names
    if draft.category:
        after["category_id"], category_names = categories[category_code(draft.category)]
    if draft.size_text:
        after["size_text"] = draft.size_text
        after["content"], after["content_unit"] = draft.content or (None, None)
    if draft.tax_rate_bp is not None:
        after["tax_rate_bp"] = draft.tax_rate_bp
    if draft.tracks_batches is not None:
        after["tracks_batches"] = draft.tracks_batches
    if draft.least_age is not None:
        after["least_age"] = draft.least_age
    after |= more.fields(draft, item)
    after["search"] = search_text({**after, "code": item.code}, category_names)
    change = []
    if any(after[name] != was[name] for name in _MUTABLE):
        change = [{**after, "updated_at": now, "key": item.id}]
    if draft.price_minor is None or draft.price_minor == item.price_minor:
        return change, []
    return change, [price_row(item.id, draft.price_minor, currency, now)]


def update_items(conn: Connection, changed: Sequence[dict[str, Any]]) -> None:
    if changed:
        statement = update(Item.__table__).where(Item.id == bindparam("key"))  # type: ignore[arg-type]
        values: dict[str, Any] = {name: bindparam(name) for name in _MUTABLE}
        conn.execute(statement.values(values), sorted(changed, key=lambda row: row["key"]))


def touch_items(conn: Connection, item_ids: Iterable[int], now: datetime) -> None:
    """Something beside the items' own rows has changed."""
    if item_ids:
        conn.execute(update(Item).where(Item.id.in_(set(item_ids))).values(updated_at=now))


def insert_items(
    conn: Connection,
    drafts: Sequence[Draft],
    categories: Categories,
    more: More,
    tax_rate_bp: int,
    now: datetime,
) -> list[tuple[int, Draft]]:
    """New items; answers (id, draft) in the file's order."""
    if not drafts:
        return []
    codes = _short_codes(conn, drafts)
    rows = [
        _item_row(draft, code, categories, tax_rate_bp, now) | more.fields(draft)
        for draft, code in zip(drafts, codes, strict=True)
    ]
    insert_many(conn, Item, rows)
    query = select(Item.code, Item.id).where(among(conn, Item.code, codes))
    ids_ = {row.code: row.id for row in conn.execute(query)}
    return [(ids_[code], draft) for draft, code in zip(drafts, codes, strict=True)]


def _item_row(
    draft: Draft, code: str, categories: Categories, tax_rate_bp: int, now: datetime
) -> dict[str, Any]:
    category_id, category = None, None
    if draft.category:
        category_id, category = categories[category_code(draft.category)]
    content, unit = draft.content or (None, None)
    row: dict[str, Any] = {
        "code": code, "gtin": draft.gtin, "sku": draft.sku,
        "names": draft.names or draft.stand_in_names, "descriptions": draft.descriptions,
        "brand": draft.brand, "category_id": category_id, "size_text": draft.size_text,
        "content": content, "content_unit": unit, "picture": None,
        "tax_rate_bp": tax_rate_bp if draft.tax_rate_bp is None else draft.tax_rate_bp,
        "tracks_batches": bool(draft.tracks_batches), "is_bundle": bool(draft.parts),
        "least_age": draft.least_age or 0,
        "deposit_id": None, "group_id": None, "option_values": [], "option_key": None,
        "created_at": now, "updated_at": now, "archived_at": None,
    }  # fmt: skip
    row["search"] = search_text(row, category)
    return row


def _short_codes(conn: Connection, drafts: Sequence[Draft]) -> list[str]:
    """The rows' own short codes, and fresh ones that neither they nor any item has."""
    given = {draft.short_code for draft in drafts if draft.short_code}
    fresh: list[str] = []
    missing = len(drafts) - sum(draft.short_code is not None for draft in drafts)
    while len(fresh) < missing:
        tried = {fresh_code() for _ in range(missing - len(fresh))} - given - set(fresh)
        either = [among(conn, column, list(tried)) for column in (Item.code, Item.sku)]
        taken = select(Item.code, Item.sku).where(or_(*either))
        used = {code for row in conn.execute(taken) for code in row}
        fresh.extend(tried - used)
    return [draft.short_code or fresh.pop() for draft in drafts]


def price_row(
    item_id: int, amount_minor: int | None, currency: str, now: datetime
) -> dict[str, Any]:
    return {
        "item_id": item_id, "location_id": None, "currency": currency,
        "amount_minor": amount_minor, "starts_at": now, "made_by": None,
    }  # fmt: skip


def insert_prices(conn: Connection, prices: Sequence[dict[str, Any]]) -> None:
    if prices:
        insert_many(conn, Price, prices)
