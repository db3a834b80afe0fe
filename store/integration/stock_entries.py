"""Stock entries: counts and changes, held against what we know of the level, then booked.

A count says what was there at the sender's time. Where we know of movements after that time it
would undo them, so it is listed; a person's yes books what the count differed from the level *at
that time*, and the later movements stand. A change that happened before a count is in that count
already, so it is listed, too.

An entry that names a batch is about that batch alone. Of an item that is tracked by batch goods
come in only with one: without, a person decides. What a count finds of a batch is, first of all,
what stood there without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from .. import catalogue, clock, stock
from ..catalogue.gs1 import CodeFault
from ..db import in_transaction
from ..errors import NotFound
from ..stock import books
from ..stock.levels import LARGEST
from ..stock.wants import WITHOUT_BATCH
from .models import FeedEntry
from .reading import Entry, Verdict

__all__ = ["StockBook", "item_named"]


def item_named(code: str) -> catalogue.Item | None:
    """The item that a sender names; a code that is broken names none."""
    try:
        return catalogue.find_item(code)
    except CodeFault:
        return None


_BATCH_NEEDED = "batch_needed", "This item is tracked by batch: which batch is it?"
_TOO_MANY = "not_taken", f"No shelf holds more than {LARGEST}"


class _Here(NamedTuple):
    """What is there of what an entry is about; and of no batch."""

    on_hand: int
    without: int = 0
    batch_id: int | None = None


@dataclass
class StockBook:
    """The levels that a delivery is about, locked, and what is to be booked on them."""

    source: str
    member_id: int | None
    by_hand: bool = False
    items: dict[str, catalogue.Item | None] = field(default_factory=dict)
    places: dict[str, int | None] = field(default_factory=dict)
    levels: dict[books.Place, books.Known] = field(default_factory=dict)
    postings: list[books.Posting] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        entries: Sequence[Entry],
        source: str,
        member_id: int | None,
        *,
        by_hand: bool = False,
    ) -> StockBook:
        """Joiner: find and lock what these entries name. `by_hand` means that a person has looked,
        so that doubts alone do not count."""
        book = cls(source, member_id, by_hand)
        mine = [each for each in entries if each.kind in ("count", "change") and not each.code]
        for entry in mine:
            if entry.item not in book.items:
                book.items[entry.item] = item_named(entry.item)
            if entry.location not in book.places:
                book.places[entry.location] = _place(entry.location)
        wanted = {place for entry in mine if (place := book._place_of(entry)) is not None}
        if wanted:
            since = min(entry.said_at for entry in mine if entry.said_at is not None)
            book.levels = books.lock_levels(wanted, since)
            book._add_counts(since)
        return book

    def judge(self, entry: Entry) -> Verdict:
        item, place_id = self.items[entry.item], self.places[entry.location]
        if item is None:
            reason = "Nothing here has this code"
            return Verdict("conflict", "item_unknown", reason, None, place_id)
        if place_id is None:
            reason = f"There is no location {entry.location!r}"
            return Verdict("conflict", "place_unknown", reason, item.id)
        if item.archived_at is not None:
            reason = "This item is no longer sold"
            return Verdict("conflict", "item_retired", reason, item.id, place_id)
        place = (item.id, place_id)
        if item.is_bundle:
            reason = "A bundle has no stock of its own: its parts have"
            return Verdict("conflict", "not_taken", reason, *place)
        code, reason = self._doubt(entry, item)
        if not code:
            decide = self._count if entry.kind == "count" else self._change
            code, reason = decide(entry, self.levels[place], place)
        return Verdict("conflict" if code else "applied", code, reason, *place)

    def reverse(self, earlier: Entry) -> bool:
        """Take back what an earlier version of an entry had changed, as if it had never been; False
        where too few are left for that."""
        place = self._place_of(earlier)
        known = self.levels.get(place) if place else None
        if place is None or known is None or known.on_hand < earlier.quantity:
            return False
        at, note = self._time(earlier), f"correction of {earlier.id}"
        item, parts = self.items[earlier.item], dict[int | None, int]()
        if item is not None and item.tracks_batches:
            self.close()
            parts = books.booked(place, [self._note(earlier.id), self._note(note)])
            there = books.of_batches(place)
            if any(many > there.get(batch, 0) for batch, many in parts.items() if many > 0):
                return False
        if sum(parts.values()) != earlier.quantity:
            self._post(known, place, -earlier.quantity, earlier.why, at, note)
            return True
        for batch, many in parts.items():
            self._post(known, place, -many, earlier.why, at, note, batch or WITHOUT_BATCH)
        return True

    def close(self) -> None:
        """Joiner: book everything that was accepted."""
        books.post(self.postings)
        self.postings = []

    def _doubt(self, entry: Entry, item: catalogue.Item) -> tuple[str, str]:
        """Why the batch that an entry names, or does not name, is one for a person to look at."""
        if not entry.batch:
            # Who brings something back rarely knows which batch it was; it is sold last then.
            brings = entry.kind == "change" and entry.quantity > 0 and entry.why != "returned"
            if brings and item.tracks_batches and not self.by_hand:
                return _BATCH_NEEDED
            return "", ""
        if not item.tracks_batches:
            return "not_batched", "This item is not tracked by batch"
        known = stock.find_batch(item.id, entry.batch)
        if known is None and entry.quantity < 0:
            return "batch_unknown", f"There is no batch {entry.batch} of this item"
        last = known.expires_on if known else None
        if last and entry.expires_on and last != entry.expires_on and not self.by_hand:
            return "batch_differs", f"Batch {entry.batch} is known with {last}"
        return "", ""

    def _count(self, entry: Entry, known: books.Known, place: books.Place) -> tuple[str, str]:
        at = self._time(entry)
        late = known.moved_at is not None and known.moved_at > at
        if late and not self.by_hand:
            reason = (
                f"Something moved here at {known.moved_at:%Y-%m-%d %H:%M:%S} UTC, after the count"
            )
            return "count_old", reason
        here = self._here(entry, known, place)
        moved = late and (not entry.batch or here.batch_id is not None)
        then = here.on_hand - (books.moved_after(place, at, here.batch_id) if moved else 0)
        difference = entry.quantity - then
        if here.on_hand + difference < 0:
            return "short", f"{here.on_hand} are left, the count would take {-difference}"
        item = self.items[entry.item]
        if difference > 0 and not entry.batch and item and item.tracks_batches and not self.by_hand:
            return _BATCH_NEEDED
        named = max(0, min(difference, here.without)) if entry.batch else 0
        if known.on_hand + difference - named > LARGEST:
            return _TOO_MANY
        if named:
            self._post(known, place, -named, "counted", at, entry.id, WITHOUT_BATCH)
        if difference:
            batch = self._batch(entry, place)
            self._post(known, place, difference, "counted", at, entry.id, batch)
        if not entry.batch:
            stock.counted([place[0]], place[1])
        known.counted_at = max(known.counted_at or at, at)
        return "", ""

    def _change(self, entry: Entry, known: books.Known, place: books.Place) -> tuple[str, str]:
        at = self._time(entry)
        if known.counted_at is not None and known.counted_at >= at and not self.by_hand:
            reason = f"A count at {known.counted_at:%Y-%m-%d %H:%M:%S} UTC has seen this already"
            return "counted_since", reason
        here = self._here(entry, known, place)
        if here.on_hand + entry.quantity < 0:
            return "short", f"{here.on_hand} are left, {-entry.quantity} are said to be gone"
        if known.on_hand + entry.quantity > LARGEST:
            return _TOO_MANY
        batch = self._batch(entry, place)
        self._post(known, place, entry.quantity, entry.why, at, entry.id, batch)
        return "", ""

    def _here(self, entry: Entry, known: books.Known, place: books.Place) -> _Here:
        """What the entry is about: the level, or what is there of its batch."""
        if not entry.batch:
            return _Here(known.on_hand)
        self.close()  # The sums are read from the movements.
        there, batch = books.of_batches(place), stock.find_batch(place[0], entry.batch)
        without = there.get(None, 0)
        return _Here(there.get(batch.id, 0), without, batch.id) if batch else _Here(0, without)

    def _batch(self, entry: Entry, place: books.Place) -> int | None:
        """The batch that an entry names, made where it is new. A last day that we know stands."""
        if not entry.batch:
            return None
        known = stock.find_batch(place[0], entry.batch)
        last = entry.expires_on if known is None or known.expires_on is None else None
        return stock.open_batch(place[0], entry.batch, last)

    def _post(
        self, known: books.Known, place: books.Place, quantity: int, reason: str, at: datetime,
        note: str, batch_id: int | None = None,
    ) -> None:  # fmt: skip
        row = (*place, quantity, reason, at, self._note(note), self.member_id, batch_id)
        self.postings.append(books.Posting(*row))
        known.on_hand += quantity
        known.moved_at = max(known.moved_at or at, at)

    def _note(self, text: str) -> str:
        return f"{self.source} {text}"[:200]

    def _time(self, entry: Entry) -> datetime:
        """The sender's time; where its clock is a little ahead of ours, now."""
        return min(entry.said_at or clock.now(), clock.now())

    def _place_of(self, entry: Entry) -> books.Place | None:
        item, place_id = self.items[entry.item], self.places[entry.location]
        return (item.id, place_id) if item is not None and place_id is not None else None

    def _add_counts(self, since: datetime) -> None:
        """Counts that found nothing to change made no movement; the entries tell of them."""
        query = (
            select(FeedEntry.item_id, FeedEntry.location_id, func.max(FeedEntry.said_at))
            .where(
                FeedEntry.item_id.in_({item for item, _ in self.levels}),
                FeedEntry.kind == "count",
                FeedEntry.said_at >= since,
                FeedEntry.state == "applied",
            )
            .group_by(FeedEntry.item_id, FeedEntry.location_id)
        )
        for item, place, counted_at in in_transaction().execute(query):
            known = self.levels.get((item or 0, place or 0))
            if known is not None and counted_at is not None:
                known.counted_at = max(known.counted_at or counted_at, counted_at)


def _place(code: str) -> int | None:
    try:
        return stock.location(code).id
    except NotFound:
        return None
