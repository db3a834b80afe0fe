"""Costs: what one unit of an item costs the shop, read and said by who may see that."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy import select

from .. import catalogue
from ..catalogue.costs import Cost, cost_at, cost_text, costs_of, history_of, parse_cost, set_cost
from ..catalogue.models import Item
from ..db import db
from ..payment import KeyReused
from . import keys
from .access import caller
from .answers import answer, currency, following, moment
from .items import CodeFault, find
from .reading import Exactly, Strict
from .resource import Resource
from .shapes import Page, next_link

resource = Resource("costs", "What goods cost the shop, without the tax that it gets back.")

NEWEST = 12


class Amount(Strict):
    amount = fields.String(
        required=True,
        metadata={"example": "0.0345", "description": "Two decimals more than money may have."},
    )
    hundredths = fields.Integer(
        required=True, metadata={"description": "The same in hundredths of a minor unit."}
    )
    currency = fields.String(required=True, metadata={"example": "CNY"})


class Said(Strict):
    cost = fields.Nested(Amount, required=True)
    since = fields.DateTime(required=True)
    why = fields.String(
        required=True, metadata={"description": "said, imported, or delivered: an average."}
    )


class ShownCost(Strict):
    item = fields.String(required=True, metadata={"description": "Its short code."})
    cost = fields.Nested(
        Amount, required=True, allow_none=True, metadata={"description": "null: not known."}
    )


class CostWithHistory(ShownCost):
    history = fields.List(
        fields.Nested(Said), required=True, metadata={"description": "The newest first, twelve."}
    )


class Costs(Strict):
    costs = fields.List(fields.Nested(ShownCost), required=True)
    next = next_link()


class NewCost(Strict):
    cost = fields.String(
        required=True,
        validate=Exactly(r"^[0-9]{1,15}(\.[0-9]{1,6})?$", error="Not an amount like 7.20."),
    )


@resource.offers("GET", "/costs", scopes=("costs:read",), query=Page(), answers=Costs())
def costs(query: dict[str, Any]) -> Response:
    """What the items that are sold cost now, by pages, in the order in which they were added; of
    those whose cost is known."""
    limit, cost = query["limit"], cost_at(Item.id, currency())
    some = select(Item.id, Item.code, cost.label("hundredths")).where(
        Item.id > int(query.get("cursor", 0)), Item.archived_at.is_(None), cost.is_not(None)
    )
    found = db.session.execute(some.order_by(Item.id).limit(limit + 1)).all()
    shown = found[:limit]
    return answer({
        "costs": [{"item": row.code, "cost": _amount(row.hundredths)} for row in shown],
        "next": following(shown[-1].id) if len(found) > limit else None,
    })  # fmt: skip


@resource.offers(
    "GET", "/costs/<path:code>", scopes=("costs:read",), answers=CostWithHistory(),
    refuses=(catalogue.ItemNotForSale, CodeFault),
)  # fmt: skip
def cost_of(code: str) -> Response:
    """What one of an item costs now, and what it cost before."""
    item = find(code)
    known = costs_of([item.id], currency()).get(item.id)
    history = [_said(each) for each in history_of(item.id, NEWEST)]
    return answer({"item": item.code, "cost": _amount(known), "history": history})


@resource.offers(
    "POST", "/costs/<path:code>", scopes=("costs:write",), body=NewCost(), answers=ShownCost(),
    refuses=(catalogue.ItemNotForSale, CodeFault, KeyReused),
)  # fmt: skip
def say_cost(code: str, body: dict[str, Any]) -> Response:
    """From now on one costs so much, in the shop's currency. What was sold keeps its cost; a bundle
    costs its parts and is refused."""
    item = find(code)
    item_id, short = item.id, item.code

    def say() -> dict[str, Any]:
        hundredths = parse_cost(body["cost"], currency())
        set_cost(item_id, hundredths, currency(), made_by=caller().member.id)
        return {"item": short, "cost": _amount(hundredths)}

    made, replayed = keys.once(caller().member.id, "costs", body | {"item": short}, say)
    return answer(made, 201, replayed=replayed)


def _said(one: Cost) -> dict[str, Any]:
    return {
        "cost": _amount(one.hundredths, one.currency), "since": moment(one.starts_at),
        "why": one.why,
    }  # fmt: skip


def _amount(hundredths: int | None, of: str | None = None) -> dict[str, Any] | None:
    if hundredths is None:
        return None
    of = of or currency()
    return {"amount": cost_text(hundredths, of), "hundredths": hundredths, "currency": of}
