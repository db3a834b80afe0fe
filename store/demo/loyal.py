"""Why they come back to the demo shop: points and tiers since its first day; two offers and a
coupon since yesterday; and a campaign that runs, whose card waits for the shopper of the demo, with
a code that is theirs alone."""

from __future__ import annotations

from datetime import timedelta

from .. import campaigns, catalogue, clock, web
from ..campaigns import drawing, plans, saved, states
from ..campaigns.plans import Wanted as Campaign
from ..db import transaction
from ..membership import consents, offers, point_rules, tier_plans
from ..membership.offers import Wanted as Offer
from ..membership.point_rules import Wanted as Points
from ..membership.tier_plans import Wanted as Tiers
from ..membership.tiers import Tier
from ..reports.customers.segments import Segment
from .goods import CATEGORIES, GOODS, OWNER, SHOPPER
from .opening import Laid

__all__ = ["begin", "tell"]

COUPON = "THANKS-10"
HELD_PERCENT, DAYS = 20, 14
TIERS = (
    Tier(0, {"en": "Silver", "zh": "银卡"}, 20_000, percent=150),
    Tier(0, {"en": "Gold", "zh": "金卡"}, 60_000, percent=200, free_delivery=True),
)
TEXTS = {
    "en": {"subject": "Thank you for coming back",
           "words": "Ten percent off your next basket of ¥50 or more."},
    "zh": {"subject": "感谢您常来光顾", "words": "下次购物满 50 元，立享九折。"},
}  # fmt: skip


def begin(laid: Laid) -> None:
    """Opener: on the first day: a point for each whole coin, a hundred of them are worth one; tiers
    by what a year brought."""
    owner = laid.people[OWNER.email]
    clock.set_now(laid.opened_at)
    try:
        with transaction():
            points = Points(1, 100, laid.currency, worth_points=100, worth_minor=100)
            point_rules.save(points, made_by=owner)
            tier_plans.save(Tiers("spending", 365, laid.currency, TIERS), made_by=owner)
    finally:
        clock.set_now(None)


def tell(laid: Laid) -> None:
    """Opener: the offers of these days, and the campaign that runs."""
    owner, shopper = laid.people[OWNER.email], laid.people[SHOPPER.email]
    clock.set_now(clock.now() - timedelta(days=1))
    try:
        with transaction():
            _offers(laid, owner)
            consents.say(shopper, {"page": True}, place="account", language="en",
                         shop=web.setting("SHOP_NAME"))  # fmt: skip
    finally:
        clock.set_now(None)
    with transaction():
        states.move(_drafted(laid, owner, shopper), "start")
    campaigns.work()


def _offers(laid: Laid, owner: int) -> None:
    """Joiner: three for two of the snacks, honey for members, and a coupon."""
    names = {"en": "Snacks: 3 for 2", "zh": "零食三件付两件"}
    snacks = next(one.id for one in catalogue.categories() if one.names == CATEGORIES["sweets"])
    three = Offer("n_for_m", 3, laid.currency, 2, names, category_id=snacks)
    offers.add(three, made_by=owner)
    names = {"en": "Members’ honey", "zh": "会员价蜂蜜"}
    honey, price_minor = laid.goods["honey"], GOODS["honey"].price_minor - 600
    members = Offer("price", price_minor, laid.currency, names=names, item_id=honey,
                    audience="members")  # fmt: skip
    offers.add(members, made_by=owner)
    names = {"en": "10% as a thank-you", "zh": "感谢回馈九折"}
    thanks = Offer("percent", 10, laid.currency, names=names, by_code=True, least_minor=5_000)
    offers.add_codes(offers.add(thanks, made_by=owner), code=COUPON)


def _drafted(laid: Laid, owner: int, shopper: int) -> int:
    """Joiner: chance holds some out, but a demo has one shopper to show it to: drafts by whose draw
    they would be told nothing are dropped."""
    regular = Segment(laid.currency, days=90, least_times=2)
    segment = saved.save("Came back", regular, made_by=owner)
    wanted = Campaign("Thank you", segment, "page", TEXTS, COUPON, True, HELD_PERCENT, DAYS, None)
    while drawing.is_held(made := plans.add(wanted, made_by=owner), shopper, HELD_PERCENT):
        states.move(made, "drop")
    return made
