"""Pages of orders: what a sold-out item offers, ordering, the receipt, and the desk by phone."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event

from store import delivery
from store.db import db
from tests.world import Somebody, Thing, Visitor, World

MILL = (31.2310, 121.4800)
HERE = (31.2304, 121.4737)
FAR = (31.4000, 121.4737)


@pytest.fixture
def gone(world: World) -> Thing:
    """Oat milk: none here, some at two other shops and in a depot; delivery costs 6."""
    milk = world.item("oat-milk", on_hand=0, price="12.50")
    mill, quay = world.place("MILL", "Mill Street"), world.place("QUAY", "Quay")
    world.describe(world.location, at=HERE)
    world.describe(mill, at=MILL, hours="8 to 22", ships=False)
    world.describe(quay, at=FAR)
    world.place("DEPOT", "Depot", "warehouse")
    for place in (quay, mill):
        world.stock(milk, 3, at=place)
    world.zone((5000, "6"))
    return milk


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """What SQLite is asked, statement by statement, by whatever way."""
    asked: list[str] = []
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("the statements are the same; SQLite can be listened to")
        engine = db.engine
        engine.dispose()

        def listen(connection: sqlite3.Connection, record: object) -> None:
            connection.set_trace_callback(asked.append)

        event.listen(engine, "connect", listen)
    yield asked
    event.remove(engine, "connect", listen)


def selects(asked: list[str]) -> list[str]:
    return [one for one in asked if one.lstrip().upper().startswith("SELECT")]


def test_a_sold_out_item_says_where_else_it_is_the_nearest_first(world: World, gone: Thing) -> None:
    page = world.visitor().get(gone.path).text
    assert "Sold out here" in page
    assert page.index("Mill Street") < page.index("Quay")
    assert "600 m" in page and "19 km" in page and "3 there" in page and "8 to 22" in page
    assert "Deliver <b>¥12.50</b> + ¥6.00" in page and "in 1 to 2 days" in page
    assert "Depot" not in page  # It hands nothing over.


def test_a_sold_out_item_that_nobody_has_says_so(world: World) -> None:
    world.zone((5000, "6"))
    milk = world.item(on_hand=0)
    page = world.visitor().get(milk.path).text
    assert "Scan another" in page and "Deliver" not in page


def test_a_sold_out_page_asks_no_more_than_the_plain_one(
    world: World, gone: Thing, statements: list[str]
) -> None:
    tea, visitor = world.item("tea", on_hand=9), world.visitor()
    visitor.get(tea.path)
    statements.clear()
    assert visitor.get(tea.path).status_code == 200
    assert len(selects(statements)) == 1, selects(statements)
    statements.clear()
    assert visitor.get(gone.path).status_code == 200
    assert len(selects(statements)) == 1, selects(statements)


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts there."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.S)
    assert form, page
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
        if name != "csrf"
    }


def link(page: str, *words: str) -> str:
    """The address of the first link that has these words in it."""
    for found in re.findall(r'href="(/order[^"]*)"', page):
        if all(word in found for word in words):
            return html.unescape(found)
    raise AssertionError(f"no link with {words}")


def test_from_sold_out_to_collected(world: World, gone: Thing, app: Flask) -> None:
    lin_, sam_ = world.member(funds="50"), world.staff()
    lin, sam = world.client_for(lin_), world.client_for(sam_)
    page = lin.get(link(lin.get(gone.path).text, "collect", "MILL")).text
    assert "Collect at" in page and "Mill Street" in page and "¥12.50" in page
    answer = lin.post("/orders", form_of(page, "/orders"))
    assert answer.status_code == 303
    again = lin.post("/orders", form_of(page, "/orders"))
    assert again.location == answer.location
    assert world.balance(lin_) == 5000 - 1250
    receipt = lin.get(answer.location).text
    assert "Collect at Mill Street" in receipt and "Being picked" in receipt
    assert "pass.svg" not in receipt  # What is collected does not walk out by itself.
    assert lin.get(f"{answer.location}/pass.svg").status_code == 404
    assert "Being picked" in lin.get("/me/sales").text
    shipment = one_at(app, answer.location.rpartition("/")[2])
    assert "Oat milk" in sam.get("/desk/orders?at=MILL").text
    assert "Nothing waits here" in sam.get("/desk/orders?at=QUAY").text
    path = f"/desk/orders/{shipment.id}"
    for event_ in ("pick", "pack"):
        assert sam.post(f"{path}/steps", event=event_).status_code == 303
    assert sam.post(f"{path}/steps", event="ship", carrier="SF").status_code == 409
    assert shipment.code in lin.get(answer.location).text
    assert sam.post("/desk/orders/hand-over", at="MAIN", code=shipment.code).status_code == 404
    assert sam.post("/desk/orders/hand-over", at="MILL", code=shipment.code).status_code == 303
    assert "Collected" in lin.get(answer.location).text
    assert "Collected" in sam.get(path).text
    assert world.faults() == []


def one_at(app: Flask, sale_id: str) -> delivery.Tracked:
    with app.app_context():
        (shipment,) = delivery.of_sale(sale_id)
        return shipment


def test_from_sold_out_to_the_door_and_some_of_it_missing(
    world: World, gone: Thing, app: Flask
) -> None:
    lin_, sam_ = world.member(funds="100"), world.staff()
    lin, sam = world.client_for(lin_), world.client_for(sam_)
    page = lin.get(link(lin.get(f"{gone.path}?quantity=2").text, "deliver")).text
    assert "A new address" in page and "Pay" not in page.partition('class="bar"')[2]
    where = link(page, "deliver")
    answer = lin.post("/me/addresses", name="Lin", street="8 River Road", city="Shanghai",
                      country="CN", postcode="200001", next=where)  # fmt: skip
    page = lin.get(answer.location).text
    assert "8 River Road" in page and "¥31.00" in page and "1 to 2 days" in page
    answer = lin.post("/orders", form_of(page, "/orders"))
    receipt = lin.get(answer.location).text
    assert "Parcel from Quay" in receipt and "8 River Road" in receipt
    shipment = one_at(app, answer.location.rpartition("/")[2])
    path = f"/desk/orders/{shipment.id}"
    there = re.search(r'name="pieces" value="(\d+)"', sam.get(path).text)
    assert there and there[1] == "2"
    form = {f"missing-{gone.id}": "1", "pieces": there[1]}
    assert sam.post(f"{path}/short", form).status_code == 303
    # Once more, by a second tap or a page that is loaded again: it is done already.
    again = sam.post(f"{path}/short", form)
    assert again.status_code == 409 and "bad_step" in again.text
    assert "Some of it was not there" in lin.get(answer.location).text
    assert world.balance(lin_) == 10_000 - 3100 + 1250
    for event_ in ("pick", "pack", "ship", "deliver"):
        answered = sam.post(f"{path}/steps", event=event_, carrier="SF", tracking="SF99")
        assert answered.status_code == 303
    receipt = lin.get(answer.location).text
    assert "SF99" in receipt and "Delivered" in receipt
    assert world.faults() == []


def test_a_basket_is_ordered_and_is_empty_then(world: World, gone: Thing) -> None:
    lin_ = world.member(funds="100")
    lin = world.client_for(lin_)
    tea = world.item("tea", on_hand=4)
    mill = next(one for one in range(1, 9) if one != world.location)
    world.stock(tea, 4, at=mill)
    for thing in (gone, tea):
        lin.post("/basket/lines", code=thing.code, quantity="1", seen_minor="0")
    page = lin.get("/order").text
    assert "Mill Street" in page
    form = form_of(page, "/orders")
    stale = form | {"key": "another-key-1"}
    assert lin.post("/orders", stale).status_code == 409
    answer = lin.post("/orders", form)
    assert answer.status_code == 303
    assert lin.get("/order").status_code == 303
    assert "Your basket is empty" in lin.get("/basket").text
    assert lin.post("/orders", form).location == answer.location
    assert world.faults() == []


def test_an_order_is_cancelled_on_its_receipt_by_its_shopper_only(
    world: World, gone: Thing
) -> None:
    lin_ = world.member(funds="100")
    lin, mei = world.client_for(lin_), world.client_for(world.member("Mei"))
    sale = world.order(lin_, gone)
    assert "Cancel the order" in lin.get(f"/sales/{sale.id}").text
    assert mei.post(f"/sales/{sale.id}/cancel").status_code == 404
    assert lin.post(f"/sales/{sale.id}/cancel").status_code == 303
    receipt = lin.get(f"/sales/{sale.id}").text
    assert "Cancelled" in receipt and "Cancel the order" not in receipt
    assert lin.post(f"/sales/{sale.id}/cancel").status_code == 409
    assert world.balance(lin_) == 10_000
    assert world.faults() == []


@pytest.mark.parametrize(
    "question",
    ["how=fly", "quantity=0", "quantity=100", "quantity=-1", "quantity=9223372036854775808",
     "quantity=1.5", "how=collect&place=NONE", "how=deliver&address=1", "how=deliver&address=x",
     "how=deliver&address=9223372036854775808"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(world: World, gone: Thing, question: str) -> None:
    lin_ = world.member(funds="100")
    lin = world.client_for(lin_)
    assert lin.get(f"/order?code={gone.code}&{question}").status_code in (404, 422)
    fields = dict(part.split("=") for part in question.split("&"))
    form = {"code": gone.code, "key": "a-key-of-mine", f"seen-{gone.id}": "1250"} | fields
    assert lin.post("/orders", form).status_code in (404, 422)
    assert_nothing(world, lin_, lin)


def assert_nothing(world: World, lin_: Somebody, lin: Visitor) -> None:
    assert world.balance(lin_) == 10_000
    assert "No purchases yet" in lin.get("/me/sales").text


def test_the_courier_is_paid_at_the_door(world: World, gone: Thing, app: Flask) -> None:
    lin_, sam_ = world.member(), world.staff()
    lin, sam, home = world.client_for(lin_), world.client_for(sam_), world.address(lin_)
    path = f"/order?code={gone.code}&how=deliver&address={home}"
    assert "Pay the courier" not in lin.get(path).text  # The owner has not said so.
    app.config["CASH_ON_DELIVERY"] = "10"
    assert "orders of up to ¥10.00" in lin.get(path).text
    app.config["CASH_ON_DELIVERY"] = "100"
    assert "short" in lin.get(f"{path}&pay=account").text
    page = lin.get(link(lin.get(path).text, "pay=courier")).text
    assert "Have the amount ready" in page and "short" not in page
    form = form_of(page, "/orders")
    assert lin.post("/orders", form | {"pay": "iou"}).status_code == 422
    answer = lin.post("/orders", form)
    assert answer.status_code == 303
    assert lin.post("/orders", form).location == answer.location
    receipt = lin.get(answer.location).text
    assert "You pay the courier: ¥18.50" in receipt and "Return something" not in receipt
    assert "To be paid" in lin.get("/me/sales").text
    shipment = one_at(app, answer.location.rpartition("/")[2])
    assert "takes ¥18.50" in sam.get("/desk/orders?at=QUAY").text
    path = f"/desk/orders/{shipment.id}"
    for step in ("pick", "pack", "ship"):
        sam.post(f"{path}/steps", event=step, carrier="SF")
    page = sam.get(path).text
    assert "The courier takes" in page and "¥18.50 was taken" in page
    assert "¥18.50" in sam.get(f"/desk/sales/{shipment.sale_id}").text
    assert "Lin" in sam.get("/desk/couriers").text
    assert sam.post(f"{path}/steps", event="deliver", courier="x" * 61).status_code == 422
    assert sam.post(f"{path}/steps", event="deliver", courier="Old Wang").status_code == 303
    page = sam.get("/desk/couriers").text
    assert "Old Wang" in page and "Nothing is to be paid at the door" in page
    action = re.search(r"/desk/couriers/\d+/hand-ins", page)
    assert action
    form = form_of(page, action[0])
    for wrong in ({}, {"counted": "-1"}, {"counted": "18.505"}, {"counted": "18"}):
        assert sam.post(action[0], form | wrong).status_code == 422
    assert sam.post(action[0], form | {"expected": "1", "counted": "0.01"}).status_code == 409
    counted = form | {"counted": "18", "reason": "no change"}
    for _ in range(2):
        assert sam.post(action[0], counted).status_code == 303
    page = sam.get("/desk/couriers").text
    assert "¥0.50 short" in page and "no change" in page and "No courier has cash" in page
    assert "You pay the courier" not in lin.get(answer.location).text
    assert world.faults() == []


def test_a_shopper_cancels_what_was_to_be_paid_at_the_door(
    world: World, gone: Thing, app: Flask
) -> None:
    app.config["CASH_ON_DELIVERY"] = "100"
    lin_, sam = world.member(), world.client_for(world.staff())
    lin, sale = world.client_for(lin_), world.order(lin_, gone, means="delivery")
    assert "you pay nothing for it" in lin.get(f"/sales/{sale.id}").text
    assert lin.post(f"/sales/{sale.id}/cancel").status_code == 303
    page = lin.get(f"/sales/{sale.id}").text
    assert "Cancelled. You pay nothing for it." in page and "Not to be paid" in page
    assert "Cancelled. Nothing was paid." in sam.get(f"/desk/sales/{sale.id}").text
    assert world.faults() == []
