"""Paying from outside: however the provider behaves, the goods are paid for once, or the money goes
back."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from store import catalogue, ids, sales
from store.db import db, transaction
from store.payment import asking, events
from store.payment.gateways.offered import set_up
from store.payment.models import Attempt, Payback
from store.payment.sandboxes.serving import Sent
from store.payment.sandboxes.stripe import StripeSandbox
from store.sales.paying import paying
from tests.conftest import Clock
from tests.payment.practice import Providers, deliver, providers
from tests.sales.test_bundles import bundle
from tests.world import Somebody, Thing, Visitor, World


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def stripe(practice: Providers) -> StripeSandbox:
    practice.stripe.outgoing.clear()
    return practice.stripe


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings


class Shopper:
    """Somebody who pays with a card on the provider's page."""

    def __init__(self, world: World, stripe: StripeSandbox, member: Somebody) -> None:
        self.world, self.stripe, self.member = world, stripe, member
        self.visitor: Visitor = world.client_for(member)

    def goes_to_pay(
        self, item: Thing, quantity: int = 1, means: str = "stripe", **more: Any
    ) -> str:
        """Where the shopper waits."""
        page = self.visitor.get(f"/pay?code={item.code}&quantity={quantity}").text
        key = re.search(r'name="key" value="(\w+)"', page)
        assert key
        form = {"key": key[1], "code": item.code, "quantity": quantity, "means": means,
                "seen_minor": item.price_minor}  # fmt: skip
        self.form = form
        answer = self.visitor.post("/pay", form)
        assert answer.status_code == 303, answer.text
        return str(answer.location).partition("?")[0]

    def at_provider(self, path: str, end: str) -> None:
        """What the shopper chooses on the provider's page."""
        self.stripe.ends(self.attempt(path).reference, end)

    def attempt(self, path: str) -> Attempt:
        with self.world.app.app_context():
            return db.session.get_one(Attempt, path.rpartition("/")[2])

    def checks(self, path: str) -> None:
        assert self.visitor.post(f"{path}/checks").status_code == 303

    def state(self, path: str) -> str:
        """What the page says: its state, or that it has become the receipt."""
        answer = self.visitor.get(path)
        if answer.status_code == 303:
            return "receipt"
        found = re.search(r'data-state="(\w+)"', answer.text)
        assert found, answer.text
        return found[1]


@pytest.fixture
def lin(world: World, stripe: StripeSandbox) -> Shopper:
    return Shopper(world, stripe, world.member())


def test_a_card_on_the_providers_page_buys_what_was_shown(
    world: World, lin: Shopper, client: FlaskClient, stripe: StripeSandbox
) -> None:
    milk = world.item(price="12.50", on_hand=3)
    path = lin.goes_to_pay(milk, 2)
    page = lin.visitor.get(f"{path}?go=1").text
    assert f"/stripe/pay/{lin.attempt(path).reference}" in page
    assert (lin.state(path), world.left(milk)) == ("waits", 3)
    lin.at_provider(path, "pay")
    for _ in range(3):
        assert deliver(client, stripe.outgoing[-1]).status_code == 204
        lin.checks(path)
        assert lin.state(path) == "receipt"
    receipt = one_sale(world, lin)
    assert (receipt.total_minor, receipt.means, receipt.kept_pieces) == (2500, "stripe", 2)
    assert (world.left(milk), world.balance(lin.member)) == (1, 0)
    assert "Card online" in lin.visitor.get(f"/sales/{receipt.id}").text
    assert world.faults() == []


def one_sale(world: World, shopper: Shopper) -> sales.Receipt:
    with world.app.app_context():
        found = sales.receipts(member_id=shopper.member.id)
    assert len(found) == 1
    return found[0]


def test_whoever_tells_first_and_however_often(
    clock: Clock, world: World, lin: Shopper, runner: FlaskCliRunner
) -> None:
    """Nobody comes back and no notice comes: our own asking settles it."""
    milk = world.item()
    path = lin.goes_to_pay(milk)
    lin.at_provider(path, "never")
    clock.tick(seconds=6)
    assert runner.invoke(args=["payment", "settle"]).stdout.strip() == "1"
    assert lin.state(path) == "receipt"
    assert world.faults() == []


def test_a_second_tap_is_the_same_payment(
    world: World, lin: Shopper, stripe: StripeSandbox
) -> None:
    milk, before = world.item(), len(stripe.sessions)
    path = lin.goes_to_pay(milk)
    again = lin.visitor.post("/pay", lin.form)
    assert again.location.partition("?")[0] == path
    assert len(stripe.sessions) == before + 1
    lin.at_provider(path, "pay")
    lin.checks(path)
    assert lin.visitor.post("/pay", lin.form).location.startswith("/sales/")
    assert world.faults() == []


def test_declined_lets_the_goods_go_and_can_be_tried_again(world: World, lin: Shopper) -> None:
    milk = world.item(on_hand=1)
    path = lin.goes_to_pay(milk)
    lin.at_provider(path, "decline")
    lin.checks(path)
    assert lin.state(path) == "failed"
    again = lin.visitor.post("/pay", lin.form).location.partition("?")[0]
    assert again != path
    lin.at_provider(again, "pay")
    lin.checks(again)
    assert lin.state(again) == "receipt"
    assert world.faults() == []


def test_what_is_abandoned_and_paid_all_the_same_is_bought_if_it_is_there(
    world: World, lin: Shopper, client: FlaskClient, stripe: StripeSandbox
) -> None:
    milk = world.item(on_hand=1)
    path = lin.goes_to_pay(milk)
    assert lin.visitor.post(f"{path}/cancellations").status_code == 303
    assert lin.state(path) == "expired"
    session = stripe.sessions[lin.attempt(path).reference]
    assert session.status == "expired"
    session.status = "open"  # The bank had it already when the page was closed.
    lin.at_provider(path, "pay")
    assert deliver(client, stripe.outgoing[-1]).status_code == 204
    assert (lin.state(path), world.left(milk)) == ("receipt", 0)
    assert world.faults() == []


def test_money_that_comes_when_the_goods_are_gone_goes_back_by_itself(
    world: World, lin: Shopper, client: FlaskClient, stripe: StripeSandbox, runner: FlaskCliRunner
) -> None:
    milk = world.item(on_hand=1)
    path = lin.goes_to_pay(milk)
    world.buy(world.member(funds="100"), milk)
    lin.at_provider(path, "pay")
    assert deliver(client, stripe.outgoing[-1]).status_code == 204
    assert lin.state(path) == "goes_back"
    assert "Your money goes back" in lin.visitor.get(path).text
    assert world.faults() == []
    runner.invoke(args=["payment", "settle"])
    session = stripe.sessions[lin.attempt(path).reference]
    assert [one["amount"] for one in session.refunds] == [milk.price_minor]
    assert "Your money has gone back" in lin.visitor.get(path).text
    assert lin.attempt(path).state == "refunded"
    assert world.faults() == []


def test_prices_stand_while_somebody_pays(world: World, lin: Shopper) -> None:
    milk = world.item(price="12.50")
    path = lin.goes_to_pay(milk)
    world.price(milk, "20.00")
    lin.at_provider(path, "pay")
    lin.checks(path)
    assert one_sale(world, lin).total_minor == 1250
    assert world.faults() == []


def test_paid_twice_in_two_ways_is_sold_once_and_the_second_goes_back(
    world: World, lin: Shopper, client: FlaskClient, stripe: StripeSandbox
) -> None:
    """The shopper leaves the provider's page, pays in another way, and the first money comes."""
    milk = world.item(on_hand=5)
    path = lin.goes_to_pay(milk)
    other = lin.visitor.post("/pay", {**lin.form, "means": "simulated"}).location.partition("?")[0]
    assert (lin.state(other), lin.state(path)) == ("receipt", "expired")
    lin.at_provider(path, "pay")
    assert deliver(client, stripe.outgoing[-1]).status_code == 204
    assert lin.state(path) == "goes_back"
    assert "already in another way" in lin.visitor.get(path).text
    assert world.left(milk) == 4
    assert world.faults() == []


def test_a_refund_goes_back_to_the_card_in_parts_and_never_too_much(
    world: World, lin: Shopper, stripe: StripeSandbox, runner: FlaskCliRunner
) -> None:
    milk, staff = world.item(price="12.50"), world.staff()
    path = lin.goes_to_pay(milk, 3)
    lin.at_provider(path, "pay")
    lin.checks(path)
    sale = one_sale(world, lin)
    with world.app.app_context():
        sales.refund(sale.id, made_by=staff.id, parts=[sales.Part(1, 1)])
    runner.invoke(args=["payment", "settle"])
    assert lin.attempt(path).state == "partly_refunded"
    world.refund(sale, staff)
    for _ in range(3):
        runner.invoke(args=["payment", "settle"])
    session = stripe.sessions[lin.attempt(path).reference]
    assert sorted(one["amount"] for one in session.refunds) == [1250, 2500]
    assert lin.attempt(path).state == "refunded"
    assert world.balance(lin.member) == 0
    assert world.faults() == []


def test_what_the_provider_will_not_send_back_is_in_the_account(
    world: World, lin: Shopper, stripe: StripeSandbox, runner: FlaskCliRunner
) -> None:
    milk = world.item(price="12.50")
    path = lin.goes_to_pay(milk)
    lin.at_provider(path, "pay")
    lin.checks(path)
    stripe.sessions[lin.attempt(path).reference].refunds.append({"amount": 1250})
    world.refund(one_sale(world, lin), world.staff())
    runner.invoke(args=["payment", "settle"])
    with world.app.app_context():
        assert [one.state for one in db.session.query(Payback)] == ["refused"]
    assert world.balance(lin.member) == 1250
    assert world.faults() == []


def test_a_basket_is_paid_and_emptied(world: World, lin: Shopper) -> None:
    for name in ("oat-milk", "pear"):
        item = world.item(name)
        lin.visitor.post("/basket/lines", code=item.code, quantity="2", seen_minor="0")
    page = lin.visitor.get("/pay").text
    form = dict(re.findall(r'name="(key|seen-\d+)" value="(\w+)"', page))
    path = lin.visitor.post("/pay", {**form, "means": "stripe"}).location.partition("?")[0]
    lin.at_provider(path, "pay")
    lin.checks(path)
    assert one_sale(world, lin).pieces == 4
    assert "Your basket is empty" in lin.visitor.get("/basket").text
    assert world.faults() == []


def test_somebody_elses_payment_is_not_there(world: World, lin: Shopper) -> None:
    path, mei = lin.goes_to_pay(world.item()), world.client_for(world.member())
    assert mei.get(path).status_code == 404
    assert mei.post(f"{path}/checks").status_code == 404
    assert mei.post(f"{path}/cancellations").status_code == 404
    assert lin.state(path) == "waits"


# Bad notices


def test_bad_notices_change_nothing_and_are_counted(
    world: World, lin: Shopper, client: FlaskClient, stripe: StripeSandbox, app: Flask
) -> None:
    path = lin.goes_to_pay(world.item(price="12.50"))
    mine = stripe._shown(stripe.sessions[lin.attempt(path).reference])
    paid = mine | {"payment_status": "paid", "status": "complete"}
    kind = "checkout.session.completed"
    bad = [
        (stripe.event(kind, paid, secret="guessed"), 400),
        (stripe.event(kind, paid | {"amount_total": 1249}), 409),
        (stripe.event(kind, paid | {"amount_total": 10**9}), 409),
        (stripe.event(kind, paid | {"amount_total": "1250"}), 400),
        (stripe.event(kind, paid | {"currency": "jpy"}), 409),
        (stripe.event(kind, paid | {"client_reference_id": "NOT-OURS"}), 404),
        (stripe.event(kind, paid | {"client_reference_id": None}), 400),
        (stripe.event(kind, paid, livemode=True), 409),
        (stripe.event(kind, {}), 400),
    ]
    for notice, status in bad:
        assert deliver(client, notice).status_code == status, notice.body
    stripe.webhook_secret, right = "another", stripe.webhook_secret
    assert deliver(client, stripe.event(kind, paid)).status_code == 400
    stripe.webhook_secret = right
    huge = stripe.event(kind, paid)
    huge.body = b" " * 10_000_000
    assert deliver(client, huge).status_code == 400
    other = stripe.event(kind, paid)
    other.body = other.body.decode().encode("utf-16")
    assert deliver(client, other).status_code == 400
    assert lin.state(path) == "waits"
    with app.app_context():
        counted = events.refused()
    assert sum(counted.values()) == len(bad) + 3
    assert deliver(client, stripe.event("customer.created", {"id": "cus_1"})).status_code == 204
    assert deliver(client, stripe.event(kind, paid)).status_code == 204
    assert lin.state(path) == "receipt"
    assert world.faults() == []


def test_notices_doubled_shuffled_delayed_and_forged_over_many_payments(
    world: World, stripe: StripeSandbox, client: FlaskClient, runner: FlaskCliRunner, clock: Clock
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    milk = world.item(price="12.50", on_hand=15)
    people = [world.member() for _ in range(4)]
    posts: list[tuple[Sent, int]] = []
    started, paid = start_many(world, [one.id for one in people * 7], milk), 0
    for number, (attempt_id, reference) in enumerate(started):
        end = chance.choice(["pay", "pay", "pay", "decline", "never"])
        paid += end != "decline"
        sent = len(stripe.outgoing)
        stripe.ends(reference, end)
        if number % 5 == 0:
            with world.app.app_context():
                gateway = set_up(world.app.config)["stripe"]
                asking.abandon(db.session.get_one(Attempt, attempt_id), gateway)
        for notice in stripe.outgoing[sent:]:
            posts += [(notice, 204)] * chance.randint(1, 20)
            forged = stripe.event("checkout.session.completed", {}, secret="guessed")
            posts += [(forged, 400)] * chance.randint(0, 4)
    chance.shuffle(posts)
    half = len(posts) // 2
    assert [deliver(client, one).status_code for one, _ in posts[:half]] == [
        status for _, status in posts[:half]
    ]
    clock.tick(seconds=200)
    assert {deliver(client, one).status_code for one, status in posts[half:] if status == 204} <= {
        204
    }
    for _ in range(3):
        clock.tick(minutes=20)
        runner.invoke(args=["payment", "settle"])
    with world.app.app_context():
        ours = {one.id: one for one in db.session.query(Attempt)}
        sold = [one for one in ours.values() if one.sale_id]
        back = [one for one in ours.values() if one.state == "refunded"]
    assert (len(sold), len(back), len(ours)) == (15, paid - 15, 28)
    assert world.left(milk) == 0
    for attempt_id, reference in started:
        gone = sum(one["amount"] for one in stripe.sessions[reference].refunds)
        assert gone == (1250 if ours[attempt_id].state == "refunded" else 0)
    assert world.faults() == []


def start_many(
    world: World, members: list[int], item: Thing, *, orders: bool = False
) -> list[tuple[str, str]]:
    """One payment for each of these members: its attempt, and the provider's name for it."""
    with world.app.app_context():
        gateway = set_up(world.app.config)["stripe"]
        started = []
        for member in members:
            lines, key = (sales.Line(item.id, 1),), ids.new()
            buy: sales.Buy | sales.Order = sales.Buy(
                member, world.location, "CNY", lines, key, means="stripe"
            )
            if orders:
                buy = sales.Order(member, world.location, "CNY", lines, key, "collect", 500,
                                  place_id=world.location, means="stripe")  # fmt: skip
            asked = paying.Paying(buy, gateway, base_url="http://localhost")
            mine = db.session.get_one(Attempt, paying.pay(asked))
            started.append((mine.id, mine.reference))
        return started


def test_alipay_pays_tells_and_takes_back(
    world: World, lin: Shopper, client: FlaskClient, practice: Providers, runner: FlaskCliRunner
) -> None:
    """With our requests signed, its answers and notices signed, and a late TRADE_FINISHED."""
    alipay, milk = practice.alipay, world.item(price="12.50")
    path = lin.goes_to_pay(milk, means="alipay")
    mine = lin.attempt(path)
    assert requests.get(mine.next_url, timeout=5).status_code == 200
    lin.checks(path)
    assert lin.state(path) == "waits"
    alipay.ends(mine.id, "twice")
    for notice in alipay.outgoing[-2:]:
        answer = deliver(client, notice)
        assert (answer.status_code, answer.text) == (200, "success")
    assert lin.state(path) == "receipt"
    sale = one_sale(world, lin)
    assert (sale.means, sale.total_minor) == ("alipay", 1250)
    world.refund(sale, world.staff())
    runner.invoke(args=["payment", "settle"])
    assert alipay.trades[mine.id].refunds
    finished = alipay.notice(
        alipay.trades[mine.id], trade_status="TRADE_FINISHED", gmt_refund="2027-03-15 10:00:00",
        refund_fee="12.50",
    )  # fmt: skip
    assert deliver(client, finished).text == "success"
    assert lin.attempt(path).state == "refunded"
    assert world.faults() == []


def test_alipay_that_was_paid_and_told_nobody_is_found_out(
    clock: Clock, world: World, lin: Shopper, practice: Providers, runner: FlaskCliRunner
) -> None:
    path = lin.goes_to_pay(world.item(), means="alipay")
    mine = lin.attempt(path)
    assert requests.get(mine.next_url, timeout=5).status_code == 200
    practice.alipay.ends(mine.id, "never")
    clock.tick(seconds=6)
    assert runner.invoke(args=["payment", "settle"]).stdout.strip() == "1"
    assert lin.state(path) == "receipt"
    assert world.faults() == []


def test_a_deposit_is_paid_and_held_with_its_goods(
    world: World, stripe: StripeSandbox, clock: Clock
) -> None:
    with world.app.app_context(), transaction():
        bottle = catalogue.add_deposit({"en": "Bottle"}, 25, world.currency).item_id
    milk = world.item(price="2.00", deposit_id=bottle)
    lin = world.member()
    page = (phone := world.client_for(lin)).get(f"/pay?code={milk.code}&quantity=2").text
    assert "Bottle" in page and "4.50" in page
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key
    form = {"key": key[1], "code": milk.code, "quantity": 2, "means": "stripe", "seen_minor": 225}
    path = str(phone.post("/pay", form).location).partition("?")[0]
    with world.app.app_context():
        mine = db.session.get_one(Attempt, path.rpartition("/")[2])
        assert mine.amount_minor == 450
        reference = mine.reference
    assert "Bottle" in phone.get(path).text
    stripe.ends(reference, "paid")
    phone.post(f"{path}/checks", {})
    sale = phone.get(phone.get(path).location).text
    assert "Bottle" in sale and world.faults() == []


def test_parts_and_deposits_of_a_bundle_stand_while_somebody_pays(
    world: World, lin: Shopper
) -> None:
    with world.app.app_context(), transaction():
        bottle = catalogue.add_deposit({"en": "Bottle"}, 25, world.currency).item_id
    milk, bread = world.item(deposit_id=bottle, on_hand=4), world.item("bread", on_hand=4)
    kit = bundle(world, (milk, 2), (bread, 1))
    path = lin.goes_to_pay(replace(kit, price_minor=550))
    assert lin.attempt(path).amount_minor == 550
    with world.app.app_context(), transaction():
        catalogue.edit_item(milk.id, deposit_id=None)
    assert "Bottle" in lin.visitor.get(path).text
    lin.at_provider(path, "pay")
    lin.checks(path)
    sale = one_sale(world, lin)
    assert (sale.total_minor, world.left(milk), world.left(bread)) == (550, 2, 3)
    assert world.faults() == []
