"""The report of the exit: its figures are those of a count by hand; a die that is off is named."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from store import door, ids
from store.db import transaction
from store.door import report, rules, spots, steps
from tests.conftest import Clock
from tests.door.exits import Exit, signed_pass
from tests.door.shop import DoorShop, make_shop


@pytest.fixture
def shop(app: Flask, clock: Clock) -> DoorShop:
    clock.set(datetime.now(UTC))
    return make_shop(app)


def scan(shop: DoorShop, clock: Clock, sale: str, *items: int) -> None:
    for item in items:
        steps.scan(sale, item, 1, shop.staff, ids.new(), clock.now)


def test_figures_of_the_exit_are_those_of_a_count_by_hand(shop: DoorShop, clock: Clock) -> None:
    begun = clock.now
    with shop.app.app_context():
        plain = shop.buy()
        shop.check(shop.pass_of(plain))  # No rules yet: nothing is decided about it.
        clock.tick(minutes=1)
        with transaction():
            held = rules.Rules(amount_bp=10_000, amount_minor=4000, sight_pieces=9)
            rules.set_rules(held, by=shop.owner, at=clock.now)
        clock.tick(seconds=1)
        shop.check(shop.pass_of(shop.buy(1)))  # ¥20.50: nobody looks.
        right, more, stays = (shop.buy(3, member=shop.other) for _ in range(3))
        for sale in (right, more, stays):
            with pytest.raises(door.CheckFirst):
                shop.check(shop.pass_of(sale))
        clock.tick(seconds=30)
        steps.pass_(right, shop.asked())
        steps.widen(more)
        scan(shop, clock, more, shop.milk, shop.milk, shop.milk, shop.bread, shop.bread)
        steps.ask(more)
        clock.tick(seconds=30)
        check = spots.found(more)
        assert check is not None
        steps.settle(steps.Yes(more, shop.other, check.round, False, clock.now))
        steps.refuse(stays, shop.asked())
        with pytest.raises(door.PassUsed):
            shop.check(shop.pass_of(plain))
    [away] = [Exit(shop, shop.browser(shop.staff))]
    away.take_along()
    away.note(signed_pass(shop, plain), "accepted")
    away.tell()

    with shop.app.app_context():
        asked = report.Asked(begun - timedelta(hours=1), clock.now + timedelta(hours=1))
        found = report.report(asked, "Asia/Shanghai")
        nowhere = report.report(asked._replace(location_id=shop.mill), "Asia/Shanghai")
    bags = found.all
    assert (bags.decided, bags.chosen) == (4, 3)
    assert (bags.right, bags.missing, bags.extra, bags.refused) == (1, 1, 0, 1)
    assert (bags.hit_rate, bags.charged_minor, bags.refunded_minor) == (2 / 3, 800, 0)
    assert (bags.mean_wait_s, bags.longest_s) == (50, 60)
    assert list(found.by_rule) == ["amount"] and found.by_rule["amount"].chosen == 3
    # Lin had bought before; the other's three are of one moment, none of them before another.
    assert (found.newcomers.decided, found.returning.decided) == (3, 1)
    assert sum(each.decided for each in found.hours.values()) == 4
    assert (found.accepted, found.refused) == (4, 2)
    assert found.flags == {"double": 1}
    assert [(die.rule, die.about, die.chosen, die.fits) for die in found.dice] == [
        ("amount", 3, 3, True)
    ]
    assert (nowhere.all.decided, nowhere.outcomes) == (0, {})

    owner, staff = shop.browser(shop.owner), shop.browser(shop.staff)
    page = owner.get("/owner/exit/report").text
    for words in ("A large amount", "66.7 %", "0:50", "used twice", "Bought before"):
        assert words in page
    tables = {
        name: list(csv.reader(io.StringIO(owner.get(f"/owner/exit/report.csv?table={name}").text)))
        for name in ("rules", "shoppers", "hours", "passes", "chances")
    }
    assert tables["rules"][1][:8] == ["amount", "3", "3", "1", "1", "0", "1", "8.00"]
    assert ["flagged", "double", "1"] in tables["passes"]
    assert staff.get("/owner/exit/report").status_code == 403
    assert "Nothing was checked" in owner.get("/owner/exit/report?place=MILL").text
    for wrong in ("from=2027-02-30", "from=2027-03-02&to=2027-03-01", "from=1000-01-01", "to=x",
                  "from=2001-01-01&to=2099-01-01"):  # fmt: skip
        assert owner.get(f"/owner/exit/report?{wrong}").status_code == 422
    assert owner.get("/owner/exit/report?place=NOWHERE").status_code == 404
    assert owner.get("/owner/exit/report.csv?table=x").status_code == 422


def test_a_die_that_is_off_is_named_and_a_right_one_is_not() -> None:
    """Seeded: the same draws in every run. Of many right dice next to none is named."""
    dice = random.Random(11)
    for about, rate_bp in ((50, 200), (400, 500), (5000, 500), (5000, 9500)):
        least, most = report.bounds(about, rate_bp, rate_bp)
        draws = [sum(dice.random() * 10_000 < rate_bp for _ in range(about)) for _ in range(60)]
        assert sum(not least <= drawn <= most for drawn in draws) <= 1
        # Half as many again, or nobody spared: it is seen where there are enough.
        if about > 1000:
            assert not least <= about * min(rate_bp * 1.5, 10_000) / 10_000 <= most
    # Always and never are exact, and a trusted member's chance lies between the two.
    assert report.bounds(10, 10_000, 10_000) == (10, 10)
    assert report.bounds(1000, 0, 500)[0] == 0
