"""A hundred more members of the demo shop, and a campaign that was for them: it ended weeks ago, so
that its result can be looked at. Who was told is chance, and another one in each shop; told, some
more of them buy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from random import Random

from sqlalchemy import select, update

from .. import campaigns, clock, identity, ids, payment, stock, web
from ..campaigns import pages, plans, saved, states
from ..campaigns.models import CampaignMember
from ..campaigns.plans import Wanted
from ..db import connection, transaction
from ..identity.models import Identifier
from ..membership import consents
from ..reports.customers.segments import Segment
from ..sales.buying import Buy, Line
from ..sales.checkout import run
from .goods import OWNER, STAFF
from .opening import Laid

__all__ = ["live"]

GIVEN = ("An", "Ben", "Chun", "Dora", "Emil", "Fang", "Greta", "Hui", "Ivo", "Jing")
FAMILY = ("Ahmed", "Bauer", "Chen", "Duarte", "Evans", "Feng", "Gupta", "Han", "Ito", "Jiang")
MEMBERS = len(GIVEN) * len(FAMILY)
JOINED, AGREED, TOLD, DAYS = 3, 5, 9, 14
HELD_PERCENT = 40
CHANCE = {False: 0.7, True: 0.45}
"""How many of those who were told, and of the others, come back in the days that are measured."""
LIKED = ("oat-milk", "bread", "coffee", "chocolate")
FUNDS_MINOR = 60_000
TEXTS = {
    "en": {"subject": "Fresh from the roaster",
           "words": "This week’s coffee was roasted on Tuesday. Come and smell it."},
    "zh": {"subject": "新鲜烘焙到店", "words": "本周的咖啡豆周二刚刚烘焙，欢迎来店闻香。"},
}  # fmt: skip


def live(laid: Laid) -> None:
    """Opener, many times: they join, buy once, agree, are told or not, and come back or not."""
    random = Random(953)
    try:
        clock.set_now(_day(laid, JOINED))
        members = _join(laid)
        _buy(laid, [(member, random.choice(LIKED), 1) for member in members])
        clock.set_now(_day(laid, AGREED))
        _agree(members)
        clock.set_now(_day(laid, TOLD))
        campaign = _tell(laid)
        for at, bought in _coming_back(laid, random, campaign):
            clock.set_now(at)
            _buy(laid, bought)
        clock.set_now(_day(laid, TOLD + DAYS + 1))
        campaigns.work()
    finally:
        clock.set_now(None)


def _day(laid: Laid, day: int) -> datetime:
    return laid.opened_at + timedelta(days=day, hours=4)


def _join(laid: Laid) -> list[int]:
    with transaction() as session:
        found = [
            identity.add_member(f"{given}.{family}@example.com".lower(), None,
                                name=f"{given} {family}").id
            for given, family in product(GIVEN, FAMILY)
        ]  # fmt: skip
        proven = update(Identifier).where(Identifier.member_id.in_(found))
        session.execute(proven.values(proven_at=clock.now()))
        for member in found:
            payment.deposit(member, FUNDS_MINOR, laid.currency, "cash", note="paid in cash")
        return found


def _agree(members: list[int]) -> None:
    with transaction():
        for member in members:
            consents.say(
                member, {"page": True}, place="receipt", language="en",
                shop=web.setting("SHOP_NAME"),
            )  # fmt: skip


def _buy(laid: Laid, wanted: list[tuple[int, str, int]]) -> None:
    """What they buy is brought that morning, so the shelves stay as they are."""
    place = laid.places[stock.MAIN]
    with transaction():
        rows = [(laid.goods[name], many) for _, name, many in wanted]
        stock.receive_many(rows, place, member_id=laid.people[STAFF.email], note="Delivery")
    run([
        Buy(member, place, laid.currency, (Line(laid.goods[name], many),), ids.new(), "shelf",
            is_confirmed=True)
        for member, name, many in wanted
    ])  # fmt: skip


def _tell(laid: Laid) -> int:
    owner = laid.people[OWNER.email]
    with transaction():
        segment = saved.save(
            "Bought at the shelf", Segment(laid.currency, days=90, channel="shelf"), made_by=owner
        )
        campaign = plans.add(
            Wanted("Fresh coffee", segment, "page", TEXTS, None, False, HELD_PERCENT, DAYS, None),
            made_by=owner,
        )
        states.move(campaign, "start")
    campaigns.work()
    with transaction():
        for member in _of(campaign, held=False):
            pages.see(campaign, member)
    return campaign


def _of(campaign: int, *, held: bool) -> list[int]:
    query = select(CampaignMember.member_id).where(
        CampaignMember.campaign_id == campaign, CampaignMember.held == int(held)
    )
    return list(connection().execute(query.order_by(CampaignMember.member_id)).scalars())


def _coming_back(
    laid: Laid, random: Random, campaign: int
) -> Iterator[tuple[datetime, list[tuple[int, str, int]]]]:
    """Day by day, who buys what."""
    days: dict[int, list[tuple[int, str, int]]] = {}
    for held in (False, True):
        for member in _of(campaign, held=held):
            if random.random() < CHANCE[held]:
                day = TOLD + random.randint(1, DAYS - 2)
                what = (member, random.choice(LIKED), random.randint(1, 4))
                days.setdefault(day, []).append(what)
    for day, bought in sorted(days.items()):
        yield _day(laid, day), bought
