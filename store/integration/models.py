"""Tables of integration: what other systems said, entry by entry, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

KINDS = ("count", "change", "item", "price")
STATES = ("applied", "conflict", "refused", "dismissed", "replaced")
"""`conflict` waits for a person, who applies or dismisses it; `refused` could not be read and can
only be dismissed; `replaced` has made place for other contents under the same id."""


class FeedSource(Base):
    """A system that sends entries, by the name that it gives itself. Its row is locked while a
    delivery is taken, so that two deliveries of one source cannot both be the first."""

    __tablename__ = "feed_sources"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    heard_at: Mapped[datetime] = mapped_column(Moment)


class FeedEntry(Base):
    """One entry of a feed, under the sender's own id. The same id with the same contents is the
    same entry; with other contents it is another version, and never counts by itself beside one
    that did. `said_at` is the sender's time."""

    __tablename__ = "feed_entries"
    __table_args__ = (
        UniqueConstraint("source_id", "entry", "version"),
        UniqueConstraint("source_id", "entry", "digest"),
        CheckConstraint("kind IN ('count', 'change', 'item', 'price')", name="kind"),
        CheckConstraint(
            "state IN ('applied', 'conflict', 'refused', 'dismissed', 'replaced')", name="state"
        ),
        # Behind the decision of the code: of one id one version counts.
        Index(
            "uq_feed_entries_applied", "source_id", "entry", unique=True,
            sqlite_where=text("state = 'applied'"), postgresql_where=text("state = 'applied'"),
        ),
        Index("ix_feed_entries_state_id", "state", "id"),
        Index("ix_feed_entries_item_id_kind_said_at", "item_id", "kind", "said_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("feed_sources.id"))
    entry: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(String(8))
    digest: Mapped[str] = mapped_column(String(64))
    contents: Mapped[dict[str, Any]] = mapped_column(JSON)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("items.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    said_at: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(32), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")
    received_at: Mapped[datetime] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
    settled_by: Mapped[int | None] = mapped_column(BigId)


class Change(Base):
    """Something that happened, in the order in which other systems hear of it: `id` is the cursor.
    One worker at a time writes here (it holds the row of `ChangeMark`), so the order of the ids is
    the order of the commits and nothing appears behind a cursor that has passed. `subject` is what
    must be heard of in order; `of_id` is the row that tells more."""

    __tablename__ = "changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    topic: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(40))
    of_id: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Moment)


class ChangeMark(Base):
    """Up to which id a table's rows have become changes."""

    __tablename__ = "change_marks"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    seen_id: Mapped[int] = mapped_column(BigId, default=0)


class Webhook(Base):
    """A subscription: which topics are sent where. `seen_id` is the last change that became a
    delivery. After a failure everything to this address waits until `next_at`."""

    __tablename__ = "webhooks"
    __table_args__ = (CheckConstraint("state IN ('on', 'off')", name="state"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    topics: Mapped[list[str]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(3), default="on")
    seen_id: Mapped[int] = mapped_column(BigId)
    failures: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(Moment)
    made_by: Mapped[int | None] = mapped_column(BigId)
    made_at: Mapped[datetime] = mapped_column(Moment)


class Delivery(Base):
    """A change on its way to one address. `waits` until it was taken (`done`), or was tried so
    often that a person must look (`dead`)."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "change_id"),
        CheckConstraint("state IN ('waits', 'done', 'dead')", name="state"),
        Index("ix_deliveries_webhook_id_state_id", "webhook_id", "state", "id"),
        Index(
            "ix_deliveries_waiting", "webhook_id", "subject", "id",
            sqlite_where=text("state = 'waits'"), postgresql_where=text("state = 'waits'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"))
    change_id: Mapped[int] = mapped_column(ForeignKey("changes.id"))
    topic: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(5), default="waits")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(Moment)
    status: Mapped[int | None] = mapped_column()
    error: Mapped[str] = mapped_column(String(300), default="")
    done_at: Mapped[datetime | None] = mapped_column(Moment)


class WooProduct(Base):
    """An item in the web shop: its id there, and a digest of what was told of it last, so that only
    what changed is sent. `error` is what the web shop said against it."""

    __tablename__ = "woo_products"

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    remote_id: Mapped[int | None] = mapped_column(BigId, index=True)
    digest: Mapped[str] = mapped_column(String(64))
    error: Mapped[str] = mapped_column(String(300), default="")
    sent_at: Mapped[datetime] = mapped_column(Moment)
