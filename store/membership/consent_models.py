"""Table of consent: what a member has said about being told of offers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

CHANNELS = ("mail", "sms", "page")
"""Ways to a member: letters, short messages, and the shop's own pages while they are signed in."""
PLACES = ("account", "receipt", "link", "one_click", "page", "merge")
"""Where it was said: on the account's page, on a receipt, behind the link of a letter, by the
button of their mail program (RFC 8058), beside an offer on a page, in another account of theirs."""


class Consent(Base):
    """One word of a member about one way to them: `given` (with the `words` that they agreed to, in
    that language and version), `withdrawn`, or `declined` when they were asked. The latest one
    holds. `from_member_id`: it was said in that account, which is theirs, too. Rows are only
    added."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("channel IN ('mail', 'sms', 'page')", name="channel"),
        CheckConstraint("purpose = 'offers'", name="purpose"),
        CheckConstraint("what IN ('given', 'withdrawn', 'declined')", name="what"),
        CheckConstraint(f"place IN {PLACES!r}", name="place"),
        CheckConstraint("(what = 'given') = (version > 0 AND words <> '')", name="words"),
        CheckConstraint("(place = 'merge') = (from_member_id IS NOT NULL)", name="from_member"),
        Index("ix_consents_member_id_channel_id", "member_id", "channel", "id"),
        Index("ix_consents_from_member_id", "from_member_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    purpose: Mapped[str] = mapped_column(String(8))
    channel: Mapped[str] = mapped_column(String(4))
    what: Mapped[str] = mapped_column(String(9))
    place: Mapped[str] = mapped_column(String(9))
    language: Mapped[str] = mapped_column(String(8))
    version: Mapped[int] = mapped_column(BigId)
    words: Mapped[str] = mapped_column(Text)
    from_member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    at: Mapped[datetime] = mapped_column(Moment)
