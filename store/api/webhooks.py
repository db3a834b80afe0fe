"""Webhooks: which systems are told of what, managed by owners."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import integration
from ..errors import Invalid, NotFound
from ..integration.sending import AddressRefused
from ..payment import KeyReused
from . import keys
from .access import caller
from .answers import answer, moment
from .feeds import whole_id
from .reading import Strict, line
from .resource import Resource
from .shapes import Nothing

resource = Resource("webhooks", "Which systems are told of what, and where.")


class Wanted(Strict):
    url = fields.String(required=True, validate=line(500, 1))
    topics = fields.List(
        fields.String(validate=validate.OneOf(integration.TOPICS)),
        required=True,
        validate=validate.Length(1, len(integration.TOPICS)),
    )


class Made(Strict):
    id = fields.Integer(required=True)
    secret = fields.String(required=True, metadata={"description": "Told this once."})


class Subscription(Strict):
    id = fields.Integer(required=True)
    url = fields.String(required=True)
    topics = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=validate.OneOf(["on", "off"]))
    waiting = fields.Integer(required=True)
    dead = fields.Integer(required=True)
    made_at = fields.DateTime(required=True)


class Subscriptions(Strict):
    webhooks = fields.List(fields.Nested(Subscription), required=True)


class Ended(Strict):
    id = fields.Integer(required=True)


@resource.offers("GET", "/webhooks", scopes=("webhooks:write",), answers=Subscriptions())
def listed() -> Response:
    """All subscriptions, with how many deliveries wait and how many were given up."""
    return answer({
        "webhooks": [
            {
                "id": each.id, "url": each.url, "topics": each.topics, "state": each.state,
                "waiting": each.waiting, "dead": each.dead, "made_at": moment(each.made_at),
            }
            for each in integration.webhooks.subscriptions()
        ]
    })  # fmt: skip


@resource.offers(
    "POST", "/webhooks", scopes=("webhooks:write",), body=Wanted(), answers=Made(),
    refuses=(KeyReused, AddressRefused, Invalid),
)  # fmt: skip
def add(body: dict[str, Any]) -> Response:
    """From now on these topics are sent there, signed with the secret."""
    member = caller().member

    def subscribe() -> dict[str, Any]:
        return integration.webhooks.add(body["url"], body["topics"], member.id)._asdict()

    made, replayed = keys.once(member.id, "webhooks", body, subscribe)
    return answer(made, 201, replayed=replayed)


@resource.offers(
    "POST", "/webhooks/<number>/ends", scopes=("webhooks:write",), body=Nothing(),
    answers=Ended(), refuses=(KeyReused, NotFound),
)  # fmt: skip
def end(number: str, body: dict[str, Any]) -> Response:
    """Nothing more is sent there, and what was on its way is dropped."""
    member, webhook_id = caller().member, whole_id(number)

    def stop() -> dict[str, Any]:
        integration.webhooks.subscription(webhook_id)
        integration.webhooks.end(webhook_id)
        return {"id": webhook_id}

    made, replayed = keys.once(member.id, "webhooks.ends", {"id": webhook_id}, stop)
    return answer(made, 201, replayed=replayed)
