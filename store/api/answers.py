"""Answers: amounts, moments, addresses and pages, written the same way everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, current_app, request, url_for

from .. import money, web

__all__ = ["amount", "answer", "cached", "currency", "following", "moment"]


def answer(body: Mapping[str, Any], status: int = 200, *, replayed: bool = False) -> Response:
    """JSON in the order in which it was put together. Written directly: going through the schemas
    of the document would cost more than reading the database did; tests hold the two together."""
    text = current_app.json.dumps(body, sort_keys=False)
    response = current_app.response_class(text, status, mimetype="application/json")
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def cached(body: Mapping[str, Any]) -> Response:
    """The same with an ETag; 304 where the caller has it already."""
    response = answer(body)
    response.add_etag()
    response.make_conditional(request)
    return response


def currency() -> str:
    return str(current_app.config["CURRENCY"])


def amount(minor: int, of: str) -> dict[str, Any]:
    return {"amount": money.text(minor, of), "minor": minor, "currency": of}


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def following(cursor: str | int | None) -> str | None:
    """The address of the page after this one: the same question with another cursor."""
    if cursor is None or not request.endpoint:
        return None
    values: dict[str, Any] = request.args.to_dict() | {"cursor": str(cursor)}
    return web.base_url() + url_for(request.endpoint, **values)
