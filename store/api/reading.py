"""Reading requests strictly: what could be meant in two ways is refused, not guessed.

JSON is read by the shop's own strict parser; here a body must also be announced as JSON, a query
parameter may stand only once, and what does not fit is named by its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NoReturn

from flask import Request
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from webargs.flaskparser import FlaskParser

from .. import clock, strict
from ..errors import Invalid, Refusal

__all__ = [
    "MOST_BYTES", "BadJson", "BodyNotJson", "Exactly", "Moment", "Parser", "QueryWhole", "Strict",
    "line",
]  # fmt: skip

MOST_BYTES = 2**20
"""A sale of 200 lines with the longest codes is half of this."""

# Control characters have no place on a line: they would be shown, printed and exported.
_LINE = re.compile(r"^[^\x00-\x1f\x7f]*$")


class BadJson(Refusal):
    """The body is no JSON, or JSON that two parsers could understand in two ways."""

    code = "bad_json"
    status = 400
    title = "The body is not JSON that can be read"


class BodyNotJson(Refusal):
    """The body is not announced as JSON."""

    code = "unsupported_media_type"
    status = 415
    title = "Send JSON with Content-Type: application/json"


class Strict(Schema):
    """A shape that knows all of its fields. With `judges_each` what stands in its entries is judged
    one by one: a number that is none of ours comes as the text of its digits."""

    judges_each = False

    class Meta:
        unknown = RAISE


class Parser(FlaskParser):
    """webargs with the shop's JSON and the shop's refusals."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}

    def load_json(self, req: Request, schema: Schema) -> Any:
        if not req.is_json:
            raise BodyNotJson()
        beyond = str if getattr(schema, "judges_each", False) else None
        try:
            return strict.read(req.get_data(), beyond)
        except ValueError as error:
            raise BadJson(str(error)) from error

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        for name, values in req.args.lists():
            if len(values) > 1:
                fault = {"where": "query", "pointer": name[:80], "detail": "Given more than once"}
                raise Invalid(f"{name[:80]} is given more than once", errors=[fault])
        return req.args.to_dict()

    def handle_error(
        self, error: ValidationError, req: Request, schema: Schema, **more: Any
    ) -> NoReturn:
        faults = [
            {"where": "query" if where == "query" else "body", "pointer": pointer, "detail": detail}
            for where, messages in error.messages.items()  # type: ignore[union-attr]
            for pointer, detail in _flat(messages, "" if where == "query" else "#")
        ]
        raise Invalid(f"{faults[0]['pointer']}: {faults[0]['detail']}", errors=faults) from error


def _flat(messages: Any, place: str) -> Iterator[tuple[str, str]]:
    """{"lines": {0: {"quantity": ["…"]}}} as ("#/lines/0/quantity", "…")."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            step = "" if name == "_schema" else f"{'/' if place else ''}{str(name)[:80]}"
            yield from _flat(inner, place + step)
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield place, str(message)


class Exactly(validate.Regexp):
    """The whole text fits the pattern: `$` alone would let a line end follow."""

    def __call__(self, value: Any) -> Any:
        if not self.regex.fullmatch(value):
            raise ValidationError(self.error)
        return value


def line(most: int, least: int = 0) -> list[validate.Validator]:
    """Text on one line, of so many characters."""
    return [
        validate.Length(min=least, max=most),
        Exactly(_LINE, error="Has characters that cannot be kept."),
    ]


class QueryWhole(fields.Integer):
    """A whole number as an address has it: digits, no sign, no blanks."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"\d{1,15}", value, re.ASCII):
            raise self.make_error("invalid", input=value)
        return int(value)


class Moment(fields.AwareDateTime):
    """An ISO 8601 moment; without an offset it is UTC."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        try:
            return clock.parse(str(value)[:40].upper())
        except ValueError as error:
            raise ValidationError(
                "Not a moment like 2027-03-15T10:30:00Z (a + in an address is %2B)."
            ) from error
