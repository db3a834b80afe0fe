"""Returns: bought in one shop, handed in at another; each unit once, each where it belongs."""

from __future__ import annotations

import pytest
from flask import Flask

from store import catalogue, ids, payment, sales, stock
from store.db import db, transaction
from store.errors import Invalid, NotFound
from store.sales.refunds.refunds import Part
from store.sales.returns import hand_ins, returnable, returns
from store.sales.returns.hand_ins import Decision, HandIn
from store.sales.returns.return_models import RETURN_TRANSITIONS, Return
from store.stock import tasks
from store.stock.models import Movement
from tests.conftest import Clock
from tests.world import Somebody, World


def wish(sale: sales.Receipt, *parts: Part, way: str = "shop", key: str = "") -> returns.Wish:
    return returns.Wish(sale.id, parts, way, "Damaged", key or ids.new(), "Harbour Road 1")


def hand_in(
    sale: sales.Receipt, place: int, by: Somebody, *decisions: Decision, **more: object
) -> HandIn:
    values: dict[str, object] = {"key": ids.new(), **more}
    return HandIn(sale.id, place, by.id, decisions, **values)  # type: ignore[arg-type]


@pytest.mark.usefixtures("context")
def test_a_return_raises_the_stock_of_the_shop_where_it_is_handed_in(world: World) -> None:
    mill, lin, sam = world.place("MILL"), world.member(funds="100"), world.staff()
    milk = world.item(price="10", on_hand=10)
    sale = world.buy(lin, (milk, 3))
    made = returns.declare(lin.id, wish(sale, Part(1, 2)))
    assert returns.declare(lin.id, wish(sale, Part(1, 1), key=_key_of(made))) == made
    received = hand_ins.hand_in(
        hand_in(sale, mill, sam, Decision(1, 1, "resell"), return_id=made, key="first")
    )
    assert (received.return_id, received.total_minor) == (made, 1000)
    assert (world.left(milk), world.left(milk, mill), world.balance(lin)) == (7, 1, 8000)
    # The same page again is the same hand-in.
    again = hand_in(sale, mill, sam, Decision(1, 1, "resell"), return_id=made, key="first")
    assert hand_ins.hand_in(again) == received
    known = returnable.one(made)
    assert known is not None and (known.state, known.lines[0].awaited) == ("part_received", 1)
    hand_ins.hand_in(hand_in(sale, world.location, sam, Decision(1, 1, "resell"), return_id=made))
    assert (world.left(milk), world.left(milk, mill), world.balance(lin)) == (8, 1, 9000)
    over = hand_in(sale, mill, sam, Decision(1, 1, "resell"), return_id=made)
    with pytest.raises(returns.ReturnOver):
        hand_ins.hand_in(over)
    assert world.faults() == []


def _key_of(return_id: str) -> str:
    return db.session.get_one(Return, return_id).key


@pytest.mark.usefixtures("context")
def test_each_unit_goes_where_staff_say(world: World) -> None:
    lin, sam = world.member(funds="100"), world.staff()
    milk = world.item(price="0.33", on_hand=10)
    sale = world.buy(lin, (milk, 4))
    every = [Decision(1, 1, "resell"), Decision(1, 2, "quarantine"), Decision(1, 1, "scrap")]
    hand_ins.hand_in(hand_in(sale, world.location, sam, *every, note="mouldy"))
    with transaction():
        beside = stock.quarantine_of(world.location)
    assert (world.left(milk), world.left(milk, beside), world.balance(lin)) == (7, 2, 10_000)
    moved = [
        (one.location_id, one.quantity, one.reason, one.note)
        for one in db.session.query(Movement).order_by(Movement.id)
    ][-4:]
    main = world.location
    assert moved == [
        (main, 1, "returned", "mouldy"), (beside, 2, "returned", "mouldy"),
        (main, 1, "returned", "mouldy"), (main, -1, "written_off", "mouldy"),
    ]  # fmt: skip
    # What lies in quarantine is not for sale.
    assert [place.id for place in stock.locations()] == [main]
    with pytest.raises(NotFound):
        stock.selling_location("MAIN-Q")
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_a_unit_is_declared_once_and_received_once(world: World) -> None:
    lin, sam = world.member(funds="100"), world.staff()
    sale = world.buy(lin, (world.item(price="1"), 3))
    first = returns.declare(lin.id, wish(sale, Part(1, 2)))
    with pytest.raises(sales.NotSoManyLeft) as refused:
        returns.declare(lin.id, wish(sale, Part(1, 2)))
    assert refused.value.data == {"position": 1, "left": 1, "asked": 2}
    # What is on its way is not given back beside the return.
    with pytest.raises(sales.NotSoManyLeft):
        sales.refund(sale.id, made_by=sam.id, parts=[Part(1, 2)])
    sales.refund(sale.id, made_by=sam.id)
    with pytest.raises(sales.NotSoManyLeft):
        sales.refund(sale.id, made_by=sam.id)
    too_many = hand_in(sale, world.location, sam, Decision(1, 3, "resell"), return_id=first)
    with pytest.raises(sales.NotSoManyLeft):
        hand_ins.hand_in(too_many)
    returns.cancel(first, lin.id)
    with pytest.raises(returns.ReturnOver):
        returns.cancel(first, lin.id)
    hand_ins.hand_in(hand_in(sale, world.location, sam, Decision(1, 2, "resell")))
    with pytest.raises(sales.NotRefundable):
        returns.declare(lin.id, wish(sale, Part(1, 1)))
    assert world.balance(lin) == 10_000
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_what_cannot_come_back_is_refused_and_changes_nothing(world: World) -> None:
    lin, other, sam = world.member(funds="100"), world.member(), world.staff()
    sale = world.buy(lin, (world.item(price="1"), 2))
    with pytest.raises(NotFound):
        returns.declare(other.id, wish(sale, Part(1, 1)))
    for parts in ((), (Part(1, 0),), (Part(1, -1),), (Part(2, 1),), (Part(1, 2**63),)):
        with pytest.raises(Invalid):
            returns.declare(lin.id, wish(sale, *parts))
    with pytest.raises(Invalid):
        returns.declare(lin.id, wish(sale, Part(1, 1), way="balloon"))
    for decisions in ((), (Decision(1, 0, "resell"),), (Decision(1, 1, "eat"),)):
        with pytest.raises(Invalid):
            hand_ins.hand_in(hand_in(sale, world.location, sam, *decisions))
    with pytest.raises(NotFound):
        hand_ins.hand_in(
            hand_in(sale, world.location, sam, Decision(1, 1, "resell"), return_id="none")
        )
    elsewhere = returns.declare(lin.id, wish(world.buy(lin, world.item("red-apple")), Part(1, 1)))
    with pytest.raises(NotFound):
        hand_ins.hand_in(
            hand_in(sale, world.location, sam, Decision(1, 1, "resell"), return_id=elsewhere)
        )
    with pytest.raises(NotFound):
        returns.cancel(elsewhere, other.id)
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_the_rule_of_the_day_of_the_sale_counts(world: World, clock: Clock) -> None:
    lin, sam = world.member(funds="100"), world.staff()
    milk, pear = world.item(price="1"), world.item("pear", price="1")
    sale = world.buy(lin, (milk, 2), pear)
    clock.tick(hours=1)
    with transaction():
        catalogue.set_return_rule(0, False, item_id=milk.id)
        catalogue.set_return_rule(30, False, category_id=_category_of(pear.id))
    later = world.buy(lin, milk, pear)
    assert [(one.rule.days, one.why_not) for one in returnable.returnable(sale)] == [
        (14, ""), (14, ""),
    ]  # fmt: skip
    assert [(one.rule.days, one.why_not) for one in returnable.returnable(later)] == [
        (0, "never"), (30, ""),
    ]  # fmt: skip
    returns.declare(lin.id, wish(sale, Part(1, 1)))
    with pytest.raises(returns.NotReturnable):
        returns.declare(lin.id, wish(later, Part(1, 1)))
    clock.tick(days=14)
    with pytest.raises(returns.ReturnTooLate) as refused:
        returns.declare(lin.id, wish(sale, Part(1, 1)))
    assert refused.value.data["until"] == "2027-03-29T10:30:00+00:00"
    returns.declare(lin.id, wish(later, Part(2, 1)))
    # Staff cannot overlook the rule; they can set it aside, and that is kept.
    late = hand_in(sale, world.location, sam, Decision(1, 1, "resell"))
    with pytest.raises(returns.ReturnTooLate):
        hand_ins.hand_in(late)
    allowed = returns.Override(sam.id, "Ada said so")
    received = hand_ins.hand_in(
        hand_in(sale, world.location, sam, Decision(1, 1, "resell"), override=allowed)
    )
    kept = db.session.get_one(Return, received.return_id)
    assert (kept.allowed_by, kept.allowed_reason) == (sam.id, "Ada said so")
    assert world.faults() == []


def _category_of(item_id: int) -> int:
    found = db.session.get_one(catalogue.Item, item_id).category_id
    assert found is not None
    return found


def test_every_cell_of_the_table_of_returns() -> None:
    states = ("declared", "part_received", "received", "cancelled")
    events = ("receive_part", "receive_rest", "cancel")
    assert [[RETURN_TRANSITIONS.get((state, event)) for event in events] for state in states] == [
        ["part_received", "received", "cancelled"],
        ["part_received", "received", "received"],
        [None, None, None],
        [None, None, None],
    ]


@pytest.mark.usefixtures("context")
def test_an_exchange_settles_the_difference_or_does_nothing(world: World) -> None:
    mill, lin, sam = world.place("MILL"), world.member(funds="12"), world.staff()
    milk, pear = world.item(price="12"), world.item("pear", price="15", on_hand=3, at=mill)
    apple = world.item("red-apple", price="5", on_hand=1, at=mill)
    sale = world.buy(lin, milk)
    back = Decision(1, 1, "resell")
    with pytest.raises(payment.InsufficientFunds):
        hand_ins.exchange(hand_in(sale, mill, sam, back), (sales.Line(pear.id, 1),))
    assert (world.balance(lin), world.left(milk, mill), world.left(pear, mill)) == (0, 0, 3)
    with pytest.raises(stock.OutOfStock):
        hand_ins.exchange(hand_in(sale, mill, sam, back), (sales.Line(apple.id, 2),))
    world.fund(lin, "4")
    asked = hand_in(sale, mill, sam, back, key="once")
    done = hand_ins.exchange(asked, (sales.Line(pear.id, 1),))
    assert (world.balance(lin), world.left(milk, mill), world.left(pear, mill)) == (100, 1, 2)
    assert hand_ins.exchange(asked, (sales.Line(pear.id, 1),)) == done
    smaller = hand_in(_receipt(done.sale_id), mill, sam, back)
    hand_ins.exchange(smaller, (sales.Line(apple.id, 1),))
    assert world.balance(lin) == 1100
    assert world.faults() == []


def _receipt(sale_id: str) -> sales.Receipt:
    found = sales.receipt(sale_id)
    assert found is not None
    return found


def test_a_shopper_returns_by_page_and_staff_of_another_shop_take_it_back(
    world: World, app: Flask
) -> None:
    mill, lin, sam = world.place("MILL"), world.member(funds="100"), world.staff()
    milk, pear = (
        world.item(price="10", on_hand=5),
        world.item("pear", price="3", on_hand=9, at=mill),
    )
    sale = world.buy(lin, (milk, 2))
    mine, desk = world.client_for(lin), world.client_for(sam)
    item = mine.get(milk.path).text
    assert "Return it within 14 days" in item and f"/sales/{sale.id}/returns" in item
    assert f"/sales/{sale.id}/returns" not in world.client_for(world.member()).get(milk.path).text
    receipt = mine.get(f"/sales/{sale.id}").text
    assert "Returns until" in receipt and "Return something" in receipt
    form = {"quantity-1": "1", "way": "mail", "reason": "sour", "key": "a-key-of-mine"}
    path = f"/sales/{sale.id}/returns"
    assert 'name="quantity-1"' in mine.get(path).text
    for wrong in ({"quantity-1": "0"}, {"way": "balloon"}, {"way": "pick_up"}, {"quantity-1": "x"}):
        assert mine.post(path, form | wrong).status_code == 422
    mine.client.get("/me?lang=zh")
    chinese = mine.post(path, form | {"quantity-1": "0"}).text
    assert "请至少选择一件要退回的商品。" in chinese and "Say what" not in chinese
    chinese = mine.post(path, form | {"way": "balloon"}).text
    assert "way must be one of" not in chinese
    mine.client.get("/me?lang=en")
    made = mine.post(path, form)
    assert made.status_code == 303
    page = mine.get(made.headers["Location"]).text
    with app.app_context():
        [known] = returnable.of_sale(sale.id)
    assert known.number in page and "<svg" in page
    # Staff find it by its code, by the receipt's number and by the address of its page.
    for text in (known.number.lower(), f"http://localhost/desk/returns?code={known.code}",
                 sale.number, f"http://localhost/sales/{sale.id}"):  # fmt: skip
        found = desk.get("/desk/returns", query_string={"code": text})
        assert found.headers["Location"] == f"/desk/returns/{sale.id}?of={known.id}"
    assert "No return" in desk.get("/desk/returns?code=nothing").text
    assert known.number in desk.get("/desk/returns").text
    assert "For sale again" in desk.get(f"/desk/returns/{sale.id}?of={known.id}").text
    hand = {"at": "MILL", "key": "a-key-of-sams", "of": known.id, "resell-1": "1"}
    assert desk.post(f"/desk/returns/{sale.id}", hand).status_code == 303
    assert (world.left(milk), world.left(milk, mill), world.balance(lin)) == (3, 1, 9000)
    swap = {"at": "MILL", "key": "another-key", "scrap-1": "1", "take": pear.code, "many": "2"}
    assert desk.post(f"/desk/returns/{sale.id}", swap).status_code == 303
    assert (world.left(pear, mill), world.balance(lin)) == (7, 9400)
    assert desk.post(f"/desk/returns/{sale.id}", hand | {"key": "k" * 9}).status_code == 409
    _nothing_is_sold_from_quarantine(world, lin)
    assert "Taken back" in mine.get(made.headers["Location"]).text
    assert world.faults() == []


def _nothing_is_sold_from_quarantine(world: World, lin: Somebody) -> None:
    milk, mine, sam = world.item("banana", price="1"), world.client_for(lin), world.staff()
    sale = world.buy(lin, milk)
    with world.app.app_context():
        hand_ins.hand_in(hand_in(sale, world.location, sam, Decision(1, 1, "quarantine")))
    assert mine.get(f"{milk.path}?at=MAIN-Q").status_code == 404
    buy = {"code": milk.code, "quantity": "1", "seen_minor": "100", "key": ids.new()}
    assert mine.post("/sales", buy | {"at": "MAIN-Q"}).status_code == 404
    assert mine.post("/basket/lines", buy | {"at": "MAIN-Q"}).status_code == 404
    assert mine.post("/sales", buy | {"at": "MAIN", "again": "1"}).status_code == 303


def test_the_owner_of_rules_sets_them_by_page(world: World) -> None:
    milk, lin = world.item(), world.member(funds="100")
    desk = world.client_for(world.staff())
    assert "14 days" in desk.get("/desk/return-rules").text
    assert desk.post("/desk/return-rules", code=milk.code, days="0").status_code == 303
    assert "Not taken back" in desk.get("/desk/return-rules").text
    assert "This is not taken back" in world.visitor().get(milk.path).text
    sale = world.buy(lin, milk)
    mine = world.client_for(lin)
    assert "Not taken back" in mine.get(f"/sales/{sale.id}").text
    form = {"quantity-1": "1", "way": "shop", "reason": "x", "key": "a-key-of-mine"}
    refused = mine.post(f"/sales/{sale.id}/returns", form)
    assert refused.status_code == 409 and "This is not taken back" in refused.text
    for wrong in ({"days": "-1"}, {"days": "x"}, {"days": "1", "category": "99999"}):
        assert desk.post("/desk/return-rules", wrong).status_code in (404, 422)


def test_what_is_picked_up_is_a_task_with_its_address_until_it_is_fetched(
    app: Flask, world: World
) -> None:
    lin, sam, milk = world.member(funds="100"), world.staff(), world.item(on_hand=5)
    shopper, staff = world.client_for(lin), world.client_for(sam)
    with app.app_context():
        sale = world.buy(lin, (milk, 3))
        first, second = (
            returns.declare(lin.id, wish(sale, Part(1, 1), way="pick_up")) for _ in range(2)
        )
        assert [task.kind for task in tasks.open_tasks(world.location)] == ["pick_up"]
        by_mail = returns.declare(lin.id, wish(sale, Part(1, 1), way="mail"))
    page = staff.get("/desk/returns").text
    assert page.count("<p>Harbour Road 1</p>") == 2 and "To be fetched" in page
    path = f"/desk/returns/{sale.id}/fetchings"
    assert [staff.post(path, of=one).status_code for one in (first, first, by_mail, "none")] == [
        303, 303, 422, 404,
    ]  # fmt: skip
    shown = f"/sales/{sale.id}/returns/{first}"
    assert "We collected it on" in shopper.get(shown).text
    assert shopper.post(f"{shown}/cancellation").status_code == 409
    with app.app_context():
        assert [task.kind for task in tasks.open_tasks(world.location)] == ["pick_up"]
        returns.cancel(second, lin.id)
        assert tasks.open_tasks(world.location) == []
        decided = Decision(1, 1, "resell")
        hand_ins.hand_in(hand_in(sale, world.location, sam, decided, return_id=first))
        assert world.faults() == []
