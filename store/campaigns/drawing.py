"""The draw: who a campaign is for, and which of them are told nothing, decided once and kept.

Whether a member is held out follows from the shop's secret, the campaign and the member alone
(an authentication code as a die), so nobody chooses, and drawing again draws the same. All are
drawn before the first is told: what the letters bring about cannot change whom they are for.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from sqlalchemy import Select, select, update

from .. import clock, identity, web
from ..db import connection, db, in_transaction, insert_new, repeatable, transaction
from ..membership import consents
from ..reports.customers import segments
from . import hours, saved
from .models import Campaign, CampaignMember

__all__ = ["AT_ONCE", "Found", "draw", "find", "is_held"]

AT_ONCE = 500
_SIDES = 10_000


class Found(NamedTuple):
    """How many members there are in the segment, how many of these want to be told by this way,
    have an address for it, have not had so many letters; and who these last ones are."""

    segment: int
    agreed: int
    reached: int
    free: int
    members: list[int]

    @property
    def counted(self) -> dict[str, int]:
        return {"segment": self.segment, "agreed": self.agreed, "reached": self.reached,
                "free": self.free}  # fmt: skip


def is_held(campaign_id: int, member_id: int, percent: int) -> bool:
    """Whether this member is told nothing by this campaign."""
    key = web.setting("SECRET_KEY").encode()
    die = hmac.digest(key, f"campaign\x1f{campaign_id}\x1f{member_id}".encode(), "sha256")
    return int.from_bytes(die[:8]) % _SIDES < percent * (_SIDES // 100)


def find(segment_id: int, channel: str) -> Found:
    """Whom a campaign would be for, if it were drawn now. Raises NotFound."""
    everybody = segments.members(saved.known(segment_id).segment)
    agreed = set(connection().execute(consents.givers(channel)).scalars()).intersection(everybody)
    reached = agreed
    if channel in hours.LETTERS:
        kind = "email" if channel == "mail" else "phone"
        reached = agreed & set(connection().execute(identity.proven_by(kind)).scalars())
    free = reached - hours.full() if channel in hours.LETTERS else reached
    return Found(len(everybody), len(agreed), len(reached), len(free), sorted(free))


def draw(campaign_id: int) -> int:
    """Opener, many times: draw all members of a campaign that has begun; answers how many. By
    bites; a killed run is gone on with, and who was drawn stays as they were."""
    plan = db.session.execute(_undrawn(campaign_id)).first()
    if plan is None:
        return 0
    found = find(plan.segment_id, plan.channel)
    db.session.rollback()  # Nothing is open while the bites are taken.
    for at in range(0, len(found.members), AT_ONCE):
        if not _bite(campaign_id, found.members[at : at + AT_ONCE]):
            return 0
    return len(found.members) if _close(campaign_id, found) else 0


def _undrawn(campaign_id: int) -> Select[int, str, int]:
    return select(Campaign.segment_id, Campaign.channel, Campaign.held_percent).where(
        Campaign.id == campaign_id, Campaign.state == "running", Campaign.drawn_at.is_(None)
    )


@repeatable
def _bite(campaign_id: int, members: list[int]) -> bool:
    with transaction() as session:
        plan = session.execute(_undrawn(campaign_id).with_for_update()).first()
        if plan is None:
            return False  # Paused or ended meanwhile, or another worker was faster.
        rows = [
            {"campaign_id": campaign_id, "member_id": member, "channel": plan.channel,
             "held": int(is_held(campaign_id, member, plan.held_percent)), "state": "drawn",
             "why": ""}
            for member in members
        ]  # fmt: skip
        session.execute(insert_new(CampaignMember), rows)
        return True


@repeatable
def _close(campaign_id: int, found: Found) -> bool:
    with transaction():
        undrawn = (Campaign.id == campaign_id, Campaign.state == "running",
                   Campaign.drawn_at.is_(None))  # fmt: skip
        query = update(Campaign).where(*undrawn)
        values = {"drawn_at": clock.now(), "counted": found.counted}
        return bool(in_transaction().connection().execute(query.values(values)).rowcount)
