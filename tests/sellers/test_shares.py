"""Shares: what of each line is the seller's, booked after the sale, and taken back with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from store import outbox, sales, sellers
from store.sellers.contracts import Agreed
from store.sellers.rules import kept, taken_back
from store.sellers.shares import catch_up
from tests.conftest import Clock
from tests.sellers.counter import account, entries, give_to, seller
from tests.world import World

pytestmark = pytest.mark.usefixtures("context")


def test_what_was_sold_for_a_seller_is_theirs_but_for_the_commission(world: World) -> None:
    aurora = seller(commission_bp=2500, line_fee_minor=10)
    lamp, milk = world.item(price="99.99"), world.item("coffee", price="50.00")
    give_to(aurora, lamp)
    receipt = world.buy(world.member(funds="500"), (lamp, 2), milk)
    # 25 % of 199.98 is 49.995, and 0.10 for the line.
    assert entries(receipt.id) == [(aurora, lamp.id, 19998, 5010, 0, 14988)]
    assert account("seller:AURORA") == 14988
    assert account("commission") == 5010
    assert account("takings") == 5000
    assert world.faults() == []


def test_whose_it_was_when_it_was_sold_counts(world: World, clock: Clock) -> None:
    aurora, boreal = seller("AURORA", 1000), seller("BOREAL", 2000)
    lamp, lin = world.item(price="10.00"), world.member(funds="100")
    house = world.buy(lin, lamp)
    clock.tick(minutes=1)
    give_to(aurora, lamp)
    first = world.buy(lin, lamp)
    clock.tick(minutes=1)
    sellers.begin(aurora, Agreed(5000))
    second = world.buy(lin, lamp)
    clock.tick(minutes=1)
    give_to(boreal, lamp)
    third = world.buy(lin, lamp)
    clock.tick(minutes=1)
    give_to(None, lamp)
    # Nothing was booked until now: whose it is now does not matter.
    assert entries(house.id) == []
    assert [entries(one.id)[0][0] for one in (first, second, third)] == [aurora, aurora, boreal]
    assert [entries(one.id)[0][3] for one in (first, second, third)] == [100, 500, 200]
    world.refund(third, world.staff())
    assert entries(third.id)[1] == (boreal, lamp.id, -1000, -200, 0, -800)
    assert world.faults() == []


def test_units_that_go_back_take_their_share_with_them_to_the_last_coin(world: World) -> None:
    aurora = seller(commission_bp=3333, line_fee_minor=7)
    lamp, staff = world.item(price="3.35"), world.staff()
    give_to(aurora, lamp)
    receipt = world.buy(world.member(funds="100"), (lamp, 3))
    for _ in range(3):
        sales.refund(receipt.id, made_by=staff.id, parts=[sales.Part(1, 1)])
    booked = entries(receipt.id)
    assert len(booked) == 4
    assert [sum(row[at] for row in booked) for at in (2, 3, 4, 5)] == [0, 0, 0, 0]
    assert [account(name) for name in ("seller:AURORA", "commission", "takings")] == [0, 0, 0]
    assert world.faults() == []


def test_it_is_booked_once_whoever_does_it(world: World) -> None:
    aurora = seller()
    lamp = world.item(price="10.00")
    give_to(aurora, lamp)
    receipt = world.buy(world.member(funds="100"), lamp)
    world.refund(receipt, world.staff())
    assert catch_up() == 2  # A settlement does it before any worker has come by.
    catch_up()
    before = entries()  # The worker comes by.
    assert len(before) == 2
    assert outbox.pending() == 0
    assert account("seller:AURORA") == 0
    assert world.faults() == []


def test_the_seller_bears_the_gateways_fee_where_the_contract_says_so(world: World) -> None:
    terms = Agreed(1000, fee_bp=60)
    assert kept(10_000, terms, "account") == (1000, 0)
    assert kept(10_000, terms, "cash") == (1000, 0)
    assert kept(10_000, terms, "stripe") == (1000, 60)
    assert kept(10_000, Agreed(10_000, fee_bp=60), "card") == (10_000, 0)
    assert kept(5, Agreed(0, line_fee_minor=10), "card") == (5, 0)
    aurora = seller(commission_bp=1000, fee_bp=60)
    lamp, staff = world.item(price="100.00"), world.staff()
    give_to(aurora, lamp)
    lines = (sales.Line(lamp.id, 1),)
    bought = sales.buy(sales.Buy(None, world.location, "CNY", lines, "k", "till", means="card",
                                 sold_by=staff.id))  # fmt: skip
    assert entries(bought.sale_id) == [(aurora, lamp.id, 10_000, 1000, 60, 8940)]
    assert account("seller_fees") == 60
    assert account("takings") == 0
    assert world.faults() == []


def test_a_bundle_is_its_parts_sellers_however_it_comes_back(world: World) -> None:
    aurora, boreal = seller("AURORA", 1000), seller("BOREAL", 2000)
    milk, beans = world.item(price="1.00"), world.item("coffee", price="2.00")
    jam = world.item("jam", price="3.00")
    give_to(aurora, milk)
    give_to(boreal, beans)
    box = world.item("cookies", price="5.55", on_hand=0,
                     parts={milk.id: 1, beans.id: 2, jam.id: 1})  # fmt: skip
    receipt = world.buy(world.member(funds="100"), (box, 3))
    sold = entries(receipt.id)
    assert [(row[0], row[1]) for row in sold] == [
        (aurora, milk.id), (boreal, beans.id), (None, jam.id)
    ]  # fmt: skip
    assert sum(row[2] for row in sold) == 1665
    staff = world.staff().id
    sales.refund(receipt.id, made_by=staff, parts=[sales.Part(1, 1)])
    sales.refund(receipt.id, made_by=staff, parts=[sales.Part(1, 1, beans.id)])
    sales.refund(receipt.id, made_by=staff, parts=[sales.Part(1, 1), sales.Part(1, 1, beans.id)])
    assert world.faults() == []
    world.refund(receipt, world.staff())
    booked = entries(receipt.id)
    for item in (milk, beans, jam):
        mine = [row for row in booked if row[1] == item.id]
        assert [sum(row[at] for row in mine) for at in (2, 3, 4, 5)] == [0, 0, 0, 0]
    assert [account(f"seller:{code}") for code in ("AURORA", "BOREAL")] == [0, 0]
    assert world.faults() == []


@given(
    total=some.integers(0, 10**9), commission=some.integers(0, 10_000),
    line_fee=some.integers(0, 1000), fee=some.integers(0, 10_000),
    cuts=some.lists(some.integers(0, 10**9), max_size=6),
)  # fmt: skip
def test_nothing_is_lost_or_made_by_rounding(
    total: int, commission: int, line_fee: int, fee: int, cuts: list[int]
) -> None:
    of = kept(total, Agreed(commission, line_fee_minor=line_fee, fee_bp=fee), "stripe")
    assert of.commission_minor >= 0 and of.fee_minor >= 0 and of.total_minor <= total
    back, gone = [0, 0], 0
    for upto in [*sorted(cut % (total + 1) for cut in cuts), total]:
        one = taken_back(total, of, gone, upto - gone)
        assert one.commission_minor >= 0 and one.fee_minor >= 0
        assert one.total_minor <= upto - gone  # The seller gives back the rest, never below zero.
        back, gone = [back[0] + one.commission_minor, back[1] + one.fee_minor], upto
    assert back == [of.commission_minor, of.fee_minor]
