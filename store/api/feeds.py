"""Feeds in: stock, items and prices as other systems know them, entry by entry."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import INCLUDE, Schema, fields, validate

from .. import identity, integration, web
from ..errors import Forbidden, Invalid, NotFound
from ..payment import KeyReused
from . import keys
from .access import caller
from .answers import answer, following, moment
from .reading import Strict, line
from .resource import Resource
from .shapes import Page, next_link

resource = Resource("feeds", "What other systems say about stock, items and prices.")


class Sent(Schema):
    """One entry. It is judged by itself, so that one that is wrong holds up no other: whatever
    stands in it, the answer says what became of it."""

    class Meta:
        unknown = INCLUDE

    id = fields.Raw(metadata={"description": "The sender's own id, 1 to 80 characters."})
    item = fields.Raw(metadata={"description": "A GTIN, SKU or short code."})
    at = fields.Raw(metadata={"description": "When it was so, by the sender's clock (ISO 8601)."})


class Delivery(Strict):
    judges_each = True
    source = fields.String(
        required=True,
        validate=line(40, 1),
        metadata={"description": "The sending system's name. Ids of entries are unique in it."},
    )
    entries = fields.List(
        fields.Nested(Sent), required=True, validate=validate.Length(1, integration.MOST_ENTRIES)
    )


class Taken(Strict):
    id = fields.String(required=True)
    state = fields.String(
        required=True,
        metadata={"description": "applied, repeated, conflict, refused or dismissed."},
    )
    code = fields.String(required=True, metadata={"description": "Why not; empty if applied."})
    reason = fields.String(required=True)


class Outcomes(Strict):
    applied = fields.Integer(required=True)
    repeated = fields.Integer(required=True)
    listed = fields.Integer(required=True, metadata={"description": "A person looks at these."})
    entries = fields.List(fields.Nested(Taken), required=True)


class Wanted(Page):
    source = fields.String(validate=line(40))
    state = fields.String(
        load_default="open",
        validate=validate.OneOf(["open", "applied", "dismissed", "replaced"]),
        metadata={"description": "open: a person has not decided yet."},
    )


class ListedEntry(Strict):
    number = fields.Integer(required=True)
    source = fields.String(required=True)
    id = fields.String(required=True)
    kind = fields.String(required=True)
    contents = fields.Dict(required=True)
    item = fields.String(required=True, allow_none=True)
    location = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    code = fields.String(required=True)
    reason = fields.String(required=True)
    at = fields.DateTime(required=True, allow_none=True)
    received_at = fields.DateTime(required=True)
    settled_at = fields.DateTime(required=True, allow_none=True)


class Entries(Strict):
    entries = fields.List(fields.Nested(ListedEntry), required=True)
    next = next_link()


class Decided(Strict):
    decision = fields.String(required=True, validate=validate.OneOf(["apply", "dismiss"]))


class Settled(Strict):
    number = fields.Integer(required=True)
    decision = fields.String(required=True)


def _take(feed: str, body: dict[str, Any]) -> Response:
    member = caller().member
    currency, language = web.setting("CURRENCY"), web.setting("LANGUAGE")
    if not body["source"].strip():
        raise Invalid("A source has a name", field="source")
    priced = feed == "prices" or any("price" in each for each in body["entries"])
    if priced and not identity.allows(member, "change_prices"):
        raise Forbidden("This token's member may not set prices", permission="change_prices")

    def take() -> dict[str, Any]:
        sent = [integration.read(feed, each, currency, language) for each in body["entries"]]
        outcomes = integration.take(body["source"], sent, member.id)
        states = [each.state for each in outcomes]
        return {
            "applied": states.count("applied"),
            "repeated": states.count("repeated"),
            "listed": states.count("conflict") + states.count("refused"),
            "entries": [each._asdict() for each in outcomes],
        }

    made, replayed = keys.once(member.id, f"feeds.{feed}", body, take)
    return answer(made, 201, replayed=replayed)


@resource.offers(
    "POST", "/feeds/stock", scopes=("stock:write",), body=Delivery(), answers=Outcomes(),
    refuses=(KeyReused, Invalid),
)  # fmt: skip
def stock(body: dict[str, Any]) -> Response:
    """Counts and changes. An entry has `id`, `item`, `location`, `at`, and either `count` (what was
    there then) or `change` (with a sign; `why`: received, returned, found, sold or written_off).
    With a `batch` it is about that one alone; `expires` is its last day. Goods of an item that is
    tracked by batch come in only with one."""
    return _take("stock", body)


@resource.offers(
    "POST", "/feeds/items", scopes=("items:write",), body=Delivery(), answers=Outcomes(),
    refuses=(KeyReused, Invalid),
)  # fmt: skip
def items(body: dict[str, Any]) -> Response:
    """Items that are new, changed or retired. An entry has `id`, `item`, `at`, and what it says:
    `name`, `name_en`, `name_zh`, `brand`, `category`, `size`, `tax_rate`, `gtin`, `sku`, `price`,
    `deposit` (the code of its kind, or none), `least_age`, `retired`. What it does not say stays
    as it is."""
    return _take("items", body)


@resource.offers(
    "POST", "/feeds/prices", scopes=("items:write",), body=Delivery(), answers=Outcomes(),
    refuses=(KeyReused, Invalid),
)  # fmt: skip
def prices(body: dict[str, Any]) -> Response:
    """Prices that begin now, or at `starts`. An entry has `id`, `item`, `price` (decimal text, tax
    included), `at`, and a `location` where the price is for one only."""
    return _take("prices", body)


@resource.offers(
    "GET", "/feeds/entries", scopes=("stock:write", "items:write"), query=Wanted(),
    answers=Entries(),
)  # fmt: skip
def entries(query: dict[str, Any]) -> Response:
    """Entries and what became of them, newest first."""
    states = ("conflict", "refused") if query["state"] == "open" else (query["state"],)
    before, limit = query.get("cursor"), query["limit"]
    found = integration.entries(
        states=states, source=query.get("source", ""),
        before=int(before) if before else None, limit=limit + 1,
    )  # fmt: skip
    shown = found[:limit]
    return answer({
        "entries": [
            {
                "number": each.id, "source": each.source, "id": each.entry, "kind": each.kind,
                "contents": each.contents, "item": each.item_code, "location": each.place,
                "state": each.state, "code": each.code, "reason": each.reason,
                "at": moment(each.said_at) if each.said_at else None,
                "received_at": moment(each.received_at),
                "settled_at": moment(each.settled_at) if each.settled_at else None,
            }
            for each in shown
        ],
        "next": following(shown[-1].id) if len(found) > limit else None,
    })  # fmt: skip


@resource.offers(
    "POST", "/feeds/entries/<number>/decisions", scopes=("stock:write",), body=Decided(),
    answers=Settled(), refuses=(NotFound, KeyReused, integration.ConflictStands),
)  # fmt: skip
def decide(number: str, body: dict[str, Any]) -> Response:
    """A person's decision on an entry that is listed."""
    member, entry_id = caller().member, whole_id(number)

    def settle() -> dict[str, Any]:
        settle_ = integration.apply if body["decision"] == "apply" else integration.dismiss
        settle_(entry_id, member.id)
        return {"number": entry_id, "decision": body["decision"]}

    made, replayed = keys.once(member.id, "feeds.decisions", body | {"number": entry_id}, settle)
    return answer(made, 201, replayed=replayed)


def whole_id(text: str) -> int:
    """The number of a row, as an address has it. Raises NotFound."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise NotFound("There is nothing of this number")
    return int(text)
