"""Reports: the owner's figures, the same as on the sales page."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate

from .. import reports
from ..errors import Invalid
from .access import caller
from .answers import amount, answer
from .reading import Strict, line
from .resource import Resource
from .shapes import Money, Texts

resource = Resource("reports", "What happened: takings by time, item, place and channel.")

MOST_LINES = 10


def _said(what: str, most: int = 120, **more: Any) -> fields.String:
    return fields.String(validate=line(most), metadata={"description": what, **more})


class Asked(Strict):
    """The same filters as in the address of the owner's sales page."""

    period = _said("today, yesterday, this_week, last_week, this_month, last_month, this_year, "
                   "last_year or dates; this_week if nothing is said.")  # fmt: skip
    to = _said("The last day, 2027-03-15.")
    by = _said("hour, day, week or month.")
    currency = _said("ISO 4217; the shop's own if nothing is said.")
    location = _said("A location's code.")
    channel = _said("shelf, web or till.")
    means = _said("account, cash, card or delivery.")
    category = _said("A category's code.")
    item = _said("An item's code.")
    shopper = _said("An e-mail address, phone number or id.")
    brand = _said("A brand, as the items have it.")
    seller = _said("A seller's code; 0 is the house.")
    staff = _said("The id of who sold at a till; 62 days at most.")
    kind = _said("all, sales or refunds.")


# `from` is a word of Python's own.
Asked._declared_fields["from"] = _said("The first day, 2027-03-01.")


class Figures(Strict):
    sales = fields.Integer(required=True)
    refunds = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    total = fields.Nested(Money, required=True, metadata={"description": "Sold less given back."})
    tax = fields.Nested(Money, required=True)
    refunded = fields.Nested(Money, required=True)
    goods = fields.Nested(
        Money, metadata={"description": "What goods brought without tax. Needs `costs:read`."}
    )
    of_known_cost = fields.Nested(
        Money, metadata={"description": "As much of it as is known what it cost. As above."}
    )
    cost = fields.Nested(Money, metadata={"description": "What that cost. As above."})
    margin = fields.Nested(
        Money,
        allow_none=True,
        metadata={"description": "What is left of it; null where no cost is known. As above."},
    )


class Part(Strict):
    code = fields.String(required=True, metadata={"description": "A date, hour, code or id."})
    names = Texts(required=True)
    figures = fields.Nested(Figures, required=True)


def _table() -> fields.Field[Any]:
    return fields.List(
        fields.Nested(Part),
        required=True,
        allow_none=True,
        metadata={"description": "null where it would take too long to say."},
    )


class Tables(Strict):
    items = _table()
    categories = _table()
    brands = _table()
    sellers = fields.List(
        fields.Nested(Part), metadata={"description": "Only where there are sellers."}
    )
    locations = fields.List(fields.Nested(Part), required=True)
    channels = fields.List(fields.Nested(Part), required=True)
    means = _table()
    shoppers = _table()


class Takings(Strict):
    first = fields.Date(required=True)
    last = fields.Date(required=True)
    by = fields.String(required=True, validate=validate.OneOf(reports.filters.BY))
    figures = fields.Nested(Figures, required=True)
    before = fields.Nested(Figures, required=True, metadata={"description": "Weekdays before."})
    series = fields.List(fields.Nested(Part), required=True)
    tables = fields.Nested(Tables, required=True, metadata={"description": "The largest lines."})


@resource.offers(
    "GET",
    "/reports/takings",
    scopes=("reports:read",),
    query=Asked(),
    answers=Takings(),
    refuses=(Invalid,),
)
def takings(query: dict[str, Any]) -> Response:
    """Takings: in all, over time, and by what they are made of."""
    filters = reports.read(query)
    report = reports.takings(filters, MOST_LINES)
    tables = {each.kind: each.lines for each in report.breakdowns}
    of = filters.currency
    return answer({
        "first": filters.first.isoformat(),
        "last": filters.last.isoformat(),
        "by": filters.by,
        "figures": _figures(report.figures, of),
        "before": _figures(report.before, of),
        "series": [_part(each, of) for each in report.series],
        "tables": {
            kind: None if lines is None else [_part(each, of) for each in lines]
            for kind, lines in tables.items()
        },
    })  # fmt: skip


def _part(part: reports.Line, of: str) -> dict[str, Any]:
    return {"code": part.code, "names": part.names, "figures": _figures(part.figures, of)}


def _figures(figures: reports.Figures, of: str) -> dict[str, Any]:
    found = {
        "sales": figures.sales,
        "refunds": figures.refunds,
        "quantity": figures.quantity,
        "total": amount(figures.total_minor, of),
        "tax": amount(figures.tax_minor, of),
        "refunded": amount(figures.refunded_minor, of),
    }
    return found | _margin(figures, of) if "costs:read" in caller().scopes else found


def _margin(figures: reports.Figures, of: str) -> dict[str, Any]:
    margin = figures.margin_minor
    return {
        "goods": amount(figures.goods_minor, of),
        "of_known_cost": amount(figures.costed_minor, of),
        "cost": amount(figures.cost_minor, of),
        "margin": None if margin is None else amount(margin, of),
    }
