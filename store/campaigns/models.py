"""Tables of campaigns: segments that were kept, campaigns, and whom each of them was for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment


class SavedSegment(Base):
    """A segment under a name: what must be true of its members (`reports.Segment`), never changed.
    Who they are is found anew whenever it is asked. `ended_at`: it is no longer offered."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    wanted: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class Campaign(Base):
    """What is told to a segment, by which way, and how it is measured. `texts` are a subject and
    words in each language; `held_percent` of its members are told nothing; of each the purchases of
    so many `days` are counted. It begins at `due_at`, or at once. `counted` says from how many its
    members were drawn, at `drawn_at`. It is only changed while it is a draft. With `own_codes` each
    of them gets a code of their own of the coupon's offer, which nobody else can use."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("channel IN ('mail', 'sms', 'page')", name="channel"),
        CheckConstraint(
            "state IN ('draft', 'running', 'paused', 'ended', 'dropped')", name="state"
        ),
        CheckConstraint("held_percent BETWEEN 0 AND 50", name="held_percent"),
        CheckConstraint("days BETWEEN 1 AND 90", name="days"),
        CheckConstraint("drawn_at IS NULL OR started_at IS NOT NULL", name="drawn"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"))
    channel: Mapped[str] = mapped_column(String(4))
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)
    coupon: Mapped[str | None] = mapped_column(String(32))
    own_codes: Mapped[int] = mapped_column(BigId, server_default="0")
    held_percent: Mapped[int] = mapped_column(BigId)
    days: Mapped[int] = mapped_column(BigId)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(8), index=True)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    made_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    drawn_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    counted: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))


class CampaignMember(Base):
    """Somebody whom a campaign was drawn for, once. `held`: they are told nothing, to be compared
    with. Drawn, their turn comes (`turn_at`), and from then on their purchases count, until
    `until_at`: held they have `passed`; else they are `queued` (a letter is in the post, or it
    waits for them on the shop's pages), `told`, `bounced`, or `skipped`, and `why`. `told_at` is
    the moment at which they were told, with their consent. `coupon_id` is their own code.
    The row stays, as nobody's, when the person goes."""

    __tablename__ = "campaign_members"
    __table_args__ = (
        CheckConstraint(
            "state IN ('drawn', 'passed', 'queued', 'told', 'bounced', 'skipped')", name="state"
        ),
        CheckConstraint("channel IN ('mail', 'sms', 'page')", name="channel"),
        CheckConstraint(
            "held = 0 OR (state IN ('drawn', 'passed') AND told_at IS NULL AND letter_id IS NULL)",
            name="held",
        ),
        CheckConstraint("held = 1 OR state <> 'passed'", name="passed"),
        CheckConstraint("(turn_at IS NULL) = (state = 'drawn')", name="turn"),
        CheckConstraint("(turn_at IS NULL) = (until_at IS NULL)", name="until"),
        CheckConstraint("state <> 'told' OR told_at IS NOT NULL", name="told"),
        CheckConstraint("(why <> '') = (state = 'skipped')", name="why"),
        Index(
            "ix_campaign_members_drawn", "campaign_id", "member_id",
            sqlite_where=text("state = 'drawn'"), postgresql_where=text("state = 'drawn'"),
        ),
        Index(
            "ix_campaign_members_letter", "campaign_id", "letter_id",
            sqlite_where=text("letter_id IS NOT NULL"),
            postgresql_where=text("letter_id IS NOT NULL"),
        ),
        Index("ix_campaign_members_member", "member_id", "channel", "turn_at"),
    )  # fmt: skip

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(4))
    held: Mapped[int] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(8))
    why: Mapped[str] = mapped_column(String(12), server_default="")
    turn_at: Mapped[datetime | None] = mapped_column(Moment)
    until_at: Mapped[datetime | None] = mapped_column(Moment)
    told_at: Mapped[datetime | None] = mapped_column(Moment)
    letter_id: Mapped[str | None] = mapped_column(String(20))
    dismissed_at: Mapped[datetime | None] = mapped_column(Moment)
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupons.id"))
