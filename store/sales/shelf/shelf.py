"""The shelf as a shopper sees it: one item behind its label, and the shop's front page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    String,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import aliased

from ... import (
    catalogue,
    identity,
    labels,
    payment,
    stock,
)
from ...db import connection, db
from ...prepared import Prepared
from ..basket.basket import pieces_expression
from ..models import STANDING, Sale, SaleLine
from .elsewhere import column as elsewhere_column
from .variants import Card, cards

PAGE = 24
LAST_SALES = 6
LASTING_COLUMNS = 29
"""The first columns of an item page's row say what the item is; the others change with every buy or
visitor."""


_SELLS = or_(*(stock.Location.kind == kind for kind in stock.SELLING))
"""What lies in quarantine is not for sale."""


@dataclass(frozen=True)
class Asked:
    """What an item page is asked for: which item, seen from where, by whom."""

    by: str  # "gtin" or "code"
    value: str
    location_code: str
    label_id: str | None
    visit: str | None
    basket_secret: str | None
    currency: str
    today: date


def item_page(asked: Asked) -> Any | None:
    """Everything that an item page shows, in one statement: item, location, label, price, level,
    visitor, balance, pieces in the basket. None when there is no such item or location."""
    return _pages[asked.by].first(**_values(asked))


def committed_item_page(engine: Engine, asked: Asked) -> Any | None:
    """The same, without a request or an application around it."""
    return _pages[asked.by].committed(engine, **_values(asked))


def _values(asked: Asked) -> dict[str, Any]:
    return {
        "value": asked.value, "place": asked.location_code, "label": asked.label_id,
        "digest": asked.visit, "secret": asked.basket_secret, "money": asked.currency,
        stock.TODAY: asked.today,
    }  # fmt: skip


def _statement(by: str, dialect: str) -> Any:
    item, place, label = catalogue.Item, stock.Location, labels.Label
    category = catalogue.Category
    money: Any = bindparam("money")
    secret: Any = bindparam("secret")
    visitor = identity.visitor_query(bindparam("digest")).subquery("visitor")
    on_hand = stock.sellable(item, place.id)
    chosen = func.coalesce(
        select(label.location_id).where(label.id == bindparam("label")).scalar_subquery(),
        select(place.id).where(place.code == bindparam("place")).scalar_subquery(),
    )
    return (
        select(
            item.id, item.code, item.gtin, item.sku, _as_kept(item.names, dialect),
            _as_kept(item.descriptions, dialect), item.brand,
            item.size_text, item.content, item.content_unit, item.picture, item.archived_at,
            item.is_bundle, item.group_id, item.tracks_batches, item.tax_rate_bp, item.least_age,
            _as_kept(category.names, dialect, "category_names"),
            catalogue.return_rule(item.id, item.category_id).label("return_rule"),
            catalogue.deposit_due(item, money).label("deposit_minor"),
            place.id.label("location_id"), place.code.label("location_code"),
            place.name.label("location_name"), place.when_empty.label("when_empty"),
            label.item_id.label("label_item_id"), label.price_minor.label("label_price_minor"),
            label.revoked_at.label("label_revoked_at"),
            catalogue.price_in_force(item.id, place.id, currency=money).label("price_minor"),
            elsewhere_column(item, on_hand, money, dialect),
            on_hand.label("on_hand"),
            visitor.c.member_id, visitor.c.member_name, visitor.c.member_role,
            visitor.c.member_language,
            payment.balance_expression(visitor.c.member_id, money).label("balance_minor"),
            pieces_expression(visitor.c.member_id, secret).label("basket_count"),
            _bought_lately(visitor.c.member_id, item.id).label("bought_sale_id"),
            item.category_id, catalogue.rules_mark(),
        )
        .select_from(item)
        .join(place, (place.id == chosen) & _SELLS)
        .outerjoin(category, category.id == item.category_id)
        .outerjoin(label, label.id == bindparam("label"))
        .outerjoin(visitor, true())
        .where((item.gtin if by == "gtin" else item.code) == bindparam("value"))
    )  # fmt: skip


def _as_kept(column: Any, dialect: str, name: str = "") -> Any:
    """A JSON column's text: pages are kept under it, and only who renders one reads it."""
    text = type_coerce(column, String()) if dialect == "sqlite" else cast(column, String())
    return text.label(name or column.key)


def _bought_lately(member_id: Any, item_id: Any) -> Any:
    """The newest of the member's last sales that this item is in. Few sales are looked at and then
    their lines, however often the item was ever sold: the sum keeps its index out of the matter."""
    last = (
        select(Sale.id)
        .where(Sale.member_id == member_id, or_(*(Sale.state == state for state in STANDING)))
        .order_by(Sale.created_at.desc())
        .limit(LAST_SALES)
        .correlate_except(Sale)
    )
    return (
        select(SaleLine.sale_id)
        .where(SaleLine.sale_id.in_(last), SaleLine.item_id + 0 == item_id)
        .order_by(SaleLine.sale_id.desc())
        .limit(1)
        .correlate_except(SaleLine)
        .scalar_subquery()
    )


_pages = {
    "gtin": Prepared(lambda dialect: _statement("gtin", dialect)),
    "code": Prepared(lambda dialect: _statement("code", dialect)),
}


def who_what_where(code: str, location_code: str, visit: str | None) -> Any | None:
    """What a buy at one tap names, in one statement: the item by its short code (`id`), the
    location (`location_id`), the visitor. None when there is no such item or location."""
    return _named.first(value=code, place=location_code, digest=visit)


def committed_who_what_where(
    engine: Engine, code: str, location_code: str, visit: str
) -> Any | None:
    """The same, without a request or an application around it."""
    return _named.committed(engine, value=code, place=location_code, digest=visit)


def _naming(dialect: str) -> Any:
    item, place = catalogue.Item, stock.Location
    visitor = identity.visitor_query(bindparam("digest")).subquery("visitor")
    return (
        select(item.id, place.id.label("location_id"), *visitor.c)
        .select_from(item)
        .join(place, (place.code == bindparam("place")) & _SELLS)
        .outerjoin(visitor, true())
        .where(item.code == bindparam("value"))
    )


_named = Prepared(_naming)


@dataclass(frozen=True)
class OnShelf:
    """An item on the front page."""

    id: int
    path: str
    names: Mapping[str, str]
    size_text: str
    picture: str | None
    price_minor: int
    on_hand: int
    is_from: bool = False
    """A group, of which some cost more."""


@dataclass(frozen=True)
class Front:
    """A page of the shop's front: items, the cursor of the next page, the categories to choose."""

    items: list[OnShelf]
    next_after: int | None
    categories: list[tuple[str, Mapping[str, str]]]


def front(
    location_id: int, currency: str, *, search: str = "", category: str = "", after: int = 0
) -> Front:
    """Items for sale, by page; `search` looks into names, brand, category and codes."""
    item, categories = catalogue.Item, catalogue.Category
    price = catalogue.price_in_force(item.id, location_id, currency=currency)
    level = func.coalesce(stock.sellable(item, location_id), literal(0))
    query = (
        select(item, price, level)
        .where(item.id > after, *_shown(item, search, category, location_id, currency))
        .order_by(item.id)
        .limit(PAGE + 1)
    )
    # Of a group the first variant that fits stands for all of them.
    other = aliased(item)
    earlier = select(other.id).where(
        other.group_id == item.group_id,
        other.id < item.id,
        *_shown(other, search, category, location_id, currency),
    )
    query = query.where(or_(item.group_id.is_(None), ~earlier.exists()))
    rows = db.session.execute(query).all()
    groups = cards({row.group_id for row, _, _ in rows if row.group_id}, location_id, currency)
    found = [_on_shelf(row, amount, left, groups) for row, amount, left in rows]
    known = connection().execute(
        select(categories.code, categories.names).order_by(categories.id).limit(30)
    )
    more = len(found) > PAGE
    return Front(found[:PAGE], found[PAGE - 1].id if more else None, [(r[0], r[1]) for r in known])


def _shown(
    item: Any, search: str, category: str, location_id: int, currency: str
) -> list[ColumnElement[bool]]:
    """What an item must meet to stand on the front page."""
    price = catalogue.price_in_force(item.id, location_id, currency=currency)
    conditions = [item.archived_at.is_(None), price.is_not(None)]
    conditions += [
        item.search.contains(word, autoescape=True) for word in search.lower().split()[:6]
    ]
    if category:
        named = select(catalogue.Category.id).where(catalogue.Category.code == category)
        conditions.append(item.category_id == named.scalar_subquery())
    return conditions


def _on_shelf(row: Any, amount: int, left: int, groups: Mapping[int, Card]) -> OnShelf:
    path, card = catalogue.item_path(row), groups.get(row.group_id or 0)
    if card is None:
        return OnShelf(row.id, path, row.names, row.size_text, row.picture, amount, left)
    return OnShelf(row.id, path, card.names, "", row.picture, card.price_minor, card.on_hand,
                   card.dearer)  # fmt: skip


def named(item_ids: Sequence[int]) -> dict[int, Any]:
    """Id, names and picture of items, by id, in one statement."""
    item = catalogue.Item
    query = select(item.id, item.names, item.picture).where(item.id.in_(item_ids))
    return {row.id: row for row in connection().execute(query)}
