"""Spot checks: a bag that the rules chose leaves when it is right, or when the difference is
settled with the shopper's yes; money, goods and passes in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from store import catalogue, clock, door, ids, payment, sales, stock
from store.db import transaction
from store.door import live, rules, spots, steps
from store.door.rules import Rules
from store.errors import NotFound
from store.reports import oracle
from store.sales.refunds.refund_limits import ApprovalNeeded
from tests.conftest import Clock
from tests.door.shop import DoorShop

pytestmark = pytest.mark.usefixtures("clock", "context")

EVERYBODY = Rules(random_bp=10_000, sight_pieces=2, rescan_pieces=2)


def hold(shop: DoorShop, held: Rules = EVERYBODY) -> None:
    with transaction():
        rules.set_rules(held, by=shop.owner, at=clock.now())


def stopped(shop: DoorShop, sale: str, **more: int) -> door.CheckFirst:
    with pytest.raises(door.CheckFirst) as refusal:
        shop.check(shop.pass_of(sale), **more)
    return refusal.value


def scan(shop: DoorShop, sale: str, *items: int, back: bool = False) -> None:
    for item in items:
        steps.scan(sale, item, -1 if back else 1, shop.staff, ids.new(), clock.now())


def yes(shop: DoorShop, sale: str, member: int = 0) -> spots.SpotCheck:
    check = spots.found(sale)
    assert check is not None
    shown = steps.Yes(sale, member or shop.shopper, check.round, False, clock.now())
    return steps.settle(shown)


def level(item: int, place: int) -> int:
    return stock.levels([(item, place)])[item, place]


def faults() -> list[str]:
    return [one.name for one in oracle.audit() if one.count]


def test_without_rules_nobody_is_looked_at_and_nothing_is_written(shop: DoorShop) -> None:
    sale = shop.buy()
    shop.check(shop.pass_of(sale))
    assert spots.found(sale) is None
    # Rules that came later are for what is paid later.
    before = shop.buy()
    clock_of_sale = sales.receipt(before)
    assert clock_of_sale is not None
    with transaction():
        rules.set_rules(EVERYBODY, by=shop.owner, at=clock.now() + timedelta(seconds=1))
    assert shop.check(shop.pass_of(before)).id == before


def test_a_small_bag_is_looked_at_and_its_pass_is_used_once(shop: DoorShop) -> None:
    hold(shop)
    sale = shop.buy(1)
    first = stopped(shop, sale)
    assert first.data == {"rule": "random", "rate_bp": 10_000, "kind": "sight", "pieces": 0}
    # A second scan, by whomever, draws nothing anew, and the bag has not left.
    stopped(shop, sale, staff=shop.colleague)
    assert door.used(sale) is None
    assert [each.sale_id for each in spots.waiting(shop.main, clock.now())] == [sale]
    asked = shop.asked()
    assert steps.pass_(sale, asked).id == sale
    assert steps.pass_(sale, asked).id == sale
    with pytest.raises(steps.CheckOver):
        steps.pass_(sale, shop.asked(staff=shop.colleague))
    with pytest.raises(door.PassUsed):
        shop.check(shop.pass_of(sale))
    assert spots.waiting(shop.main, clock.now()) == []
    assert faults() == []


def test_of_a_larger_bag_some_pieces_are_scanned(shop: DoorShop) -> None:
    hold(shop)
    sale = shop.buy(5)
    assert stopped(shop, sale).data["pieces"] == 2
    scan(shop, sale, shop.milk)
    with pytest.raises(steps.BagDiffers) as refusal:
        steps.pass_(sale, shop.asked())
    assert refusal.value.data == {"unpaid": 0, "absent": 5, "scanned": 1, "wanted": 2}
    key = ids.new()
    for _ in range(2):  # Sent twice: counted once.
        steps.scan(sale, shop.bread, 1, shop.staff, key, clock.now())
    check = spots.found(sale)
    assert check is not None
    assert spots.scanned(check) == {shop.bread: 1, shop.milk: 1}
    steps.pass_(sale, shop.asked())
    assert faults() == []


def test_what_was_not_paid_and_what_is_not_there_is_settled_by_one_yes(shop: DoorShop) -> None:
    hold(shop)
    sale = shop.buy(3)  # Three milks and a bread are paid; the bag holds two milks, two breads.
    before = payment.balance_of(shop.shopper, "CNY")
    levels = level(shop.milk, shop.main), level(shop.bread, shop.main)
    stopped(shop, sale)
    scan(shop, sale, shop.bread, shop.bread)
    check = spots.found(sale)
    assert check is not None and check.whole  # One bread more than was paid: the whole bag.
    scan(shop, sale, shop.milk, shop.milk, shop.milk)
    scan(shop, sale, shop.milk, back=True)
    with pytest.raises(steps.BagDiffers):
        steps.pass_(sale, shop.asked())
    # What two people must agree to is no way around them.
    shop.app.config["REFUND_APPROVAL_ABOVE"] = "10"
    with pytest.raises(ApprovalNeeded):
        steps.ask(sale)
    shop.app.config["REFUND_APPROVAL_ABOVE"] = "12.50"
    steps.ask(sale)
    check = spots.found(sale)
    assert check is not None
    assert (check.charged_minor, check.refunded_minor) == (800, 1250)
    shown = live.exit_pass(live.Sold(sale, shop.main, "paid"), clock.now(), "", shop.key)
    assert shown is not None and shown.state == "asked"
    assert [(piece.unpaid, piece.absent) for piece, _ in shown.differs] == [(0, 1), (1, 0)]
    # Only the shopper's yes counts, and it counts once.
    with pytest.raises(NotFound):
        yes(shop, sale, shop.other)
    assert payment.balance_of(shop.shopper, "CNY") == before
    done = yes(shop, sale)
    assert yes(shop, sale).next_sale_id == done.next_sale_id
    assert (done.outcome, done.state) == ("both", "ended")
    assert payment.balance_of(shop.shopper, "CNY") == before + 1250 - 800
    assert (level(shop.milk, shop.main), level(shop.bread, shop.main)) == (
        levels[0] + 1, levels[1] - 1,
    )  # fmt: skip
    # Both sales have left: neither pass lets anybody out again.
    for left in (sale, str(done.next_sale_id)):
        with pytest.raises(door.PassUsed):
            shop.check(shop.pass_of(left))
    assert faults() == []


def test_a_no_or_too_little_money_leaves_all_as_it_was(shop: DoorShop) -> None:
    hold(shop)
    with transaction():
        poor = shop.other
        kept = payment.balance_of(poor, "CNY")
    sale = shop.buy(4, member=poor)
    stopped(shop, sale)
    scan(shop, sale, *[shop.milk] * 5, shop.bread)
    steps.ask(sale)
    check = spots.found(sale)
    assert check is not None
    steps.decline(sale, poor, check.round)
    with pytest.raises(steps.CheckOver):  # What the phone still shows is over.
        steps.settle(steps.Yes(sale, poor, check.round, False, clock.now()))
    again = spots.found(sale)
    assert again is not None
    assert (again.state, again.round, again.charged_minor) == ("open", 2, 0)
    assert spots.scanned(again) == {}
    # The same bag again, and the account is empty by now.
    scan(shop, sale, *[shop.milk] * 5, shop.bread)
    steps.ask(sale)
    lines = (sales.Line(shop.milk, payment.balance_of(poor, "CNY") // 1250),)
    sales.buy(sales.Buy(poor, shop.main, "CNY", lines, ids.new()))
    left = payment.balance_of(poor, "CNY")
    assert left < 1250 < kept
    with pytest.raises(payment.InsufficientFunds):
        yes(shop, sale, poor)
    assert (payment.balance_of(poor, "CNY"), door.used(sale)) == (left, None)
    # They take the fifth out of the bag, and leave.
    steps.anew(sale)
    scan(shop, sale, *[shop.milk] * 4, shop.bread)
    steps.pass_(sale, shop.asked())
    assert faults() == []


def test_a_price_that_rose_meanwhile_is_asked_for_anew(shop: DoorShop) -> None:
    hold(shop)
    sale = shop.buy(3)
    stopped(shop, sale)
    scan(shop, sale, *[shop.milk] * 4, shop.bread)
    steps.ask(sale)
    with transaction():
        catalogue.set_price(shop.milk, 1400, "CNY")
    with pytest.raises(sales.PriceRose):
        yes(shop, sale)
    steps.price_anew(sale)
    assert yes(shop, sale).charged_minor == 1400
    assert faults() == []


def test_who_refuses_stays_and_comes_back_to_the_same_check(shop: DoorShop) -> None:
    hold(shop)
    sale = shop.buy(3)
    stopped(shop, sale)
    scan(shop, sale, shop.milk)
    steps.refuse(sale, shop.asked())
    assert (door.used(sale), spots.waiting(shop.main, clock.now())) == (None, [])
    assert faults() == []
    stopped(shop, sale)
    check = spots.found(sale)
    assert check is not None
    assert (check.state, spots.scanned(check)) == ("open", {})


def test_past_results_and_first_purchases_are_of_one_member(shop: DoorShop, clock: Clock) -> None:
    hold(shop, Rules(first_bp=10_000, wary_bp=10_000, sight_pieces=9))
    first = shop.buy(1)
    assert stopped(shop, first).data["rule"] == "first"
    steps.widen(first)
    scan(shop, first, shop.milk, shop.bread, shop.bread)
    steps.ask(first)
    clock.tick(seconds=5)
    yes(shop, first)
    clock.tick(minutes=1)
    assert stopped(shop, shop.buy(1)).data["rule"] == "wary"
    assert stopped(shop, shop.buy(1, member=shop.other)).data["rule"] == "first"
    clock.tick(days=181)
    assert shop.check(shop.pass_of(shop.buy(1))).pieces == 2


def test_marked_items_large_amounts_and_what_staff_sold(shop: DoorShop) -> None:
    held = Rules(
        risk_bp=10_000, risk_items=(shop.bread,), amount_bp=10_000, amount_minor=99_999_999
    )
    hold(shop, held)
    assert stopped(shop, shop.buy(1)).data["rule"] == "risk"
    hold(shop, replace(held, risk_items=(), amount_minor=3000))
    assert stopped(shop, shop.buy(2)).data["rule"] == "amount"
    assert shop.check(shop.pass_of(shop.buy(1))).pieces == 2
    sold = sales.buy(
        sales.Buy(shop.shopper, shop.main, "CNY", (sales.Line(shop.milk, 9),), ids.new(), "till",
                  shop.staff)
    )  # fmt: skip
    assert shop.check(shop.pass_of(sold.sale_id)).pieces == 9


def test_a_bundle_is_scanned_by_its_code_or_by_its_parts(shop: DoorShop) -> None:
    with transaction():
        breakfast = catalogue.add_item(
            names={"en": "Breakfast"}, tax_rate_bp=900, price_minor=1800, currency="CNY",
            parts={shop.milk: 1, shop.bread: 2},
        )  # fmt: skip
        item = breakfast.id
    hold(shop)
    lines = (sales.Line(item, 2), sales.Line(shop.bread, 1))
    sale = sales.buy(sales.Buy(shop.shopper, shop.main, "CNY", lines, ids.new())).sale_id
    stopped(shop, sale)
    steps.widen(sale)
    scan(shop, sale, item, shop.milk, *[shop.bread] * 3)
    steps.pass_(sale, shop.asked())
    assert faults() == []
