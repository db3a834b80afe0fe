"""Resources: how the API's routes are made, so that none can forget a scope, a key or a document.

A route says which scopes open it, what it reads and answers, and which refusals a caller must
expect; its reading is strict and its part of the OpenAPI document is made from the same words.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request
from flask_smorest import Api, Blueprint
from marshmallow import Schema

from .. import logbook, web
from ..errors import Forbidden, Refusal, TooMany, Unavailable
from ..identity import TokenInvalid
from . import access, keys
from .reading import MOST_BYTES, BadJson, BodyNotJson, Parser
from .shapes import Nothing, Problem

__all__ = ["PREFIX", "Document", "Resource"]

PREFIX = "/api/v1"
PROBLEM = "application/problem+json"
View = Callable[..., Response]

_ABOUT = """One shelf: one means of payment, one stock, one customer.

Amounts are decimal text beside whole minor units; both say the same. Every refusal is a problem
document (RFC 9457) whose `code` never changes. Every POST takes an `Idempotency-Key`: sent again
with the same contents it answers the same, and nothing happens twice."""

_KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "1 to 64 visible ASCII characters, new for every act, the same for its repeats.",
    "schema": {"type": "string", "pattern": r"^[!-~]{1,64}$", "minLength": 1, "maxLength": 64},
}
_REPLAYED_HEADER = {
    "Idempotency-Replayed": {
        "description": "`true` where this key was known: nothing was done again.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_CODE_PARAMETER = {
    "in": "path",
    "name": "code",
    "required": True,
    "description": "A GTIN, SKU or short code, or whatever a scanner read, percent-encoded.",
    "schema": {"type": "string", "minLength": 1},
}


class Document(Api):  # type: ignore[misc]
    """The OpenAPI document. Unlike its parent it leaves the application's error handlers alone:
    the web tool makes every refusal a problem document already."""

    def __init__(self, app: Flask) -> None:
        app.config.update(
            API_TITLE=f"{app.config['SHOP_NAME']} API",
            API_VERSION="v1",
            OPENAPI_VERSION="3.1.0",
            OPENAPI_URL_PREFIX=PREFIX,
            OPENAPI_JSON_PATH="openapi.json",
            API_SPEC_OPTIONS={
                "info": {"description": _ABOUT},
                "components": {
                    "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
                },
            },
        )
        super().__init__(app)

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        content = {PROBLEM: {"schema": Problem}}
        for name in ("DEFAULT_ERROR", HTTPStatus.UNPROCESSABLE_ENTITY.name):
            response = {"description": "A problem document", "content": content}
            self.spec.components.response(name, response, lazy=True)


class Resource(Blueprint):  # type: ignore[misc]
    """One resource of the API: a blueprint whose routes are made by `offers`."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(f"api_{name}", __name__, url_prefix=PREFIX, description=description)
        self.tag = name
        web.exempt_from_csrf(self.name)
        self.after_request(access.challenge)

    def offers(
        self,
        method: str,
        path: str,
        *,
        scopes: Sequence[str],
        answers: Schema,
        query: Schema | None = None,
        body: Schema | None = None,
        refuses: Sequence[type[Refusal]] = (),
        cached: bool = False,
    ) -> Callable[[View], View]:
        """A route for holders of any of the scopes. The view gets what the path, `query` and
        `body` say as keyword arguments. `cached` answers carry an ETag."""

        def decorate(view: View) -> View:
            reading = self._reads(view, query, body)
            status = 201 if method == "POST" else 200
            headers = _REPLAYED_HEADER if method == "POST" else None
            documented = self.response(status, answers, headers=headers)(reading)
            if cached:
                documented = self.alt_response(304, description="Not changed")(documented)
            documented = self._refuses(documented, method, refuses)
            documented = self._describes(documented, method, path, scopes)
            guarded = _guarded(reading, scopes)
            # What documents is not run: ten wrappers around each request would only cost time.
            guarded._apidoc = documented._apidoc  # type: ignore[attr-defined]
            self.route(path, methods=[method], tags=[self.tag])(guarded)
            return view

        return decorate

    def _reads(self, view: View, query: Schema | None, body: Schema | None) -> View:
        if body is not None:
            view = self.arguments(body, location="json", arg_name="body")(view)
        # What a route does not know it does not take: a mistyped filter must not go unnoticed.
        if query is None:
            return self.arguments(Nothing(), location="query", as_kwargs=True)(view)  # type: ignore[no-any-return]
        return self.arguments(query, location="query", arg_name="query")(view)  # type: ignore[no-any-return]

    def _refuses(self, view: View, method: str, refuses: Sequence[type[Refusal]]) -> View:
        every: list[type[Refusal]] = [TokenInvalid, Forbidden, TooMany, Unavailable, *refuses]
        every.append(access.ScopeMissing)
        if method == "POST":
            every += [keys.KeyMissing, keys.KeyInvalid, BadJson, BodyNotJson]
        every.sort(key=lambda refusal: (refusal.status, refusal.code))
        # Written down at once: the library's decorators would copy all that is said so far for
        # each status, a fifth of the time in which a shop starts.
        said = view._apidoc["response"]["responses"]  # type: ignore[attr-defined]
        for status, group in itertools.groupby(every, key=lambda refusal: refusal.status):
            codes = ", ".join(f"`{code}`" for code in sorted({it.code for it in group}))
            problem = {"schema": Problem(), "description": codes, "content_type": PROBLEM}
            said.setdefault(status, []).append(problem)
        return view

    def _describes(self, view: View, method: str, path: str, scopes: Sequence[str]) -> View:
        parameters = [_KEY_PARAMETER] if method == "POST" else []
        if "<path:code>" in path:
            parameters.append(_CODE_PARAMETER)
        manual: dict[str, Any] = {"security": [{"token": [scope]} for scope in scopes]}
        if parameters:
            manual["parameters"] = parameters
        return self.doc(**manual)(view)  # type: ignore[no-any-return]


def _guarded(view: View, scopes: Sequence[str]) -> View:
    """Before anything is read: who asks, may they, and under which key."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Response:
        request.max_content_length = MOST_BYTES
        g.api_caller = access.authenticate(scopes)
        if request.method == "POST":
            g.api_key = keys.read(request.headers.get("Idempotency-Key"))
        if g.api_caller.member.role == "shopper":
            return view(*args, **kwargs)
        with logbook.acting(g.api_caller.member.id, "key"):
            return view(*args, **kwargs)

    guarded.scopes = tuple(scopes)  # type: ignore[attr-defined]
    return guarded
