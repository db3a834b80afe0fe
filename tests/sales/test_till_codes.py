"""A code on the till's screen: paid, declined, cancelled, too late, and paid in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient, FlaskCliRunner

from store import catalogue
from store.db import db, transaction
from store.payment.models import Attempt
from store.payment.sandboxes.alipay import AlipaySandbox
from store.payment.sandboxes.wechat import WeChatSandbox
from tests.conftest import Clock
from tests.payment.practice import Providers, deliver, providers
from tests.sales.test_till_pages import field, number, pay, scan, sold
from tests.world import Thing, Visitor, World


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings


@pytest.fixture
def wechat(practice: Providers) -> WeChatSandbox:
    practice.wechat.outgoing.clear()
    return practice.wechat


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="12.50", on_hand=1)


@pytest.fixture
def till(world: World) -> Visitor:
    return world.client_for(world.staff())


def shows(till: Visitor, page: str, means: str = "wechat", **more: str) -> Any:
    seen: dict[str, Any] = dict(re.findall(r'name="(seen-\d+)" value="(\d+)"', page))
    form: dict[str, Any] = {"key": field(page, "key"), "means": means} | seen | more
    return till.post("/desk/till/payments", form)


def attempt(world: World, path: str) -> Attempt:
    with world.app.app_context():
        return db.session.get_one(Attempt, path.rpartition("/")[2])


def state(till: Visitor, path: str) -> str:
    """What the page says: its state, or that it has become the receipt."""
    answer = till.get(path)
    if answer.status_code == 303:
        assert "/desk/till/sales/" in answer.location
        return "receipt"
    found = re.search(r'data-state="(\w+)"', answer.text)
    assert found, answer.text
    return found[1]


def test_the_code_is_paid_and_the_page_becomes_the_receipt(
    world: World, till: Visitor, milk: Thing, wechat: WeChatSandbox, client: FlaskClient
) -> None:
    page = scan(till, milk.code)
    path = shows(till, page).location
    assert shows(till, page).location == path  # A second tap is the same code.
    shown = till.get(path).text
    assert "<svg" in shown and "12.50" in shown and "WeChat Pay" in shown
    assert "waits to be paid" in till.get("/desk/till").text
    mine = attempt(world, path)
    assert (mine.member_id, mine.way) == (None, "qr")
    assert mine.code.endswith(f"/wechat/pay/{mine.id}")
    wechat.ends(mine.id, "twice")
    assert [deliver(client, one).status_code for one in wechat.outgoing] == [204, 204]
    assert state(till, path) == "receipt"
    receipt = till.get(till.get(path).location).text
    assert "WeChat Pay" in receipt and number(receipt)
    assert sold(world) == [(None, "wechat", 1250)]
    assert world.left(milk) == 0
    assert 'name="key"' not in till.get("/desk/till").text  # The basket is empty.
    assert shows(till, page).location == till.get(path).location
    assert world.faults() == []


def test_a_member_has_the_sale_in_their_name_and_nobody_else_sees_the_code(
    world: World, till: Visitor, milk: Thing, practice: Providers
) -> None:
    lin = world.member()
    path = shows(till, scan(till, milk.code), "alipay", member=str(lin.id)).location
    assert world.client_for(world.staff()).get(path).status_code == 404
    mine = attempt(world, path)
    assert world.client_for(lin).get(f"/pay/{mine.id}").status_code == 404
    practice.alipay.ends(mine.id, "never")
    assert till.post(f"{path}/checks").status_code == 303
    assert state(till, path) == "receipt"
    assert sold(world) == [(lin.id, "alipay", 1250)]
    assert world.faults() == []


def test_what_is_cancelled_is_closed_and_the_basket_is_paid_in_cash(
    world: World, till: Visitor, milk: Thing, wechat: WeChatSandbox
) -> None:
    page = scan(till, milk.code)
    path = shows(till, page).location
    answer = till.post(f"{path}/cancellations")
    assert answer.status_code == 303
    page = till.get(answer.location).text
    assert "The basket is as it was" in page and "12.50" in page
    assert wechat.orders[path.rpartition("/")[2]].state == "CLOSED"
    assert state(till, path) == "expired"
    pay(till, page, "cash")
    assert sold(world) == [(None, "cash", 1250)]
    assert world.faults() == []


def test_what_was_paid_a_moment_before_it_is_cancelled_is_sold(
    world: World, till: Visitor, milk: Thing, wechat: WeChatSandbox
) -> None:
    path = shows(till, scan(till, milk.code)).location
    wechat.ends(path.rpartition("/")[2], "never")
    assert till.get(till.post(f"{path}/cancellations").location).status_code == 303
    assert sold(world) == [(None, "wechat", 1250)]
    assert world.faults() == []


def test_declined_and_tried_again_with_another_provider(
    world: World, till: Visitor, milk: Thing, practice: Providers
) -> None:
    page = scan(till, milk.code)
    path = shows(till, page).location
    practice.wechat.ends(path.rpartition("/")[2], "decline")
    till.post(f"{path}/checks")
    assert state(till, path) == "failed"
    again = shows(till, page, "alipay").location
    practice.alipay.ends(again.rpartition("/")[2], "pay")
    till.post(f"{again}/checks")
    assert state(till, again) == "receipt"
    assert [attempt(world, one).number for one in (path, again)] == [1, 2]
    assert world.faults() == []


def test_nobody_pays_in_time_and_the_code_is_closed(
    world: World, clock: Clock, till: Visitor, milk: Thing, wechat: WeChatSandbox,
    runner: FlaskCliRunner,
) -> None:  # fmt: skip
    path = shows(till, scan(till, milk.code)).location
    clock.tick(minutes=16)
    runner.invoke(args=["payment", "settle"])
    assert wechat.orders[path.rpartition("/")[2]].state == "CLOSED"
    assert state(till, path) == "expired"
    assert world.left(milk) == 1
    assert world.faults() == []


@pytest.mark.parametrize("left", [1, 0])
def test_late_money_buys_the_goods_if_they_are_there_or_goes_back(
    world: World, clock: Clock, till: Visitor, milk: Thing, wechat: WeChatSandbox,
    client: FlaskClient, runner: FlaskCliRunner, left: int,
) -> None:  # fmt: skip
    path = shows(till, scan(till, milk.code)).location
    till.post(f"{path}/cancellations")
    if not left:
        world.buy(world.member(funds="100"), milk)
    order = wechat.orders[path.rpartition("/")[2]]
    order.state = "SUCCESS"  # The bank had it already when the code was closed.
    assert deliver(client, wechat.notice(order)).status_code == 204
    assert state(till, path) == ("receipt" if left else "goes_back")
    for _ in range(2):
        clock.tick(minutes=1)
        runner.invoke(args=["payment", "settle"])
    assert sum(order.refunds.values()) == (0 if left else 1250)
    assert attempt(world, path).state == ("captured" if left else "refunded")
    assert world.faults() == []


def test_paid_in_cash_while_the_code_is_open_and_then_by_the_code_too(
    world: World, till: Visitor, milk: Thing, practice: Providers, client: FlaskClient
) -> None:
    page = scan(till, milk.code)
    path = shows(till, page, "alipay").location
    pay(till, page, "cash")
    alipay: AlipaySandbox = practice.alipay
    alipay.ends(path.rpartition("/")[2], "pay")
    assert deliver(client, alipay.outgoing[-1]).status_code == 200
    assert state(till, path) == "goes_back"
    assert sold(world) == [(None, "cash", 1250)]
    assert world.faults() == []


def test_what_cannot_go_back_waits_where_nobody_has_an_account(
    world: World, till: Visitor, milk: Thing, practice: Providers, client: FlaskClient,
    runner: FlaskCliRunner,
) -> None:  # fmt: skip
    page = scan(till, milk.code)
    path = shows(till, page, "alipay").location
    pay(till, page, "cash")
    number = path.rpartition("/")[2]
    practice.alipay.ends(number, "pay")
    deliver(client, practice.alipay.outgoing[-1])
    practice.alipay.trades[number].refunds["somebody else's"] = 1250
    runner.invoke(args=["payment", "settle"])
    assert "1 on its way back" in world.client_for(world.owner()).get("/owner/payments").text
    assert world.faults() == []


def test_bad_input_changes_nothing(world: World, till: Visitor, milk: Thing) -> None:
    page = scan(till, milk.code)
    for means in ("stripe", "paypal", "cash", "nothing", ""):
        assert shows(till, page, means).status_code == 422
    with world.app.app_context(), transaction():
        bottle = catalogue.add_deposit({"en": "Bottle"}, 25, world.currency).item_id
    counts = {f"empties-{bottle}": "1"}
    assert shows(till, page, **counts).status_code == 422
    assert "changed" in till.get(shows(till, page, key="another-key-x").location).text
    assert (
        "price has gone up" in till.get(shows(till, page, **{f"seen-{milk.id}": "1"}).location).text
    )
    for path in ("checks", "cancellations"):
        assert till.post(f"/desk/till/payments/{'0' * 20}/{path}").status_code == 404
    with world.app.app_context():
        assert db.session.query(Attempt).count() == 0
    lin = world.client_for(world.member())
    assert lin.post("/desk/till/payments", {"key": "x" * 20, "means": "wechat"}).status_code == 403
