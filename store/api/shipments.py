"""Shipments: what waits at a place for orders, and every step of it, for systems of the staff."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import delivery, payment, sales, stock
from ..catalogue import OLDEST
from ..delivery.states import TRANSITIONS
from ..errors import Invalid, NotFound
from ..sales.orders import fulfilment
from . import keys
from .access import caller
from .answers import answer
from .orders import Shipment, shown_shipments
from .reading import Strict, line
from .resource import Resource

resource = Resource("shipments", "What each place sends, or hands over, of the orders.")

STATES = tuple(sorted({state for kind in TRANSITIONS.values() for state, _ in kind}))
EVENTS = tuple(
    sorted({event for kind in TRANSITIONS.values() for _, event in kind} - {"hand_over"})
)
"""What is collected is handed over by its code (`/hand-overs`)."""


class Waiting(Strict):
    location = fields.String(required=True, validate=line(32, 1))
    state = fields.String(validate=validate.OneOf(STATES))


class Shipments(Strict):
    shipments = fields.List(fields.Nested(Shipment), required=True)


def _age_checked() -> fields.Boolean:
    return fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={
            "description": "Whoever got it was looked at, and is old enough for every item of it. "
            "Without it goods with a least age are refused with `age_not_checked`."
        },
    )  # fmt: skip


class StepBody(Strict):
    age_checked = _age_checked()
    event = fields.String(required=True, validate=validate.OneOf(EVENTS))
    carrier = fields.String(
        load_default="",
        validate=line(60),
        metadata={"description": "Who carries it; must be said with `ship`."},
    )
    tracking = fields.String(load_default="", validate=line(80))
    note = fields.String(load_default="", validate=line(200))
    courier = fields.String(
        load_default="",
        validate=line(60),
        metadata={"description": "With `deliver` of an order that is paid at the door: who took "
                  "the cash; else the carrier."},
    )  # fmt: skip


class HandOverBody(Strict):
    location = fields.String(required=True, validate=line(32, 1))
    age_checked = _age_checked()
    code = fields.String(
        required=True, validate=line(20, 1), metadata={"description": "What the shopper shows."}
    )


@resource.offers(
    "GET",
    "/shipments",
    scopes=("orders:write",),
    query=Waiting(),
    answers=Shipments(),
    refuses=(NotFound,),
)
def waiting(query: dict[str, Any]) -> Response:
    """What is on its way out of a location, what waits longest first; at most 100."""
    here = stock.location(query["location"])
    states = [query["state"]] if "state" in query else STATES
    found = delivery.waiting(here.id, states)
    return answer({"shipments": shown_shipments(found)})


@resource.offers(
    "GET",
    "/shipments/<shipment_id>",
    scopes=("orders:write",),
    answers=Shipment(),
    refuses=(NotFound,),
)
def one(shipment_id: str) -> Response:
    """A shipment with its goods and its steps."""
    return answer(_shown(shipment_id))


@resource.offers(
    "POST",
    "/shipments/<shipment_id>/steps",
    scopes=("orders:write",),
    body=StepBody(),
    answers=Shipment(),
    refuses=(
        NotFound, delivery.BadStep, stock.OutOfStock, stock.ReservationEnded, sales.NotRefundable,
        sales.NotSoManyLeft, sales.AgeNotChecked, payment.KeyReused, Invalid,
    ),
)  # fmt: skip
def step(shipment_id: str, body: dict[str, Any]) -> Response:
    """Picked, packed, shipped, delivered, failed, put back, cancelled. Goods leave the stock when
    they are shipped; what is put back is for sale again, and its price goes back."""
    # Beside the rest: keys that were used before there was such a field keep their contents.
    member, checked = caller().member, OLDEST if body.pop("age_checked") else 0

    def act() -> dict[str, Any]:
        fulfilment.step_in(shipment_id, made_by=member.id, age_checked=checked, **body)
        return _shown(shipment_id)

    asked = body | {"shipment": shipment_id}
    made, replayed = keys.once(member.id, "shipments.step", asked, act)
    return answer(made, 201, replayed=replayed)


@resource.offers(
    "POST",
    "/hand-overs",
    scopes=("orders:write",),
    body=HandOverBody(),
    answers=Shipment(),
    refuses=(NotFound, delivery.WrongCode, stock.OutOfStock, stock.ReservationEnded,
             sales.AgeNotChecked, payment.KeyReused),
)  # fmt: skip
def hand_over(body: dict[str, Any]) -> Response:
    """Hand over what waits at a location under the code that the shopper shows."""
    member, here = caller().member, stock.location(body["location"])
    checked = OLDEST if body.pop("age_checked") else 0

    def act() -> dict[str, Any]:
        return _shown(
            fulfilment.hand_over_in(here.id, body["code"], made_by=member.id, age_checked=checked)
        )

    made, replayed = keys.once(member.id, "hand-overs", body, act)
    return answer(made, 201, replayed=replayed)


def _shown(shipment_id: str) -> dict[str, Any]:
    found = delivery.one(shipment_id)
    if found is None:
        raise NotFound("There is no such shipment")
    return shown_shipments([found])[0]
