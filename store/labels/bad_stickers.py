"""Bad stickers: those that somebody scanned and that are not what they should be, and the ways out.

A forger can make up any text behind `l=`, so a foreign sticker is known by the item whose page it
leads to: however many are made up, an item has one row at a place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import aliased

from .. import catalogue, clock, logbook, stock
from ..db import connection, db, in_transaction, insert_new
from ..errors import Invalid, NotFound
from . import records
from .models import BadSticker, Label

__all__ = ["TASK", "WAYS_OUT", "Sighting", "bad_stickers", "count_bad", "end", "report", "trouble"]

TASK = "bad_sticker"
WAYS_OUT = {
    "foreign": ("replaced", "removed", "right"),
    "swapped": ("replaced", "removed"),
    "revoked": ("replaced", "removed"),
    "retired": ("removed",),
    "moved": ("replaced", "removed", "right"),
    "copied": ("replaced", "removed", "right"),
}
"""Not made by this shop; a label of ours that leads to another item; out of use; of an item that is
sold no more; of another place or shelf; seen at two shelves on one walk. Each has its words in
templates/labels/bad_words.html, and what can be done about it."""

PAGE = 100


class Sighting(NamedTuple):
    """A bad sticker that was scanned at a place. `seen_by` is the member of the staff who did."""

    kind: str
    location_id: int
    item_id: int | None = None
    label_id: str | None = None
    text: str = ""
    shelf: str = ""
    seen_by: int | None = None

    @property
    def sign(self) -> str:
        """What the same sticker is known by the next time."""
        if self.label_id:
            return self.label_id
        return f"item {self.item_id}" if self.item_id else self.text[:48]


def trouble(row: Any, said: str, label_id: str | None) -> str | None:
    """What is wrong with the sticker that led to an item's page, if anything: `row` says of the
    item its id and archived_at, of the label its item and whether it is out of use; `said` is what
    stood behind `l=`, `label_id` the label that it proves."""
    if not said:
        return None
    if label_id is None or row.label_item_id is None:
        return "foreign"
    if row.label_item_id != row.id:
        return "swapped"
    if row.label_revoked_at is not None:
        return "revoked"
    return "retired" if row.archived_at is not None else None


def report(seen: Sighting, times: int = 1) -> None:
    """Joiner: the sticker stands on the list of its place, and a task asks to look at it. One that
    somebody found to be right there is not reported again."""
    if seen.kind not in WAYS_OUT:
        raise ValueError(f"There is no kind of bad sticker {seen.kind!r}")
    session = in_transaction()
    same = (
        BadSticker.kind == seen.kind, BadSticker.sign == seen.sign,
        BadSticker.location_id == seen.location_id,
    )  # fmt: skip
    is_right = select(BadSticker.id).where(*same, BadSticker.how == "right").limit(1)
    if session.scalar(is_right) is not None:
        return
    now = clock.now()
    new = {"kind": seen.kind, "sign": seen.sign, "label_id": seen.label_id,
           "item_id": seen.item_id, "location_id": seen.location_id, "shelf": seen.shelf,
           "times": 0, "first_at": now, "last_at": now, "seen_by": seen.seen_by}  # fmt: skip
    session.connection().execute(insert_new(BadSticker), [new])
    again = {"times": BadSticker.times + times, "last_at": now, "seen_by": seen.seen_by}
    again |= {"shelf": seen.shelf} if seen.shelf else {}
    found = update(BadSticker).where(*same, BadSticker.ended_at.is_(None)).values(again)
    if not session.connection().execute(found).rowcount:
        # The one that was in the way has just been closed: this is another sighting.
        session.connection().execute(insert(BadSticker), [new | {"times": times}])
    stock.open_task(TASK, seen.location_id, seen.item_id, member_id=seen.seen_by)


def end(bad_id: int, how: str, member_id: int) -> BadSticker:
    """Joiner: it was replaced by a new one, torn off, or found to be right where it is; again
    changes nothing. A label that is replaced or torn off elsewhere than it belongs is out of use
    from now on. Raises NotFound, Invalid for a way that does not help."""
    session = in_transaction()
    bad = session.get(BadSticker, bad_id, with_for_update=True, populate_existing=True)
    if bad is None:
        raise NotFound("There is no such sticker on the list", what="bad_sticker")
    if how not in WAYS_OUT[bad.kind]:
        raise Invalid(f"how must be one of: {', '.join(WAYS_OUT[bad.kind])}", field="how")
    if bad.ended_at is not None:
        return bad
    bad.ended_at, bad.ended_by, bad.how = clock.now(), member_id, how
    what = {"kind": bad.kind, "how": how}
    logbook.note("label.seen_to", bad_id, place_id=bad.location_id, after=what)
    # Where a copy was torn off the other one stays; a swapped label may hang where it belongs, too.
    gone = how == "replaced" or (how == "removed" and bad.kind in ("moved", "retired"))
    if bad.label_id and gone and bad.kind != "swapped":
        records.revoke(bad.label_id)
    session.flush()
    more = select(BadSticker.id).where(
        BadSticker.location_id == bad.location_id, BadSticker.ended_at.is_(None),
        BadSticker.item_id == bad.item_id if bad.item_id else BadSticker.item_id.is_(None),
    )  # fmt: skip
    if session.scalar(more.limit(1)) is None:
        items = [bad.item_id] if bad.item_id else None
        stock.close_tasks((TASK,), bad.location_id, items, member_id)
    return bad


def bad_stickers(location_id: int, *, ended: bool = False, limit: int = PAGE) -> Sequence[Any]:
    """Those of a place, the newest sight first: the row itself (`.BadSticker`), of its item code,
    names and picture, of its label the shelf and price in print, and the place that it is of."""
    item, label, home = catalogue.Item, aliased(Label), aliased(stock.Location)
    over = BadSticker.ended_at.is_not(None) if ended else BadSticker.ended_at.is_(None)
    query = (
        select(
            BadSticker, item.code, item.names, item.picture, item.archived_at,
            label.shelf.label("printed_shelf"), label.price_minor, label.currency,
            home.name.label("home_name"), home.id.label("home_id"),
        )
        .outerjoin(item, item.id == BadSticker.item_id)
        .outerjoin(label, label.id == BadSticker.label_id)
        .outerjoin(home, home.id == label.location_id)
        .where(BadSticker.location_id == location_id, over)
        .order_by(BadSticker.last_at.desc(), BadSticker.id.desc())
        .limit(limit)
    )  # fmt: skip
    return db.session.execute(query).all()


def count_bad(location_id: int) -> int:
    """How many of a place are open; one more than a page of them is as good as more."""
    query = select(BadSticker.id).where(
        BadSticker.location_id == location_id, BadSticker.ended_at.is_(None)
    )
    return len(connection().execute(query.limit(PAGE + 1)).all())
