"""A person goes while they buy: the sale is before, and its money is not forfeited a second time;
or it is refused. Nothing stays in an account that is nobody's."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from store import ids, payment, privacy, sales
from store.db import connection
from store.sales.buying import Bought
from tests.races.crowd import at_once, inside
from tests.world import World

ROUNDS, BUYS = 3, 3


def left_with_nobody(app: Flask) -> int:
    """What accounts hold that are nobody's."""
    query = """SELECT COALESCE(SUM(a.balance_minor), 0) FROM accounts a
                 JOIN members m ON m.id = a.member_id WHERE m.erased_at IS NOT NULL"""
    with app.app_context():
        return int(connection().execute(text(query)).scalar() or 0)


def goes_while_buying(world: World, app: Flask) -> list[object]:
    milk = world.item(price="1", on_hand=100, code=ids.new()[-8:], gtin=None)
    lin = world.member(funds="10")
    line = (sales.Line(milk.id, 1),)
    asked = [
        sales.Buy(lin.id, world.location, world.currency, line, ids.new(), "shelf")
        for _ in range(BUYS)
    ]
    jobs: list[Callable[[], object]] = [
        inside(app, functools.partial(sales.buy, one)) for one in asked
    ]
    jobs.insert(1, inside(app, lambda: privacy.erase(lin.id, forfeit=True)))
    outcomes = at_once(jobs)
    assert outcomes[1] is None, outcomes
    bought = [one for one in outcomes if isinstance(one, Bought)]
    refused = [one for one in outcomes if isinstance(one, payment.InsufficientFunds)]
    assert len(bought) + len(refused) == BUYS, outcomes
    assert world.left(milk) == 100 - len(bought)
    return list(outcomes)


def test_without_the_forfeit_in_its_transaction_money_stays_with_nobody(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment, "forfeit", lambda member_id: None)
    goes_while_buying(world, app)
    assert left_with_nobody(app) > 0


def test_a_buy_is_before_or_refused(world: World, app: Flask) -> None:
    for _ in range(ROUNDS):
        goes_while_buying(world, app)
    assert left_with_nobody(app) == 0
    assert world.faults() == []
