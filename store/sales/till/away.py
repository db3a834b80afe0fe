"""The till without a network, as far as the shop has a part in it: what it takes along while there
is one (goods with their prices, and a ticket that says in whose name it sells where), and how what
it tells afterwards is read.

What a browser tells is a claim like any other: the prices are those that were charged, the seller
and the place stand in the ticket, which only the shop can have made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from ... import (
    catalogue,
    clock,
    identity,
    ids,
    money,
    stock,
    web,
)
from ...catalogue.markdowns import reduced_minor
from ...db import connection
from ...errors import Invalid
from ..buying import MOST_LINES, MOST_PIECES
from ..goods import carried, parts_of
from .empties import MOST as MOST_EMPTIES
from .empties import Returned
from .marked import marked_at
from .offline import Charged, OfflineSale

MOST_GOODS = 50_000
MOST_TOLD = 20
_TICKET = re.compile(r"([1-9]\d{0,14})\.([1-9]\d{0,14})\.[0-9A-Z]{26}\Z", re.ASCII)
_NAME = re.compile(r"[\w.-]{8,64}\Z", re.ASCII)


class Ticket(NamedTuple):
    """Who sells, and where."""

    seller_id: int
    location_id: int

    def signed(self, secret: bytes) -> str:
        said = f"{self.seller_id}.{self.location_id}"
        return f"{said}.{ids.mac(secret, 'till', said, length=26)}"


def read_ticket(text: str, secret: bytes) -> Ticket:
    """Raises Invalid for one that this shop has not made."""
    match = _TICKET.match(text)
    if match is None:
        raise Invalid("This is no ticket of a till", field="ticket")
    ticket = Ticket(int(match[1]), int(match[2]))
    if not ids.same(ticket.signed(secret), text):
        raise Invalid("This is no ticket of a till", field="ticket")
    return ticket


def goods(location_id: int, currency: str) -> list[dict[str, Any]]:
    """What is for sale at a place, with its codes, the price of now and the deposits on one. Where
    it is tracked by batch: the batches that were called back, and how many are near their date at
    what price, until which day."""
    item = catalogue.Item
    price = catalogue.price_in_force(item.id, location_id, currency=currency).label("price")
    query = (
        select(item.id, item.code, item.gtin, item.sku, item.names, price, item.is_bundle,
               item.deposit_id, item.tracks_batches, item.tax_rate_bp, item.least_age)
        .where(item.archived_at.is_(None))
        .order_by(item.id)
        .limit(MOST_GOODS)
    )  # fmt: skip
    rows = [row for row in connection().execute(query) if row.price is not None]
    may = {row.id for row in rows if row.is_bundle or row.deposit_id is not None}
    deposits = _deposits(may, currency) if may else {}
    inside = catalogue.parts_of({row.id for row in rows if row.is_bundle})
    dated = {row.id: row for row in rows if row.tracks_batches}
    more = _batches(dated, location_id)
    return [
        {"code": row.code, "gtin": row.gtin, "sku": row.sku, "names": row.names,
         "unit": _to_pay(row, row.price), "deposit": deposits.get(row.id, 0),
         **more.get(row.id, {}), **_age(row, inside)}
        for row in rows
    ]  # fmt: skip


def _age(row: Any, inside: Mapping[int, Sequence[catalogue.Part]]) -> dict[str, int]:
    """From which age an item is, where it is not for everybody."""
    age = max([row.least_age, *(part.least_age for part in inside.get(row.id, ()))])
    return {"age": age} if age else {}


def _to_pay(row: Any, priced_minor: int) -> int:
    """What one costs with its tax: a till without a network knows of no other price."""
    return money.taxed(priced_minor, row.tax_rate_bp, web.tax_on_top()).total_minor


def _batches(rows: dict[int, Any], location_id: int) -> dict[int, dict[str, Any]]:
    """What a till must know of items that are tracked by batch."""
    if not rows:
        return {}
    blocked = stock.called_back()
    here = stock.tracked_at(location_id) & rows.keys()
    found: dict[int, dict[str, Any]] = {item: {"blocked": blocked.get(item, [])} for item in rows}
    for (item, _), near in marked_at([(item, location_id) for item in here]).items():
        found[item]["near"] = {
            "unit": _to_pay(rows[item], reduced_minor(rows[item].price, near.percent)),
            "left": near.left,
            "until": near.expires_on.isoformat(),
        }  # fmt: skip
    return found


def kinds(currency: str) -> list[dict[str, Any]]:
    """The kinds of deposit that a till pays out for empties."""
    return [
        {"id": each.item_id, "names": each.names, "amount": each.amount_minor}
        for each in catalogue.deposits(currency)
    ]


def _deposits(item_ids: set[int], currency: str) -> dict[int, int]:
    """The deposits on one of each item; on a bundle those of its parts."""
    quotes = catalogue.as_sold(item_ids)
    parts = parts_of(quotes.values())
    return {
        item: sum(one.amount_minor * many for one, many in carried(quote, parts, currency))
        for item, quote in quotes.items()
    }


def read(told: Any, secret: bytes, currency: str) -> OfflineSale:
    """A sale as a browser tells it: `id`, `at`, `ticket`, `means`, `lines` of item, quantity,
    unit and, if there was one, deposit and batch; `empties` with what was paid for them (`off`);
    `age`, from which somebody had looked at whoever took it along; `basket` and `member` where the
    basket was begun with a network. Raises Invalid; ItemNotForSale where no item has such a code,
    NotFound where nobody has the member's number."""
    ticket = _ticket(told, secret)
    basket = _text(told, "basket", 64) if told.get("basket") else ""
    named = basket or _text(told, "id", 64)
    if not _NAME.match(named):
        raise Invalid("This is no name of a sale", field="id")
    own = hashlib.sha256(f"away:{ticket.seller_id}:{named}".encode()).hexdigest()
    member = told.get("member")
    if member is not None:
        member = identity.by_id(_whole(told, "member", 1, 10**15)).id
    empties = _empties(told)
    return OfflineSale(
        member, ticket.location_id, currency, _lines(told.get("lines")), basket or own,
        _text(told, "means", 16), ticket.seller_id, _moment(told), begun_online=bool(basket),
        empties=empties, empties_minor=_off(told) if empties else 0,
        age_checked=_whole(told, "age", 0, catalogue.OLDEST) if "age" in told else 0,
    )  # fmt: skip


def read_empties(told: Any, secret: bytes, currency: str) -> tuple[Returned, int]:
    """Empties that came back alone, paid out in cash, and the sum that was paid. Raises Invalid."""
    ticket, named = _ticket(told, secret), _text(told, "id", 64)
    if told.get("means") != "cash" or not _NAME.match(named):
        raise Invalid("Empties alone are paid in cash", field="means")
    own = hashlib.sha256(f"away:{ticket.seller_id}:{named}".encode()).hexdigest()
    at = min(_moment(told), clock.now())
    came = Returned(
        ticket.location_id, currency, dict(_empties(told)), own, ticket.seller_id, at=at
    )
    return came, _off(told)


def _ticket(told: Any, secret: bytes) -> Ticket:
    if not isinstance(told, dict):
        raise Invalid("A sale is an object", field="sales")
    return read_ticket(_text(told, "ticket", 64), secret)


def _empties(told: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    """Empties by kind, each kind once."""
    said = told.get("empties", [])
    if not isinstance(said, list) or len(said) > MOST_LINES:
        raise Invalid("empties is a list", field="empties")
    if not all(isinstance(each, dict) for each in said):
        raise Invalid("Empties are objects", field="empties")
    found = {
        _whole(each, "kind", 1, 10**15): _whole(each, "quantity", 1, MOST_EMPTIES) for each in said
    }
    if len(found) != len(said):
        raise Invalid("A kind stands twice", field="empties")
    return tuple(sorted(found.items()))


def _off(told: dict[str, Any]) -> int:
    return _whole(told, "off", 0, money.LARGEST_MINOR)


def _lines(told: Any) -> tuple[Charged, ...]:
    if not isinstance(told, list) or not 1 <= len(told) <= MOST_LINES:
        raise Invalid(f"A sale has 1 to {MOST_LINES} lines", field="lines")
    if not all(isinstance(line, dict) for line in told):
        raise Invalid("A line is an object", field="lines")
    codes = [_text(line, "item", 16) for line in told]
    query = select(catalogue.Item.code, catalogue.Item.id).where(catalogue.Item.code.in_(codes))
    items: dict[str, int] = dict(connection().execute(query).all())
    if not items.keys() >= set(codes):
        raise catalogue.ItemNotForSale("There is no such item")
    return tuple(
        Charged(items[code], _whole(line, "quantity", 1, MOST_PIECES),
                _whole(line, "unit", 0, money.LARGEST_MINOR),
                _whole(line, "deposit", 0, money.LARGEST_MINOR) if "deposit" in line else 0,
                _text(line, "batch", 20) if line.get("batch") else "")
        for code, line in zip(codes, told, strict=True)
    )  # fmt: skip


def _text(told: dict[str, Any], name: str, most: int) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        raise Invalid(f"{name} must have 1 to {most} characters", field=name)
    return value


def _whole(told: dict[str, Any], name: str, least: int, most: int) -> int:
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(f"{name} must be a whole number from {least} to {most}", field=name)
    return value


def _moment(told: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(_text(told, "at", 40))
    except ValueError:
        raise Invalid("at must be a moment like 2027-03-15T09:30:00Z", field="at") from None
    if at.tzinfo is None:
        raise Invalid("at must say its time zone", field="at")
    return at
