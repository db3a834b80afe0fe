"""A balance of which several payments want a part: it is set aside once, and comes back once,
whoever ends the payment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import ids, payment, sales
from store.db import db, repeatable, transaction
from store.errors import Refusal
from store.payment import asides, asking, attempts, ledger
from store.payment.models import Account, Aside, Attempt
from store.sales.paying import paying
from tests.races.crowd import at_once, inside, words
from tests.races.test_one_payment import GATEWAY
from tests.world import Somebody, Thing, World

PHONES, ROUNDS = 6, 4


def pay_part(world: World, lin: Somebody, milk: Thing) -> str:
    """Twelve of twenty from the account. Answers the attempt's id."""
    asked = sales.Buy(
        lin.id, world.location, "CNY", (sales.Line(milk.id, 1),), ids.new(), means="simulated",
        account_minor=1200,
    )  # fmt: skip
    return paying.pay(paying.Paying(asked, GATEWAY, wish="never"))


def split_at_once(world: World, app: Flask, lin: Somebody, milk: Thing) -> list[str]:
    """So many phones with the same account; answers the payments that began."""
    found = at_once([inside(app, lambda: pay_part(world, lin, milk))] * PHONES)
    refused = [each for each in found if not isinstance(each, str)]
    assert all(isinstance(each, payment.InsufficientFunds) for each in refused), found
    return [each for each in found if isinstance(each, str)]


def careless_take(member_id: int, amount_minor: int, currency: str) -> bool:
    """It looks what the account holds, and then takes it."""
    mine = (Account.member_id == member_id, Account.currency == currency)
    session = db.session
    held = session.scalar(select(Account.balance_minor).where(*mine)) or 0
    session.execute(update(Account).where(*mine).values(balance_minor=max(held - amount_minor, 0)))
    return held >= amount_minor


@repeatable
def careless_end(attempt_id: str) -> None:
    """It looks whether the part is held, in one moment, and gives it back in another."""
    held = db.session.get_one(Aside, attempt_id).ended_at is None
    db.session.rollback()
    if held:
        with transaction() as session:
            session.execute(
                update(Aside).where(Aside.attempt_id == attempt_id).values(ended_at=None)
            )
            asides.end(attempt_id)


def test_a_careless_end_gives_the_part_back_twice(world: World, app: Flask) -> None:
    lin, milk = world.member(funds="12"), world.item(price="20", on_hand=90)
    for _ in range(40):
        with app.app_context():
            attempt_id = pay_part(world, lin, milk)
        at_once([inside(app, lambda: careless_end(attempt_id))] * PHONES)  # noqa: B023
        if world.balance(lin) > 1200:
            assert world.faults() != []
            return
    pytest.fail("no race was seen, so the tests below prove nothing")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_careless_account_is_split_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite one writes at a time, and reads what it changes."""
    monkeypatch.setattr(ledger, "take", careless_take)
    lin, milk = world.member(funds="12"), world.item(price="20", on_hand=90)
    for _ in range(40):
        began = split_at_once(world, app, lin, milk)
        if len(began) > 1:
            assert world.faults() != []
            return
        with app.app_context():
            for attempt_id in began:
                attempts.give_up(attempt_id)
    pytest.fail("no race was seen, so the test below proves nothing")


def test_phones_that_split_one_balance_set_it_aside_once_and_it_ends_once(
    world: World, app: Flask
) -> None:
    """One of the payments begins; then it is paid, given up and asked about at the same moment."""
    lin, milk = world.member(funds="12"), world.item(price="20", on_hand=90)
    for _ in range(ROUNDS):
        (attempt_id,) = split_at_once(world, app, lin, milk)
        assert world.balance(lin) == 0

        def asked(attempt_id: str = attempt_id) -> str:
            return asking.ask_about(attempts.find(attempt_id), GATEWAY)

        def over(attempt_id: str = attempt_id) -> str:
            return attempts.give_up(attempt_id)

        def elsewhere(dear: Thing) -> str:
            """The account's other phone buys with what came back, if it came back."""
            try:
                return world.buy(lin, dear).id
            except Refusal as refusal:
                return refusal.code

        dear = world.item(code="", gtin=None, price="12", on_hand=5)
        buys = partial(elsewhere, dear)
        jobs: list[Callable[[], str]] = [asked, over, buys, asked, over, buys]
        assert set(words(at_once([inside(app, job) for job in jobs]))) & {"None"} == set()
        assert world.faults() == []
        with app.app_context():
            mine = db.session.get_one(Attempt, attempt_id)
            spent = 1200 if mine.sale_id else 0
            bought = 1200 * (5 - world.left(dear))
        assert world.balance(lin) == 1200 - spent - bought
        world.fund(lin, f"{(spent + bought) / 100:.2f}")
