"""What a till in a browser sold without a network: read strictly, booked once, whoever tells it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from store import catalogue, clock, stock
from store.catalogue import markdowns
from store.db import db, transaction
from store.stock import batches
from store.stock.work_models import Task
from tests.sales.test_till_pages import field, pay, scan, sold
from tests.world import Thing, Visitor, World


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="12.50", on_hand=5)


@pytest.fixture
def till(world: World) -> Visitor:
    return world.client_for(world.staff())


def made(till: Visitor, item: Thing, name: str, many: int = 1, **more: Any) -> dict[str, Any]:
    """A sale as the browser keeps it, with the ticket of whoever opened this till."""
    taken = till.get("/desk/till/goods").get_json()
    [good] = [each for each in taken["goods"] if each["code"] == item.code]
    line = {"item": good["code"], "quantity": many, "unit": good["unit"]}
    return {
        "id": f"sale-{name}-0000", "at": clock.now().isoformat(), "ticket": taken["ticket"],
        "means": "cash", "lines": [line],
    } | more  # fmt: skip


def tell(till: Visitor, *sales: Any) -> list[dict[str, Any]]:
    answer = till.post("/desk/till/away", sales=json.dumps(sales))
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["outcomes"])


def said(outcomes: list[dict[str, Any]]) -> list[str]:
    return [str(each.get("code") or each["outcome"]) for each in outcomes]


def test_each_sale_once_in_the_name_of_who_made_it(
    world: World, till: Visitor, milk: Thing
) -> None:
    first, second = made(till, milk, "a", 2), made(till, milk, "b", means="card")
    assert said(tell(till, first)) == ["sold"]
    # The answer was lost, and somebody else signs in and tells them again.
    other = world.client_for(world.staff())
    assert said(tell(other, first, second, first)) == ["known", "sold", "known"]
    assert sold(world) == [(None, "cash", 2500), (None, "card", 1250)]
    assert world.left(milk) == 2
    assert world.faults() == []


def test_what_the_book_lacks_is_told_and_flagged(world: World, till: Visitor, milk: Thing) -> None:
    [outcome] = tell(till, made(till, milk, "a", 8))
    assert (outcome["outcome"], outcome["lacking"], world.left(milk)) == ("sold", 3, 0)
    with world.app.app_context():
        assert "oversold" in set(db.session.scalars(db.select(Task.kind)))
    assert world.faults() == []


def test_the_basket_that_was_open_when_the_network_went(
    world: World, till: Visitor, milk: Thing
) -> None:
    """Its tender may have arrived: told again as it was it is the same sale, and a basket that was
    told first is not paid again by a tender that comes late."""
    page = scan(till, f"2*{milk.code}")
    key = field(page, "key")
    pay(till, page, "cash")
    assert said(tell(till, made(till, milk, "a", 2, basket=key))) == ["known"]
    for other in ({"means": "card"}, {"lines": [{"item": milk.code, "quantity": 3, "unit": 1250}]}):
        [outcome] = tell(till, made(till, milk, "a", 2, basket=key) | other)
        assert outcome["code"] == "key_reused" and "before the network went" in outcome["why"]
    page = scan(till, milk.code)
    key = field(page, "key")
    assert said(tell(till, made(till, milk, "b", basket=key))) == ["sold"]
    pay(till, page, "cash")
    assert len(sold(world)) == 2 and world.left(milk) == 2
    assert world.faults() == []


def test_what_cannot_be_is_refused_and_keeps_no_other(
    world: World, till: Visitor, milk: Thing
) -> None:
    good = made(till, milk, "good")
    line = good["lines"][0]
    seller, place, code = good["ticket"].split(".")
    wrong: list[Any] = [
        good | {"at": (clock.now() + timedelta(days=1)).isoformat()},
        good | {"lines": [line | {"item": "NOTHERE"}]},
        good | {"member": 10**14},
        *(good | {name: value} for name, value in (
            ("ticket", f"{int(seller) + 1}.{place}.{code}"), ("ticket", "x"), ("means", "account"),
            ("id", "short"), ("id", "a b c d e f g"), ("lines", []), ("lines", [1]), ("at", "now"),
            ("at", "2027-03-15T09:30:00"), ("member", True), ("basket", "x"),
        )),
        *(good | {"lines": [line | {"quantity": many}]} for many in (0, -1, 2**53, 1.5, True, "1")),
        good | {"lines": [line | {"unit": -1}]}, "sale", None,
    ]  # fmt: skip
    outcomes = said(tell(till, *wrong[:10])) + said(tell(till, *wrong[10:], good))
    assert outcomes[:3] == ["clock_wrong", "item_not_for_sale", "not_found"]
    assert set(outcomes[3:-1]) == {"invalid"} and outcomes[-1] == "sold"
    for body in ("", "{}", "[]", "[NaN]", "[" * 500, json.dumps([good] * 21)):
        assert till.post("/desk/till/away", sales=body).status_code == 422
    assert world.left(milk) == 4
    assert world.faults() == []


def test_a_ticket_is_of_this_shop_and_sales_of_staff(world: World, milk: Thing) -> None:
    shopper = world.client_for(world.member())
    for path in ("/desk/till/goods", "/desk/till/away"):
        assert shopper.get(path).status_code == 403
    assert shopper.post("/desk/till/away", sales="[]").status_code == 403
    worker = world.visitor().get("/desk/till/worker.js")
    assert worker.headers["Service-Worker-Allowed"] == "/desk/till"


def test_a_deposit_is_charged_and_owed_as_with_a_network(world: World, till: Visitor) -> None:
    with world.app.app_context(), transaction():
        kind = catalogue.add_deposit({"en": "Bottle"}, 100, world.currency).item_id
    water = world.item(price="12.50", on_hand=5, deposit_id=kind)
    [good] = till.get("/desk/till/goods").get_json()["goods"]
    assert (good["unit"], good["deposit"]) == (1250, 100)
    line = {"item": water.code, "quantity": 2, "unit": 1250, "deposit": 100}
    assert said(tell(till, made(till, water, "a") | {"lines": [line]})) == ["sold"]
    page = scan(till, f"2*{water.code}")
    pay(till, page, "cash")
    basket = {"basket": field(page, "key"), "lines": [line]}
    assert said(tell(till, made(till, water, "b") | basket)) == ["known"]
    assert sold(world) == [(None, "cash", 2700)] * 2
    assert world.faults() == []


def test_empties_alone_are_paid_out_once(world: World, till: Visitor, milk: Thing) -> None:
    with world.app.app_context(), transaction():
        kind = catalogue.add_deposit({"en": "Bottle"}, 100, world.currency).item_id
    assert till.get("/desk/till/goods").get_json()["kinds"] == [
        {"id": kind, "names": {"en": "Bottle"}, "amount": 100}
    ]
    bottles = [{"kind": kind, "quantity": 3}]
    came: dict[str, Any] = {"lines": [], "empties": bottles, "off": 300}
    empties = made(till, milk, "empties1") | came
    for _ in range(2):
        assert said(tell(till, empties)) == ["sold"]
    with_goods = made(till, milk, "with-goods") | came | {"lines": made(till, milk, "x")["lines"]}
    assert said(tell(till, with_goods, with_goods)) == ["sold", "known"]
    with world.app.app_context():
        assert db.session.execute(text("SELECT total_minor FROM empties")).all() == [(300,)] * 2
    wrong: list[dict[str, Any]] = [
        {"off": 299}, {"off": -1}, {"means": "card"}, {"empties": [{"kind": kind}]}, {"empties": 3},
        {"empties": bottles * 2}, {"empties": [{"kind": kind, "quantity": 1000}]},
        {"empties": []},
    ]  # fmt: skip
    for at, more in enumerate(wrong):
        [refused] = tell(till, made(till, milk, f"wrong-{at}") | came | more)
        assert refused["outcome"] == "refused", more
    assert world.faults() == []


def test_a_till_knows_what_is_near_its_date_and_what_was_called_back(
    world: World, till: Visitor, milk: Thing
) -> None:
    yoghurt = world.item("bread", price="10.00", on_hand=0, tracks_batches=True)
    with world.app.app_context(), transaction():
        day = batches.today()
        for code, days, many in (("SOON", 2, 3), ("LATE", 40, 9), ("BAD", 50, 5)):
            batch = stock.open_batch(yoghurt.id, code, day + timedelta(days=days))
            stock.receive(yoghurt.id, world.location, many, batch_id=batch)
        stock.call_back(batch, member_id=None)
        markdowns.set_markdown(3, 30, item_id=yoghurt.id, category_id=None, made_by=None)
    goods = {each["code"]: each for each in till.get("/desk/till/goods").get_json()["goods"]}
    assert goods[yoghurt.code]["near"] == {
        "unit": 700, "left": 3, "until": (day + timedelta(days=2)).isoformat(),
    }  # fmt: skip
    assert goods[yoghurt.code]["blocked"] == ["BAD"]
    assert "near" not in goods[milk.code] and "blocked" not in goods[milk.code]
