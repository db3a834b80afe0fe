"""Offline sales: what a till sold while it had no network, told later, each once."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import catalogue, money, sales, stock
from ..errors import Invalid, NotFound, Refusal
from .access import caller
from .answers import answer, currency
from .reading import Exactly, Moment, Strict, line
from .resource import Resource
from .sale_asked import LONGEST_CODE, MOST_LINES, MOST_PIECES, find_item, find_member
from .shapes import whole

resource = Resource("offline_sales", "What tills sold while they had no network.")

MOST_SALES = 100


class OfflineLine(Strict):
    item = fields.String(required=True, validate=validate.Length(1, LONGEST_CODE))
    quantity = whole(1, MOST_PIECES, required=True)
    price = fields.String(
        required=True,
        validate=Exactly(r"^[0-9]{1,15}(\.[0-9]{1,4})?$", error="Not an amount like 12.50."),
        metadata={"description": "What the till charged for one."},
    )
    deposit = fields.String(
        validate=Exactly(r"^[0-9]{1,15}(\.[0-9]{1,4})?$", error="Not an amount like 0.25."),
        metadata={"description": "What it charged as deposit on one, beside the price."},
    )
    batch = fields.String(
        validate=line(20), metadata={"description": "What the pack said, AI (10)."}
    )


class Empties(Strict):
    deposit = fields.String(
        required=True, validate=line(16, 1), metadata={"description": "The kind's code."}
    )
    quantity = whole(1, 999, required=True)


class OfflineSale(Strict):
    id = fields.String(
        required=True, validate=line(64, 1), metadata={"description": "The till's own id for it."}
    )
    at = Moment(required=True)
    lines = fields.List(
        fields.Nested(OfflineLine), required=True, validate=validate.Length(1, MOST_LINES)
    )
    method = fields.String(required=True, validate=validate.OneOf(["cash", "card"]))
    member = fields.String(validate=line(254, 1))
    age_checked = fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={"description": "Whoever took it along was looked at, and is old enough."},
    )  # fmt: skip
    empties = fields.List(
        fields.Nested(Empties),
        validate=validate.Length(0, 50),
        metadata={"description": "Empties whose deposit came off it."},
    )


class OfflineSales(Strict):
    location = fields.String(required=True, validate=line(32, 1))
    sales = fields.List(
        fields.Nested(OfflineSale), required=True, validate=validate.Length(1, MOST_SALES)
    )


class Oversold(Strict):
    item = fields.String(required=True, metadata={"description": "The item's short code."})
    lacking = fields.Integer(required=True)


class OfflineOutcome(Strict):
    id = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["sold", "known", "refused"]))
    sale = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    oversold = fields.List(fields.Nested(Oversold), required=True)


class OfflineOutcomes(Strict):
    outcomes = fields.List(fields.Nested(OfflineOutcome), required=True)


@resource.offers(
    "POST",
    "/offline-sales",
    scopes=("till",),
    body=OfflineSales(),
    answers=OfflineOutcomes(),
    refuses=(NotFound,),
)
def take_in(body: dict[str, Any]) -> Response:
    """Tell what was sold while there was no network: an answer for each sale, in order. One whose
    id is known is left as it stands, so that a batch that was cut is simply sent again."""
    place = stock.location(body["location"])
    return answer({"outcomes": [_outcome(each, place.id) for each in body["sales"]]}, 201)


def _outcome(told: dict[str, Any], location_id: int) -> dict[str, Any]:
    said: dict[str, Any] = {"id": told["id"], "outcome": "refused", "sale": None, "code": None,
                            "detail": None, "oversold": []}  # fmt: skip
    try:
        bought, lacking = sales.take_in(_read(told, location_id))
    except Refusal as refusal:
        return said | {"code": refusal.code, "detail": refusal.message}
    return said | {
        "outcome": "known" if bought.repeated else "sold",
        "sale": bought.sale_id,
        "oversold": [{"item": item, "lacking": many} for item, many in lacking.items()],
    }


def _read(told: dict[str, Any], location_id: int) -> sales.OfflineSale:
    seller = caller().member.id
    of = currency()
    lines = tuple(
        sales.Charged(find_item(one["item"]), one["quantity"],
                      money.parse(one["price"], of, field="price"),
                      money.parse(one["deposit"], of, field="deposit") if "deposit" in one else 0,
                      one.get("batch", "").strip())
        for one in told["lines"]
    )  # fmt: skip
    member = find_member(told["member"]) if "member" in told else None
    key = hashlib.sha256(f"offline:{seller}:{told['id']}".encode()).hexdigest()
    empties, off = _empties(told.get("empties", []), of)
    return sales.OfflineSale(
        member, location_id, of, lines, key, told["method"], seller, told["at"],
        empties=empties, empties_minor=off,
        age_checked=catalogue.OLDEST if told["age_checked"] else 0,
    )  # fmt: skip


def _empties(said: list[dict[str, Any]], of: str) -> tuple[tuple[tuple[int, int], ...], int]:
    """Empties by kind, and what they are worth. Raises Invalid."""
    kinds = {each.code: each for each in catalogue.deposits(of)} if said else {}
    counts: dict[int, int] = {}
    for one in said:
        kind = kinds.get(one["deposit"])
        if kind is None:
            raise Invalid("There is no such deposit", field="deposit")
        counts[kind.item_id] = counts.get(kind.item_id, 0) + one["quantity"]
    off = sum(kind.amount_minor * counts.get(kind.item_id, 0) for kind in kinds.values())
    return tuple(sorted(counts.items())), off
