"""Segments under a name: kept, listed, counted, put away."""

from __future__ import annotations

from dataclasses import asdict
from typing import NamedTuple

from sqlalchemy import select, update

from .. import clock, logbook
from ..db import connection, in_transaction
from ..errors import Invalid, NotFound
from ..membership import consents
from ..reports.customers import segments
from ..reports.customers.segments import Segment
from .models import SavedSegment

__all__ = ["MOST", "Counted", "Kept", "count", "end", "known", "listed", "save"]

MOST = 50
"""So many are offered at a time: each is counted anew on the page."""


class Kept(NamedTuple):
    id: int
    name: str
    segment: Segment


class Counted(NamedTuple):
    """How many members there are in it, and how many of them want each way."""

    members: int
    mail: int
    sms: int
    page: int


def count(segment: Segment) -> Counted:
    """Counted as of now."""
    return Counted(*segments.count(segment, *(consents.givers(one) for one in consents.CHANNELS)))


def save(name: str, segment: Segment, *, made_by: int | None) -> int:
    """Joiner: keep it under this name; answers its id. Raises Invalid where there is no room."""
    session = in_transaction()
    if len(listed()) >= MOST:
        raise Invalid("There are as many segments as there can be", field="most")
    wanted = {key: value for key, value in asdict(segment).items() if value is not None}
    row = SavedSegment(name=name, wanted=wanted, made_by=made_by, made_at=clock.now())
    session.add(row)
    session.flush()
    logbook.note("segment.added", row.id, after=wanted)
    return row.id


def end(segment_id: int) -> bool:
    """Joiner: it is offered no more; whether it was until now."""
    query = update(SavedSegment).where(
        SavedSegment.id == segment_id, SavedSegment.ended_at.is_(None)
    )
    done = in_transaction().connection().execute(query.values(ended_at=clock.now())).rowcount
    if done:
        logbook.note("segment.ended", segment_id)
    return bool(done)


def listed() -> list[Kept]:
    """Those that are offered, the newest first."""
    query = select(SavedSegment.id, SavedSegment.name, SavedSegment.wanted)
    query = query.where(SavedSegment.ended_at.is_(None)).order_by(SavedSegment.id.desc())
    return [Kept(row.id, row.name, Segment(**row.wanted)) for row in connection().execute(query)]


def known(segment_id: int) -> Kept:
    """One of them, offered or not. Raises NotFound."""
    query = select(SavedSegment.id, SavedSegment.name, SavedSegment.wanted)
    row = connection().execute(query.where(SavedSegment.id == segment_id)).first()
    if row is None:
        raise NotFound("There is no such segment")
    return Kept(row.id, row.name, Segment(**row.wanted))
