"""Access: whose token a request carries, and whether it reaches far enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import Response, current_app, g, request

from .. import identity, ids
from ..errors import Forbidden
from ..identity import login, tries

__all__ = ["Caller", "ScopeMissing", "authenticate", "caller", "challenge"]

WRONG_TOKENS_A_MINUTE = 60
_SCHEME = "bearer "


class ScopeMissing(Forbidden):
    """The token does not carry the scope. `data`: scopes, any of which would do."""

    code = "scope_missing"
    title = "This token does not reach that far"


class Caller(NamedTuple):
    """The member of the token, and what the token may do."""

    member: identity.Visitor
    scopes: frozenset[str]


def authenticate(scopes: Sequence[str]) -> Caller:
    """Raises TokenInvalid 401, TooMany 429 (for wrong tokens only), ScopeMissing 403."""
    found = Caller(*_member_of(_token()))
    if not found.scopes.intersection(scopes):
        needed = " or ".join(scopes)
        raise ScopeMissing(f"This needs a token with the scope {needed}", scopes=list(scopes))
    return found


def caller() -> Caller:
    """Who makes this request; every route of a resource has asked before."""
    return g.api_caller  # type: ignore[no-any-return]


def challenge(response: Response) -> Response:
    """What RFC 6750 wants said beside a 401 or a missing scope."""
    if response.status_code == 401:
        error = ', error="invalid_token"' if "Authorization" in request.headers else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="OneShelf"{error}'
    elif response.status_code == 403:
        response.headers["WWW-Authenticate"] = 'Bearer realm="OneShelf", error="insufficient_scope"'
    return response


def _token() -> str:
    given = request.headers.get("Authorization", "")
    if given[: len(_SCHEME)].lower() != _SCHEME:
        raise identity.TokenInvalid("Send the header Authorization: Bearer TOKEN")
    return given[len(_SCHEME) :].strip()


def _member_of(token: str) -> tuple[identity.Visitor, frozenset[str]]:
    try:
        return identity.member_of_token(token)
    except identity.TokenInvalid:
        # Only a wrong token is counted, so that nobody can lock out the till beside them; the
        # database is written to only where the text could have been a guess.
        if token.startswith("oneshelf_"):
            _count_wrong()
        raise


def _count_wrong() -> None:
    key = str(current_app.config["SECRET_KEY"]).encode()
    subject = ids.mac(key, "try", "token", login.caller().network, length=32)
    tries.begin([tries.Limit("token", subject, WRONG_TOKENS_A_MINUTE, 60)])
