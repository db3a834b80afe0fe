"""Locations: the shops and warehouses that have stock of their own."""

from __future__ import annotations

from flask import Response
from marshmallow import fields, validate

from .. import stock
from .answers import answer
from .reading import Strict
from .resource import Resource

resource = Resource("locations", "Shops and warehouses, by the codes that sales and stock use.")


class Location(Strict):
    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(
        required=True, validate=validate.OneOf(["shop", "warehouse", "quarantine"])
    )
    address = fields.String(required=True)


class Locations(Strict):
    locations = fields.List(fields.Nested(Location), required=True)


@resource.offers("GET", "/locations", scopes=("items:read",), answers=Locations())
def locations() -> Response:
    """All locations, the first one first."""
    return answer({
        "locations": [
            {"code": place.code, "name": place.name, "kind": place.kind, "address": place.address}
            for place in stock.locations(every=True)
        ]
    })  # fmt: skip
