"""Plans: campaigns as they are drafted, changed while they are drafts, and listed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from .. import clock, logbook
from ..db import connection, db, in_transaction
from ..errors import NotFound
from .models import Campaign
from .states import CampaignMoved

__all__ = ["MOST_DAYS", "MOST_HELD", "Wanted", "add", "change", "known", "listed"]

MOST_HELD, MOST_DAYS = 50, 90


@dataclass(frozen=True)
class Wanted:
    """A campaign as it is asked for; see `models.Campaign`."""

    name: str
    segment_id: int
    channel: str
    texts: dict[str, dict[str, str]]
    coupon: str | None
    own_codes: bool
    held_percent: int
    days: int
    due_at: datetime | None


def add(wanted: Wanted, *, made_by: int | None) -> int:
    """Joiner: a new draft; answers its id."""
    session = in_transaction()
    row = Campaign(**_row(wanted), state="draft", made_by=made_by, made_at=clock.now())
    session.add(row)
    session.flush()
    logbook.note("campaign.added", row.id, after=asdict(wanted))
    return row.id


def change(campaign_id: int, wanted: Wanted) -> None:
    """Joiner: a draft reads otherwise from now on. Raises NotFound, CampaignMoved."""
    session = in_transaction()
    before = known(campaign_id)
    said = {name: getattr(before, name) for name in asdict(wanted)}
    draft = (Campaign.id == campaign_id, Campaign.state == "draft")
    query = update(Campaign).where(*draft).values(_row(wanted))
    if not session.connection().execute(query).rowcount:
        raise CampaignMoved(state=before.state)
    session.expire(before)
    logbook.note("campaign.changed", campaign_id, before=said, after=asdict(wanted))


def _row(wanted: Wanted) -> dict[str, Any]:
    return asdict(wanted) | {"own_codes": int(wanted.own_codes)}


def known(campaign_id: int) -> Campaign:
    """Raises NotFound."""
    found = db.session.get(Campaign, campaign_id, populate_existing=True)
    if found is None:
        raise NotFound("There is no such campaign")
    return found


def listed(most: int = 100) -> list[Any]:
    """The campaigns, the newest first, without those that were dropped."""
    columns = (Campaign.id, Campaign.name, Campaign.segment_id, Campaign.channel, Campaign.state,
               Campaign.due_at, Campaign.started_at, Campaign.ended_at,
               Campaign.made_at)  # fmt: skip
    query = select(*columns).where(Campaign.state != "dropped").order_by(Campaign.id.desc())
    return list(connection().execute(query.limit(most)))
