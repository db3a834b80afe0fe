"""Makers of campaigns for tests: people who agreed, a segment of everybody who bought, a campaign
that is started, the worker's rounds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from sqlalchemy import select, text

from store import campaigns
from store.campaigns import plans, saved, states
from store.campaigns.models import CampaignMember
from store.campaigns.plans import Wanted
from store.db import db, transaction
from store.membership import consents
from store.post import letters
from store.post.carriers import practice_folder
from store.post.practice import Shown, latest
from store.post.speaking import speaking
from store.reports.customers.segments import Segment
from tests.world import Somebody, World

__all__ = [
    "BUYERS", "TEXTS", "agree", "campaign", "letters_of", "many", "post", "rounds", "rows",
    "segment", "started", "step",
]  # fmt: skip

TEXTS = {
    "en": {"subject": "Pears are here", "words": "The first pears of the year."},
    "zh": {"subject": "梨到了", "words": "今年的第一批梨。"},
}
BUYERS: dict[str, Any] = {"least_times": 1}


def agree(who: Sequence[Somebody], *channels: str, proven: bool = True) -> None:
    """They want these ways, and their addresses are proven. Inside an application context."""
    for one in who:
        consents.decide(
            one.id, dict.fromkeys(channels or ("mail",), True), place="account", language="en",
            shop="Corner",
        )  # fmt: skip
        if proven:
            with transaction() as session:
                session.execute(
                    text("UPDATE identifiers SET proven_at = 1 WHERE member_id = :id"),
                    {"id": one.id},
                )


def many(world: World, app: Flask, count: int, channel: str = "mail") -> list[Somebody]:
    """So many members who want it."""
    people = [world.member() for _ in range(count)]
    with app.app_context():
        agree(people, channel)
    return people


def segment(world: World, **wanted: Any) -> int:
    with transaction():
        return saved.save("Loyal", Segment(world.currency, **wanted), made_by=None)


def campaign(world: World, *, of: int | None = None, **more: Any) -> int:
    """A draft. Without a segment it is for everybody there is."""
    said: dict[str, Any] = {
        "name": "Pears", "segment_id": of or segment(world), "channel": "mail", "texts": TEXTS,
        "coupon": None, "own_codes": False, "held_percent": 0, "days": 14, "due_at": None,
    }  # fmt: skip
    with transaction():
        return plans.add(Wanted(**said | more), made_by=None)


def step(campaign_id: int, event: str) -> None:
    with transaction():
        states.move(campaign_id, event)


def started(world: World, **more: Any) -> int:
    made = campaign(world, **more)
    step(made, "start")
    return made


def post() -> int:
    """The post's round; answers how many letters were taken."""
    return letters.deliver(current_app.config, speaking)


def rounds(times: int = 3) -> int:
    """The worker comes by so often; answers how many letters went out."""
    sent = 0
    for _ in range(times):
        campaigns.work()
        sent += post()
    campaigns.work()
    return sent


def rows(campaign_id: int) -> dict[int, CampaignMember]:
    db.session.rollback()
    db.session.expire_all()
    query = select(CampaignMember).where(CampaignMember.campaign_id == campaign_id)
    return {row.member_id: row for row in db.session.scalars(query)}


def letters_of(app: Flask) -> list[Shown]:
    return latest(practice_folder(app.config))


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the test's day by the shop's clock (Shanghai)."""
    return datetime(2027, 3, 15, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai"))
