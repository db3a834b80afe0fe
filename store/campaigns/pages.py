"""Campaigns on the shop's own pages: what waits there for a member, seen once, put away by them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from .. import clock, membership
from ..db import connection, db, in_transaction, repeatable, transaction
from ..membership import consents
from .models import Campaign, CampaignMember

__all__ = ["Card", "dismiss", "see", "seen", "waiting"]


class Card(NamedTuple):
    """What a page shows to its member, who agreed at that moment; `is_new`: for the first time."""

    campaign: Campaign
    agreed_at: datetime
    is_new: bool
    coupon: str | None


def waiting(member_id: int) -> Card | None:
    """The newest that this member has not put away. Where none waits it is one statement."""
    query = (
        select(CampaignMember.campaign_id, CampaignMember.state, CampaignMember.coupon_id)
        .join(Campaign, Campaign.id == CampaignMember.campaign_id)
        .where(
            CampaignMember.member_id == member_id, CampaignMember.channel == "page",
            CampaignMember.held == 0, CampaignMember.state.in_(("queued", "told")),
            CampaignMember.dismissed_at.is_(None), CampaignMember.until_at > clock.now(),
            Campaign.state == "running",
        )
        .order_by(CampaignMember.campaign_id.desc())
    )  # fmt: skip
    row = connection().execute(query.limit(1)).first()
    word = consents.standing(member_id).get("page") if row is not None else None
    if row is None or word is None or word.what != "given":
        return None
    plan = db.session.get_one(Campaign, row.campaign_id)
    coupon = membership.code_of(row.coupon_id) if plan.own_codes else plan.coupon
    return Card(plan, word.at, row.state == "queued", coupon)


@repeatable
def seen(campaign_id: int, member_id: int) -> bool:
    """Opener: see."""
    with transaction():
        return see(campaign_id, member_id)


def see(campaign_id: int, member_id: int) -> bool:
    """Joiner: this member has seen it, if they agree to it now; whether it is for the first time.
    Again changes nothing."""
    in_transaction()
    if not consents.lock([member_id]) or not consents.has_given([member_id], "page"):
        return False
    query = update(CampaignMember).where(
        CampaignMember.campaign_id == campaign_id, CampaignMember.member_id == member_id,
        CampaignMember.channel == "page", CampaignMember.held == 0,
        CampaignMember.state == "queued",
    )  # fmt: skip
    done = connection().execute(query.values(state="told", told_at=clock.now())).rowcount
    return bool(done)


@repeatable
def dismiss(campaign_id: int, member_id: int) -> None:
    """Opener: it is shown to them no more. Again, or of another's, changes nothing."""
    with transaction() as session:
        query = update(CampaignMember).where(
            CampaignMember.campaign_id == campaign_id, CampaignMember.member_id == member_id,
            CampaignMember.channel == "page", CampaignMember.dismissed_at.is_(None),
        )  # fmt: skip
        session.connection().execute(query.values(dismissed_at=clock.now()))
