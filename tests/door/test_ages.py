"""The age at the exit: goods with a least age leave when a person has looked; else they stay, and
their money goes back with them; in one stop with a spot check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update

from store import catalogue, clock, door, ids, payment, sales, stock
from store.db import transaction
from store.door import ages, live, rules, spots, steps
from store.door.rules import Rules
from store.errors import NotFound
from store.reports import oracle
from store.sales.ages import ages as sold_ages
from store.sales.ages import known_ages
from store.sales.refunds.refund_limits import ApprovalNeeded
from tests.conftest import Clock
from tests.door.shop import DoorShop

pytestmark = pytest.mark.usefixtures("clock", "context")


@dataclass(frozen=True)
class Bar:
    """Something from 18 on, something from 16 on, and a bundle with the first in it."""

    cider: int
    shandy: int
    basket: int


@pytest.fixture
def bar(shop: DoorShop) -> Bar:
    with transaction():
        cider, shandy = (
            catalogue.add_item(names={"en": name}, tax_rate_bp=1300, price_minor=price,
                               currency="CNY", least_age=age).id
            for name, price, age in (("Cider", 2000, 18), ("Shandy", 1000, 16))
        )  # fmt: skip
        basket = catalogue.add_item(
            names={"en": "Evening basket"}, tax_rate_bp=1300, price_minor=2500, currency="CNY",
            parts={cider: 1, shop.bread: 1},
        ).id  # fmt: skip
        stock.receive_many([(cider, 50), (shandy, 50)], shop.main)
    return Bar(cider, shandy, basket)


def buy(shop: DoorShop, *items: int, **more: object) -> str:
    lines = tuple(sales.Line(item, 1) for item in items)
    asked = sales.Buy(shop.shopper, shop.main, "CNY", lines, ids.new(), **more)  # type: ignore[arg-type]
    return sales.buy(asked).sale_id


def stopped(shop: DoorShop, sale: str, **more: int) -> ages.AgeFirst:
    with pytest.raises(ages.AgeFirst) as refusal:
        shop.check(shop.pass_of(sale), **more)
    return refusal.value


def level(item: int, place: int) -> int:
    return stock.levels([(item, place)])[item, place]


def faults() -> list[str]:
    return [one.name for one in oracle.audit() if one.count]


@pytest.mark.parametrize(
    ("day", "age", "born"),
    [
        (date(2026, 11, 26), 18, date(2008, 11, 26)),
        (date(2024, 2, 29), 18, date(2006, 2, 28)),  # Born on 1 March 2006: tomorrow.
        (date(2024, 2, 29), 16, date(2008, 2, 29)),
        (date(2026, 2, 28), 18, date(2008, 2, 28)),  # Born on 29 February 2008: on 1 March.
        (date(2026, 3, 1), 18, date(2008, 3, 1)),
    ],
)
def test_who_was_born_until_then_is_so_old(day: date, age: int, born: date) -> None:
    assert sold_ages.born_by(age, day) == born


def test_the_day_is_that_of_the_shop(shop: DoorShop, bar: Bar, clock: Clock) -> None:
    clock.set(datetime(2028, 2, 28, 16, 30, tzinfo=UTC))  # Half past midnight in Shanghai.
    assert stopped(shop, buy(shop, bar.shandy)).data["born_by"] == "2012-02-29"


def test_old_enough_leaves_with_the_bag(shop: DoorShop, bar: Bar) -> None:
    sale = buy(shop, bar.cider, shop.milk)
    first = stopped(shop, sale)
    assert (first.data["least_age"], first.data["kind"]) == (18, "none")
    # It waits, also for whoever scans it again; the shopper's phone says why.
    stopped(shop, sale, staff=shop.colleague)
    assert door.used(sale) is None
    assert [each.sale_id for each in ages.under_way(shop.main, spots_since())] == [sale]
    shown = live.Sold(sale, shop.main, "paid", least_age=18)
    assert live.exit_pass(shown, clock.now(), "", shop.key).state == "age"  # type: ignore[union-attr]
    asked = shop.asked()
    left = ages.old_enough(sale, 18, asked)
    assert left.outcome == "accepted" and door.used(sale) is not None
    assert ages.old_enough(sale, 18, asked).outcome == "accepted"  # The answer was lost.
    for say in (ages.old_enough, ages.too_young):
        with pytest.raises(ages.AgeOver):
            say(sale, 18, shop.asked(staff=shop.colleague))
    assert level(bar.cider, shop.main) == 49 and faults() == []


def test_not_old_enough_gives_back_and_lets_the_rest_go(shop: DoorShop, bar: Bar) -> None:
    before = payment.balance_of(shop.shopper, "CNY")
    sale = buy(shop, bar.cider, shop.milk, bar.cider)
    stopped(shop, sale)
    asked = shop.asked()
    left = ages.too_young(sale, 18, asked)
    assert (left.outcome, left.taken_back, left.refunded_minor) == ("accepted", 2, 4000)
    assert ages.too_young(sale, 18, asked) == left
    assert payment.balance_of(shop.shopper, "CNY") == before - 1250
    assert level(bar.cider, shop.main) == 50 and door.used(sale) is not None
    with pytest.raises(ages.AgeOver):
        ages.old_enough(sale, 18, shop.asked())
    assert faults() == []


def test_where_all_of_it_stays_the_pass_is_over(shop: DoorShop, bar: Bar) -> None:
    sale = buy(shop, bar.basket)
    assert stopped(shop, sale).data["least_age"] == 18  # Of a bundle what is in it counts.
    assert ages.too_young(sale, 18, shop.asked()).outcome == "nothing"
    with pytest.raises(door.PassRefunded):
        shop.check(shop.pass_of(sale))
    assert door.used(sale) is None and level(bar.cider, shop.main) == 50 and faults() == []


def test_a_lower_age_is_asked_after_a_higher_one(shop: DoorShop, bar: Bar) -> None:
    sale = buy(shop, bar.cider, bar.shandy)
    stopped(shop, sale)
    assert ages.too_young(sale, 18, shop.asked()).outcome == "age_first"
    assert stopped(shop, sale).data["least_age"] == 16
    assert ages.old_enough(sale, 16, shop.asked()).outcome == "accepted" and faults() == []


def test_the_age_is_that_of_the_sale(shop: DoorShop, bar: Bar) -> None:
    sale, plain = buy(shop, bar.cider), buy(shop, shop.milk)
    with transaction():
        catalogue.edit_item(bar.cider, least_age=0)
        catalogue.edit_item(shop.milk, least_age=18)
    stopped(shop, sale)
    assert shop.check(shop.pass_of(plain)).id == plain
    # What came back before needs nobody.
    other = buy(shop, shop.milk, shop.bread)
    sales.refund(other, made_by=shop.staff, parts=[sales.Part(1, 1)])
    assert shop.check(shop.pass_of(other)).id == other and faults() == []


def test_where_a_second_person_must_agree_nothing_happens(shop: DoorShop, bar: Bar) -> None:
    shop.app.config["REFUND_APPROVAL_ABOVE"] = "10"
    sale = buy(shop, bar.cider, shop.milk)
    stopped(shop, sale)
    with pytest.raises(ApprovalNeeded):
        ages.too_young(sale, 18, shop.asked())
    assert stopped(shop, sale).data["least_age"] == 18  # It still waits.
    assert door.used(sale) is None and level(bar.cider, shop.main) == 49 and faults() == []


def spots_since() -> datetime:
    return clock.now() - spots.FORGOTTEN


def hold(shop: DoorShop) -> None:
    with transaction():
        everybody = Rules(random_bp=10_000, sight_pieces=2, rescan_pieces=2)
        rules.set_rules(everybody, by=shop.owner, at=clock.now())


def scan(shop: DoorShop, sale: str, *items: int) -> None:
    for item in items:
        steps.scan(sale, item, 1, shop.staff, ids.new(), clock.now())


def test_a_chosen_bag_stops_once_for_both(shop: DoorShop, bar: Bar) -> None:
    hold(shop)
    sale = buy(shop, bar.cider, shop.milk)
    assert stopped(shop, sale).data["kind"] == "sight"
    with pytest.raises(ages.AgeFirst):
        steps.pass_(sale, shop.asked())
    assert door.used(sale) is None
    assert ages.old_enough(sale, 18, shop.asked()).outcome == "check_first"
    assert door.used(sale) is None
    steps.pass_(sale, shop.asked())
    assert door.used(sale) is not None and faults() == []


def test_of_a_bag_of_which_some_stays_less_is_scanned(shop: DoorShop, bar: Bar) -> None:
    hold(shop)
    sale = buy(shop, bar.cider, shop.milk, bar.shandy, bar.cider)
    stopped(shop, sale)
    assert ages.too_young(sale, 18, shop.asked()).outcome == "age_first"
    assert ages.too_young(sale, 16, shop.asked()).outcome == "check_first"
    scan(shop, sale, shop.milk)
    steps.pass_(sale, shop.asked())
    assert door.used(sale) is not None and faults() == []
    # Where nothing is left to look at, nobody waits in the check.
    other = buy(shop, bar.cider)
    stopped(shop, other)
    ages.too_young(other, 18, shop.asked())
    assert spots.waiting(shop.main, clock.now()) == [] and faults() == []


def test_what_nobody_paid_is_asked_about_before_it_is_sold(shop: DoorShop, bar: Bar) -> None:
    hold(shop)
    sale = buy(shop, shop.milk, shop.bread, shop.bread)
    with pytest.raises(door.CheckFirst):
        shop.check(shop.pass_of(sale))
    scan(shop, sale, shop.milk, shop.bread, shop.bread, bar.cider)
    with pytest.raises(ages.AgeFirst) as first:
        steps.ask(sale)
    ages.begin(sale, first.value.data["least_age"], shop.asked())
    assert ages.old_enough(sale, 18, shop.asked()).outcome == "check_first"
    steps.ask(sale)
    check = spots.found(sale)
    assert check is not None
    done = steps.settle(steps.Yes(sale, shop.shopper, check.round, False, clock.now()))
    assert done.charged_minor == 2000 and door.used(str(done.next_sale_id)) is not None
    assert faults() == []
    # Not old enough: it is taken out of the bag, or nothing of it leaves.
    other = buy(shop, shop.milk, shop.bread, shop.bread)
    with pytest.raises(door.CheckFirst):
        shop.check(shop.pass_of(other))
    scan(shop, other, shop.milk, shop.bread, shop.bread, bar.cider)
    ages.begin(other, 18, shop.asked())
    assert ages.too_young(other, 18, shop.asked()).outcome == "check_first"
    with pytest.raises(ages.AgeRefused):
        steps.ask(other)
    steps.anew(other)
    scan(shop, other, shop.milk, shop.bread, shop.bread)
    steps.pass_(other, shop.asked())
    assert faults() == []


def test_what_staff_sell_is_asked_about_at_the_till(shop: DoorShop, bar: Bar) -> None:
    at_till = {"channel": "till", "sold_by": shop.staff}
    for said in (0, 16):
        with pytest.raises(sales.AgeNotChecked) as refusal:
            buy(shop, bar.cider, age_checked=said, **at_till)
        assert refusal.value.data["least_age"] == 18
    assert level(bar.cider, shop.main) == 50
    sale = buy(shop, bar.cider, age_checked=18, **at_till)
    assert buy(shop, shop.milk, **at_till)
    assert shop.check(shop.pass_of(sale)).id == sale and faults() == []


def test_the_audit_finds_a_bag_that_nobody_looked_at(shop: DoorShop, bar: Bar) -> None:
    sale = buy(shop, bar.cider)
    stopped(shop, sale)
    with transaction():
        door.uses.take(sale, shop.asked())
    assert "ages_not_looked_at" in faults()


def test_nobody_answers_for_a_sale_that_is_not_there(shop: DoorShop, bar: Bar) -> None:
    sale = buy(shop, bar.cider)
    for number in (sale, "none", "é" * 20, "x" * 400):
        with pytest.raises(NotFound):
            ages.old_enough(number, 18, shop.asked())
        with pytest.raises(NotFound):
            ages.too_young(number, 16, shop.asked())


def test_an_age_is_remembered_where_owner_and_member_want_it(
    shop: DoorShop, bar: Bar, clock: Clock
) -> None:
    def once(item: int) -> str:
        """How the exit asks about one of it, and a yes where it does."""
        sale = buy(shop, item)
        try:
            shop.check(shop.pass_of(sale))
        except ages.AgeFirst as first:
            ages.old_enough(sale, first.data["least_age"], shop.asked())
        return ages.asked_of(sale)[0].state

    known_ages.want(shop.shopper)
    assert once(bar.shandy) == "yes"
    assert once(bar.shandy) == "yes"  # The owner does not want it.
    shop.app.config["AGE_REMEMBERED"] = True
    assert once(bar.shandy) == "yes"
    assert once(bar.shandy) == "known" and once(bar.cider) == "yes"
    assert once(bar.cider) == "known" and faults() == []
    # What was seen at 16 is 18 two years later, not a day before; a lower age takes nothing away.
    with transaction() as session:
        session.execute(update(known_ages.KnownAge).values(least_age=16))
    clock.tick(days=700)
    sale = buy(shop, bar.cider)
    assert ages.still_asked(sale, 18) == (18, False)
    clock.tick(days=31)
    assert ages.still_asked(sale, 18) == (0, False) and once(bar.cider) == "known"
    # It ends with one tap, and nobody else is known by it.
    known_ages.forget(shop.shopper)
    assert known_ages.of(shop.shopper) is None and once(bar.cider) == "yes"
    assert known_ages.of(shop.shopper) is None and faults() == []
