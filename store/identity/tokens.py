"""Tokens: keys for the API, shown once, that never reach further than their member."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from .. import clock, ids, logbook
from ..db import connection, in_transaction
from ..errors import Invalid, Refusal
from .models import Member, Token
from .roles import SCOPES, ScopeNotAllowed, allowed_scopes
from .visitors import Visitor

__all__ = ["TokenInvalid", "end_token", "issue_token", "member_of_token"]

# A fixed beginning lets secret scanners find a token that was published by mistake.
_PREFIX = "oneshelf_"

# Built once, and of columns only: every request of the API begins with it.
_LIVE = (
    select(Member.id, Member.name, Member.role, Member.language, Token.scopes)
    .join(Token, Token.member_id == Member.id)
    .where(
        Token.digest == bindparam("digest"),
        Token.ended_at.is_(None),
        Member.disabled_at.is_(None),
    )
)


class TokenInvalid(Refusal):
    """No token, an unknown or ended one, or its member's account is closed."""

    code = "token_invalid"
    status = 401
    title = "This needs a valid token"


def issue_token(member: Member, scopes: Sequence[str], name: str = "") -> str:
    """Make a token and return its text, which is not kept (joiner). Without scopes it carries all
    that the member's role allows. Raises Invalid for an unknown scope, ScopeNotAllowed."""
    session = in_transaction()
    allowed = allowed_scopes(member)
    for scope in scopes:
        if scope not in SCOPES:
            known = ", ".join(SCOPES)
            raise Invalid(f"There is no scope {scope!r}; there are: {known}", field="scope")
        if scope not in allowed:
            raise ScopeNotAllowed(f"A member who is {member.role} may not have {scope}")
    text = _PREFIX + ids.secret()
    carried = sorted(set(scopes)) or allowed
    session.add(
        Token(
            digest=ids.digest(text), member_id=member.id, name=name[:80], scopes=carried,
            created_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()
    logbook.note("token.issued", member.id, after={"scopes": carried})
    return text


def member_of_token(text: str) -> tuple[Visitor, frozenset[str]]:
    """Whose token this is and what it may do: its scopes, as far as its member's role still allows
    them today. The member is not tied to a database session. Raises TokenInvalid."""
    if not text.startswith(_PREFIX) or len(text) != len(_PREFIX) + 43 or not text.isascii():
        raise TokenInvalid()
    row = connection().execute(_LIVE, {"digest": ids.digest(text)}).first()
    if row is None:
        raise TokenInvalid()
    found = Visitor(row.id, row.name, row.role, row.language)
    return found, frozenset(row.scopes) & frozenset(allowed_scopes(found))


def end_token(text: str) -> None:
    """Make a token useless (joiner)."""
    in_transaction().execute(
        update(Token)
        .where(Token.digest == ids.digest(text), Token.ended_at.is_(None))
        .values(ended_at=clock.now())
    )
