"""Changes out: everything that happened, in one order, by cursor."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import integration
from ..errors import Invalid
from .answers import answer
from .reading import Exactly, QueryWhole, Strict
from .resource import Resource

resource = Resource("changes", "What happened, in one order, for systems that keep a copy.")

MOST = 1000


class Asked(Strict):
    after = fields.String(
        load_default="0",
        validate=Exactly(r"^[0-9]{1,15}$", error="Was not made by this shop."),
        metadata={"description": "`last` of the answer before; 0 begins at the beginning."},
    )
    limit = QueryWhole(load_default=500, validate=validate.Range(1, MOST))
    topics = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "Only these, with commas: " + ", ".join(integration.TOPICS)},
    )


class Change(Strict):
    id = fields.Integer(required=True)
    topic = fields.String(required=True)
    at = fields.DateTime(required=True)
    data = fields.Dict(required=True)


class Changes(Strict):
    changes = fields.List(fields.Nested(Change), required=True)
    last = fields.String(required=True, metadata={"description": "`after` of the next question."})
    more = fields.Boolean(required=True, metadata={"description": "Ask again at once."})


@resource.offers(
    "GET", "/changes", scopes=("changes:read",), query=Asked(), answers=Changes(),
    refuses=(Invalid,),
)  # fmt: skip
def changes(query: dict[str, Any]) -> Response:
    """What happened after a place in the order, oldest first. The sum of `change` of all
    `stock.moved` by item and location is the level."""
    topics = [topic for topic in query["topics"].split(",") if topic]
    unknown = sorted(set(topics) - set(integration.TOPICS))
    if unknown:
        raise Invalid(f"There is no topic {unknown[0][:40]!r}", field="topics")
    after, limit = int(query["after"]), query["limit"]
    found = integration.changes_after(after, limit + 1, topics)
    shown = found[:limit]
    return answer({
        "changes": integration.tell(shown),
        "last": str(shown[-1].id if shown else after),
        "more": len(found) > limit,
    })  # fmt: skip
