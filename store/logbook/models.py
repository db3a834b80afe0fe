"""Table of the logbook: acts of staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class Act(Base):
    """One act of somebody who works here: who, when, what, on what, and what was before and after.
    History: a trigger of both databases refuses to change or remove a row.

    `via` is the `page`, the API's `key` or the `command` that it came by; a command is nobody's.
    `request` names what was asked: the same for all acts of one request, or the command's words.
    Nothing here names a person but by the number of their account: no name, phone or address.
    """

    __tablename__ = "acts"
    __table_args__ = (
        CheckConstraint("via IN ('page', 'key', 'command')", name="via"),
        CheckConstraint("via = 'command' OR member_id IS NOT NULL", name="member"),
        # Each of these ends in what pages go on by, so that any page of any of them is as quick.
        Index("ix_acts_at", "at", "id"),
        Index("ix_acts_member", "member_id", "at", "id"),
        Index("ix_acts_verb", "verb", "at", "id"),
        Index("ix_acts_member_verb", "member_id", "verb", "at", "id"),
        Index("ix_acts_object", "kind", "object", "at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    via: Mapped[str] = mapped_column(String(8))
    request: Mapped[str] = mapped_column(String(64))
    verb: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(24))
    object: Mapped[str] = mapped_column(String(64))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    done_at: Mapped[datetime | None] = mapped_column(Moment)
    """When it was done, where it was told later than that (`at`)."""
