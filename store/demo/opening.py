"""Opening day of the demo shop, five weeks ago: places, people, goods with pictures, labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import cycle
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import current_app

from .. import catalogue, clock, delivery, identity, labels, sellers, stock
from ..catalogue.costs import put_costs
from ..db import transaction
from ..delivery import places as delivery_places
from ..delivery import rates
from ..payment.costs.terms import Terms, set_terms
from .goods import CATEGORIES, GOODS, OWNER, PEOPLE, STAFF, Good

__all__ = ["DAYS", "Laid", "add_good", "agree", "lay_out", "picture_of"]

DAYS = 35
BAKERY = "Old Quay Bakery"
SHEET = "L7160"


@dataclass(frozen=True)
class Laid:
    """The ids of what was laid out: places by code, people by e-mail, goods and their labels by
    name. `opened_at` is the morning of the first day."""

    opened_at: datetime
    currency: str
    places: dict[str, int]
    people: dict[str, int]
    goods: dict[str, int]
    labels: dict[str, str]


def lay_out() -> Laid:
    """Opener: everything but stock and sales, in one commit, as it was on opening day."""
    currency = str(current_app.config["CURRENCY"])
    opened_at = _opening_day()
    clock.set_now(opened_at)
    try:
        with transaction():
            places = _places()
            _describe(places, currency)
            people = {
                person.email: identity.add_member(
                    person.email, person.password, role=person.role, name=person.name
                ).id
                for person in PEOPLE
            }
            goods = {good.name: add_good(good, currency).id for good in GOODS.values()}
            put_costs(_costs(goods), currency, "imported", made_by=people[OWNER.email])
            stickers = _stickers(goods.values(), places[stock.MAIN], people[STAFF.email], currency)
        _counter(goods)
        return Laid(opened_at, currency, places, people, goods, dict(zip(goods, stickers)))
    finally:
        clock.set_now(None)


def _costs(goods: dict[str, int]) -> dict[int, int]:
    """What most goods cost the shop: between half and three quarters of the price without tax; of a
    few nobody has said it. What the bakery has on the shelf is the bakery's."""
    return {
        goods[good.name]: good.price_minor * 10_000 // (10_000 + good.tax_rate_bp) * share
        for at, (good, share) in enumerate(zip(GOODS.values(), cycle((62, 74, 55, 68, 51, 71))))
        if good.brand != BAKERY and at % 9 != 4
    }


def _counter(goods: dict[str, int]) -> None:
    """Opener, twice: the bakery has a counter in the shop; what it bakes is sold for it."""
    terms = sellers.Agreed(2200, line_fee_minor=5, fee_bp=60, calendar="weekly", calendar_day=1)
    bakery = sellers.add(
        "QUAY", terms, names={"en": BAKERY, "zh": "旧码头面包房"}, tax_number="91310000DEMO0042X",
        bank_name="Harbour Bank", bank_holder=BAKERY, bank_account="6200000000000042",
        contact="Ms Bai, 021-5555 0142",
    )  # fmt: skip
    with transaction():
        for name, item_id in goods.items():
            if GOODS[name].brand == BAKERY:
                catalogue.edit_item(item_id, seller_id=bakery.id)


def agree(laid: Laid) -> None:
    """Opener: what the providers of the demo take, and when their money comes."""
    day = laid.opened_at.date()
    agreed = {
        "card": Terms(day, 5_500, most_minor=8_000, days=1, working_days=True),
        "alipay": Terms(day, 6_000, days=1, fee_back=True),
        "wechat": Terms(day, 6_000, days=1, fee_back=True),
        "stripe": Terms(day, 34_000, fixed_minor=235, days=7),
    }
    for means, terms in agreed.items():
        set_terms(means, laid.currency, terms, made_by=laid.people[OWNER.email])


def add_good(good: Good, currency: str, price_minor: int | None = None) -> catalogue.Item:
    """Joiner: an item of the demo with its picture."""
    return catalogue.add_item(
        code=good.code, gtin=good.gtin or None, names=good.names, brand=good.brand,
        category=CATEGORIES[good.category], size_text=good.size_text,
        tax_rate_bp=good.tax_rate_bp, picture=picture_of(good), least_age=good.least_age,
        price_minor=good.price_minor if price_minor is None else price_minor, currency=currency,
    )  # fmt: skip


def picture_of(good: Good) -> str:
    """Joiner: the id of the good's picture, taken in as an upload would be."""
    file = Path(str(current_app.static_folder), "demo", f"{good.name}.webp")
    return catalogue.add_picture(file.read_bytes())


def _opening_day() -> datetime:
    zone = ZoneInfo(current_app.config["TIME_ZONE"])
    today = clock.now().astimezone(zone).date()
    return datetime.combine(today - timedelta(days=DAYS), time(7), zone)


def _places() -> dict[str, int]:
    places = (
        stock.add_location(stock.MAIN, "Harbour Road 临港路店", "shop", "12 Harbour Road"),
        stock.add_location("MILL", "Mill Street 磨坊街店", "shop", "3 Mill Street"),
        stock.add_location("DEPOT", "River Depot 江边仓库", "warehouse", "Gate 4, River Side"),
    )
    return {place.code: place.id for place in places}


def _describe(places: dict[str, int], currency: str) -> None:
    """Where the places are, what they do for orders, and what delivery costs."""
    for code, north, east, hours, parcel_minor in (
        ("MAIN", 31.2304, 121.4737, "8:00-22:00", 400),
        ("MILL", 31.2352, 121.4811, "9:00-21:00", 400),
        ("DEPOT", 31.3013, 121.5096, "", 250),
    ):  # fmt: skip
        delivery_places.set_place(
            places[code], point=delivery.Point(north, east), hours=hours, buffer=0, ships=True,
            hands_over=code != "DEPOT", parcel_minor=parcel_minor, days=0,
        )  # fmt: skip
    for name, prefix, point, days, prices in (
        ("Shanghai 上海", "20", delivery.Point(31.23, 121.47), 1, (600, 1000)),
        ("Elsewhere 其他地区", "", None, 3, (1000, 1800)),
    ):
        zone = rates.add_zone(name, "CN", prefix, point)
        for up_to_g, price_minor in zip((3000, 20_000), prices):
            rates.add_rate(zone, up_to_g, price_minor, currency, days, days + 1)


def _stickers(item_ids: Iterable[int], place: int, printed_by: int, currency: str) -> list[str]:
    """A label for every item, and its shelf."""
    new = [
        labels.NewLabel(item_id, good.price_minor, currency, good.shelf)
        for item_id, good in zip(item_ids, GOODS.values())
    ]
    for label in new:
        stock.put_on_shelf(label.item_id, place, label.shelf)
    return labels.record(new, SHEET, place, made_by=printed_by)[1]
