"""Earlier sales: those that have these keys already, and those of the last moments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from ..prepared import Many, Prepared, one_of
from .buying import Buy, guest_key
from .models import Sale

__all__ = ["Known", "Recent", "earlier_sales"]

Known = dict[tuple[int | str, str], tuple[str, tuple[str, int | None]]]
"""By whose and key: the sale that has it, and what it stands for."""
Recent = tuple[int | str, str, str, datetime]
"""Whose, what it stands for, the sale, when."""


# Two statements and not one with OR: each walks an index of its own, whatever a member has bought
# before, and the second is only asked for pages that want to know.
_with_keys = Prepared(
    lambda dialect: select(Sale.member_id, Sale.key, Sale.id, Sale.contents).where(
        one_of(Sale.member_id, "members", dialect), one_of(Sale.key, "keys", dialect)
    )
)
_of_sellers_with_keys = Prepared(
    lambda dialect: select(Sale.sold_by, Sale.key, Sale.id, Sale.contents, Sale.member_id).where(
        one_of(Sale.sold_by, "sellers", dialect),
        one_of(Sale.key, "keys", dialect),
        Sale.sold_by.is_not(None),
    )
)
_of_guests_with_keys = Prepared(
    lambda dialect: select(Sale.guest_id, Sale.key, Sale.id, Sale.contents).where(
        one_of(Sale.guest_id, "guests", dialect),
        one_of(Sale.key, "keys", dialect),
        Sale.guest_id.is_not(None),
    )
)
_since = Prepared(
    lambda dialect: select(Sale.member_id, Sale.contents, Sale.id, Sale.created_at).where(
        one_of(Sale.member_id, "members", dialect),
        Sale.created_at > bindparam("since", type_=Sale.created_at.type),
    )
)


def earlier_sales(
    buys: Sequence[Buy], members: list[int], at: datetime
) -> tuple[Known, list[Recent]]:
    """Sales with these keys, and these members' sales of the last moments."""
    keys = Many({asked.key for asked in buys})
    sellers = {asked.sold_by for asked in buys if asked.sold_by is not None}
    guests = {asked.guest_id for asked in buys if asked.guest_id is not None}
    known: Known = {}
    if any(asked.sold_by is None and asked.guest_id is None for asked in buys):
        found = _with_keys.all(members=Many(members), keys=keys)
        known = {(row[0], row[1]): (row[2], (row[3], row[0])) for row in found}
    if sellers:
        sold = _of_sellers_with_keys.all(sellers=Many(sellers), keys=keys)
        known |= {(-row[0], row[1]): (row[2], (row[3], row[4])) for row in sold}
    if guests:
        # Whoever claimed it since: to the guest's page it is what it was.
        bought = _of_guests_with_keys.all(guests=Many(guests), keys=keys)
        known |= {(guest_key(row[0]), row[1]): (row[2], (row[3], None)) for row in bought}
    longest = max(asked.wishes.ask_again_within_s or 0 for asked in buys)
    if not longest:
        return known, []
    since = at - timedelta(seconds=longest)
    return known, [tuple(row) for row in _since.all(members=Many(members), since=since)]
