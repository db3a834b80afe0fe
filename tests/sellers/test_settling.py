"""Settling: by the calendar, once, net of what came back; and paying it out, once."""

from __future__ import annotations

from datetime import UTC, date

import pytest
from flask import Flask
from sqlalchemy import select

from store import delivery, outbox, sales, sellers
from store.db import connection, transaction
from store.payment import escrow
from store.sales.orders import fulfilment
from store.sellers import figures, payouts, settling
from store.sellers.contracts import Agreed, cut_off
from store.sellers.models import Payout, Settlement
from store.sellers.payouts import PayoutChanged
from tests.conftest import Clock
from tests.sellers.counter import account, give_to, seller
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def lamp(world: World, clock: Clock) -> Thing:
    """An item at 10.00 that is Aurora's, at 20 % commission, settled on the next day."""
    lamp = world.item(price="10.00", on_hand=1000)
    give_to(seller(commission_bp=2000), lamp)
    clock.tick(minutes=1)
    return lamp


def settled() -> list[tuple[int, int, int, int]]:
    """(share, carried, payout, left) of every settlement."""
    columns = (Settlement.share_minor, Settlement.carried_minor, Settlement.payout_minor,
               Settlement.left_minor)  # fmt: skip
    rows = connection().execute(select(*columns).order_by(Settlement.number))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def test_the_calendar_says_up_to_when(world: World) -> None:
    for calendar, day, today, until in (
        ("days", 1, "2027-03-15", "2027-03-14T16:00"),
        ("days", 7, "2027-03-15", "2027-03-08T16:00"),
        ("weekly", 1, "2027-03-15", "2027-03-14T16:00"),  # It is a Monday.
        ("weekly", 7, "2027-03-15", "2027-03-13T16:00"),
        ("weekly", 2, "2027-03-15", "2027-03-08T16:00"),
        ("monthly", 1, "2027-03-15", "2027-02-28T16:00"),
        ("monthly", 15, "2027-03-15", "2027-03-14T16:00"),
        ("monthly", 16, "2027-03-15", "2027-02-15T16:00"),
        ("monthly", 28, "2027-01-03", "2026-12-27T16:00"),
    ):
        found = cut_off(calendar, day, date.fromisoformat(today))
        assert found.astimezone(UTC).isoformat()[:16] == until, (calendar, day)  # Of Shanghai.


def test_what_was_sold_yesterday_is_settled_today_once(
    world: World, clock: Clock, lamp: Thing
) -> None:
    lin = world.member(funds="100")
    world.buy(lin, (lamp, 2))
    assert settling.settle() == []  # T+1: not today.
    clock.tick(days=1)
    world.buy(lin, lamp)
    (made,) = settling.settle()
    assert settled() == [(1600, 0, 1600, 0)]
    assert settling.settle() == []
    assert account("seller:AURORA") == 800  # Today's sale waits.
    assert account("payouts") == 1600
    payouts.pay(made, "BANK-1", steps=0, made_by=None)
    payouts.pay(made, "BANK-1", steps=0, made_by=None)  # Sent twice, it is said once.
    assert (account("payouts"), account("bank")) == (0, 1600)
    assert world.faults() == []


def test_what_came_back_is_netted_and_below_zero_carried_on(
    world: World, clock: Clock, lamp: Thing
) -> None:
    lin, staff = world.member(funds="1000"), world.staff()
    first = world.buy(lin, (lamp, 3))
    clock.tick(days=1)
    settling.settle()
    sales.refund(first.id, made_by=staff.id, parts=[sales.Part(1, 2)])
    world.buy(lin, lamp)
    clock.tick(days=1)
    settling.settle()
    assert settled()[1:] == [(-800, 0, 0, -800)]
    world.buy(lin, (lamp, 5))
    clock.tick(days=1)
    settling.settle()
    assert settled()[2:] == [(4000, -800, 3200, 0)]
    world.buy(lin, lamp)
    clock.tick(days=1)
    settling.settle()
    assert settled()[3:] == [(800, 0, 800, 0)]
    assert world.faults() == []


def test_what_is_held_waits_until_it_is_released(world: World, clock: Clock, lamp: Thing) -> None:
    lin = world.member(funds="1000")
    held = world.buy(lin, lamp)
    world.buy(lin, lamp)
    world.app.config["ESCROW_DAYS"] = 7
    with transaction():
        escrow.hold(held.id, lin.id, 1000, "CNY")
    clock.tick(days=1)
    settling.settle()
    assert settled() == [(800, 0, 800, 0)]
    with transaction():
        escrow.release(held.id, "shopper")
    settling.settle()
    assert settled()[1:] == [(800, 0, 800, 0)]
    assert world.faults() == []


def test_what_is_to_be_paid_at_the_door_waits_and_shares_what_does_not_come(
    world: World, app: Flask, clock: Clock, lamp: Thing
) -> None:
    app.config["CASH_ON_DELIVERY"] = "300"
    world.zone((50_000, "6"))
    sam, lin = world.staff(), world.member()
    sale = world.order(lin, (lamp, 2), means="delivery")
    clock.tick(days=1)
    assert settling.settle() == []  # Booked, but not paid.
    assert account("seller:AURORA") == 1600  # Of the goods; bringing them is the house's.
    shipment = delivery.of_sale(sale.id)[0].id
    for event in ("pick", "pack", "ship"):
        fulfilment.step(shipment, event, made_by=sam.id, carrier="SF Express")
    fulfilment.step(shipment, "deliver", made_by=sam.id, courier="Old Wang")
    settling.settle()
    assert settled() == [(1600, 0, 1600, 0)]
    assert world.faults() == []


def test_a_payout_that_came_back_is_due_again_and_old_pages_change_nothing(
    world: World, clock: Clock, lamp: Thing
) -> None:
    world.buy(world.member(funds="100"), lamp)
    clock.tick(days=1)
    (made,) = settling.settle()
    with pytest.raises(PayoutChanged):
        payouts.fail(made, "too early", steps=0, made_by=None)
    payouts.pay(made, "BANK-1", steps=0, made_by=None)
    with pytest.raises(PayoutChanged):
        payouts.pay(made, "BANK-2", steps=0, made_by=None)
    payouts.fail(made, "account closed", steps=1, made_by=None)
    payouts.fail(made, "account closed", steps=1, made_by=None)
    with pytest.raises(PayoutChanged):
        payouts.pay(made, "BANK-1", steps=0, made_by=None)
    assert (account("payouts"), account("bank")) == (800, 0)
    payouts.pay(made, "BANK-2", steps=2, made_by=None)
    assert (account("payouts"), account("bank")) == (0, 800)
    state = connection().execute(select(Payout.state, Payout.reference, Payout.steps)).one()
    assert tuple(state) == ("paid", "BANK-2", 3)
    assert world.faults() == []


def test_a_new_contract_leaves_the_old_one_to_what_was_sold_before(
    world: World, clock: Clock, lamp: Thing
) -> None:
    lin = world.member(funds="100")
    world.buy(lin, lamp)
    aurora = next(one.seller.id for one in figures.list_sellers(clock.now, clock.now, "CNY"))
    tomorrow = clock.now.date().replace(day=16)
    sellers.begin(aurora, Agreed(5000, calendar="weekly", calendar_day=5), tomorrow)
    world.buy(lin, lamp)
    clock.tick(days=1)
    world.buy(lin, lamp)
    outbox.work()
    assert account("commission") == 200 + 200 + 500
    assert settling.settle() == []  # Its calendar is weekly now: on Friday.
    clock.tick(days=3)
    settling.settle()
    assert settled() == [(2100, 0, 2100, 0)]
    assert world.faults() == []
