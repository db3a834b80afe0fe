"""Conflicts: entries that wait for a person, who applies or dismisses them; and all the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update

from .. import catalogue, clock, logbook, stock, web
from ..db import connection, in_transaction
from ..errors import NotFound, Refusal
from .goods_entries import judge_goods
from .models import FeedEntry, FeedSource
from .reading import Entry, Verdict, read
from .stock_entries import StockBook

__all__ = [
    "ConflictStands",
    "Listed",
    "Source",
    "apply",
    "dismiss",
    "entries",
    "sources",
    "waiting",
]

OPEN = ("conflict", "refused")
_FEED_OF = {"count": "stock", "change": "stock", "item": "items", "price": "prices"}


class ConflictStands(Refusal):
    """What keeps the entry from being applied is still so, or somebody has settled it. `data`:
    reason (a code of entries), state."""

    code = "conflict_stands"
    status = 409
    title = "This entry cannot be applied as it is"


@dataclass(frozen=True)
class Listed:
    """An entry as people read it; `names` are those of its item."""

    id: int
    source: str
    entry: str
    version: int
    kind: str
    contents: dict[str, Any]
    said_at: datetime | None
    state: str
    code: str
    reason: str
    received_at: datetime
    settled_at: datetime | None
    settled_by: int | None
    item_code: str | None
    names: dict[str, str] | None
    place: str | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def can_be_applied(self) -> bool:
        return self.state == "conflict"


class Source(NamedTuple):
    name: str
    heard_at: datetime
    waiting: int


def entries(
    *,
    states: Sequence[str] = OPEN,
    source: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[Listed]:
    """Entries in these states, newest first, from before an id on."""
    item, place = catalogue.Item, stock.Location
    query = (
        select(
            FeedEntry.id, FeedSource.name, FeedEntry.entry, FeedEntry.version, FeedEntry.kind,
            FeedEntry.contents, FeedEntry.said_at, FeedEntry.state, FeedEntry.code,
            FeedEntry.reason, FeedEntry.received_at, FeedEntry.settled_at, FeedEntry.settled_by,
            item.code, item.names, place.code,
        )
        .join(FeedSource, FeedSource.id == FeedEntry.source_id)
        .outerjoin(item, item.id == FeedEntry.item_id)
        .outerjoin(place, place.id == FeedEntry.location_id)
        .where(FeedEntry.state.in_(states))
        .order_by(FeedEntry.id.desc())
        .limit(limit)
    )  # fmt: skip
    if source:
        query = query.where(FeedSource.name == source)
    if before is not None:
        query = query.where(FeedEntry.id < before)
    return [Listed(*row) for row in connection().execute(query)]


def sources() -> list[Source]:
    """Every system that has sent entries, with how many of them wait for a person."""
    open_ = (
        select(func.count())
        .where(FeedEntry.source_id == FeedSource.id, FeedEntry.state.in_(OPEN))
        .scalar_subquery()
    )
    query = select(FeedSource.name, FeedSource.heard_at, open_).order_by(FeedSource.name)
    return [Source(*row) for row in connection().execute(query)]


def waiting() -> int:
    """How many entries wait for a person."""
    query = select(func.count()).where(FeedEntry.state.in_(OPEN))
    return int(connection().execute(query).scalar() or 0)


def apply(entry_id: int, member_id: int | None) -> None:
    """Joiner: a person says that the entry counts. A count is booked as of its own time; a change
    that was sent before with other contents takes the place of the earlier one. Raises NotFound,
    ConflictStands."""
    session = in_transaction()
    row, source = _locked(entry_id)
    if row.state == "applied":
        return  # A second tap.
    if row.state != "conflict":
        raise ConflictStands(row.reason, state=row.state, reason=row.code)
    entry, earlier = _as_entry(row), _applied_version(row)
    verdict = _by_hand(entry, _as_entry(earlier) if earlier else None, source, member_id)
    if verdict.state != "applied":
        raise ConflictStands(verdict.reason, state=row.state, reason=verdict.code)
    if earlier is not None:
        session.execute(
            update(FeedEntry).where(FeedEntry.id == earlier.id).values(state="replaced")
        )
    _settle(row, member_id, state="applied", item_id=verdict.item_id,
            location_id=verdict.location_id)  # fmt: skip
    logbook.note("feed.applied", entry_id, place_id=verdict.location_id,
                 after={"item": verdict.item_id})  # fmt: skip


def dismiss(entry_id: int, member_id: int | None) -> None:
    """Joiner: a person says that the entry shall not count; sent again it stays dismissed. Raises
    NotFound, ConflictStands."""
    row, _ = _locked(entry_id)
    if row.state == "dismissed":
        return
    if row.state not in OPEN:
        raise ConflictStands("Only what waits can be dismissed", state=row.state, reason="")
    _settle(row, member_id, state="dismissed")
    logbook.note("feed.dismissed", entry_id, place_id=row.location_id, after={"item": row.item_id})


def _settle(row: FeedEntry, member_id: int | None, **values: Any) -> None:
    """Write down what was decided; the task that asked for it is done with the last entry."""
    session, item_id, place_id = in_transaction(), row.item_id, row.location_id
    values |= {"settled_at": clock.now(), "settled_by": member_id}
    session.execute(update(FeedEntry).where(FeedEntry.id == row.id).values(**values))
    if item_id is None or place_id is None:
        return
    others = select(FeedEntry.id).where(
        FeedEntry.state == "conflict", FeedEntry.item_id == item_id,
        FeedEntry.location_id == place_id,
    )  # fmt: skip
    if session.scalar(others.limit(1)) is None:
        stock.close_tasks(("feed_conflict",), place_id, [item_id], member_id)


def _locked(entry_id: int) -> tuple[FeedEntry, str]:
    """The source's row first, as a delivery does it: neither can overtake the other."""
    session = in_transaction()
    found = session.execute(
        select(FeedSource.id, FeedSource.name)
        .join(FeedEntry, FeedEntry.source_id == FeedSource.id)
        .where(FeedEntry.id == entry_id)
        .with_for_update(of=FeedSource)
    ).first()
    if found is None:
        raise NotFound("There is no such entry")
    row = session.get_one(FeedEntry, entry_id, populate_existing=True)
    return row, found.name


def _applied_version(row: FeedEntry) -> FeedEntry | None:
    return in_transaction().scalar(
        select(FeedEntry).where(
            FeedEntry.source_id == row.source_id, FeedEntry.entry == row.entry,
            FeedEntry.state == "applied",
        )
    )  # fmt: skip


def _as_entry(row: FeedEntry) -> Entry:
    return read(_FEED_OF[row.kind], row.contents, web.setting("CURRENCY"), web.setting("LANGUAGE"))


def _by_hand(entry: Entry, earlier: Entry | None, source: str, member_id: int | None) -> Verdict:
    if entry.code:
        return Verdict("refused", entry.code, entry.reason)  # Nobody can read it: nor a person.
    if entry.kind not in ("count", "change"):
        return judge_goods(entry, member_id, by_hand=True)
    corrects = earlier is not None and entry.kind == earlier.kind == "change"
    both = [entry, earlier] if corrects and earlier else [entry]
    book = StockBook.open(both, source, member_id, by_hand=True)
    if corrects and earlier and not book.reverse(earlier):
        return Verdict("conflict", "short", "Too few are left to take the earlier entry back")
    verdict = book.judge(entry)
    if verdict.state == "applied":
        book.close()
    return verdict
