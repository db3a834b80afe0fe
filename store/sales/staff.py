"""What pages of the staff ask first: where they stand, and which member is meant."""

from __future__ import annotations

from .. import identity, stock, web
from ..errors import NotFound
from ..identity import member_cards

__all__ = ["known", "member_numbered", "place_here"]

PLACE_COOKIE = "place"
"""Where the staff of this browser stand; the desk's start page sets it."""


def place_here() -> stock.Location:
    for code in (web.cookie(PLACE_COOKIE), stock.MAIN):
        try:
            return stock.location(code or "")
        except NotFound:
            continue
    raise NotFound("There is no location yet", what="location")


def known(text: str) -> identity.Member | None:
    """A member by e-mail address, phone number, card, or their number in the shop."""
    return _open(identity.find(text) or member_cards.held_by(text)) or member_numbered(text)


def member_numbered(text: str) -> identity.Member | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        return None
    try:
        return _open(identity.by_id(int(text)))
    except NotFound:
        return None


def _open(member: identity.Member | None) -> identity.Member | None:
    return member if member is not None and member.disabled_at is None else None
