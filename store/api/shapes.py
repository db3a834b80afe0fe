"""Shapes that several resources share, for the OpenAPI document and for reading."""

from __future__ import annotations

from marshmallow import fields, validate

from .reading import Exactly, QueryWhole, Strict

__all__ = [
    "A_PAGE",
    "MOST_A_PAGE",
    "Cursor",
    "Money",
    "Nothing",
    "Page",
    "Problem",
    "Texts",
    "next_link",
    "whole",
]

MOST_A_PAGE = 100
A_PAGE = 50


class Nothing(Strict):
    """For routes that take no parameters."""


class Problem(Strict):
    """RFC 9457. `code` is permanent; some codes carry more members, which docs/api.md lists."""

    class Meta:
        unknown = "include"

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)


class Money(Strict):
    amount = fields.String(required=True, metadata={"example": "12.50"})
    minor = fields.Integer(required=True, metadata={"description": "The same in minor units."})
    currency = fields.String(required=True, metadata={"example": "CNY"})


class Cursor(fields.String):
    """Where a page begins, as `next` of the page before had it."""

    def __init__(self, pattern: str) -> None:
        super().__init__(
            validate=Exactly(pattern, error="Was not made by this shop."),
            metadata={"description": "Follow `next` of the page before rather than make one."},
        )


class Page(Strict):
    """What every list takes; `cursor` is the number of a row."""

    cursor = Cursor(r"^[1-9][0-9]{0,14}$")
    limit = QueryWhole(load_default=A_PAGE, validate=validate.Range(1, MOST_A_PAGE))


def next_link() -> fields.String:
    return fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The address of the next page; null on the last."},
    )


def whole(least: int, most: int, **options: object) -> fields.Integer:
    """A whole number of JSON: neither 1.5 nor "2" nor true."""
    return fields.Integer(strict=True, validate=validate.Range(least, most), **options)  # type: ignore[arg-type]


def Texts(**options: object) -> fields.Dict:  # noqa: N802 - It is used as a field.
    """Texts by language: {"en": …, "zh": …}."""
    return fields.Dict(keys=fields.String(), values=fields.String(), **options)  # type: ignore[arg-type]
