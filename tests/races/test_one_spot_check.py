"""One check of a bag, ended by everybody at once: it ends once. And proof that the race is real."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import clock, door, ids, payment
from store.db import db, repeatable, transaction
from store.door import rules, spots, steps
from store.door.models import SpotCheck
from store.door.rules import Rules
from store.errors import Refusal
from store.reports import oracle
from tests.door.shop import DoorShop, make_shop

HANDS = 8


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"THREADS": HANDS + 1}


@pytest.fixture
def shop(app: Flask) -> DoorShop:
    return make_shop(app)


def at_once(shop: DoorShop, acts: Sequence[Callable[[], object]]) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        ready.wait(timeout=60)
        with shop.app.app_context():
            try:
                act()
                outcome = "done"
            except Refusal as refusal:
                outcome = refusal.code
            except Exception as error:
                outcome = repr(error)
            outcomes[outcome] += 1

    hands = [threading.Thread(target=run, args=(act,)) for act in acts]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    return outcomes


def begun(shop: DoorShop) -> str:
    """A bag with one bread too many and one milk too few, asked about."""
    with shop.app.app_context():
        sale = shop.buy(2)
        with pytest.raises(door.CheckFirst):
            shop.check(shop.pass_of(sale))
        steps.widen(sale)
        for item in (shop.milk, shop.bread, shop.bread):
            steps.scan(sale, item, 1, shop.staff, ids.new(), clock.now())
        steps.ask(sale)
        return sale


@pytest.fixture
def _held(shop: DoorShop) -> None:
    with shop.app.app_context(), transaction():
        rules.set_rules(Rules(random_bp=10_000), by=shop.owner, at=clock.now())


@pytest.mark.usefixtures("clock", "_held")
def test_many_yeses_and_noes_at_once_are_one(shop: DoorShop) -> None:
    for _ in range(3):
        sale = begun(shop)
        with shop.app.app_context():
            before = payment.balance_of(shop.shopper, "CNY")

        def agree(sale: str = sale) -> object:
            return steps.settle(steps.Yes(sale, shop.shopper, 1, False, clock.now()))

        def refuse(sale: str = sale) -> object:
            return steps.refuse(sale, shop.asked())

        def again(sale: str = sale) -> object:
            return steps.anew(sale)

        acts: list[Callable[[], object]] = [
            agree,
            refuse,
            agree,
            again,
            agree,
            refuse,
            agree,
            again,
        ]
        outcomes = at_once(shop, acts)
        with shop.app.app_context():
            check = spots.found(sale)
            assert check is not None
            moved = payment.balance_of(shop.shopper, "CNY") - before
            settled = check.state == "ended"
            assert (moved, door.used(sale) is not None) == (
                (450, True) if settled else (0, False)
            ), (outcomes, check.state)
            assert not [one for one in oracle.audit() if one.count]
        assert set(outcomes) <= {"done", "check_over"}, outcomes


@repeatable
def look_then_write(sale: str, outcome: str) -> None:
    """The careless end: it looks whether the check is open, and then writes how it ended."""
    found = db.session.scalar(select(SpotCheck.state).where(SpotCheck.sale_id == sale))
    if found != "asked":
        raise steps.CheckOver()
    with transaction() as session:
        session.execute(
            update(SpotCheck)
            .where(SpotCheck.sale_id == sale)
            .values(state="ended", outcome=outcome, ended_at=clock.now())
        )


@pytest.mark.usefixtures("clock", "_held")
def test_without_the_guard_a_check_ends_more_than_once(shop: DoorShop) -> None:
    ended = []
    for _ in range(20):
        sale = begun(shop)
        outcomes = at_once(shop, [partial(look_then_write, sale, "ok")] * HANDS)
        ended.append(outcomes["done"])
        if max(ended) > 1:
            return
    pytest.fail(f"no race was seen, so the test above proves nothing: {ended}")
