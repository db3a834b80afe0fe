"""Tiers: who buys more has more of it, and who gives it back is where they were before."""

from __future__ import annotations

import json
import random
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import event, text

from store import clock as now_clock
from store import outbox, sales
from store.db import connection, shop_engine, transaction
from store.errors import Refusal
from store.ids import new
from store.membership import points, tier_plans, tiers
from store.membership.tier_plans import Wanted
from store.membership.tiers import Tier
from store.sales import Buy, Line, Part
from tests.conftest import Clock
from tests.membership.making import coupon
from tests.membership.test_points import rules
from tests.races.crowd import token_of
from tests.world import Somebody, World

FORM = {"basis": "spending", "days": "30",
        "name_en-1": "Silver", "name_zh-1": "银卡", "least-1": "20", "percent-1": "150",
        "name_en-2": "Gold", "least-2": "50.00", "percent-2": "200", "off-2": "10"}  # fmt: skip


def buy(world: World, who: Somebody, item: int, many: int) -> str:
    asked = Buy(who.id, world.location, world.currency, (Line(item, many),), new())
    sale = sales.buy(asked).sale_id
    outbox.work()
    return sale


def stands(who: Somebody) -> tuple[str, int, int]:
    """The member's tier, what counts, and what is missing to the next."""
    plan = tiers.now()
    assert plan is not None
    found = tiers.standing_of(who.id, plan)
    return found.tier.names["en"] if found.tier else "", found.value, found.missing


def test_tiers_from_their_rules_to_the_basket_and_back(
    world: World, app: Flask, clock: Clock, runner: FlaskCliRunner
) -> None:
    milk = world.item("oat-milk", price="10.00", on_hand=90)
    who = world.member(funds="500")
    olga, lin, sam = world.owner(), world.client_for(who), world.client_for(world.member())
    owner = world.client_for(olga)
    assert "No tiers yet" in owner.get("/owner/tiers").text
    assert owner.post("/owner/tiers", FORM).status_code == 422  # There are no points yet.
    with app.app_context():
        rules(world)
    for bad in (
        {"basis": "looks"}, {"days": "0"}, {"days": "x"}, {"least-2": "20"}, {"least-1": "-1"},
        {"percent-1": "99"}, {"percent-1": "1001"}, {"off-2": "101"}, {"key-1": "77"},
        {"name_en-1": "x" * 41}, {"least-2": ""}, {"name_en-2": "a\x00b"},
    ):  # fmt: skip
        assert owner.post("/owner/tiers", FORM | bad).status_code == 422, bad
    assert "no tiers" in lin.get("/me/tier").text
    assert "Your tier" not in lin.get("/me").text
    assert owner.post("/owner/tiers", FORM).status_code == 303
    assert "¥20.00 more to Silver" in lin.get("/me").text
    with app.app_context():
        first = buy(world, who, milk.id, 2)
        assert (stands(who), points.balance_of(who.id).points) == (("Silver", 2000, 3000), 20)
        clock.tick(minutes=1)
        second = buy(world, who, milk.id, 3)  # As silver: three times fifteen.
        assert (stands(who), points.balance_of(who.id).points) == (("Gold", 5000, 0), 65)
    head = {"Authorization": f"Bearer {token_of(world, who)}"}
    told = app.test_client().get("/api/v1/me/points", headers=head).get_json()["tier"]
    assert told == {
        "names": {"en": "Gold", "zh": "Gold"}, "next_names": {}, "missing_points": None,
        "free_delivery": False,
        "missing": {"amount": "0.00", "minor": 0, "currency": "CNY"},
    }  # fmt: skip
    # Gold takes 10 percent off, where the price stands and on the line of the basket.
    assert "Gold: 10% off" in lin.get(milk.path).text
    assert "Gold: 10% off" not in sam.get(milk.path).text
    lin.post("/basket/lines", code=milk.code, quantity="1", seen_minor="1000")
    basket = lin.get("/basket").text
    assert "Gold: 10% off" in basket and 'name="seen_total" value="900"' in basket
    assert "Gold" in lin.get("/me/code").text and "You are here" in lin.get("/me/tier").text
    rows = json.loads(runner.invoke(args=["membership", "tiers", "--json"]).stdout)
    assert [(row["name"], row["least"]) for row in rows] == [("Silver", "20.00"), ("Gold", "50.00")]
    assert "Gold" in runner.invoke(args=["membership", "tiers"]).stdout
    # An offer and a coupon of the owner's own for who is silver or more.
    with app.app_context():
        coupon(world, "amount", 100, "SHINE", audience="tier", tier=1)
    lin.post("/basket/coupon", coupon="SHINE")
    assert 'name="seen_total" value="800"' in lin.get("/basket").text
    sam.post("/basket/lines", code=milk.code, quantity="1", seen_minor="1000")
    sam.post("/basket/coupon", coupon="SHINE")
    assert "members of a higher tier" in sam.get("/basket").text
    assert "from Silver on" in owner.get("/owner/offers").text
    mine = {"kind": "percent", "value": "20", "audience": "tier-2", "item": milk.code}
    tried = owner.post("/owner/offers/preview", mine | {"preview": milk.code})
    assert "24.00" in tried.text
    assert owner.post("/owner/offers", mine | {"audience": "tier-9"}).status_code == 422
    made = owner.post("/owner/offers", mine)
    assert made.status_code == 303 and "Gold：优惠 20%" in _names(app)
    assert "Gold: 20% off" in lin.get(milk.path).text  # The better one, and no other.
    assert "Gold: 10% off" not in lin.get(milk.path).text
    assert owner.post(f"{made.location}/end").status_code == 303
    with app.app_context():
        plan = tiers.now()
        assert plan is not None
        of_gold = plan.tiers[1].offer_id
    assert owner.post(f"/owner/offers/{of_gold}/end").status_code == 422
    # What goes back counts no more; the second purchase keeps the points of its own moment.
    with app.app_context():
        sales.refund(first, made_by=olga.id, parts=[Part(1, 1)])
        outbox.work()
        assert (stands(who), points.balance_of(who.id).points) == (("Silver", 4000, 1000), 55)
    assert "Gold: 10% off" not in lin.get("/basket").text
    # The period is over: the sale leaves it, and with it what went back of it later.
    clock.tick(days=29)
    with app.app_context():
        sales.refund(second, made_by=olga.id)
        outbox.work()
        assert stands(who) == ("", 1000, 1000)
        clock.tick(days=2)
        assert stands(who) == ("", 0, 2000)
        assert points.balance_of(who.id).points == 10
    # Renamed and cheaper: the old offer ends, the new one begins; no tiers, no offers.
    changed = FORM | {"key-1": "1", "key-2": "2", "least-1": "0", "off-1": "5", "off-2": ""}
    assert owner.post("/owner/tiers", changed).status_code == 303
    assert "Silver: 5% off" in sam.get(milk.path).text
    assert "5% off" not in app.test_client().get(milk.path).text
    assert owner.post("/owner/tiers", {"basis": "spending", "days": "30"}).status_code == 303
    assert "Silver: 5% off" not in sam.get(milk.path).text
    assert "No tiers yet" in owner.get("/owner/tiers").text
    assert "no tiers" in lin.get("/me/tier").text
    assert world.faults() == []


def _names(app: Flask) -> str:
    with app.app_context():
        found = connection().execute(text("SELECT names FROM offers"))
        return "".join(str(json.loads(row[0]) if isinstance(row[0], str) else row[0])
                       for row in found)  # fmt: skip


def test_a_shop_without_tiers_asks_nothing_more(world: World, app: Flask) -> None:
    who, milk = world.member(funds="100"), world.item("oat-milk", on_hand=30)
    lin, said = world.client_for(who), list[str]()
    lin.get(milk.path)

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    with app.app_context():
        event.listen(shop_engine(), "before_cursor_execute", note)
        lin.get(milk.path)
        sales.buy(Buy(who.id, world.location, world.currency, (Line(milk.id, 1),), new()))
        event.remove(shop_engine(), "before_cursor_execute", note)
    assert said and not [one for one in said if "tier_plans" in one or "point_entries" in one]


def test_by_chance_a_tier_is_what_was_bought_and_kept(
    world: World, app: Flask, clock: Clock
) -> None:
    """Whatever is bought and given back, however late it is booked: what counts is the sales of the
    period less their refunds, and nothing is left when everything has come back."""
    dice = random.Random(11)
    goods = [world.item("oat-milk", price="3.33", on_hand=999),
             world.item("coffee", price="12.49", on_hand=999)]  # fmt: skip
    who, olga = world.member(funds="9000"), world.owner()
    steps = (Tier(0, {"en": "A", "zh": "A"}, 1), Tier(0, {"en": "B", "zh": "B"}, 3_500, 130, 7),
             Tier(0, {"en": "C", "zh": "C"}, 8_000, 275, 15))  # fmt: skip
    with app.app_context():
        rules(world, 7, 13)
        with transaction():
            tier_plans.save(Wanted("spending", 2, world.currency, steps), made_by=None)
        plan, bought = tiers.now(), list[str]()
        assert plan is not None
        seen = set()
        for _ in range(30):
            clock.tick(hours=dice.randint(1, 30))
            lines = tuple(Line(each.id, dice.randint(1, 3)) for each in goods)
            if dice.random() < 0.6:
                asked = Buy(who.id, world.location, world.currency, lines, new())
                bought.append(sales.buy(asked).sale_id)
            elif bought:
                part = Part(dice.randint(1, 2), 1)
                _or_refused(dice.choice(bought), olga.id, [part])
            if dice.random() < 0.5:
                outbox.work()
                value = tiers.values(plan, now_clock.now(), [who.id]).get(who.id, 0)
                assert value == _recomputed(who.id, 2)
                seen.add(len(plan.reached(value)))
        assert len(seen) > 2
        for sale in bought:
            _or_refused(sale, olga.id, None)
        outbox.work()
        assert tiers.values(plan, now_clock.now(), [who.id]).get(who.id, 0) == 0
        assert points.balance_of(who.id) == (0, 0)
    assert world.faults() == []


def _or_refused(sale: str, by: int, parts: list[Part] | None) -> None:
    try:
        sales.refund(sale, made_by=by, parts=parts)
    except Refusal:
        pass  # All of it has come back before.


def _recomputed(member_id: int, days: int) -> int:
    since = now_clock.now() - timedelta(days=days)
    micro = int(since.timestamp() * 1_000_000)
    kept = """SELECT COALESCE(SUM(total_minor), 0) FROM sales WHERE member_id = :m
               AND created_at > :s"""
    back = """SELECT COALESCE(SUM(r.total_minor), 0) FROM refunds r JOIN sales s ON s.id = r.sale_id
               WHERE s.member_id = :m AND s.created_at > :s"""
    of = {"m": member_id, "s": micro}
    return int(connection().execute(text(kept), of).scalar_one()) - int(
        connection().execute(text(back), of).scalar_one()
    )
