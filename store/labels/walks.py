"""Walk-throughs: staff scan shelf after shelf and are told of each label whether it is right.

A walk goes on until it is ended, on any phone, by one or several people. What is wrong stands on
its list; closing a shelf says which of its labels nobody has seen. Nothing of a walk changes stock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from .. import catalogue, clock, ids, logbook, stock
from ..db import connection, db, in_transaction, insert_new
from ..errors import Invalid, NotFound, Refusal
from . import bad_stickers
from .choosing import Choice, chosen_ids
from .judging import Judged, Shop, judge
from .walk_models import Walk, WalkFind, WalkShelf

__all__ = [
    "PRINTED_ANEW", "VERDICTS", "Found", "WalkClosed", "begin", "close_shelf", "end", "find",
    "listed", "result", "scan", "seen_on", "shelf_is_empty", "shelves_of", "tally", "to_print",
]  # fmt: skip

VERDICTS = (
    "good", "changed", "wrong_shelf", "copied", "elsewhere", "retired", "revoked", "swapped",
    "foreign", "missing", "refill",
)  # fmt: skip
"""Each has its words in templates/labels/walk_words.html."""
PRINTED_ANEW = ("changed", "copied", "revoked", "swapped", "foreign", "missing")
"""What a new label puts right."""
REFILL = "refill"
_LISTED_AS = {"foreign": "foreign", "swapped": "swapped", "revoked": "revoked",
              "retired": "retired", "elsewhere": "moved", "copied": "copied"}  # fmt: skip
CHUNK = 500


class WalkClosed(Refusal):
    """It was ended meanwhile; nothing more can be scanned for it. `data`: walk."""

    code = "walk_closed"
    status = 409
    title = "This walk is over"


@dataclass(frozen=True)
class Found:
    """What a scan came to. `shelf` is where it hangs, `home` where it belongs; `refill` says that a
    task asks to refill it."""

    verdict: str
    shelf: str
    home: str = ""
    what: str = ""
    item_id: int | None = None
    label_id: str | None = None
    refill: bool = False


def begin(location_id: int, member_id: int, key: str) -> int:
    """Joiner: a new walk; with a key that is known, the walk of then. Answers its id."""
    session = in_transaction()
    new = {"key": key, "location_id": location_id, "opened_at": clock.now(),
           "opened_by": member_id}  # fmt: skip
    is_new = session.connection().execute(insert_new(Walk), [new]).rowcount
    walk_id = session.scalars(select(Walk.id).where(Walk.key == key)).one()
    if is_new:
        logbook.note("walk.begun", walk_id, place_id=location_id)
    return walk_id


def find(walk_id: int) -> Walk:
    """Raises NotFound."""
    found = db.session.get(Walk, walk_id)
    if found is None:
        raise NotFound("There is no such walk", what="walk")
    return found


def scan(walk_id: int, text: str, shelf: str, key: str, member_id: int, shop: Shop) -> Found:
    """Joiner: somebody scanned this at a shelf (empty: the shelf of the label is meant). The same
    key again answers what was found then. Raises NotFound, WalkClosed."""
    walk = _open(walk_id)
    judged = judge(text, walk.location_id, shelf, shop)
    shelf = shelf or (judged.home if judged.verdict in ("good", "changed") else "")
    known = _with_key(walk_id, key)
    if known is not None:
        return Found(known.verdict, known.shelf, judged.home, known.what, known.item_id,
                     known.label_id, _is_refilled(walk_id, known.item_id))  # fmt: skip
    if judged.verdict in ("no_label", "unknown"):
        return Found(judged.verdict, shelf, item_id=judged.item_id)
    if judged.verdict in ("good", "changed", "wrong_shelf") and _is_copied(walk_id, shelf, judged):
        judged = judged._replace(verdict="copied")
    _write(walk, judged.verdict, shelf, member_id, key=key, what=judged.what,
           text=text.strip()[:80], item_id=judged.item_id, label_id=judged.label_id)  # fmt: skip
    kind = _LISTED_AS.get(judged.verdict)
    if kind:
        seen = bad_stickers.Sighting(kind, walk.location_id, judged.item_id, judged.label_id,
                                     text.strip(), shelf, member_id)  # fmt: skip
        bad_stickers.report(seen)
    if judged.item_id and judged.verdict in ("good", "changed"):
        _refill(walk, [judged.item_id], shelf, member_id)
    refill = _is_refilled(walk_id, judged.item_id)
    return Found(judged.verdict, shelf, judged.home, judged.what, judged.item_id, judged.label_id,
                 refill)  # fmt: skip


def _open(walk_id: int) -> Walk:
    """The walk, locked, so that nothing is scanned for it while it is being ended."""
    walk = in_transaction().get(Walk, walk_id, with_for_update=True, populate_existing=True)
    if walk is None:
        raise NotFound("There is no such walk", what="walk")
    if walk.ended_at is not None:
        raise WalkClosed(walk=walk_id)
    return walk


def _with_key(walk_id: int, key: str) -> WalkFind | None:
    query = select(WalkFind).where(WalkFind.walk_id == walk_id, WalkFind.key == key)
    return in_transaction().scalars(query).one_or_none()


def _is_copied(walk_id: int, shelf: str, judged: Judged) -> bool:
    """Whether the same label was right on another shelf before: each is printed once. One that was
    found on a wrong shelf before and hangs on its own now has been carried there."""
    query = select(WalkFind.id).where(
        WalkFind.walk_id == walk_id, WalkFind.label_id == judged.label_id,
        WalkFind.shelf != shelf, WalkFind.verdict.in_(("good", "changed", "copied")),
    )  # fmt: skip
    return in_transaction().scalar(query.limit(1)) is not None


def _write(walk: Walk, verdict: str, shelf: str, member_id: int, **more: Any) -> None:
    row = {"walk_id": walk.id, "verdict": verdict, "shelf": shelf, "at": clock.now(),
           "member_id": member_id, "key": ids.new(), "what": "", "text": ""}  # fmt: skip
    in_transaction().connection().execute(insert(WalkFind), [row | more])


def _is_refilled(walk_id: int, item_id: int | None) -> bool:
    query = select(WalkFind.id).where(
        WalkFind.walk_id == walk_id, WalkFind.item_id == item_id, WalkFind.verdict == REFILL
    )
    return in_transaction().scalar(query.limit(1)) is not None


def _refill(walk: Walk, item_ids: Sequence[int], shelf: str, member_id: int) -> None:
    """Of these items, each that is sold out here by the book and lies in a warehouse is a task."""
    for at in range(0, len(item_ids), CHUNK):
        for item_id in _in_warehouses(item_ids[at : at + CHUNK], walk.location_id):
            if not _is_refilled(walk.id, item_id):
                _write(walk, REFILL, shelf, member_id, item_id=item_id)
                stock.open_task(REFILL, walk.location_id, item_id, member_id=member_id)


def _in_warehouses(item_ids: Sequence[int], location_id: int) -> list[int]:
    """Which of these are sold out here, while a warehouse has some."""
    houses = [each.id for each in stock.locations() if each.kind == "warehouse"]
    houses = [each for each in houses if each != location_id]
    if not houses:
        return []
    places = [location_id, *houses]
    on_hand = stock.levels([(item, place) for item in item_ids for place in places])
    return [
        item
        for item in item_ids
        if on_hand.get((item, location_id), 0) < 1
        and any(on_hand.get((item, house), 0) > 0 for house in houses)
    ]


def shelf_is_empty(walk_id: int, item_id: int, member_id: int) -> str:
    """Joiner: what hangs there is right, but nothing stands behind it. A task asks to refill it
    where a warehouse has some, else to look at the shelf; answers its kind. Raises NotFound,
    WalkClosed."""
    walk = _open(walk_id)
    houses = [each.id for each in stock.locations() if each.kind == "warehouse"]
    on_hand = stock.levels([(item_id, each) for each in houses if each != walk.location_id])
    kind = REFILL if any(many > 0 for many in on_hand.values()) else "shelf_empty"
    stock.open_task(kind, walk.location_id, item_id, member_id=member_id)
    return kind


def close_shelf(walk_id: int, shelf: str, currency: str, member_id: int) -> int:
    """Joiner: everything on this shelf was scanned. What belongs there and was not seen is missing;
    answers how many. Again says it of the same shelf anew. Raises NotFound, WalkClosed, Invalid for
    a shelf of which nobody knows what belongs there."""
    walk = _open(walk_id)
    belongs = chosen_ids(Choice(walk.location_id, currency, shelf=shelf)) if shelf else []
    if not belongs:
        raise Invalid("Nothing is known to stand on this shelf", field="shelf")
    seen = seen_on(walk_id, shelf)
    missing = [each for each in belongs if each not in seen]
    known = {one.item_id for one in _standing(walk_id) if one.verdict == "missing"}
    for item_id in missing:
        if item_id not in known:
            _write(walk, "missing", shelf, member_id, item_id=item_id)
    _refill(walk, belongs, shelf, member_id)
    new = {"walk_id": walk_id, "shelf": shelf, "closed_at": clock.now(), "closed_by": member_id}
    in_transaction().connection().execute(insert_new(WalkShelf), [new])
    return len(missing)


def end(walk_id: int, member_id: int) -> None:
    """Joiner: the walk is over; again changes nothing. Raises NotFound."""
    walk = in_transaction().get(Walk, walk_id, with_for_update=True, populate_existing=True)
    if walk is None:
        raise NotFound("There is no such walk", what="walk")
    if walk.ended_at is None:
        walk.ended_at, walk.ended_by = clock.now(), member_id
        logbook.note("walk.ended", walk_id, place_id=walk.location_id)


# What it came to


def seen_on(walk_id: int, shelf: str) -> set[int]:
    """The items whose labels were seen on this shelf, right or with old words on them."""
    query = select(WalkFind.item_id).where(
        WalkFind.walk_id == walk_id, WalkFind.shelf == shelf,
        WalkFind.verdict.in_(("good", "changed")),
    )  # fmt: skip
    return {each for each in connection().scalars(query) if each is not None}


def result(walk_id: int) -> list[Any]:
    """What is still wrong, by shelf: of each label the last sight counts, and what was missing and
    is found later is not missing. Each with code, names and picture of its item."""
    wrong = _standing(walk_id)
    item = catalogue.Item
    known = {one.item_id for one in wrong if one.item_id}
    goods: dict[int, Any] = {}
    for chunk in _chunks(sorted(known)):
        query = select(item.id, item.code, item.names, item.picture).where(item.id.in_(chunk))
        goods |= {row.id: row for row in connection().execute(query)}
    order = {verdict: at for at, verdict in enumerate(reversed(VERDICTS))}
    wrong.sort(key=lambda one: (one.shelf, order[one.verdict], one.id))
    return [(one, goods.get(one.item_id)) for one in wrong]


def _standing(walk_id: int) -> list[Any]:
    """The finds that are still wrong, in the order in which they were found."""
    query = (
        select(
            WalkFind.id, WalkFind.shelf, WalkFind.verdict, WalkFind.what, WalkFind.label_id,
            WalkFind.item_id, WalkFind.text, WalkFind.at,
        )
        .where(WalkFind.walk_id == walk_id)
        .order_by(WalkFind.id)
    )  # fmt: skip
    standing: dict[object, Any] = {}
    for row in connection().execute(query):
        lacking = ("missing", row.shelf, row.item_id)
        if row.verdict == "missing":
            standing[lacking] = row
        elif row.verdict == REFILL:
            standing[REFILL, row.item_id] = row
        else:
            mine = row.label_id or (row.shelf, row.item_id, row.text)
            standing.pop(mine, None)
            if row.verdict in ("good", "changed"):
                standing.pop(lacking, None)
            if row.verdict != "good":
                standing[mine] = row
    return list(standing.values())


def to_print(walk_id: int) -> list[int]:
    """The items of which a new label puts right what was found, as many as a job can hold at once
    and a statement can name."""
    found = [one.item_id for one in _standing(walk_id) if one.verdict in PRINTED_ANEW]
    return sorted({each for each in found if each is not None})[:30_000]


def listed(location_id: int, *, ended: bool, limit: int = 20) -> list[Walk]:
    """Walks of a place that go on, or are over, the newest first."""
    over = Walk.ended_at.is_not(None) if ended else Walk.ended_at.is_(None)
    query = select(Walk).where(Walk.location_id == location_id, over)
    return list(db.session.scalars(query.order_by(Walk.id.desc()).limit(limit)))


def shelves_of(walk_id: int) -> dict[str, bool]:
    """The shelves that were walked along, in their order, and whether each is closed."""
    walked = select(WalkFind.shelf).where(WalkFind.walk_id == walk_id, WalkFind.shelf != "")
    closed = set(connection().scalars(select(WalkShelf.shelf).where(WalkShelf.walk_id == walk_id)))
    every = {*connection().scalars(walked.distinct()), *closed}
    return {shelf: shelf in closed for shelf in sorted(every)}


def tally(walk_ids: Iterable[int]) -> dict[int, int]:
    """How many finds of each of these walks are still wrong."""
    return {each: len(_standing(each)) for each in walk_ids}


def _chunks(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[at : at + CHUNK] for at in range(0, len(numbers), CHUNK))
