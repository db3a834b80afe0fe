"""Stock: how many of an item are where, and goods that come in."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from .. import catalogue, clock, stock
from ..errors import Invalid
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


class OfBatch(Strict):
    batch = fields.String(required=True)
    expires_on = fields.Date(required=True, allow_none=True)
    on_hand = fields.Integer(required=True)
    blocked = fields.Boolean(
        required=True, metadata={"description": "Expired or called back: sold to nobody."}
    )


class Level(Strict):
    location = fields.String(required=True)
    on_hand = fields.Integer(required=True)
    batches = fields.List(
        fields.Nested(OfBatch),
        required=True,
        metadata={"description": "What is known to be of a batch, the first to expire first."},
    )


class Levels(Strict):
    item = fields.String(required=True, metadata={"description": "The item's short code."})
    on_hand = fields.Integer(required=True, metadata={"description": "At all locations together."})
    levels = fields.List(fields.Nested(Level), required=True)


class ReceiptBody(Strict):
    location = fields.String(required=True, validate=line(32, 1))
    quantity = whole(1, MOST_RECEIVED, required=True)
    note = fields.String(load_default="", validate=line(200))
    batch = fields.String(
        load_default="",
        validate=line(20),
        metadata={"description": "Needed for an item that is tracked by batch."},
    )
    expires_on = fields.Date(
        load_default=None, allow_none=True, metadata={"description": "Its last day."}
    )


class GoodsReceipt(Strict):
    item = fields.String(required=True)
    location = fields.String(required=True)
    quantity = fields.Integer(required=True)
    on_hand = fields.Integer(required=True, metadata={"description": "There, right after."})
    note = fields.String(required=True)
    batch = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


@resource.offers(
    "GET",
    "/stock/<path:code>",
    scopes=("stock:read",),
    answers=Levels(),
    refuses=(catalogue.ItemNotForSale, items.CodeFault),
)
def levels(code: str) -> Response:
    """On hand at every location, of it by batch; 0 where the item never was."""
    item = items.find(code)
    places = stock.locations(every=True)
    known = stock.levels([(item.id, place.id) for place in places])
    batches: dict[int, list[dict[str, Any]]] = {}
    if item.tracks_batches:
        for one in stock.in_batches([(item.id, place.id) for place in places]):
            batches.setdefault(one.location_id, []).append({
                "batch": one.code, "on_hand": one.on_hand, "blocked": one.blocked,
                "expires_on": one.expires_on.isoformat() if one.expires_on else None,
            })  # fmt: skip
    rows = [
        {"location": place.code, "on_hand": known.get((item.id, place.id), 0),
         "batches": batches.get(place.id, [])}
        for place in places
    ]  # fmt: skip
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
        stock.BatchDiffers,
    ),
)
def receive(code: str, body: dict[str, Any]) -> Response:
    """Goods come in at a location; they are for sale at once."""
    item = items.find(code)
    place = stock.location(body["location"])
    member = caller().member

    def come_in() -> dict[str, Any]:
        quantity, note = body["quantity"], body["note"]
        on_hand = stock.receive(
            item.id, place.id, quantity, member_id=member.id, note=note, batch_id=batch(item, body)
        )
        return {
            "item": item.code, "location": place.code, "quantity": quantity,
            "on_hand": on_hand, "note": note, "batch": body["batch"] or None,
            "created_at": moment(clock.now()),
        }  # fmt: skip

    asked = body | {"item": item.id, "location": place.id, "expires_on": str(body["expires_on"])}
    if not body["batch"]:  # A key of before batches were said stays the key of the same goods.
        del asked["batch"], asked["expires_on"]
    made, replayed = keys.once(member.id, "stock.receipts", asked, come_in)
    return answer(made, 201, replayed=replayed)


def batch(item: catalogue.Item, body: dict[str, Any]) -> int | None:
    """Joiner: the batch that goods come in with. Raises Invalid, BatchDiffers."""
    if not body["batch"]:
        if item.tracks_batches:
            raise Invalid("This item is tracked by batch: which batch is it?", field="batch")
        if body["expires_on"] is not None:
            raise Invalid("A last day is that of a batch: which one?", field="batch")
        return None
    return stock.open_batch(item.id, body["batch"], body["expires_on"])
