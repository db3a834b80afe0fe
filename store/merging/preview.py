"""Preview: what each of two accounts holds, and what both will together."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from ..db import Base, connection
from ..membership import points
from ..payment.models import Account

__all__ = ["Holding", "Row", "of", "rows"]

AFTERWARDS = ("delivered", "handed_over", "cancelled", "put_back")


class Holding(NamedTuple):
    """What one account holds. `money` is by currency, in minor units; points may be owed (below
    zero)."""

    money: dict[str, int]
    points: int
    counts: dict[str, int]


class Row(NamedTuple):
    """A line of the preview: what it is (`points`, or one of COUNTS), there, here, together."""

    what: str
    theirs: int
    mine: int
    both: int


COUNTS = ("sales", "open_orders", "cards", "coupons", "basket", "addresses", "passkeys")


def of(member_id: int) -> Holding:
    """What is in this member's name."""
    balances = select(Account.currency, Account.balance_minor).where(
        Account.member_id == member_id, Account.balance_minor > 0
    )
    money = {row[0]: int(row[1] or 0) for row in connection().execute(balances)}
    counts = {
        what: int(connection().execute(query).scalar() or 0)
        for what, query in zip(COUNTS, _counting(member_id), strict=True)
    }
    return Holding(money, points.balance_of(member_id).points, counts)


def _counting(member_id: int) -> list[Select[Any]]:
    tables = Base.metadata.tables

    def mine(name: str, *more: Any) -> Select[Any]:
        table = tables[name]
        return select(func.count()).select_from(table).where(table.c.member_id == member_id, *more)

    shipments, cards, uses = (tables[each].c for each in ("shipments", "saved_means", "offer_uses"))
    lines, baskets = tables["basket_lines"].c, tables["baskets"].c
    open_orders = select(func.count(shipments.sale_id.distinct())).where(
        shipments.member_id == member_id, shipments.state.not_in(AFTERWARDS)
    )
    waiting = select(func.sum(lines.quantity)).where(
        lines.basket_id.in_(select(baskets.id).where(baskets.member_id == member_id))
    )
    return [
        mine("sales"), open_orders, mine("saved_means", cards.state == "kept"),
        mine("offer_uses", uses.coupon_id.is_not(None)), waiting, mine("addresses"),
        mine("passkeys"),
    ]  # fmt: skip


def rows(theirs: Holding, mine: Holding) -> list[Row]:
    """What either holds of, money aside; what joins by its kind adds up."""
    found = [Row("points", theirs.points, mine.points, theirs.points + mine.points)]
    for what in COUNTS:
        there, here = theirs.counts[what], mine.counts[what]
        # What both baskets hold was scanned once, not twice: how many that will be is seen there.
        found.append(Row(what, there, here, max(there, here) if what == "basket" else there + here))
    return [row for row in found if row.theirs or row.mine]
