"""Web orders that a provider brings the money for: kept while they are paid, there once, or the
money goes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient, FlaskCliRunner

from store import delivery, ids, sales, stock
from store.db import db
from store.payment import attempts, paybacks
from store.payment.gateways import Approved
from store.payment.gateways.offered import set_up
from store.payment.models import Attempt, Payback
from store.payment.sandboxes.stripe import StripeSandbox
from store.sales.orders import fulfilment
from tests.conftest import Clock
from tests.payment.practice import Providers, deliver, providers
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
    """Somebody who orders and pays with a card on the provider's page."""

    def __init__(self, world: World, stripe: StripeSandbox, member: Somebody) -> None:
        self.world, self.stripe, self.member = world, stripe, member
        self.visitor: Visitor = world.client_for(member)
        self.form: dict[str, Any] = {}

    def orders(self, item: Thing, quantity: int = 1, pay: str = "stripe", **how: Any) -> str:
        """Where the shopper waits."""
        chosen = "&".join(f"{name}={value}" for name, value in how.items())
        page = self.visitor.get(f"/order?code={item.code}&quantity={quantity}&pay={pay}&{chosen}")
        form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        assert form.get("pay") == pay, page.text
        self.form = form
        return self.sends(form)

    def sends(self, form: dict[str, Any]) -> str:
        answer = self.visitor.post("/orders", form)
        assert answer.status_code == 303, answer.text
        return str(answer.location).partition("?")[0]

    def attempt(self, path: str) -> Attempt:
        with self.world.app.app_context():
            return db.session.get_one(Attempt, path.rpartition("/")[2])

    def pays(self, path: str, end: str = "pay") -> None:
        """What the shopper chooses on the provider's page; then they come back."""
        self.stripe.ends(self.attempt(path).reference, end)
        assert self.visitor.post(f"{path}/checks").status_code == 303

    def receipt(self, path: str) -> sales.Receipt:
        answer = self.visitor.get(path)
        assert answer.status_code == 303, answer.text
        with self.world.app.app_context():
            found = sales.receipt(str(answer.location).rpartition("/")[2])
        assert found is not None
        return found


@pytest.fixture
def lin(world: World, stripe: StripeSandbox) -> Shopper:
    world.zone((5000, "6"))
    return Shopper(world, stripe, world.member())


def free(world: World, item: Thing, place: int | None = None) -> int:
    at = place or world.location
    with world.app.app_context():
        return stock.available([item.id], [at])[item.id, at].available


def parcels(world: World, sale_id: str) -> list[delivery.Tracked]:
    with world.app.app_context():
        return list(delivery.of_sale(sale_id))


def test_a_delivery_is_paid_with_a_card(
    world: World, lin: Shopper, stripe: StripeSandbox, client: FlaskClient
) -> None:
    milk = world.item(price="12.50", on_hand=3)
    address = world.address(lin.member)
    path = lin.orders(milk, 2, how="deliver", address=address)
    page = lin.visitor.get(path).text
    assert "Pay ¥31.00" in page and "<span>Delivery</span>" in page
    # Kept for the order while it is paid; the goods are on their shelf.
    assert (free(world, milk), world.left(milk)) == (1, 3)
    stripe.ends(lin.attempt(path).reference, "pay")
    for _ in range(2):
        assert deliver(client, stripe.outgoing[-1]).status_code == 204
    receipt = lin.receipt(path)
    assert (receipt.total_minor, receipt.means, receipt.fulfilment) == (3100, "stripe", "deliver")
    assert [line.kind for line in receipt.lines] == ["goods", "shipping"]
    assert [one.state for one in parcels(world, receipt.id)] == ["open"]
    assert (free(world, milk), world.left(milk), world.balance(lin.member)) == (1, 3, 0)
    assert world.faults() == []


def test_prices_and_delivery_stand_while_the_shopper_pays(world: World, lin: Shopper) -> None:
    milk = world.item(price="12.50")
    path = lin.orders(milk, how="deliver", address=world.address(lin.member))
    world.price(milk, "20")
    world.zone((5000, "9"), prefix="2000")
    lin.pays(path)
    assert lin.receipt(path).total_minor == 1850


def test_declined_left_and_over_free_everything(
    clock: Clock, world: World, lin: Shopper, runner: FlaskCliRunner
) -> None:
    milk = world.item(on_hand=1)
    for end in ("decline", "leave", "never"):
        path = lin.orders(milk, how="collect", place="MAIN")
        assert free(world, milk) == 0
        if end == "decline":
            lin.pays(path, end)
        elif end == "leave":
            lin.visitor.post(f"{path}/cancellations")
        else:
            clock.tick(minutes=16)
            runner.invoke(args=["payment", "settle"])
        assert free(world, milk) == 1, end
        assert lin.visitor.get(path).status_code == 200
    with world.app.app_context():
        assert sales.receipts(member_id=lin.member.id) == []
    assert world.faults() == []


def test_a_second_tap_is_one_order_and_another_address_another_payment(
    world: World, lin: Shopper
) -> None:
    milk = world.item(on_hand=2)
    home, work = world.address(lin.member), world.address(lin.member, "200009")
    path = lin.orders(milk, how="deliver", address=home)
    assert lin.sends(lin.form) == path
    other = lin.sends(lin.form | {"address": work})
    assert other != path
    assert free(world, milk) == 1  # What was kept for the first is free again.
    lin.pays(other)
    sale = lin.receipt(other)
    assert lin.sends(lin.form | {"address": work}) == f"/sales/{sale.id}"
    with world.app.app_context():
        where = delivery.of_order(sale.id)
        assert where is not None and where.postcode == "200009"
    assert world.faults() == []


def test_who_comes_back_may_pay_from_the_account_instead(world: World, lin: Shopper) -> None:
    milk = world.item(on_hand=1, price="12.50")
    path = lin.orders(milk, how="collect", place="MAIN")
    page = lin.visitor.get(f"/order?code={milk.code}&how=collect").text
    assert path in page  # The order that waits is named, with a way to it.
    world.fund(lin.member, "20")
    sale = lin.sends(lin.form | {"pay": "account"})
    assert sale.startswith("/sales/")
    late(world, lin.attempt(path))
    assert "goes_back" in lin.visitor.get(path).text
    assert (free(world, milk), world.balance(lin.member)) == (0, 750)
    assert world.faults() == []


def test_late_money_finds_the_goods_elsewhere_or_goes_back(
    clock: Clock, world: World, lin: Shopper, runner: FlaskCliRunner
) -> None:
    milk, quay = world.item(on_hand=1), world.place("QUAY")
    address = world.address(lin.member)
    paths = [lin.orders(milk, how="deliver", address=address)]
    clock.tick(minutes=16)
    runner.invoke(args=["payment", "settle"])
    paths.append(lin.orders(milk, how="deliver", address=address))
    clock.tick(minutes=16)
    runner.invoke(args=["payment", "settle"])
    world.buy(world.member(funds="100"), milk)
    world.stock(milk, 1, at=quay)
    for path in paths:
        assert lin.attempt(path).state == "expired"
        late(world, lin.attempt(path))
    receipt = lin.receipt(paths[0])
    assert [one.location_code for one in parcels(world, receipt.id)] == ["QUAY"]
    page = lin.visitor.get(paths[1]).text
    assert 'data-state="goes_back"' in page
    assert world.faults() == []


def test_item_in_hand_wins_over_an_order_that_is_being_paid(world: World, lin: Shopper) -> None:
    milk = world.item(on_hand=1)
    path = lin.orders(milk, how="collect", place="MAIN")
    world.buy(world.member(funds="100"), milk)
    lin.pays(path)
    assert 'data-state="goes_back"' in lin.visitor.get(path).text
    assert world.faults() == []


def late(world: World, mine: Attempt) -> None:
    """The provider says after all that the money came."""
    with world.app.app_context():
        came = Approved("late-1", mine.amount_minor, mine.currency)
        assert attempts.settle(mine.id, came, "notice") == "captured"


def sent_back(world: World) -> list[tuple[int, str]]:
    with world.app.app_context():
        paybacks.work(set_up(world.app.config))
        found = db.session.query(Payback).order_by(Payback.created_at).all()
        return [(one.amount_minor, one.state) for one in found]


def test_what_is_cancelled_or_not_there_goes_back_to_the_card(world: World, lin: Shopper) -> None:
    milk, staff = world.item(on_hand=3, price="12.50"), world.staff()
    path = lin.orders(milk, 3, how="deliver", address=world.address(lin.member))
    lin.pays(path)
    sale = lin.receipt(path)
    with world.app.app_context():
        [parcel] = delivery.of_sale(sale.id)
        fulfilment.short(parcel.id, {milk.id: 1}, made_by=staff.id)
    assert sent_back(world) == [(1250, "done")]
    answer = lin.visitor.post(f"/sales/{sale.id}/cancel")
    assert answer.status_code == 303
    assert "goes back to where it came from" in lin.visitor.get(answer.location).text
    assert sent_back(world) == [(1250, "done"), (3100, "done")]
    assert lin.attempt(path).state == "refunded"
    assert (world.balance(lin.member), free(world, milk)) == (0, 2)
    assert world.faults() == []


def test_while_its_payment_is_disputed_an_order_is_left_as_it_is(
    world: World, lin: Shopper, client: FlaskClient, runner: FlaskCliRunner
) -> None:
    milk = world.item(on_hand=1)
    path = lin.orders(milk, how="collect", place="MAIN")
    lin.pays(path)
    sale = lin.receipt(path)
    disputed = lin.stripe.dispute(lin.attempt(path).reference, "needs_response")
    assert deliver(client, disputed).status_code == 204
    answer = lin.visitor.post(f"/sales/{sale.id}/cancel")
    assert answer.status_code == 409
    # A shopper at the shelf took it: the line of events goes on all the same.
    world.buy(world.member(funds="100"), milk)
    assert runner.invoke(args=["outbox", "work"]).exit_code == 0
    assert [one.state for one in parcels(world, sale.id)] == ["open"]
    assert world.faults() == []


def test_the_page_offers_every_way_that_fits(world: World, lin: Shopper) -> None:
    milk = world.item(price="12.50")
    page = lin.visitor.get(f"/order?code={milk.code}&how=collect").text
    offered = re.findall(r"pay=(\w+)", page)
    assert {"account", "stripe", "alipay", "wechat", "paypal"} <= set(offered)
    assert 'name="pay" value="simulated"' in page  # The account holds nothing.
    assert "courier" not in offered
    world.fund(lin.member, "20")
    assert 'name="pay" value="account"' in lin.visitor.get(f"/order?code={milk.code}").text
    for wrong in ("gold", "cash", "Stripe", "stripe\x00"):
        form = {"key": ids.new(), "how": "collect", "place": "MAIN", "code": milk.code,
                f"seen-{milk.id}": 1250, "pay": wrong}  # fmt: skip
        assert lin.visitor.post("/orders", form).status_code == 422
