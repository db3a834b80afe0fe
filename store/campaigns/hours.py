"""Quiet hours and the frequency cap: when nothing is sent, and to whom nothing more is for now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from .. import clock, web
from ..db import connection
from ..identity.merged import gone_of
from .models import CampaignMember

__all__ = ["LETTERS", "full", "quiet_until"]

LETTERS = ("mail", "sms")
"""What waits in quiet hours and counts for the cap; pages are looked at when somebody likes."""


def quiet_until(at: datetime) -> datetime | None:
    """When the quiet hours end in which this moment lies, by the shop's clock; None outside them.
    `QUIET_HOURS` is 21:00-09:00, over midnight or within a day."""
    said = web.setting("QUIET_HOURS")
    if not said:
        return None
    zone = ZoneInfo(web.setting("TIME_ZONE"))
    here = at.astimezone(zone)
    begins, ends = (time.fromisoformat(part) for part in said.split("-"))
    now = here.time()
    if begins <= ends:
        is_quiet, days = begins <= now < ends, 0
    else:
        is_quiet, days = now >= begins or now < ends, int(now >= begins)
    if not is_quiet:
        return None
    return datetime.combine(here.date() + timedelta(days=days), ends, zone).astimezone(UTC)


def full(among: Collection[int] | None = None) -> set[int]:
    """Who has had so many letters of campaigns in the last days that there are no more for now: of
    these, or of all. Letters to an account that came into theirs count."""
    most, days = int(web.setting("CAMPAIGN_LETTERS")), int(web.setting("CAMPAIGN_DAYS"))
    if not most:
        return set()
    query = select(CampaignMember.member_id, func.count()).where(
        CampaignMember.channel.in_(LETTERS),
        CampaignMember.state.in_(("queued", "told", "bounced")),
        CampaignMember.turn_at > clock.now() - timedelta(days=days),
    )
    gone = gone_of(among)
    if among is not None:
        query = query.where(CampaignMember.member_id.in_([*among, *gone]))
    had: Counter[int] = Counter()
    for member, many in connection().execute(query.group_by(CampaignMember.member_id)):
        had[gone.get(member, member)] += many
    return {member for member, many in had.items() if many >= most}
