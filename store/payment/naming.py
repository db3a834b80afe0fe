"""Naming: what a guest paid for gets a member's name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from ..db import in_transaction
from .models import Attempt

__all__ = ["give_name"]


def give_name(sale_ids: Sequence[str], member_id: int) -> None:
    """Joiner: what paid for these sales of a guest is this member's by now. One whose key they have
    used themselves stays without a name."""
    theirs = aliased(Attempt)
    taken = select(theirs.id).where(
        theirs.member_id == member_id, theirs.key == Attempt.key, theirs.number == Attempt.number
    )
    mine = (Attempt.sale_id.in_(sale_ids), Attempt.member_id.is_(None), ~taken.exists())
    in_transaction().execute(
        update(Attempt).where(*mine, Attempt.guest_id.is_not(None)).values(member_id=member_id)
    )
