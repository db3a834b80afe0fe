"""A limit of the day and many devices at once: together they spend no more than it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from store import payment
from store.db import transaction
from store.payment import ledger
from tests.races.crowd import buy_at_once, look_then_act, wanted, words
from tests.world import World

ROUNDS, DEVICES = 6, 8


def sold_a_round(world: World, app: Flask, rounds: int) -> list[int]:
    """How many of eight buys went through each round, where the day allows for three."""
    milk, sold = world.item(price="10.00", on_hand=10_000), []
    for _ in range(rounds):
        lin = world.member(funds="1000")
        with app.app_context(), transaction():
            ledger.set_limits(lin.id, "CNY", None, 3500)
        outcome = words(buy_at_once(app, [wanted(world, lin, (milk, 1)) for _ in range(DEVICES)]))
        assert outcome.keys() <= {"sold", "confirmation_needed"}, outcome
        sold.append(outcome["sold"])
        if outcome["sold"] > 3:
            break
    return sold


def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> None:
        """The lock that is taken away."""

    monkeypatch.setattr(payment, "lock_accounts", nothing)


def test_without_the_guard_more_is_spent_than_the_day_allows(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked(monkeypatch)
    look_then_act(monkeypatch.setattr)
    sold = sold_a_round(world, app, 60)
    assert max(sold) > 3, f"no race was seen, so the test below proves nothing: {sold}"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_postgresql_the_lock_is_the_guard(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked(monkeypatch)
    sold = sold_a_round(world, app, 60)
    assert max(sold) > 3, f"no race was seen, so the test below proves nothing: {sold}"


def test_eight_devices_spend_no_more_than_the_day_allows(world: World, app: Flask) -> None:
    assert sold_a_round(world, app, ROUNDS) == [3] * ROUNDS
    assert world.faults() == []
