"""Tables of walk-throughs: staff go from shelf to shelf and scan every label that hangs there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Walk(Base):
    """A walk through a place. `key` is the form's own: one that is sent twice begins one walk."""

    __tablename__ = "walks"
    __table_args__ = (Index("ix_walks_location_id_ended_at", "location_id", "ended_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    opened_by: Mapped[int] = mapped_column(BigId)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[int | None] = mapped_column(BigId)


class WalkFind(Base):
    """What a scan found, or what was found to be lacking when a shelf was closed. History: rows are
    added. `verdict` is one of walks.VERDICTS; `what` says which of a label's words are old; `text`
    is what was scanned where it is no label of ours."""

    __tablename__ = "walk_finds"
    __table_args__ = (UniqueConstraint("walk_id", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    walk_id: Mapped[int] = mapped_column(ForeignKey("walks.id"))
    key: Mapped[str] = mapped_column(String(80))
    shelf: Mapped[str] = mapped_column(String(40), default="")
    verdict: Mapped[str] = mapped_column(String(16))
    what: Mapped[str] = mapped_column(String(40), default="")
    label_id: Mapped[str | None] = mapped_column(String(10))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    text: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime] = mapped_column(Moment)
    member_id: Mapped[int] = mapped_column(BigId)


class WalkShelf(Base):
    """A shelf of a walk that was closed: what had not been seen by then is missing."""

    __tablename__ = "walk_shelves"

    walk_id: Mapped[int] = mapped_column(ForeignKey("walks.id"), primary_key=True)
    shelf: Mapped[str] = mapped_column(String(40), primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(Moment)
    closed_by: Mapped[int] = mapped_column(BigId)
