"""Work: what waits for staff at a place, the most urgent first, and who sees to it.

Nothing is kept here of what there is to do: the rooms know it, and it is counted where it stands.
Kept is only who has begun, so that two do not do the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update

from .. import clock
from ..db import connection, in_transaction, insert_new
from ..errors import NotFound
from ..sales.counting import EVERYWHERE
from ..stock.tasks import TAKEN_FOR, TaskTaken
from .models import WorkTaken
from .now import Counted

__all__ = [
    "KINDS",
    "Begun",
    "Kind",
    "Waiting",
    "give_back",
    "kept_by",
    "listed",
    "place_of",
    "take",
]


class Kind(NamedTuple):
    """A kind of work: who may do it, the page on which it is done, and its picture. Its words are
    in templates/floor/words.html."""

    name: str
    right: str
    endpoint: str
    icon: str


KINDS = {
    kind.name: kind
    for kind in (
        # Somebody stands there and waits.
        Kind("age_check", "check_exit", "door.exit", "person"),
        Kind("spot_check", "check_exit", "door.exit", "search"),
        # Nobody may buy it, and it is still on the shelf.
        Kind("recalled", "receive_stock", "stock.tasks", "warn"),
        Kind("expired", "receive_stock", "stock.tasks", "warn"),
        # Somebody will come, or waits for money.
        Kind("pick_collect", "ship", "sales.desk_orders", "items"),
        Kind("refund", "refund", "sales.refund_requests", "wallet"),
        # Somebody would buy it.
        Kind("shelf_empty", "receive_stock", "stock.tasks", "stock"),
        Kind("refill", "receive_stock", "stock.transfers", "stock"),
        Kind("sold_out", "receive_stock", "stock.desk", "stock"),
        Kind("bad_sticker", "print_labels", "labels.bad", "label"),
        # Goods go out and come in.
        Kind("pick", "ship", "sales.desk_orders", "items"),
        Kind("pack", "ship", "sales.desk_orders", "items"),
        Kind("ship", "ship", "sales.desk_orders", "truck"),
        Kind("bring", "ship", "sales.desk_orders", "truck"),
        Kind("arriving", "ship", "sales.desk_orders", "truck"),
        Kind("transfer", "receive_stock", "stock.transfers", "truck"),
        Kind("pick_up", "refund", "sales.hand_ins", "return"),
        # Figures that differ.
        Kind("oversold", "receive_stock", "stock.tasks", "stock"),
        Kind("count", "receive_stock", "stock.tasks", "stock"),
        Kind("counting", "receive_stock", "stock.shelf_counts", "check"),
        Kind("quarantine", "refund", "stock.quarantine", "return"),
        Kind("delivery_differs", "receive_stock", "stock.tasks", "info"),
        Kind("transfer_differs", "receive_stock", "stock.tasks", "info"),
        Kind("feed_conflict", "receive_stock", "stock.tasks", "info"),
        Kind("dead_label", "receive_stock", "stock.tasks", "label"),
        Kind("reprint", "print_labels", "labels.studio", "print"),
    )
}
"""The most urgent first."""
OF_THE_SHOP = ("refund",)
"""Work that is not at one place."""


class Begun(NamedTuple):
    """Who sees to a kind of work, since when."""

    member_id: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """So much of one kind waits, and who sees to it, if somebody does."""

    kind: Kind
    many: int
    since: datetime | None
    taken_by: int | None = None
    taken_at: datetime | None = None


def listed(found: Mapping[str, Counted], taken: Mapping[str, Begun]) -> list[Waiting]:
    """What of these counts is work, by urgency."""
    waiting = []
    for kind in KINDS.values():
        one = found.get(kind.name)
        if one is None:
            continue
        begun = taken.get(kind.name)
        if begun is not None and begun.taken_at < _void_before(one.since):
            begun = None
        by, at = (begun.member_id, begun.taken_at) if begun else (None, None)
        waiting.append(Waiting(kind, one.many, one.since, by, at))
    return waiting


def kept_by(location_id: int) -> dict[str, Begun]:
    """Who has taken what at a place, by kind, whether or not it still counts."""
    query = select(WorkTaken.kind, WorkTaken.member_id, WorkTaken.taken_at).where(
        WorkTaken.location_id.in_((location_id, EVERYWHERE))
    )
    return {row[0]: Begun(row[1], row[2]) for row in connection().execute(query)}


def take(kind: str, location_id: int, member_id: int, since: datetime | None) -> None:
    """Joiner: the member sees to it from now on; again begins the time anew. `since` is when the
    first of what waits came: whoever took it before that has done with theirs. Raises NotFound for
    a kind that there is not, TaskTaken."""
    place = place_of(kind, location_id)
    now, session = clock.now(), in_transaction()
    row = {"kind": kind, "location_id": place, "member_id": member_id, "taken_at": now}
    new = insert_new(WorkTaken).execution_options(preserve_rowcount=True)
    if session.connection().execute(new, row).rowcount:
        return
    free = (WorkTaken.member_id == member_id) | (WorkTaken.taken_at < _void_before(since))
    taken = (
        update(WorkTaken)
        .where(WorkTaken.kind == kind, WorkTaken.location_id == place, free)
        .values(member_id=member_id, taken_at=now)
    )
    if not session.connection().execute(taken).rowcount:
        raise TaskTaken("A colleague took this task")


def give_back(kind: str, location_id: int, member_id: int) -> None:
    """Joiner: the member does not see to it any more; of another's it changes nothing. Raises
    NotFound."""
    in_transaction().execute(
        delete(WorkTaken).where(
            WorkTaken.kind == kind, WorkTaken.location_id == place_of(kind, location_id),
            WorkTaken.member_id == member_id,
        )
    )  # fmt: skip


def place_of(kind: str, location_id: int) -> int:
    """Where this kind of work is counted and taken. Raises NotFound."""
    if kind not in KINDS:
        raise NotFound("There is no such work", what="work")
    return EVERYWHERE if kind in OF_THE_SHOP else location_id


def _void_before(since: datetime | None) -> datetime:
    """Whoever took it before this moment does not keep it from others any more."""
    over = clock.now() - TAKEN_FOR
    return over if since is None else max(over, since)
