"""Cards on item pages, and what a process knows of them without asking.

Whether a campaign of the pages runs at all is known under the mark of the shop's rules, which each
item's row brings and each step of such a campaign changes: a shop without one pays nothing. While
one runs, a member for whom nothing waited is asked after again in two minutes; for whom one waits
it is looked up each time, so that putting it away and ending it hold at once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select

from .. import clock
from ..db import connection, shop_engine
from . import pages
from .models import Campaign
from .pages import Card

__all__ = ["ASK_AGAIN", "may_be", "waiting"]

ASK_AGAIN = timedelta(minutes=2)
MOST_KNOWN = 20_000


class _Known:
    """What is known under a mark: whether one runs, and of whom nothing waits, until when."""

    def __init__(self, mark: int, runs: bool) -> None:
        self.mark, self.runs = mark, runs
        self.free: dict[int, datetime] = {}


_known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()


def may_be(engine: Engine, mark: int | None, member_id: int) -> bool:
    """Whether a card may wait for a member. Asks nobody; what is not known yet may be."""
    if not mark:
        return False
    known = _known.get(engine)
    if known is None or known.mark != mark:
        return True
    return known.runs and known.free.get(member_id, _LONG_AGO) <= clock.now()


def waiting(mark: int | None, member_id: int) -> Card | None:
    """The card that waits for a member: without a statement where it is known that none does."""
    engine = shop_engine()
    if not mark or not may_be(engine, mark, member_id):
        return None
    known = _known.get(engine)
    if known is None or known.mark != mark:
        known = _known[engine] = _Known(mark, _runs())
    if not known.runs:
        return None
    card = pages.waiting(member_id)
    if card is None:
        if len(known.free) >= MOST_KNOWN:
            known.free.clear()
        known.free[member_id] = clock.now() + ASK_AGAIN
    return card


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _runs() -> bool:
    """What is read may be newer than the mark: then the next row brings another one."""
    query = select(Campaign.id).where(Campaign.state == "running", Campaign.channel == "page")
    return connection().execute(query.limit(1)).first() is not None
