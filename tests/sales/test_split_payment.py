"""Two parts of one purchase: the account gives what it holds, a gateway brings the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from store import identity, ids, payment, sales
from store.db import db, transaction
from store.identity import tokens
from store.payment import asides, asking, attempts, ledger, paybacks
from store.payment.models import Attempt
from store.sales import limits
from store.sales.paying import paying
from tests.conftest import Clock
from tests.payment.test_money_machine import Bank
from tests.world import Somebody, Thing, Visitor, World


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"SIMULATED_GATEWAY": True}


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="20.30", on_hand=9)


@pytest.fixture
def lin(world: World) -> Somebody:
    return world.member(funds="12")


def begun(
    world: World, member: Somebody, item: Thing, bank: Bank, part: int = 1200, key: str = "",
    *, order: bool = False, many: int = 1,
) -> str:  # fmt: skip
    """A payment of which the account gives so much; answers the attempt's id."""
    lines, key = (sales.Line(item.id, many),), key or ids.new()
    asked: sales.Buy | sales.Order = sales.Buy(
        member.id, world.location, "CNY", lines, key, means="simulated", account_minor=part
    )
    if order:
        asked = sales.Order(member.id, world.location, "CNY", lines, key, "collect", 500,
                            place_id=world.location, means="simulated",
                            account_minor=part)  # fmt: skip
    return paying.pay(paying.Paying(asked, bank))


def told(bank: Bank, attempt_id: str) -> Attempt:
    """The provider has the money, and is asked."""
    bank.books[attempt_id].state = "paid"
    asking.ask_about(attempts.find(attempt_id), bank)
    return attempts.find(attempt_id)


def refused(wanted: type[Exception], *args: Any, **more: Any) -> None:
    with pytest.raises(wanted):
        begun(*args, **more)


@pytest.mark.usefixtures("context")
def test_both_parts_pay_for_one_sale_and_go_back_the_gateways_first(
    world: World, lin: Somebody, milk: Thing, bank: Bank
) -> None:
    sam = world.staff()
    for order in (False, True):
        world.fund(lin, "12") if order else None
        attempt_id = begun(world, lin, milk, bank, many=2, order=order)
        assert (world.balance(lin), bank.books[attempt_id].amount) == (0, 2860)
        assert world.faults() == []
        sale_id = told(bank, attempt_id).sale_id
        found = sales.receipt(sale_id or "")
        assert found and found.paid == [("account", 1200), ("simulated", 2860)]
        assert (world.balance(lin), world.faults()) == (0, [])
        if order:
            continue
        sales.refund(found.id, made_by=sam.id, parts=[sales.Part(1, 1)])
        assert (world.balance(lin), attempts.find(attempt_id).refunded_minor) == (0, 2030)
        sales.refund(found.id, made_by=sam.id)
        assert (world.balance(lin), attempts.find(attempt_id).refunded_minor) == (1200, 2860)
        found = sales.receipt(found.id)
        assert found and [each.account_minor for each in found.refunds] == [0, 1200]
        world.buy(lin, world.item(code="", gtin=None, price="12", on_hand=1))
    paybacks.work({"simulated": bank})
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_what_comes_to_nothing_is_back_in_the_account_once_and_late_money_takes_it_again(
    world: World, lin: Somebody, milk: Thing, bank: Bank, clock: Clock
) -> None:
    declined, abandoned, expired = (begun(world, lin, milk, bank, 400) for _ in range(3))
    assert world.balance(lin) == 0
    bank.books[declined].state = "declined"
    for _ in range(2):
        asking.ask_about(attempts.find(declined), bank)
        asking.abandon(attempts.find(abandoned), bank)
    assert world.balance(lin) == 800
    clock.tick(minutes=16)
    asking.ask_about(attempts.find(expired), bank)
    attempts.give_up(expired)
    assert (world.balance(lin), world.faults()) == (1200, [])
    # It was paid all the same: the goods are there and so is the account's part.
    attempts.settle(abandoned, bank_says(bank, abandoned))
    assert attempts.find(abandoned).sale_id
    assert (world.balance(lin), world.left(milk)) == (800, 8)
    # What the account had given back is spent meanwhile: all of the money goes back.
    world.buy(lin, world.item(code="", gtin=None, price="7", on_hand=1))
    attempts.settle(expired, bank_says(bank, expired))
    (back,) = paybacks.of_attempt(expired)
    assert (back.reason, back.amount_minor) == ("insufficient_funds", 1630)
    assert (world.balance(lin), world.left(milk), world.faults()) == (100, 8, [])


def bank_says(bank: Bank, attempt_id: str) -> Any:
    bank.books[attempt_id].state = "paid"
    return bank.status(asking.order_of(attempts.find(attempt_id)))


@pytest.mark.usefixtures("context")
def test_a_part_that_cannot_be_is_refused_and_leaves_nothing(
    world: World, lin: Somebody, milk: Thing, bank: Bank
) -> None:
    refused(payment.InsufficientFunds, world, lin, milk, bank, 1201)
    refused(payment.InsufficientFunds, world, lin, milk, bank, 1201, order=True)
    refused(sales.AccountSuffices, world, lin, milk, bank, 2030)
    refused(sales.AccountSuffices, world, lin, milk, bank, 2031, order=True)
    with transaction():
        ledger.set_limits(lin.id, "CNY", 1100, 1500)
    refused(sales.ConfirmationNeeded, world, lin, milk, bank, 1200)
    refused(sales.ConfirmationNeeded, world, lin, milk, bank, 1200, order=True)
    assert (bank.books, world.balance(lin)) == ({}, 1200)
    # What is set aside counts for the day while it is, and as the sale's part afterwards.
    first = begun(world, lin, milk, bank, 1000)
    world.fund(lin, "100")
    refused(sales.ConfirmationNeeded, world, lin, milk, bank, 501)
    told(bank, first)
    refused(sales.ConfirmationNeeded, world, lin, milk, bank, 501)
    assert limits.spent_today([lin.id], "CNY") == {lin.id: 1000}
    begun(world, lin, milk, bank, 500)
    # The same page again is the same payment; with another part it is another one.
    key = ids.new()
    one = begun(world, lin, milk, bank, 0, key)
    assert begun(world, lin, milk, bank, 0, key) == one
    with transaction():
        ledger.set_limits(lin.id, "CNY", None, None)
    other = begun(world, lin, milk, bank, 700, key)
    assert (other != one, attempts.find(one).state) == (True, "expired")
    again = begun(world, lin, milk, bank, 800, key)
    assert (attempts.find(other).state, asides.of(again)) == (
        "expired", asides.Part(lin.id, 800, "CNY", False)
    )  # fmt: skip
    assert world.faults() == []


def test_on_the_page_both_parts_are_told_at_every_step(
    world: World, app: Flask, lin: Somebody, milk: Thing
) -> None:
    browser = world.client_for(lin)
    page = browser.get(f"/pay?code={milk.code}").text
    assert "¥12.00" in page and "¥8.30" in page
    whole = browser.get(f"/pay?code={milk.code}&account=0").text
    assert "¥8.30" not in whole and "account_minor" not in whole
    form = fields(page) | {"means": "simulated", "wish": "never"}
    assert form["account_minor"] == "1200"
    path = browser.post("/pay", form).location.partition("?")[0]
    waits = browser.get(path).text
    assert "set it aside" in waits and "¥12.00" in waits and "¥8.30" in waits
    assert "Set aside for a payment" in browser.get("/me/account").text
    browser.post(f"{path}/cancellations")
    assert "back in your account" in browser.get(path).text
    assert world.balance(lin) == 1200
    bad = browser.post("/pay", form | {"key": ids.new(), "account_minor": "-5"})
    assert (bad.status_code, world.balance(lin)) == (422, 1200)
    paid = browser.post("/pay", form | {"wish": "approve"}).location.partition("?")[0]
    receipt = browser.get(browser.get(paid).location).text
    assert "¥12.00" in receipt and "¥8.30" in receipt and "Practice money" in receipt
    order = browser.get(f"/order?code={milk.code}&how=collect&place=MAIN&pay=simulated").text
    assert "account_minor" not in order  # The account is empty.
    world.fund(lin, "5")
    order = browser.get(f"/order?code={milk.code}&how=collect&place=MAIN&pay=simulated").text
    assert "¥5.00 from your account, ¥15.30 with Practice money." in order
    made = browser.post("/orders", fields(order) | {"wish": "approve"})
    assert browser.get(made.location.partition("?")[0]).status_code == 303
    with app.app_context():
        paid_parts = list(db.session.scalars(select(sales.models.Sale.account_minor)))
        assert sorted(paid_parts) == [500, 1200]
        sale = sales.receipts(member_id=lin.id, limit=1)[0]
        pdf = browser.get(f"/sales/{sale.id}/receipt.pdf")
    assert pdf.status_code == 200
    assert (world.balance(lin), world.faults()) == (0, [])


def fields(page: str) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="([a-z_0-9-]+)" value="([^"]*)"', page)
    return {name: said for name, said in found if name != "csrf"}


def test_the_api_splits_an_order_and_tells_both_parts(
    world: World, app: Flask, lin: Somebody, milk: Thing
) -> None:
    visitor: Visitor = world.visitor()
    with app.app_context(), transaction():
        token = tokens.issue_token(identity.by_id(lin.id), ("sales:write", "sales:read"))
    head = {"Authorization": f"Bearer {token}"}
    body: dict[str, Any] = {
        "location": "MAIN", "collect": "MAIN", "lines": [{"item": milk.code, "quantity": 1}],
        "payment": {"method": "simulated", "from_account": "12.00"},
    }  # fmt: skip

    def post(path: str, key: str, **other: Any) -> Any:
        told = {**body, "payment": {**body["payment"], **other}}
        return visitor.client.post(f"/api/v1{path}", json=told,
                                   headers=head | {"Idempotency-Key": key})  # fmt: skip

    assert post("/orders", "k-orders-1", method="account").status_code == 422
    short = post("/order-payments", "k-short-01", from_account="12.01")
    assert (short.status_code, short.json["code"]) == (402, "insufficient_funds")
    all_of_it = post("/order-payments", "k-all-0001", from_account="20.30")
    assert (all_of_it.status_code, all_of_it.json["code"]) == (409, "account_suffices")
    made = post("/order-payments", "k-split-01")
    assert made.status_code == 201, made.json
    assert (made.json["amount"]["minor"], made.json["from_account"]["minor"]) == (830, 1200)
    again = post("/order-payments", "k-split-01")
    assert again.json["id"] == made.json["id"]
    sale: Any = visitor.client.get(f"/api/v1/sales/{made.json['order']}", headers=head).json
    assert sale["payment"]["from_account"]["minor"] == 1200
    assert (world.balance(lin), world.faults()) == (0, [])
