"""Notices: a member hears by mail what has changed of the ways into their account.

Whoever has taken over a phone adds a way of their own first. The letter goes to the addresses that
were proven before, so also to one that is taken off at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import post, web
from ..db import in_transaction
from .identifiers import proven_mails
from .models import Member

__all__ = ["KIND", "masked", "set_mail", "tell"]

KIND = "account_notice"

# Whether this shop sends mail, told once at the start: else nothing is put into the post.
_mails = False


def set_mail(can: bool) -> None:
    global _mails
    _mails = can


def tell(member_id: int, what: str, *, of: str = "", to: Sequence[str] | None = None) -> None:
    """Joiner: a letter to each of these addresses, or to all that the member has proven. `of` is
    the address that it is about, masked."""
    if not _mails:
        return
    member = in_transaction().get_one(Member, member_id)
    language = member.language or web.setting("LANGUAGE")
    for address in proven_mails(member_id) if to is None else to:
        post.put(KIND, f"{what}:{of}"[:40], address, language)


def masked(value: str) -> str:
    """An address by its beginning, a number by its end: whoever has it knows it."""
    name, at, host = value.partition("@")
    return f"{name[:2]}…@{host[:16]}" if at else f"…{value[-4:]}"
