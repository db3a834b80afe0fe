"""The ledger: every transfer takes from one account what it gives to another, and stays."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from store import payment
from store.db import db, transaction
from store.payment.ledger import Payment, shop_account, shopper_account
from store.payment.models import Account, Transfer
from tests.races.crowd import at_once, inside
from tests.world import World

NOW = datetime(2027, 3, 15, tzinfo=UTC)


def books() -> dict[str, int]:
    """Every account's balance, from the transfers alone."""
    db.session.rollback()
    sums = dict.fromkeys(db.session.scalars(select(Account.code)), 0)
    codes = dict(db.session.execute(select(Account.id, Account.code)).all())
    for transfer in db.session.scalars(select(Transfer)):
        sums[codes[transfer.debit_id]] -= transfer.amount_minor
        sums[codes[transfer.credit_id]] += transfer.amount_minor
    return sums


@pytest.mark.usefixtures("context")
def test_money_comes_in_is_spent_and_comes_back(world: World) -> None:
    lin, milk = world.member(funds="50"), world.item(price="12.50", on_hand=10)
    mine = f"shopper:{lin.id}:CNY"
    assert books() == {mine: 5000, "cash:CNY": -5000}
    sale = world.buy(lin, (milk, 2))
    assert books() == {mine: 2500, "cash:CNY": -5000, "takings:CNY": 2500}
    world.refund(sale, world.staff())
    assert books() == {mine: 5000, "cash:CNY": -5000, "takings:CNY": 0}
    assert sum(books().values()) == 0
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_a_refund_names_the_charge_and_is_there_once(world: World) -> None:
    lin, milk = world.member(funds="50"), world.item(price="12.50", on_hand=10)
    sale = world.buy(lin, milk)
    world.refund(sale, world.staff())
    charge, refund = db.session.scalars(
        select(Transfer).where(Transfer.sale_id == sale.id).order_by(Transfer.id)
    )
    assert refund.reverses_id == charge.id
    with pytest.raises(payment.RefundTooLarge), transaction():
        payment.refund(sale.id, 1)
    assert world.balance(lin) == 5000
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_the_tables_refuse_what_no_code_should_write(world: World) -> None:
    lin = world.member(funds="50")
    for statement in (
        "UPDATE accounts SET balance_minor = -1 WHERE member_id IS NOT NULL",
        "UPDATE accounts SET balance_minor = NULL WHERE member_id IS NOT NULL",
        "UPDATE accounts SET balance_minor = 0 WHERE member_id IS NULL",
        "UPDATE transfers SET amount_minor = 0",
        "UPDATE transfers SET amount_minor = -5000",
        "UPDATE transfers SET credit_id = debit_id",
    ):
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(text(statement))
    assert world.balance(lin) == 5000
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_a_charge_of_several_is_all_or_nothing(world: World) -> None:
    lin, mei = world.member(funds="10"), world.member(funds="5")
    known = payment.accounts([lin.id, mei.id], "CNY")
    too_much = [Payment(lin.id, 600, "S1"), Payment(mei.id, 100, "S2"), Payment(lin.id, 401, "S3")]
    with transaction() as session:
        assert not payment.charge(too_much, known, NOW)
        session.rollback()
    assert (world.balance(lin), world.balance(mei)) == (1000, 500)
    with transaction():
        assert payment.charge([*too_much[:2], Payment(lin.id, 400, "S3")], known, NOW)
    assert (world.balance(lin), world.balance(mei)) == (0, 400)


@pytest.mark.usefixtures("context")
def test_what_costs_nothing_moves_nothing(world: World) -> None:
    lin, gift = world.member(), world.item(price="0", on_hand=2)
    sale = world.buy(lin, gift)
    assert sale.total_minor == 0
    world.refund(sale, world.staff())
    assert books() == {}
    assert world.left(gift) == 2
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_currencies_are_kept_apart(world: World) -> None:
    lin = world.member(funds="50")
    with transaction():
        payment.deposit(lin.id, 700, "JPY", "cash")
    assert payment.balance_of(lin.id, "CNY") == 5000
    assert payment.balance_of(lin.id, "JPY") == 700
    assert payment.balance_of(lin.id, "EUR") == 0
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_a_statement_runs_back_page_by_page(world: World) -> None:
    lin, milk = world.member(funds="100"), world.item(price="1", on_hand=100)
    for _ in range(9):
        world.buy(lin, milk)
    whole = payment.statement(lin.id, "CNY")
    assert [row.balance_minor for row in whole] == list(range(9100, 10_100, 100))
    assert [row.amount_minor for row in whole] == [-100] * 9 + [10_000]
    pages, before = [], None
    while page := payment.statement(lin.id, "CNY", before=before, limit=4):
        pages += page
        before = page[-1].id
    assert pages == whole
    assert payment.statement(lin.id, "JPY") == []
    assert payment.statement(999_999, "CNY") == []


def test_many_who_open_the_same_account_open_one(world: World, app: Flask) -> None:
    lin = world.member()

    def open_all() -> tuple[int, int]:
        with transaction():
            return shopper_account(lin.id, "CNY"), shop_account("takings", "CNY")

    outcomes = at_once([inside(app, open_all)] * 8)
    assert len(set(outcomes)) == 1, outcomes
    assert isinstance(outcomes[0], tuple)


def test_paying_in_at_the_till_by_command(world: World, runner: FlaskCliRunner) -> None:
    lin = world.member()
    pay = ["payment", "top-up", lin.email]
    assert runner.invoke(args=[*pay, "12.50"]).stdout == "12.50\n"
    assert runner.invoke(args=[*pay, "0.01"]).stdout == "12.51\n"
    for words in ([*pay, "0"], [*pay, "--", "-5"], [*pay, "1,250"], [*pay, "NaN"],
                  ["payment", "top-up", "nobody@example.com", "5"]):  # fmt: skip
        done = runner.invoke(args=words)
        assert done.exit_code == 1, words
        assert done.stdout == "" and done.stderr.startswith("Error: ")
    assert world.balance(lin) == 1251
    assert world.faults() == []
