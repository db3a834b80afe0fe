"""Stock: how many of an item are where, and goods that come in."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from .. import catalogue, clock, stock
from ..payment import KeyReused
from . import items, keys
from .access import caller
from .answers import answer, moment
from .reading import Strict, line
from .resource import Resource
from .shapes import whole

resource = Resource("stock", "Levels by location, and goods that come in.")

# No delivery note has more; it is what the stock room takes, too.
MOST_RECEIVED = 10**9


class Level(Strict):
    location = fields.String(required=True)
    on_hand = fields.Integer(required=True)


class Levels(Strict):
    item = fields.String(required=True, metadata={"description": "The item's short code."})
    on_hand = fields.Integer(required=True, metadata={"description": "At all locations together."})
    levels = fields.List(fields.Nested(Level), required=True)


class ReceiptBody(Strict):
    location = fields.String(required=True, validate=line(32, 1))
    quantity = whole(1, MOST_RECEIVED, required=True)
    note = fields.String(load_default="", validate=line(200))


class GoodsReceipt(Strict):
    item = fields.String(required=True)
    location = fields.String(required=True)
    quantity = fields.Integer(required=True)
    on_hand = fields.Integer(required=True, metadata={"description": "There, right after."})
    note = fields.String(required=True)
    created_at = fields.DateTime(required=True)


@resource.offers(
    "GET",
    "/stock/<path:code>",
    scopes=("stock:read",),
    answers=Levels(),
    refuses=(catalogue.ItemNotForSale, items.CodeFault),
)
def levels(code: str) -> Response:
    """On hand at every location; 0 where the item never was."""
    item = items.find(code)
    places = stock.locations(every=True)
    known = stock.levels([(item.id, place.id) for place in places])
    rows = [
        {"location": place.code, "on_hand": known.get((item.id, place.id), 0)} for place in places
    ]
    return answer({"item": item.code, "on_hand": sum(known.values()), "levels": rows})


@resource.offers(
    "POST",
    "/stock/<path:code>/receipts",
    scopes=("stock:write",),
    body=ReceiptBody(),
    answers=GoodsReceipt(),
    refuses=(
        catalogue.ItemNotForSale,
        catalogue.ItemRetired,
        items.CodeFault,
        items.NotFound,
        KeyReused,
    ),
)
def receive(code: str, body: dict[str, Any]) -> Response:
    """Goods come in at a location; they are for sale at once."""
    item = items.find(code)
    place = stock.location(body["location"])
    member = caller().member

    def come_in() -> dict[str, Any]:
        quantity, note = body["quantity"], body["note"]
        on_hand = stock.receive(item.id, place.id, quantity, member_id=member.id, note=note)
        return {
            "item": item.code, "location": place.code, "quantity": quantity,
            "on_hand": on_hand, "note": note, "created_at": moment(clock.now()),
        }  # fmt: skip

    asked = body | {"item": item.id, "location": place.id}
    made, replayed = keys.once(member.id, "stock.receipts", asked, come_in)
    return answer(made, 201, replayed=replayed)
