"""Five weeks in the demo shop: deliveries, sales, a price that dropped, a few refunds.

All of it goes through the doors of the rooms, as on any day, only with the clock set back. Chance
is seeded, so that two demo shops opened at the same time tell the same story.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple

from .. import catalogue, clock, ids, labels, money, payment, sales, stock, web
from ..db import transaction
from ..labels import scans
from ..sales.returns.hand_ins import Decision, HandIn, hand_in
from ..sales.returns.returns import Override
from . import providers
from .goods import GOODS, OWNER, PEOPLE, SHOPPER, STAFF
from .opening import DAYS, SHEET, Laid

__all__ = ["pass_weeks"]

SALES_ON = (7, 7, 8, 8, 11, 15, 12)  # Monday to Sunday
HOURS = {8: 4, 9: 4, 10: 3, 11: 5, 12: 8, 13: 5, 14: 3, 15: 3, 16: 4, 17: 8, 18: 10, 19: 7, 20: 4}
CHANNELS = ("shelf",) * 15 + ("till",) * 3 + ("web",) * 2
OF_MILL = (
    "red-apple", "banana", "bread", "croissant", "eggs", "oat-milk", "juice", "coffee",
    "bubble-tea", "noodles", "chocolate", "cookies", "rice-crackers", "dumplings", "paper-roll",
    "strawberries",
)  # fmt: skip
SOLD_OUT, SOLD_OUT_HERE = "blueberries", {"MILL": 6, "DEPOT": 48}
"""What is sold out in the first shop, and where it is collected or sent from."""
# Item, days ago, new price: one label on the shelf says more than is paid, one says less.
NEW_PRICES = (("coffee", 2, 4900), ("avocado", 5, 850))
LEFT_TO_SPEND_MINOR = 15_000
PAY_IN_MINOR = 20_000
SCARCE = 3


class Back(NamedTuple):
    """Why a sale comes back, and what becomes of its goods; nothing where only money goes back."""

    why: str
    words: str
    decision: str


COME_BACK = (
    Back("damaged", "The carton was leaking", "scrap"), Back("mistake", "买错了口味", "resell"),
    Back("not_as_expected", "Tastes of nothing", "quarantine"), Back("mistake", "", "resell"),
    Back("", "Charged twice at the till", ""),
)  # fmt: skip


class Planned(NamedTuple):
    """A sale that is going to be made: `contents` are names of goods with their quantities."""

    at: datetime
    who: str
    place: str
    channel: str
    contents: tuple[tuple[str, int], ...]


def pass_weeks(laid: Laid) -> None:
    """Opener, many times over: live through the plan from opening day to now."""
    random = Random(952)
    plan = sorted(_plan(random, laid.opened_at, clock.now() - timedelta(minutes=8)))
    story = _Story(laid, _coming_back(random, plan, clock.now() - timedelta(days=2)))
    try:
        story.announce_prices()
        story.print_more()
        for week in range(math.ceil(DAYS / 7) + 1):
            since = laid.opened_at + timedelta(weeks=week)
            these = [one for one in plan if since <= one.at < since + timedelta(weeks=1)]
            if these or not week:
                story.deliver(since, these, first=not week)
            for one in these:
                story.refund_until(one.at)
                story.sell(one)
        story.leave_some_to_spend()
        story.look_around(random)
    finally:
        clock.set_now(None)
    providers.send_files(story.paid_in, laid.currency)


def _plan(random: Random, since: datetime, until: datetime) -> Iterator[Planned]:
    shoppers = [person.email for person in PEOPLE if person.role == "shopper"]
    loyal = [1 + 6 // (1 + at // 2) for at in range(len(shoppers))]
    hours, weights = list(HOURS), list(HOURS.values())
    for day in range(DAYS + 1):
        for _ in range(SALES_ON[(since + timedelta(days=day)).weekday()] + random.randint(-3, 3)):
            hour = random.choices(hours, weights)[0]
            after = timedelta(days=day, hours=hour - since.hour, seconds=random.randrange(3600))
            place = random.choices(("MAIN", "MILL"), (4, 1))[0]
            who = random.choices(shoppers, loyal)[0]
            contents = tuple(_contents(random, place))
            if since + after < until:
                yield Planned(since + after, who, place, random.choice(CHANNELS), contents)


def _contents(random: Random, place: str) -> Iterator[tuple[str, int]]:
    names = list(GOODS) if place == "MAIN" else list(OF_MILL)
    many = random.choices((1, 2, 3, 4, 6), (5, 5, 4, 3, 1))[0]
    liked = [GOODS[name].liked for name in names]
    for name in dict.fromkeys(random.choices(names, liked, k=many)):
        yield name, random.choices((1, 2, 3), (12, 3, 1))[0]


def _coming_back(random: Random, plan: list[Planned], latest: datetime) -> dict[Planned, Back]:
    """Sales of the last weeks that will be refunded, with the reason; none that would fill a shelf
    which is to be seen empty."""
    recent = [one for one in plan if latest - timedelta(weeks=2) < one.at < latest]
    plenty = [
        one for one in recent if all(GOODS[name].on_hand > SCARCE for name, _ in one.contents)
    ]
    return dict(zip(random.sample(plenty, min(len(COME_BACK), len(plenty))), COME_BACK))


class _Story:
    """What happens in the weeks, with what is known of balances and sales on the way."""

    def __init__(self, laid: Laid, coming_back: dict[Planned, Back]) -> None:
        self.laid = laid
        self.balances: Counter[str] = Counter()
        self.paid_in: list[providers.PaidIn] = []
        self.pay_ins = 0
        self.coming_back = coming_back
        self.of_mill: list[str] = []
        self.scanned: list[tuple[datetime, str]] = []
        self.due: list[tuple[datetime, str, Back]] = []
        self.new_prices = {
            name: (clock.now() - timedelta(days=days), price) for name, days, price in NEW_PRICES
        }
        self.staff = laid.people[STAFF.email]

    def print_more(self) -> None:
        """A few labels for the other shop, on opening day: some are looked at, some by nobody."""
        clock.set_now(self.laid.opened_at)
        new = [
            labels.NewLabel(
                self.laid.goods[name], GOODS[name].price_minor, self.laid.currency, "M1"
            )
            for name in OF_MILL[:6]
        ]
        with transaction():
            _, self.of_mill = labels.record(
                new, SHEET, self.laid.places["MILL"], made_by=self.staff
            )  # fmt: skip

    def announce_prices(self) -> None:
        """Prices that begin later, known from opening day on."""
        clock.set_now(self.laid.opened_at)
        with transaction():
            for name, (starts_at, price_minor) in self.new_prices.items():
                catalogue.set_price(
                    self.laid.goods[name], price_minor, self.laid.currency, starts_at=starts_at,
                    made_by=self.laid.people[OWNER.email],
                )  # fmt: skip

    def deliver(self, at: datetime, week: list[Planned], *, first: bool) -> None:
        """Bring what is going to be sold this week; the first time, what is to be left, too."""
        clock.set_now(at)
        wanted = {place: Counter[str]() for place in self.laid.places}
        for one in week:
            wanted[one.place].update(dict(one.contents))
        if first:
            wanted["MAIN"].update({good.name: good.on_hand for good in GOODS.values()})
            wanted["MILL"].update({name: 5 + GOODS[name].liked for name in OF_MILL})
            wanted["DEPOT"].update(dict.fromkeys(OF_MILL, 120))
            for place, many in SOLD_OUT_HERE.items():
                wanted[place][SOLD_OUT] = many
        with transaction():
            for place, goods in wanted.items():
                rows = [(self.laid.goods[name], many) for name, many in goods.items() if many]
                stock.receive_many(
                    rows, self.laid.places[place], member_id=self.staff, note="Weekly delivery"
                )

    def sell(self, one: Planned) -> None:
        clock.set_now(one.at)
        total = sum(
            money.taxed(
                self._price(name, one.at) * many, GOODS[name].tax_rate_bp, web.tax_on_top()
            ).total_minor
            for name, many in one.contents
        )
        if self.balances[one.who] < total:
            self._pay_in(
                one.who, math.ceil((total - self.balances[one.who]) / PAY_IN_MINOR) * PAY_IN_MINOR
            )
        at_shelf = one.channel == "shelf" and one.place == stock.MAIN
        if at_shelf:
            self.scanned += [(one.at, self.laid.labels[name]) for name, _ in one.contents]
        lines = tuple(
            sales.Line(
                self.laid.goods[name], many, label_id=self.laid.labels[name] if at_shelf else None
            )
            for name, many in one.contents
        )
        bought = sales.buy(
            sales.Buy(
                self.laid.people[one.who], self.laid.places[one.place], self.laid.currency, lines,
                ids.new(), one.channel, sold_by=self.staff if one.channel == "till" else None,
                is_confirmed=True, age_checked=catalogue.OLDEST,
            )
        )  # fmt: skip
        self.balances[one.who] -= total
        if one in self.coming_back:
            next_morning = one.at.replace(hour=10, minute=40) + timedelta(days=1)
            self.due.append((next_morning, bought.sale_id, self.coming_back[one]))

    def refund_until(self, at: datetime) -> None:
        """Give back, on the morning after, what came back by then."""
        for one in sorted(self.due):
            if one[0] < at:
                self.due.remove(one)
                clock.set_now(one[0])
                self._take_back(one[1], one[2])

    def _take_back(self, sale_id: str, back: Back) -> None:
        if not back.decision:
            sales.refund(sale_id, made_by=self.staff, reason=back.words)
            return
        sold = sales.receipt(sale_id)
        assert sold is not None
        hand_in(
            HandIn(
                sale_id, sold.location_id, self.staff,
                [Decision(line.position, line.quantity, back.decision)
                 for line in sold.lines if line.kind == "goods"],
                ids.new(), note=back.words, why=back.why,
                override=Override(self.staff, "A good customer"),
            )
        )  # fmt: skip

    def look_around(self, random: Random) -> None:
        """Labels were scanned: by who bought, by others who only looked, and often where the shelf
        is empty; those of what nobody bought are seen by nobody."""
        zone = web.setting("TIME_ZONE")
        counts: dict[tuple[str, int], list[int]] = {}

        def opened(label_id: str, at: datetime, times: int, phones: int, baskets: int) -> None:
            key = (label_id, (clock.day_of(at, zone) - date(1970, 1, 1)).days)
            known = counts.get(key, [0, 0, 0])
            more = (times, phones, baskets)
            counts[key] = [one + other for one, other in zip(known, more, strict=True)]

        for at, label_id in self.scanned:
            others = random.choice((0, 0, 1, 1, 2))
            again = sum(random.random() < 0.2 for _ in range(others))
            opened(label_id, at, 1 + others + again, 1 + others, int(random.random() < 0.3))
        now = datetime.now(UTC)
        looked_at = (self.laid.labels[SOLD_OUT], *self.of_mill[:3])
        for number in range(14 * len(looked_at)):
            label_id = looked_at[number % len(looked_at)]
            opened(label_id, now - timedelta(days=number % 6), 1, 1, 0)
        scans.add(sorted(counts.items()))

    def leave_some_to_spend(self) -> None:
        """The shopper whom visitors sign in as finds money in the account."""
        short = LEFT_TO_SPEND_MINOR - self.balances[SHOPPER.email]
        if short > 0:
            self._pay_in(SHOPPER.email, math.ceil(short / PAY_IN_MINOR) * PAY_IN_MINOR)

    def _price(self, name: str, at: datetime) -> int:
        since, price_minor = self.new_prices.get(name, (at, GOODS[name].price_minor))
        return price_minor if at >= since else GOODS[name].price_minor

    def _pay_in(self, who: str, amount_minor: int) -> None:
        """In turns at the till in cash, and by one of the providers."""
        member_id, currency = self.laid.people[who], self.laid.currency
        ways = (None, *providers.NAMES)
        provider = ways[self.pay_ins % len(ways)]
        self.pay_ins += 1
        if provider is None:
            with transaction():
                payment.deposit(member_id, amount_minor, currency, "cash", note="paid in cash")
        else:
            self.paid_in.append(providers.pay_in(member_id, amount_minor, currency, provider))
        self.balances[who] += amount_minor
