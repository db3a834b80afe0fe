"""One question about an age, answered by many at once: one answer counts. And proof that the race
is real."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from store import catalogue, clock, door, ids, payment, sales
from store.db import db, repeatable, transaction
from store.door import ages, spots
from store.reports import oracle
from store.sales.ages.ages import AgeCheck
from tests.door.shop import DoorShop, make_shop
from tests.races.test_one_spot_check import HANDS, at_once


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"THREADS": HANDS + 1}


@pytest.fixture
def shop(app: Flask) -> DoorShop:
    made = make_shop(app)
    with app.app_context(), transaction():
        catalogue.edit_item(made.bread, least_age=18)
    return made


def asked(shop: DoorShop) -> str:
    """A bag with something from 18 on, whose pass was scanned."""
    with shop.app.app_context():
        sale = shop.buy(1)
        with pytest.raises(ages.AgeFirst):
            shop.check(shop.pass_of(sale))
        return sale


@pytest.mark.usefixtures("clock")
def test_of_yes_and_no_at_two_exits_one_counts(shop: DoorShop) -> None:
    for _ in range(3):
        sale = asked(shop)
        with shop.app.app_context():
            before = payment.balance_of(shop.shopper, "CNY")

        def yes(sale: str = sale) -> object:
            return ages.old_enough(sale, 18, shop.asked())

        def no(sale: str = sale) -> object:
            return ages.too_young(sale, 18, shop.asked(staff=shop.colleague))

        def scan(sale: str = sale) -> object:
            return shop.check(shop.pass_of(sale))

        def back(sale: str = sale) -> object:
            return sales.refund(sale, made_by=shop.staff, parts=[sales.Part(2, 1)])

        acts: list[Callable[[], object]] = [yes, no, scan, yes, no, yes, no, back]
        outcomes = at_once(shop, acts)
        with shop.app.app_context():
            found = ages.asked_of(sale)
            moved = payment.balance_of(shop.shopper, "CNY") - before
            # The bread went back once at most: by the no, or by a colleague at the desk.
            # Where a colleague was first and the rest had left, nobody needs an answer any more.
            assert [each.state for each in found] in (["yes"], ["no"], ["open"]), outcomes
            assert moved in (0, 800) and (moved or found[0].state == "yes"), outcomes
            assert ages.under_way(shop.main, clock.now() - spots.FORGOTTEN) == []
            assert door.used(sale) is not None
            assert not [one for one in oracle.audit() if one.count]
        assert set(outcomes) <= {
            "done", "age_over", "age_first", "pass_used", "not_so_many_left", "not_refundable",
        }, outcomes  # fmt: skip


@repeatable
def look_then_write(sale: str) -> None:
    """The careless answer: it looks whether the question is open, and then writes a yes."""
    found = db.session.scalar(select(AgeCheck.state).where(AgeCheck.sale_id == sale))
    if found != "open":
        raise ages.AgeOver(state=found, least_age=18)
    with transaction() as session:
        session.execute(
            update(AgeCheck)
            .where(AgeCheck.sale_id == sale)
            .values(state="yes", key=ids.new(), ended_by=AgeCheck.staff_id, ended_at=clock.now())
        )


@pytest.mark.usefixtures("clock")
def test_without_the_guard_it_is_answered_more_than_once(shop: DoorShop) -> None:
    answered = []
    for _ in range(20):
        sale = asked(shop)
        outcomes = at_once(shop, [partial(look_then_write, sale)] * HANDS)
        answered.append(outcomes["done"])
        if max(answered) > 1:
            return
    raise AssertionError(f"the race never happened: {answered}")
