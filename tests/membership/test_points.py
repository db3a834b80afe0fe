"""Points: earned wherever somebody buys, taken back to the point by what comes back, too old in
the order in which they came."""

from __future__ import annotations

import random
from datetime import timedelta

from flask import Flask
from sqlalchemy import event, update

from store import catalogue, outbox, sales
from store.db import shop_engine, transaction
from store.ids import new
from store.membership import point_ages, point_rules, points
from store.membership.point_rules import Factor, Wanted
from store.payment import escrow
from store.sales import (
    Buy,
    Line,
    Part,
    pointed,
)
from store.sales.models import Sale
from store.sales.orders import fulfilment
from tests.conftest import Clock
from tests.membership.making import offer
from tests.races.crowd import token_of
from tests.world import Somebody, World


def rules(world: World, many: int = 1, each: int = 100, **more: object) -> int:
    """So many points for each so much, from now on; answers the rules' id."""
    with transaction():
        wanted = Wanted(many, each, world.currency, **more)  # type: ignore[arg-type]
        return point_rules.save(wanted, made_by=None)


def had(who: Somebody) -> int:
    """What a member has once the worker has done its work."""
    outbox.work()
    return points.balance_of(who.id).points


def test_a_shop_without_points_asks_nothing_more_and_books_nothing(
    world: World, app: Flask
) -> None:
    lin, milk = world.member(funds="100"), world.item("oat-milk", on_hand=30)
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    with app.app_context():
        event.listen(shop_engine(), "before_cursor_execute", note)
        sales.buy(Buy(lin.id, world.location, world.currency, (Line(milk.id, 1),), new()))
        assert not [one for one in said if "point" in one]
        assert had(lin) == 0 and not points.statement(lin.id)
        rules(world, worth_points=1, worth_minor=1)
        for _ in range(2):  # The first one reads the rules, for all.
            said.clear()
            sales.buy(Buy(lin.id, world.location, world.currency, (Line(milk.id, 1),), new()))
        assert not [one for one in said if "point" in one]  # Its worker has all the work.
        event.remove(shop_engine(), "before_cursor_execute", note)


def test_what_comes_back_takes_back_what_it_brought_to_the_point(world: World, app: Flask) -> None:
    """Many units, a bundle, a deposit, an offer, several factors: in whatever parts and order it
    comes back, and however late it is booked, all of it leaves what there was before."""
    lin, olga, dice = world.member(funds="9000"), world.owner(), random.Random(7)
    with app.app_context(), transaction():
        bottle = catalogue.add_deposit({"en": "Bottle", "zh": "瓶"}, 25, world.currency).item_id
    soda = world.item("oat-milk", price="3.33", on_hand=99, deposit_id=bottle)
    apple = world.item("red-apple", price="0.99", on_hand=99)
    gift = world.item("coffee", price="7.77", on_hand=99)
    beans = world.item("jam", price="2.22", on_hand=99)
    box = world.item("cookies", price="5.55", on_hand=0, parts={apple.id: 1, beans.id: 2})
    with app.app_context():
        rules(world, 7, 150, basis="net",
              factors=(Factor(soda.id, None, 250), Factor(gift.id, None, 0)))  # fmt: skip
        offer(world, "n_for_m", 3, 2, item_id=soda.id)
        first = world.buy(lin, (soda, 1))
        before = had(lin)
        entry = points.statement(lin.id)[0]
        net = first.lines[0].total_minor - first.lines[0].tax_minor
        assert before == entry.points == net * 250 * 7 // (150 * 100)
        assert entry.sale_id == first.id and entry.expires_at is None
        for round_ in range(3):
            sale = world.buy(lin, (soda, 7), (apple, 5), (gift, 2), (box, 3))
            if round_ != 1:  # Else the sale is booked together with what came back of it.
                assert had(lin) > before
            sales.refund(sale.id, made_by=olga.id, parts=[Part(4, 3, beans.id)])
            goods = {1: 7, 2: 5, 3: 2}
            while any(goods.values()):
                at = dice.choice([each for each, left in goods.items() if left])
                many = dice.randint(1, goods[at])
                goods[at] -= many
                sales.refund(sale.id, made_by=olga.id, parts=[Part(at, many)])
                if round_ == 0:
                    assert had(lin) >= before
            sales.refund(sale.id, made_by=olga.id)
            assert had(lin) == before
            with transaction():  # Who comes again books nothing again.
                pointed.book([sale.id])
            assert had(lin) == before
    assert world.faults() == []


def test_the_rules_of_the_moment_hold_whenever_it_is_told(
    world: World, app: Flask, clock: Clock
) -> None:
    lin, milk = world.member(funds="900"), world.item("oat-milk", price="10.00", on_hand=99)
    with app.app_context():
        early = world.buy(lin, milk)
        clock.tick(hours=1)
        rules(world, least_minor=1500)
        little, enough = world.buy(lin, milk), world.buy(lin, (milk, 2))
        clock.tick(hours=1)
        rules(world, 5)
        assert had(lin) == 20
        world.buy(lin, milk)
        # Nobody's sale brings nothing; who it turns out to be gets what it would have brought.
        staff = world.staff()
        sold = sales.buy(Buy(None, world.location, world.currency, (Line(milk.id, 3),), new(),
                             "till", staff.id, means="cash"))  # fmt: skip
        assert had(lin) == 70
        clock.tick(hours=1)
        rules(world, 0)
        world.buy(lin, milk)
        assert had(lin) == 70
        brought = {one.sale_id for one in points.statement(lin.id)}
        assert enough.id in brought and not {early.id, little.id} & brought
    assert world.faults() == []
    with app.app_context():
        with transaction() as session:
            session.execute(update(Sale).where(Sale.id == sold.sale_id).values(member_id=lin.id))
            outbox.put("sale.claimed", sold.sale_id)
        assert had(lin) == 70 + 150


def test_an_order_brings_points_once_it_is_received_and_paid(world: World, app: Flask) -> None:
    app.config.update(ESCROW_DAYS=7, CASH_ON_DELIVERY="500")
    world.zone((5000, "6"))
    lin, olga = world.member(funds="100"), world.owner()
    milk = world.item("oat-milk", price="10.00", on_hand=99)
    with app.app_context():
        rules(world)
        held, due = world.order(lin, (milk, 2)), world.order(lin, (milk, 3), means="delivery")
        assert had(lin) == 0 and pointed.sweep() == 0
        fulfilment.cancel(due.id, made_by=olga.id)
        assert had(lin) == 0 and pointed.sweep() == 0
        with transaction():
            assert escrow.release(held.id, "shopper")
        assert pointed.sweep() == 1 and had(lin) == 20  # What it cost to bring it is no goods.
        assert pointed.sweep() == 0
    assert world.faults() == []


def test_the_oldest_points_go_first_and_a_refund_of_them_takes_them_once(
    world: World, app: Flask, clock: Clock
) -> None:
    lin, olga = world.member(funds="900"), world.owner()
    milk = world.item("oat-milk", price="10.00", on_hand=99)
    with app.app_context():
        rules(world, lives_days=30)
        old = world.buy(lin, milk)
        clock.tick(days=10)
        young = world.buy(lin, (milk, 2))
        assert had(lin) == 30
        assert point_ages.next_over(lin.id) == (10, old.created_at + timedelta(days=30))
        clock.tick(days=19)
        assert point_ages.sweep() == 0 and had(lin) == 30
        clock.tick(days=1)
        assert point_ages.sweep() == 1 and point_ages.sweep() == 0
        assert had(lin) == 20 and points.statement(lin.id)[0].points == -10
        # These are over: what brought them comes back, and takes nothing more.
        sales.refund(old.id, made_by=olga.id)
        assert had(lin) == 20
        sales.refund(young.id, made_by=olga.id, parts=[Part(1, 1)])
        assert had(lin) == 10
        clock.tick(days=10)
        assert point_ages.sweep() == 1 and had(lin) == 0
        sales.refund(young.id, made_by=olga.id)
        assert had(lin) == 0 and point_ages.sweep() == 0
    assert world.faults() == []


def test_the_owner_sets_the_rules_and_the_member_sees_how_each_point_came(
    world: World, app: Flask
) -> None:
    milk = world.item("oat-milk", price="10.00", on_hand=99)
    lin, wu = world.member(funds="900"), world.member()
    olga, mine = world.client_for(world.owner()), world.client_for(lin)
    assert "Your points" not in mine.get("/me").text
    form = {"points": "2", "each": "1.00", "basis": "gross", "least": "5", "lives_days": "365",
            "item-1": milk.code, "percent-1": "300"}  # fmt: skip
    for bad in (
        {"points": "-1"}, {"points": "x"}, {"each": "0"}, {"each": "-1"}, {"basis": "half"},
        {"lives_days": "0"}, {"least": "1.001"}, {"item-1": "NOPE"}, {"percent-1": "ten"},
        {"item-2": milk.code, "percent-2": "1"}, {"points": "9" * 12},
    ):  # fmt: skip
        refused = olga.post("/owner/points", form | bad)
        assert refused.status_code == 422 and "Nothing was saved" in refused.text, bad
    assert "No points yet" in olga.get("/owner/points").text
    assert olga.post("/owner/points", form).status_code == 303
    shown = olga.get("/owner/points").text
    assert "A purchase of ¥10.00 brings" in shown and "20 points" in shown
    assert f'value="{milk.code}"' in shown and 'value="300"' in shown
    with app.app_context():
        sale = world.buy(lin, milk)
        assert had(lin) == 60
    assert "Your points" in mine.get("/me").text
    page = mine.get("/me/points").text
    assert f'href="/sales/{sale.id}"' in page and "+60" in page and "60 points, until" in page
    assert "No points yet" in world.client_for(wu).get("/me/points?before=x").text
    told = app.test_client().get(
        "/api/v1/me/points", headers={"Authorization": f"Bearer {token_of(world, lin)}"}
    ).get_json()  # fmt: skip
    assert told["points"] == 60 and told["tier"] is None and told["entries"][0]["sale"] == sale.id
    assert world.faults() == []
