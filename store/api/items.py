"""Items: what is sold, under which codes, at what price, and how many are at a location."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy import Row, Select, null, or_, select

from .. import catalogue, money, stock, web
from ..catalogue.gs1 import CodeFault
from ..catalogue.models import Category, Item, Seller
from ..catalogue.prices import price_began
from ..catalogue.search import search_conditions
from ..db import db
from ..errors import NotFound
from .answers import amount, answer, cached, currency, following, moment
from .reading import Moment, Strict, line
from .resource import Resource
from .shapes import Money, Page, Texts, next_link

__all__ = ["CodeFault", "NotFound", "find", "resource"]

resource = Resource("items", "The catalogue, with prices and stock of a location.")

PICTURE_WIDTH = 480


class Place(Strict):
    location = fields.String(
        validate=line(32, 1),
        metadata={"description": "Prices and stock of this location."},
    )


class Wanted(Page):
    """Which items a list has."""

    q = fields.String(
        validate=line(200), metadata={"description": "Words that names, brand or codes have."}
    )
    category = fields.String(validate=line(120), metadata={"description": "A category's code."})
    updated_since = Moment(
        metadata={
            "description": "Only items that changed, or whose price began, since this moment; "
            "items that are no longer sold are among them."
        }
    )
    location = fields.String(
        validate=line(32, 1), metadata={"description": "Prices and stock of this location."}
    )


class ItemCategory(Strict):
    code = fields.String(required=True)
    names = Texts(required=True)


class UnitPrice(Strict):
    price = fields.Nested(Money, required=True)
    per = fields.String(required=True, metadata={"example": "kg"})


class ShownPart(Strict):
    item = fields.String(required=True, metadata={"description": "The part's short code."})
    quantity = fields.Integer(required=True)


class ShownItem(Strict):
    code = fields.String(required=True, metadata={"description": "The short code, its id here."})
    gtin = fields.String(required=True, allow_none=True)
    sku = fields.String(required=True, allow_none=True)
    names = Texts(required=True)
    descriptions = Texts(required=True)
    brand = fields.String(required=True)
    category = fields.Nested(ItemCategory, required=True, allow_none=True)
    size = fields.String(required=True)
    tax_rate = fields.String(required=True, metadata={"description": "Percent of tax."})
    tax_included = fields.Boolean(
        required=True, metadata={"description": "false: the tax comes on top of the price."}
    )
    price_to_pay = fields.Nested(
        Money,
        required=True,
        allow_none=True,
        metadata={"description": "What one costs with its tax, without its deposit."},
    )
    price = fields.Nested(Money, required=True, allow_none=True)
    deposit = fields.Nested(
        Money,
        required=True,
        allow_none=True,
        metadata={"description": "What is paid for each beside the price, and comes back."},
    )
    seller = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Whose goods these are, by the code; null is the house itself."},
    )
    unit_price = fields.Nested(UnitPrice, required=True, allow_none=True)
    parts = fields.List(
        fields.Nested(ShownPart),
        required=True,
        metadata={"description": "What is in it, where it is a bundle; else nothing."},
    )
    least_age = fields.Integer(
        required=True,
        metadata={"description": "In years, of a bundle the highest; 0: for everybody."},
    )
    for_sale = fields.Boolean(required=True)
    location = fields.String(required=True, allow_none=True)
    on_hand = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "At the location; null where none was asked for."},
    )
    url = fields.String(required=True, metadata={"description": "The item's page."})
    picture = fields.String(required=True, allow_none=True)
    updated_at = fields.DateTime(required=True)


class Items(Strict):
    items = fields.List(fields.Nested(ShownItem), required=True)
    next = next_link()


@resource.offers(
    "GET",
    "/items",
    scopes=("items:read",),
    query=Wanted(),
    answers=Items(),
    refuses=(NotFound,),
)
def items(query: dict[str, Any]) -> Response:
    """The catalogue by pages, in the order in which items were added."""
    place = _place(query)
    limit = query["limit"]
    after = int(query.get("cursor", 0))
    statement = _statement(place).where(Item.id > after).order_by(Item.id).limit(limit + 1)
    if query.get("q"):
        statement = statement.where(*search_conditions(query["q"]))
    if "category" in query:
        statement = statement.where(Category.code == query["category"])
    since = query.get("updated_since")
    if since is None:
        statement = statement.where(Item.archived_at.is_(None))
    else:
        # Who keeps a copy must hear of prices that began and of items that went, too.
        changed = (Item.updated_at >= since, Item.archived_at >= since)
        statement = statement.where(or_(*changed, price_began(Item.id, since)))
    found = db.session.execute(statement).all()
    shown = found[:limit]
    parts = catalogue.parts_of({row.Item.id for row in shown if row.Item.is_bundle})
    return answer({
        "items": [_shown(row, place, parts) for row in shown],
        "next": following(shown[-1].Item.id) if len(found) > limit else None,
    })  # fmt: skip


@resource.offers(
    "GET",
    "/items/<path:code>",
    scopes=("items:read",),
    query=Place(),
    answers=ShownItem(),
    refuses=(catalogue.ItemNotForSale, CodeFault, NotFound),
    cached=True,
)
def item(code: str, query: dict[str, Any]) -> Response:
    """One item, by its GTIN, SKU or short code or by any scanned text. An item that is no longer
    sold is found, too, and says so."""
    place = _place(query)
    row = db.session.execute(_statement(place).where(Item.id == find(code).id)).one()
    parts = catalogue.parts_of({row.Item.id}) if row.Item.is_bundle else {}
    return cached(_shown(row, place, parts))


def find(code: str) -> Item:
    """The item with this code. Raises ItemNotForSale, CodeFault."""
    found = catalogue.find_item(code, base_url=web.base_url())
    if found is None:
        raise catalogue.ItemNotForSale("Nothing here has this code", item=code[:80])
    return found


def _place(query: dict[str, Any]) -> stock.Location | None:
    return stock.location(query["location"]) if "location" in query else None


def _statement(place: stock.Location | None) -> Select[*tuple[Any, ...]]:
    place_id = place.id if place else None
    price = catalogue.price_in_force(Item.id, place_id, currency=currency())
    here = null() if place_id is None else stock.level_of(Item.id, place_id)
    deposit = catalogue.deposit_due(Item, currency()).label("deposit_minor")
    columns = (Item, Category, price.label("price_minor"), here.label("on_hand"), deposit,
               Seller.code.label("seller"))  # fmt: skip
    query = select(*columns).outerjoin(Category, Category.id == Item.category_id)
    return query.outerjoin(Seller, Seller.id == catalogue.owner_at(Item.id))


def _shown(
    row: Row[Any],
    place: stock.Location | None,
    parts: Mapping[int, Sequence[catalogue.Part]],
) -> dict[str, Any]:
    found, category, price_minor = row.Item, row.Category, row.price_minor
    base = web.base_url()
    picture = catalogue.picture_url(found.picture, PICTURE_WIDTH) if found.picture else None
    return {
        "code": found.code,
        "gtin": found.gtin,
        "sku": found.sku,
        "names": found.names,
        "descriptions": found.descriptions,
        "brand": found.brand,
        "category": {"code": category.code, "names": category.names} if category else None,
        "size": found.size_text,
        "tax_rate": f"{found.tax_rate_bp // 100}.{found.tax_rate_bp % 100:02}",
        "tax_included": not web.tax_on_top(),
        "price_to_pay": None if price_minor is None else _to_pay(found, price_minor),
        "price": None if price_minor is None else amount(price_minor, currency()),
        "deposit": amount(row.deposit_minor, currency()) if row.deposit_minor else None,
        "seller": row.seller,
        "unit_price": _unit_price(found, price_minor),
        "parts": [
            {"item": part.code, "quantity": part.quantity} for part in parts.get(found.id, ())
        ],
        "least_age": max([found.least_age, *(part.least_age for part in parts.get(found.id, ()))]),
        "for_sale": price_minor is not None and found.archived_at is None,
        "location": place.code if place else None,
        "on_hand": (row.on_hand or 0) if place else None,
        "url": base + catalogue.item_path(found),
        "picture": base + picture if picture else None,
        "updated_at": moment(found.updated_at),
    }


def _to_pay(found: Item, price_minor: int) -> dict[str, Any]:
    one = money.taxed(price_minor, found.tax_rate_bp, web.tax_on_top())
    return amount(one.total_minor, currency())


def _unit_price(found: Item, price_minor: int | None) -> dict[str, Any] | None:
    if price_minor is None:
        return None
    unit = catalogue.unit_price(price_minor, found.content, found.content_unit)
    if unit.amount_minor is None:
        return None
    return {"price": amount(unit.amount_minor, currency()), "per": unit.per}
