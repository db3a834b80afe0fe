"""Points that are spent: decided with the sale, never twice, given back by their share; and money
that comes late for a coupon or for points."""

from __future__ import annotations

import random
import re

import pytest
from flask import Flask

from store import membership, sales
from store.db import transaction
from store.ids import new
from store.membership import point_ages, points
from store.payment import attempts, paybacks
from store.payment.gateways import Approved
from store.payment.gateways.simulated import Simulated
from store.sales import (
    Buy,
    Line,
    Part,
    checkout,
)
from store.sales.paying import paying
from tests.conftest import Clock
from tests.membership.making import coupon, offer
from tests.membership.test_points import had, rules
from tests.races.crowd import token_of, words
from tests.sales.test_till_pages import code_of, scanned
from tests.world import Somebody, Thing, World


def buy(world: World, who: Somebody, *goods: tuple[Thing, int], **more: object) -> sales.Receipt:
    lines = tuple(Line(item.id, many) for item, many in goods)
    bought = sales.buy(
        Buy(who.id, world.location, world.currency, lines, new(), **more)  # type: ignore[arg-type]
    )
    found = sales.receipt(bought.sale_id)
    assert found is not None
    return found


def test_what_was_spent_comes_back_by_its_share_in_whatever_parts(world: World, app: Flask) -> None:
    lin, olga, dice = world.member(funds="9000"), world.owner(), random.Random(11)
    milk = world.item("oat-milk", price="3.33", on_hand=99)
    apple, beans = world.item("red-apple", price="0.99"), world.item("jam", price="2.22")
    world.stock(apple, 99)
    world.stock(beans, 99)
    box = world.item("cookies", price="5.55", on_hand=0, parts={apple.id: 1, beans.id: 2})
    with app.app_context():
        rules(world, 100, worth_points=3, worth_minor=1)  # Each 1.00 brings 100, worth 0.33.
        offer(world, "n_for_m", 3, 2, item_id=milk.id)
        buy(world, lin, (milk, 60))
        start = had(lin)
        # A little of it, nearly all of it, and all of it: then only units tell what a part is.
        for most, free in ((1000, False), (7000, False), (12000, True)):
            balance = world.balance(lin)
            sale = buy(world, lin, (milk, 7), (box, 3), points=most)
            spent = sum(each[1] for line in sale.lines for each in line.off if "points" in each[0]["en"])  # noqa: E501  # fmt: skip
            assert spent == min(most // 3, 333 * 5 + 555 * 3) and (sale.total_minor == 0) is free
            assert points.balance_of(lin.id).points == start - spent * 3
            sales.refund(sale.id, made_by=olga.id, parts=[Part(2, 3, beans.id)])
            goods = 7
            while goods:
                many = dice.randint(1, goods)
                goods -= many
                sales.refund(sale.id, made_by=olga.id, parts=[Part(1, many)])
                assert dice.random() < 0.5 or had(lin)  # Booked one by one, or several at once.
            sales.refund(sale.id, made_by=olga.id)
            assert had(lin) == start and world.balance(lin) == balance
    assert world.faults() == []


def test_nobody_spends_what_is_not_there(world: World, app: Flask) -> None:
    lin, wu = world.member(funds="900"), world.member(funds="900")
    olga, milk = world.owner(), world.item("oat-milk", price="10.00", on_hand=99)
    with app.app_context():
        with pytest.raises(membership.PointsRefused):  # A shop without points.
            buy(world, lin, (milk, 1), points=1)
        rules(world, 10, worth_points=1, worth_minor=1)
        sale = buy(world, lin, (milk, 1))
        assert had(lin) == 100
        for who, most in ((lin, 101), (wu, 1)):
            with pytest.raises(membership.PointsRefused) as refused:
                buy(world, who, (milk, 1), points=most)
            assert refused.value.data["left"] == (100 if who == lin else 0)
        # Two phones in one batch: the second is told.
        line = (Line(milk.id, 1),)
        both = [Buy(lin.id, world.location, world.currency, line, new(), points=80)
                for _ in range(2)]  # fmt: skip
        assert words(checkout.run(both)) == {"sold": 1, "points_refused": 1}
        assert had(lin) == 20 + 92
        # What had brought them goes back: the account owes what was spent of them, and nothing is
        # to be spent until the next ones have made up for it.
        buy(world, lin, (milk, 1), points=112)
        sales.refund(sale.id, made_by=olga.id)
        assert had(lin) == 88 - 100
        with pytest.raises(membership.PointsRefused):
            buy(world, lin, (milk, 1), points=1)
        buy(world, lin, (milk, 1))
        assert had(lin) == 88 and points.balance_of(lin.id).owed == 0
    assert world.faults() == []


def test_what_is_too_old_is_not_what_was_spent(world: World, app: Flask, clock: Clock) -> None:
    lin, olga = world.member(funds="9000"), world.owner()
    milk = world.item("oat-milk", price="10.00", on_hand=99)
    with app.app_context():
        rules(world, 10, worth_points=1, worth_minor=1, lives_days=30)
        old = buy(world, lin, (milk, 1))
        assert had(lin) == 100
        clock.tick(days=5)
        rules(world, 0, worth_points=1, worth_minor=1, lives_days=30)
        paid = buy(world, lin, (milk, 1), points=40)
        clock.tick(days=5)
        rules(world, 10, worth_points=1, worth_minor=1, lives_days=30)
        buy(world, lin, (milk, 5))
        assert had(lin) == 560
        clock.tick(days=20)
        assert point_ages.sweep() == 1 and had(lin) == 500
        buy(world, lin, (milk, 1), points=200)  # Of the younger ones; it brings 80.
        assert had(lin) == 380 and point_ages.sweep() == 0
        # Of the 100, 40 were spent and 60 too old: these 60 are not taken a second time.
        sales.refund(old.id, made_by=olga.id)
        assert had(lin) == 340
        # What was spent comes back, and lives as long as new ones.
        sales.refund(paid.id, made_by=olga.id)
        assert had(lin) == 380
        clock.tick(days=11)
        assert point_ages.sweep() == 1 and had(lin) == 80 + 40
        clock.tick(days=20)
        assert point_ages.sweep() == 1 and had(lin) == 0
    assert world.faults() == []


def test_one_person_has_the_points_of_both_accounts(world: World, app: Flask, clock: Clock) -> None:
    lin, also = world.member(funds="9000"), world.member(funds="9000")
    olga, milk = world.owner(), world.item("oat-milk", price="10.00", on_hand=99)
    with app.app_context():
        rules(world, 10, worth_points=1, worth_minor=1, lives_days=30)
        sale = buy(world, also, (milk, 2))
        assert had(also) == 200
        buy(world, also, (milk, 1), points=150)  # It brings 85.
        assert had(also) == 135
        with transaction():
            assert point_ages.move(also.id, lin.id) == 135
            assert point_ages.move(also.id, lin.id) == 0
        assert (had(also), had(lin)) == (0, 135)
        # What is owed goes along; and the rest lives no longer than it would have.
        sales.refund(sale.id, made_by=olga.id)
        assert had(also) == -200
        with transaction():
            assert point_ages.move(also.id, lin.id) == -200
        assert (had(also), had(lin)) == (0, -65)
        buy(world, lin, (milk, 1))
        assert had(lin) == 35
        clock.tick(days=30)
        point_ages.sweep()
        assert (had(also), had(lin)) == (0, 0)
    assert world.faults() == []


def asks(world: World, who: Somebody, milk: Thing, **more: object) -> str:
    """An attempt to pay for one through a provider that does not answer; its goods are kept."""
    asked = Buy(who.id, world.location, world.currency, (Line(milk.id, 1),), new(),
                means="simulated", **more)  # type: ignore[arg-type]  # fmt: skip
    return paying.pay(paying.Paying(asked, Simulated(b"k"), wish="never"))


def goes_back(attempt_id: str) -> str:
    """Why the money of an attempt goes back; empty where it bought its goods."""
    found = paybacks.of_attempt(attempt_id)
    return found[0].reason if found else ""


def test_late_money_finds_its_coupon_and_its_points_or_goes_back(world: World, app: Flask) -> None:
    """The money comes after the hold is over. What was promised is counted again if it can still be
    had; where somebody else has had it meanwhile, the money goes back and nothing is sold."""
    milk = world.item("oat-milk", price="10.00", on_hand=99)
    lin, wu = world.member(funds="900"), world.member(funds="900")
    with app.app_context():
        rules(world, 10, worth_points=1, worth_minor=1)
        for code in ("ONE", "TWO"):
            coupon(world, "percent", 50, code, uses=1)
        buy(world, lin, (milk, 1))
        assert had(lin) == 100
        late = asks(world, lin, milk, coupon="ONE", points=100)
        assert had(lin) == 0
        with pytest.raises(membership.CouponRefused):
            buy(world, wu, (milk, 1), coupon="ONE")
        attempts.give_up(late)
        assert had(lin) == 100
        # Nobody wanted it: the late money buys what it was for, coupon and points and all.
        attempts.settle(late, Approved(late))
        sale = attempts.find(late).sale_id
        assert sale is not None and goes_back(late) == ""
        assert had(lin) == 40  # The sale of 4.00 brought 40.
        # Twice told is told once, and the coupon is gone for good.
        attempts.settle(late, Approved(late))
        with pytest.raises(membership.CouponRefused):
            buy(world, wu, (milk, 1), coupon="ONE")
        # Somebody else has had the coupon, and the same points went for something else.
        late, later = asks(world, lin, milk, coupon="TWO"), asks(world, lin, milk, points=40)
        assert had(lin) == 0
        for each in (late, later):
            attempts.give_up(each)
        buy(world, wu, (milk, 1), coupon="TWO")
        buy(world, lin, (milk, 1), points=40)
        left = world.left(milk)
        for each in (late, later):
            attempts.settle(each, Approved(each))
        assert (goes_back(late), goes_back(later)) == ("coupon_refused", "points_refused")
        assert world.left(milk) == left and had(lin) == 96
    assert world.faults() == []


def test_points_in_the_basket_at_the_till_and_by_the_api(world: World, app: Flask) -> None:
    milk, lin = world.item("oat-milk", price="10.00", on_hand=99), world.member(funds="900")
    with app.app_context():
        rules(world, 10, worth_points=100, worth_minor=100)
        buy(world, lin, (milk, 2))
        assert had(lin) == 200
    mine = world.client_for(lin)
    mine.get(milk.path)
    mine.post("/basket/lines", code=milk.code, quantity="1", seen_minor="1000")
    shown = mine.get("/basket").text
    assert "Use my points: −¥2.00" in shown and "You have 200 points." in shown
    mine.post("/basket/points", wanted="1")
    shown = mine.get("/basket").text
    assert "Keep my points" in shown and 'name="seen_total" value="800"' in shown
    assert "200 points" in mine.get("/order").text
    key = re.search(r'name="key" value="([^"]+)"', shown)[1]  # type: ignore[index]
    seen = {f"seen-{milk.id}": "1000", "seen_total": "800", "key": key}
    paid = mine.post("/basket/checkout", seen)
    assert paid.status_code == 303 and "200 points" in mine.get(paid.location).text
    assert mine.post("/basket/checkout", seen).location == paid.location
    with app.app_context():
        assert had(lin) == 80
    # At the till whoever spends them has shown their code.
    till = world.client_for(world.staff())
    till.post("/desk/till/lines", code=milk.code)
    assert "Use the points" not in till.get(f"/desk/till?member={lin.id}").text
    assert till.post("/desk/till/points", wanted="1", member=str(lin.id)).status_code == 403
    _, who = scanned(till, code_of(world, lin))
    page = till.get("/desk/till", query_string=who).text
    assert "Points: 80" in page and "Use the points: −¥0.80" in page
    till.post("/desk/till/points", who | {"wanted": "1"})
    page = till.get("/desk/till", query_string=who).text
    assert "Keep the points" in page and 'name="seen_total" value="920"' in page
    # Another member's name on the same basket spends nobody's.
    assert "Keep the points" not in till.get(f"/desk/till?member={world.member().id}").text
    key = re.search(r'name="key" value="([^"]+)"', page)[1]  # type: ignore[index]
    form = {f"seen-{milk.id}": "1000", "seen_total": "920", "key": key, "means": "cash"}
    assert "sales/" in till.post("/desk/till/sales", form | who).location
    with app.app_context():
        assert had(lin) == 92
    # By the API, and no more than there is.
    client, token = app.test_client(), token_of(world, lin)
    body = {"location": "MAIN", "lines": [{"item": milk.code, "quantity": 1}],
            "payment": {"method": "account"}, "points": 92}  # fmt: skip

    def sell(path: str = "/sales", **more: object) -> tuple[int, dict[str, object]]:
        answer = client.post(f"/api/v1{path}", json=body | more, headers={
            "Authorization": f"Bearer {token}", "Idempotency-Key": new()})  # fmt: skip
        return answer.status_code, answer.get_json()

    status, refused = sell(points=93)
    assert status == 409 and refused["code"] == "points_refused" and refused["left"] == 92
    assert sell(points=-1)[0] == 422 and sell(points="all")[0] == 422
    status, sold = sell()
    assert status == 201 and sold["total"]["amount"] == "9.08"  # type: ignore[index]
    with app.app_context():
        assert had(lin) == 90
        coupon(world, "percent", 10, "TENTH")
    status, placed = sell("/orders", points=90, coupon="tenth", total="8.10", collect="MAIN")
    assert status == 201, placed
    assert placed["sale"]["total"]["amount"] == "8.10"  # type: ignore[index]
    assert sell("/orders", points=0, coupon="NOPE", collect="MAIN")[1]["code"] == "coupon_refused"
    assert world.faults() == []
