"""Disputes by notice: the money is held, then kept or lost, once, in whatever order it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from store import sales
from store.db import db
from store.payment.models import Attempt
from store.payment.paybacks import PaymentDisputed
from store.payment.sandboxes.stripe import StripeSandbox
from tests.payment.practice import Providers, deliver, providers
from tests.sales.test_paying import Shopper, one_sale
from tests.world import World


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def stripe(practice: Providers) -> StripeSandbox:
    return practice.stripe


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings


@pytest.fixture
def paid(world: World, stripe: StripeSandbox) -> Attempt:
    """A payment of 12.50 that came and bought."""
    lin = Shopper(world, stripe, world.member())
    path = lin.goes_to_pay(world.item(price="12.50"))
    lin.at_provider(path, "never")
    lin.checks(path)
    return lin.attempt(path)


def state(world: World, mine: Attempt) -> str:
    with world.app.app_context():
        return db.session.get_one(Attempt, mine.id).state


def held(world: World) -> dict[str, int]:
    """What stands in the shop's own accounts: debits less credits."""
    query = """SELECT a.code, SUM(CASE WHEN a.id = t.debit_id THEN t.amount_minor
                                       ELSE -t.amount_minor END)
                 FROM accounts a JOIN transfers t ON a.id IN (t.debit_id, t.credit_id)
                WHERE a.member_id IS NULL GROUP BY a.code"""
    with world.app.app_context():
        return {row[0]: int(row[1]) for row in db.session.execute(text(query)) if row[1]}


def test_a_dispute_holds_the_money_until_it_is_won(
    world: World, client: FlaskClient, stripe: StripeSandbox, paid: Attempt
) -> None:
    told = stripe.dispute(paid.reference, "needs_response")
    for _ in range(3):
        assert deliver(client, told).status_code == 204
    assert deliver(client, stripe.dispute(paid.reference, "under_review")).status_code == 204
    assert state(world, paid) == "disputed"
    assert held(world) == {"disputed:CNY": 1250, "takings:CNY": -1250}
    page = world.client_for(world.owner()).get("/owner/payments").text
    assert re.search(r"Stripe · open.*fraudulent.*12\.50", page, re.DOTALL)
    assert world.faults() == []
    with world.app.app_context(), pytest.raises(PaymentDisputed):
        sales.refund(str(paid.sale_id), made_by=world.staff().id)
    answer = world.client_for(world.staff()).post(f"/desk/sales/{paid.sale_id}/refunds")
    assert (answer.status_code, "Nothing was refunded" in answer.text) == (409, True)
    assert world.faults() == []
    for _ in range(2):
        assert deliver(client, stripe.dispute(paid.reference, "won")).status_code == 204
    assert state(world, paid) == "captured"
    assert held(world) == {"gateway:stripe:CNY": 1250, "takings:CNY": -1250}
    assert "decided for us" in world.client_for(world.owner()).get("/owner/payments").text
    assert world.faults() == []


def test_a_lost_one_that_is_told_first_of_its_end_is_a_loss_once(
    world: World, client: FlaskClient, stripe: StripeSandbox, paid: Attempt
) -> None:
    assert deliver(client, stripe.dispute(paid.reference, "lost")).status_code == 204
    assert deliver(client, stripe.dispute(paid.reference, "needs_response")).status_code == 204
    assert deliver(client, stripe.dispute(paid.reference, "won")).status_code == 204
    assert (state(world, paid), held(world)) == ("disputed", {})
    assert world.faults() == []


def test_a_dispute_over_a_part_and_another_over_the_rest(
    world: World, client: FlaskClient, stripe: StripeSandbox, paid: Attempt
) -> None:
    first, second = {"id": "dp_1", "amount": 250}, {"id": "dp_2", "amount": 1000}
    for one in (first, second):
        deliver(client, stripe.dispute(paid.reference, "needs_response", **one))
    deliver(client, stripe.dispute(paid.reference, "won", **first))
    assert (state(world, paid), held(world)["disputed:CNY"]) == ("disputed", 1000)
    deliver(client, stripe.dispute(paid.reference, "won", **second))
    assert (state(world, paid), "disputed:CNY" in held(world)) == ("captured", False)
    assert world.faults() == []


def test_what_cannot_be_about_this_money_is_refused_and_changes_nothing(
    world: World, client: FlaskClient, stripe: StripeSandbox, paid: Attempt
) -> None:
    before = held(world)
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"amount": 1251}, 409), ({"amount": 0}, 409), ({"amount": -1}, 409),
        ({"currency": "jpy"}, 409), ({"amount": "1250"}, 400), ({"amount": True}, 400),
        ({"payment_intent": None}, 400), ({"payment_intent": "pi_unknown"}, 404),
        ({"id": None}, 400),
    ]  # fmt: skip
    for changed, status in wrong:
        said = {"status": "needs_response"} | changed
        notice = stripe.dispute(paid.reference, str(said.pop("status")), **said)
        assert deliver(client, notice).status_code == status, changed
    assert (state(world, paid), held(world)) == ("captured", before)
    assert world.faults() == []


def test_paypal_tells_of_a_dispute_by_our_invoice_number(
    world: World, client: FlaskClient, practice: Providers
) -> None:
    lin = Shopper(world, practice.stripe, world.member())
    path = lin.goes_to_pay(world.item(price="12.50"), means="paypal")
    practice.paypal.ends(lin.attempt(path).reference, "never")
    lin.checks(path)
    mine = lin.attempt(path)
    assert one_sale(world, lin).means == "paypal"
    about = {
        "dispute_id": "PP-D-1", "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "status": "OPEN",
        "disputed_transactions": [{"invoice_number": mine.id}],
        "dispute_amount": {"currency_code": "CNY", "value": "12.50"},
    }  # fmt: skip
    created = practice.paypal.event("CUSTOMER.DISPUTE.CREATED", about)
    assert deliver(client, created).status_code == 204
    assert (state(world, mine), held(world)["disputed:CNY"]) == ("disputed", 1250)
    outcome = {"status": "RESOLVED", "dispute_outcome": {"outcome_code": "RESOLVED_BUYER_FAVOUR"}}
    resolved = practice.paypal.event("CUSTOMER.DISPUTE.RESOLVED", about | outcome)
    assert deliver(client, resolved).status_code == 204
    assert (state(world, mine), held(world)) == ("disputed", {})
    faults: list[dict[str, Any]] = [
        {"dispute_amount": None},
        {"disputed_transactions": []},
        {"dispute_id": None},
    ]
    for broken in faults:
        notice = practice.paypal.event("CUSTOMER.DISPUTE.CREATED", {**about, **broken})
        assert deliver(client, notice).status_code == 400
    assert world.faults() == []
