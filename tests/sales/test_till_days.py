"""Days of a till: opened, counted, closed once; what differs has a name and a reason, and what
comes in late stands in the next day."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask

from store import catalogue, delivery, errors, ids, sales
from store import clock as shop_clock
from store.db import db, transaction
from store.sales.orders import couriers, fulfilment
from store.sales.till import empties, till_days, till_sums
from store.sales.till.till_days import (
    Closing,
    Moved,
    TillChanged,
    TillClosed,
)
from store.sales.till.till_models import TillDay
from tests.conftest import Clock
from tests.payment.costs.counter import held
from tests.world import Somebody, Thing, World


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.staff()


def sell(world: World, seller: Somebody, thing: Thing, means: str = "cash") -> str:
    line = (sales.Line(thing.id, 1),)
    asked = sales.Buy(None, world.location, "CNY", line, ids.new(), "till", seller.id, means=means)
    return sales.buy(asked).sale_id


def opened(world: World, sam: Somebody, minor: int, reason: str = "") -> str:
    day = till_days.open_day(world.location, sam.id, "CNY", minor, reason, made_by=sam.id)
    db.session.rollback()
    return day


def closed(day: str, sam: Somebody, cash: int, banked: int = 0) -> int:
    mine = till_days.count(day, {"cash": cash}, made_by=sam.id)
    number = till_days.close_day(Closing(day, mine, banked), made_by=sam.id)
    db.session.rollback()
    return number


@pytest.mark.usefixtures("context")
def test_a_day_from_the_float_to_the_safe(world: World, sam: Somebody) -> None:
    milk = world.item(price="12")
    day = opened(world, sam, 20_000)
    assert opened(world, sam, 5) == day
    assert held("safe") == -20_000
    first = sell(world, sam, milk)
    sell(world, sam, milk)
    sell(world, sam, milk, "card")
    sales.refund(first, made_by=sam.id)
    asked = Moved(day, -500, "expenses", "stamps", ids.new())
    assert till_days.move(asked, made_by=sam.id) == till_days.move(asked, made_by=sam.id)
    # 200 + 12 + 12 - 12 - 5
    with pytest.raises(errors.Invalid):
        closed(day, sam, 20_600)
    mine = till_days.count(day, {"cash": 20_600, "card": 1_200}, made_by=sam.id)
    asked_close = Closing(day, mine, 600, {"cash": "a coin fell down"})
    assert till_days.close_day(asked_close, made_by=sam.id) == 1
    assert till_days.close_day(asked_close, made_by=sam.id) == 1
    assert (held("cash_differences"), held("safe")) == (100, -19_400)
    assert (held("cash"), held("expenses")) == (20_000, 500)
    assert world.faults() == []
    with pytest.raises(TillClosed):
        till_days.move(Moved(day, -500, "safe", "more", ids.new()), made_by=sam.id)
    with pytest.raises(errors.Invalid):
        opened(world, sam, 19_999)
    opened(world, sam, 19_999, "one coin is gone")
    assert (held("cash"), held("cash_differences")) == (19_999, 101)
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_what_is_sold_after_the_count_is_counted_again(world: World, sam: Somebody) -> None:
    milk, day = world.item(price="12"), opened(world, sam, 0)
    mine = till_days.count(day, {"cash": 0}, made_by=sam.id)
    sell(world, sam, milk)
    with pytest.raises(TillChanged):
        till_days.close_day(Closing(day, mine, 0), made_by=sam.id)
    assert closed(day, sam, 1_200) == 1
    sell(world, sam, milk)
    # Nobody opened the till: the sale waits for the next day, and is marked there.
    again = opened(world, sam, 1_200)
    till = till_days.till_of(world.location, sam.id, "CNY")
    assert till is not None
    [late] = till_sums.entries(till, till_days.open_day_of(till))
    assert (late.amount_minor, late.late) == (1_200, True)
    assert closed(again, sam, 2_400) == 2
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_a_till_that_was_away_tells_late(world: World, sam: Somebody, clock: Clock) -> None:
    milk = world.item(price="12")
    clock.tick(hours=1)
    day = opened(world, sam, 0)
    clock.tick(hours=1)
    at = shop_clock.now()
    clock.tick(hours=1)
    assert closed(day, sam, 0) == 1
    clock.tick(hours=12)
    told_late(world, sam, milk, at)
    again = opened(world, sam, 0)
    till = till_days.till_of(world.location, sam.id, "CNY")
    assert till is not None
    [late] = till_sums.entries(till, till_days.open_day_of(till))
    assert (late.late, late.at) == (True, at)
    assert closed(again, sam, 1_200, 1_200) == 2
    assert [one.late for one in till_sums.of_day(again)] == [True]
    assert world.faults() == []


def told_late(world: World, sam: Somebody, milk: Thing, at: datetime) -> None:
    """A sale that a till without a network tells of now."""
    line = sales.Charged(milk.id, 1, 1_200)
    asked = sales.OfflineSale(None, world.location, "CNY", (line,), ids.new(), "cash", sam.id, at)
    sales.take_in(asked)
    db.session.rollback()


class TestAllThatMovesCash:
    @pytest.fixture(params=["CNY", "JPY"])
    def settings(
        self, request: pytest.FixtureRequest, settings: dict[str, object]
    ) -> dict[str, object]:
        return settings | {"CURRENCY": request.param, "CASH_ON_DELIVERY": "9000"}

    def test_stands_in_the_drawer_of_who_moved_it(
        self, world: World, app: Flask, sam: Somebody
    ) -> None:
        """A refund is paid out by a colleague, empties are, and a courier's cash is counted."""
        world.currency, kim = app.config["CURRENCY"], world.staff()
        page = world.client_for(sam)
        with app.app_context():
            for seller in (sam, kim):
                till_days.open_day(
                    world.location, seller.id, world.currency, 0, "", made_by=seller.id
                )
            with transaction():
                bottle = catalogue.add_deposit({"en": "Bottle"}, 25, world.currency).item_id
            milk = world.item(price="1200")
            line = (sales.Line(milk.id, 2),)
            asked = sales.Buy(None, world.location, world.currency, line, ids.new(), "till",
                              sam.id, means="cash")  # fmt: skip
            sold = sales.buy(asked).sale_id
            sales.refund(sold, made_by=kim.id, parts=[sales.Part(1, 1)])
            brought = empties.Returned(world.location, world.currency, {bottle: 3}, ids.new(),
                                       sam.id)  # fmt: skip
            empties.take_back(brought)
            self.by_courier(world, milk, sam)
            unit = {"CNY": 120_000, "JPY": 1_200}[world.currency]
            for seller, expected in ((sam, 3 * unit - 75), (kim, -unit)):
                till = till_days.till_of(world.location, seller.id, world.currency)
                assert till is not None
                found = till_sums.entries(till, till_days.open_day_of(till))
                assert till_sums.sums(found)["cash"].amount_minor == expected
        shown = page.get("/desk/till/day").text
        assert {"CNY": "¥3,599.25", "JPY": "3,525"}[world.currency] in shown
        half = page.post("/desk/till/day/moves", day=self.day_of(app, world, sam), way="safe",
                         amount="0.5", reason="halves", key=ids.new())  # fmt: skip
        assert half.status_code == (303 if world.currency == "CNY" else 422)
        assert world.faults() == []

    def by_courier(self, world: World, milk: Thing, sam: Somebody) -> None:
        world.zone((50_000, "0"))
        sale = world.order(world.member(), milk, means="delivery")
        shipment = delivery.of_sale(sale.id)[0].id
        for event in ("pick", "pack", "ship", "deliver"):
            fulfilment.step(shipment, event, made_by=sam.id, carrier="SF Express")
        [one] = couriers.owed()
        counted = couriers.Count(one.courier_id, world.location, one.amount_minor,
                                 one.amount_minor, world.currency, ids.new(), "")  # fmt: skip
        couriers.hand_in(counted, made_by=sam.id)

    def day_of(self, app: Flask, world: World, sam: Somebody) -> str:
        with app.app_context():
            till = till_days.till_of(world.location, sam.id, app.config["CURRENCY"])
            day = till_days.open_day_of(till)
            assert day is not None
            return day.id


@pytest.mark.usefixtures("context")
def test_what_goes_to_an_account_stays_in_the_drawer(world: World, sam: Somebody) -> None:
    milk, lin = world.item(price="12"), world.member()
    day = opened(world, sam, 0)
    line = (sales.Line(milk.id, 2),)
    asked = sales.Buy(lin.id, world.location, "CNY", line, ids.new(), "till", sam.id, means="cash")
    sold = sales.buy(asked).sale_id
    sales.refund(sold, made_by=sam.id, parts=[sales.Part(1, 1)], to_account=True)
    assert closed(day, sam, cash=2_400) == 1
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_other_drawers_are_other_days(world: World, sam: Somebody) -> None:
    milk, kim = world.item(price="12"), world.staff()
    mill = world.place("MILL")
    opened(world, sam, 0)
    till_days.open_day(mill, sam.id, "CNY", 100, "", made_by=sam.id)
    till_days.open_day(world.location, kim.id, "CNY", 200, "", made_by=kim.id)
    sell(world, kim, milk)
    till = till_days.till_of(world.location, sam.id, "CNY")
    assert till is not None
    assert till_sums.entries(till, None) == []
    assert len(till_sums.days(world.location)) == 0
    assert world.faults() == []


def test_pages_from_opening_to_paper(world: World, app: Flask, sam: Somebody) -> None:
    with app.app_context():
        milk = world.item(price="12")
    page, owner = world.client_for(sam), world.client_for(world.owner())
    assert "It comes from the safe" in page.get("/desk/till/day").text
    assert page.post("/desk/till/day", opening="100").status_code == 303
    with app.app_context():
        sell(world, sam, milk)
        day = db.session.query(TillDay).one().id
    assert "¥112.00" in page.get("/desk/till/day").text
    form = {"notes-10000": "1", "notes-1000": "1", "notes-100": "1", "counted-card": "0"}
    assert page.post("/desk/till/day/counts", form, day=day).status_code == 303
    found = page.get("/desk/till/day").text
    assert "¥1.00 short" in found
    count = re.search(r'name="count" value="(\w+)"', found)
    assert count
    close = {"day": day, "count": count[1], "banked": "11"}
    assert page.post("/desk/till/day/closings", close).status_code == 422
    done = page.post("/desk/till/day/closings", close | {"reason-cash": "=a coin"})
    report = page.get(done.location).text
    for said in ("¥112.00", "¥111.00", "=a coin", "¥100.00"):
        assert said in report, said
    assert "sale" in page.get(f"{done.location}/csv").text
    assert owner.get(done.location).status_code == 200
    assert world.client_for(world.staff()).get(done.location).status_code == 404
    assert "No. 1" in owner.get("/desk/till/days").text
    assert world.faults() == []


@pytest.mark.parametrize(
    "form",
    [
        {"counted-cash": "-1"}, {"counted-cash": "abc"}, {"counted-cash": "1.234"}, {},
        {"counted-cash": "5", "notes-100": "1"}, {"notes-100": "-1"}, {"notes-100": "1e3"},
        {"counted-cash": "9" * 18}, {"counted-cash": "1", "counted-card": "x"},
    ],
)  # fmt: skip
def test_a_count_that_cannot_be_is_refused(
    world: World, app: Flask, sam: Somebody, form: dict[str, str]
) -> None:
    page = world.client_for(sam)
    page.post("/desk/till/day", opening="0")
    with app.app_context():
        day = db.session.query(TillDay).one().id
    assert page.post("/desk/till/day/counts", form | {"day": day}).status_code == 422
    assert page.post("/desk/till/day/moves", day="none", way="in", amount="1", reason="x",
                     key="a-long-key").status_code == 404  # fmt: skip


class TestBlind:
    @pytest.fixture
    def settings(self, settings: dict[str, object]) -> dict[str, object]:
        return settings | {"TILL_BLIND": True}

    def test_staff_count_before_they_see(self, world: World, app: Flask, sam: Somebody) -> None:
        with app.app_context():
            milk = world.item(price="12")
        page, owner = world.client_for(sam), world.client_for(world.owner())
        page.post("/desk/till/day", opening="100")
        with app.app_context():
            sell(world, sam, milk)
            day = db.session.query(TillDay).one().id
        assert "¥112.00" not in page.get("/desk/till/day").text
        assert "¥112.00" in owner.get(f"/desk/till/day?seller={sam.id}").text
        page.post("/desk/till/day/counts", {"counted-cash": "110", "day": day})
        assert "¥112.00" in page.get("/desk/till/day").text
