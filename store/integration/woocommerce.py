"""WooCommerce, REST API v3: orders in, products and stock out, only what changed.

An order's lines are changes of stock in the feed "woocommerce", under the order's and the line's
ids: an order counts once, however often it is read, and what does not fit waits for a person. They
are no sales of this shop, because their money is in the web shop's books. Keys come from settings
and go into one header; no message has them. Shapes: the REST API documentation of WooCommerce, v3.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import select, update

from .. import catalogue, clock, money, stock, web
from ..catalogue.models import Item
from ..db import connection, db, insert_new, repeatable, transaction
from . import sending
from .feeds import MOST_ENTRIES, take
from .models import ChangeMark, FeedEntry, FeedSource, WooProduct
from .reading import read

__all__ = ["Synced", "WooFailed", "sync"]

SOURCE = "woocommerce"
MARK = "woo.orders"
A_PAGE = 100
A_BATCH = 100
AT_ONCE = 1000
OVERLAP_S = 300
HOLDS_GOODS = {"processing", "completed", "on-hold"}
"""States in which the web shop counts an order's goods as gone; in the others of an order that was
in one of these they are back."""
GIVES_BACK = {"cancelled", "pending", "failed", "trash"}

# Keys may travel in clear only inside a network of the shop's own.
_OWN = sending.networks("127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, ::1, fd00::/8")


class WooFailed(Exception):
    """The web shop did not do what it was asked. The message has its words, and no keys."""


class Synced(NamedTuple):
    orders: int
    listed: int
    products: int
    refused: int


def sync() -> Synced:
    """Read the orders that changed, then send the products that changed: in this order the stock
    that goes out knows the orders that came in. Raises WooFailed; what was done until then stays,
    and the next run goes on."""
    orders, listed = _orders_in()
    products, refused = _products_out()
    return Synced(orders, listed, products, refused)


# Orders in


def _orders_in() -> tuple[int, int]:
    since_s = connection().execute(
        select(ChangeMark.seen_id).where(ChangeMark.name == MARK)
    ).scalar()  # fmt: skip
    db.session.rollback()
    count, listed, newest_s = 0, 0, since_s or 0
    for page in _pages(since_s):
        entries = [entry for order in page for entry in _entries(order)]
        for at in range(0, len(entries), MOST_ENTRIES):
            listed += _take(entries[at : at + MOST_ENTRIES])
        count += len(page)
        changed = [int(_moment(order["date_modified_gmt"]).timestamp()) for order in page]
        newest_s = max([newest_s, *changed])
    if newest_s > (since_s or 0):
        _remember(newest_s)
    return count, listed


def _pages(since_s: int | None) -> Iterator[list[dict[str, Any]]]:
    asked = {"per_page": A_PAGE, "orderby": "date", "order": "asc", "status": "any"}
    if since_s:
        since = datetime.fromtimestamp(since_s - OVERLAP_S, UTC)
        asked |= {"modified_after": since.strftime("%Y-%m-%dT%H:%M:%S"), "dates_are_gmt": "true"}
    page, pages = 1, 1
    while page <= pages:
        answer = _ask("GET", f"orders?{urlencode(asked | {'page': page})}")
        pages = int(answer.headers.get("x-wp-totalpages", "1") or 1)
        yield json.loads(answer.body)
        page += 1


def _entries(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The lines of an order as changes of stock. Goods of a refund come back when they are here:
    a person books them."""
    place = web.setting("WOO_LOCATION")
    for line in order["line_items"]:
        name = f"order {order['id']} line {line['id']}"
        item = line.get("sku") or _sent_as(line.get("variation_id") or line["product_id"])
        change = {
            "id": name, "item": item, "location": place, "why": "sold",
            "change": -int(line["quantity"]), "at": f"{order['date_created_gmt']}Z",
        }  # fmt: skip
        if order["status"] in HOLDS_GOODS:
            yield change
        elif order["status"] in GIVES_BACK and _known(name) and not _known(f"{name} back"):
            yield change | {"id": f"{name} back", "change": int(line["quantity"]),
                            "why": "returned", "at": f"{order['date_modified_gmt']}Z"}  # fmt: skip


def _known(entry: str) -> bool:
    query = (
        select(FeedEntry.id)
        .join(FeedSource, FeedSource.id == FeedEntry.source_id)
        .where(FeedSource.name == SOURCE, FeedEntry.entry == entry, FeedEntry.state == "applied")
    )
    return connection().execute(query.limit(1)).first() is not None


def _sent_as(remote_id: int) -> str:
    query = select(Item.code).join(WooProduct, WooProduct.item_id == Item.id)
    found = connection().execute(query.where(WooProduct.remote_id == remote_id)).scalar()
    return found or f"product {remote_id}"


@repeatable
def _take(raw: Sequence[dict[str, Any]]) -> int:
    currency, language = web.setting("CURRENCY"), web.setting("LANGUAGE")
    with transaction():
        outcomes = take(SOURCE, [read("stock", one, currency, language) for one in raw], None)
    return sum(one.state in ("conflict", "refused") for one in outcomes)


@repeatable
def _remember(newest_s: int) -> None:
    with transaction() as session:
        session.connection().execute(insert_new(ChangeMark), [{"name": MARK, "seen_id": 0}])
        mark = update(ChangeMark).where(ChangeMark.name == MARK)
        session.execute(mark.values(seen_id=newest_s))


# Products and stock out


def _products_out() -> tuple[int, int]:
    due = _changed()
    db.session.rollback()
    sent = refused = 0
    for at in range(0, len(due), A_BATCH):
        batch = due[at : at + A_BATCH]
        new = [one for one in batch if one[1] is None]
        known = [one for one in batch if one[1] is not None]
        body = {"create": [told for _, _, told in new],
                "update": [told | {"id": remote} for _, remote, told in known]}  # fmt: skip
        answer = json.loads(_ask("POST", "products/batch", body).body)
        answered = [*zip(new, answer.get("create", [])), *zip(known, answer.get("update", []))]
        done = _write_down(answered)
        sent, refused = sent + done, refused + len(batch) - done
    return sent, refused


def _changed() -> list[tuple[int, int | None, dict[str, Any]]]:
    """Items that the web shop knows otherwise or not at all: id, its id there, what it is told. The
    stock is what is available at the location: kept goods are promised already."""
    place = stock.location(web.setting("WOO_LOCATION")).id
    currency, language = web.setting("CURRENCY"), web.setting("LANGUAGE")
    query = select(Item, WooProduct.remote_id, WooProduct.digest).outerjoin(
        WooProduct, WooProduct.item_id == Item.id
    )
    every = db.session.execute(query.order_by(Item.id)).all()
    due = []
    for at in range(0, len(every), AT_ONCE):
        rows = every[at : at + AT_ONCE]
        ids_ = [row[0].id for row in rows]
        prices = catalogue.quote(ids_, place, currency)
        left = stock.available(ids_, [place])
        for item, remote_id, digest in rows:
            told: dict[str, Any] = {"status": "draft"}
            if item.archived_at is None and item.id in prices:
                known = left.get((item.id, place))
                told = {
                    "sku": item.sku or item.gtin or item.code,
                    "name": item.names.get(language) or next(iter(item.names.values())),
                    "regular_price": money.text(prices[item.id], currency), "status": "publish",
                    "manage_stock": True,
                    "stock_quantity": max(known.available, 0) if known else 0,
                }  # fmt: skip
            elif remote_id is None:
                continue
            if _digest(told) != digest:
                due.append((item.id, remote_id, told))
    return due


@repeatable
def _write_down(answered: Sequence[Any]) -> int:
    """What the web shop knows now. An error is kept with its item and tried again next time; where
    it has the SKU already, the product there is ours."""
    with transaction() as session:
        done, at = 0, clock.now()
        for (item_id, remote_id, told), said in answered:
            error = said.get("error") or {}
            known = (error.get("data") or {}).get("resource_id")
            row = {"remote_id": known or remote_id or said.get("id") or None,
                   "digest": "" if error else _digest(told),
                   "error": str(error.get("message", ""))[:300], "sent_at": at}  # fmt: skip
            blank = row | {"item_id": item_id}
            session.connection().execute(insert_new(WooProduct), [blank])
            session.execute(update(WooProduct).where(WooProduct.item_id == item_id).values(**row))
            done += not error
    return done


def _digest(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


# The line between


def _ask(method: str, path: str, body: dict[str, Any] | None = None) -> sending.Answer:
    keys = f"{web.setting('WOO_KEY')}:{web.setting('WOO_SECRET')}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(keys.encode()).decode()}",
        "Content-Type": "application/json", "User-Agent": "OneShelf",
    }  # fmt: skip
    url = f"{web.setting('WOO_URL').rstrip('/')}/wp-json/wc/v3/{path}"
    sent = b"" if body is None else json.dumps(body).encode()
    try:
        answer = sending.ask(method, url, sent, headers, _OWN)
        if 200 <= answer.status < 300:
            json.loads(answer.body)
            return answer
        said = json.loads(answer.body)
        words = f"{said.get('code', '')}: {said.get('message', '')}"
    except (sending.SendFailed, sending.AddressRefused) as error:
        raise WooFailed(f"The web shop does not answer: {error}") from None
    except (ValueError, AttributeError):
        words = "no JSON"
    raise WooFailed(f"The web shop answered {answer.status} ({words[:200]})")


def _moment(text: str) -> datetime:
    return clock.parse(text)
