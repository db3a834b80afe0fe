"""Two devices, one account: it pays once, and never goes below zero."""

from __future__ import annotations

import pytest
from flask import Flask

from store.payment import ledger
from tests.live import Start
from tests.races.crowd import (
    answers,
    at_once,
    buy_at_once,
    look_then_act,
    phones,
    unguarded_debit,
    wanted,
    without_checks,
    words,
)
from tests.world import World

ROUNDS, DEVICES = 20, 8


def paid_a_round(world: World, app: Flask, rounds: int) -> list[int]:
    """How many buys were paid, each round, from an account that holds enough for one."""
    lin, milk = world.member(), world.item(price="12.50", on_hand=10_000)
    paid = []
    for _ in range(rounds):
        world.fund(lin, "12.50")
        buys = [wanted(world, lin, (milk, 1)) for _ in range(DEVICES)]
        outcome = words(buy_at_once(app, buys))
        assert outcome.keys() <= {"sold", "insufficient_funds"}, outcome
        paid.append(outcome["sold"])
        if outcome["sold"] > 1:
            break
    return paid


def test_without_the_guard_the_account_is_spent_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    monkeypatch.setattr(ledger, "_debit", unguarded_debit())
    without_checks(app, "accounts", "ck_accounts_balance")
    paid = paid_a_round(world, app, 60)
    assert max(paid) > 1, f"no race was seen, so the tests below prove nothing: {paid}"
    assert any("balances_below_zero" in fault for fault in world.faults())


def test_the_guard_alone_is_enough(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    without_checks(app, "accounts", "ck_accounts_balance")
    assert paid_a_round(world, app, ROUNDS) == [1] * ROUNDS
    assert world.faults() == []


def test_eight_devices_spend_what_is_enough_for_one(world: World, live_server: Start) -> None:
    lin, milk = world.member(), world.item(price="12.50", on_hand=1000)
    server = live_server(WORKERS=2)
    with phones(world, server, [lin] * DEVICES) as hands:
        for _ in range(ROUNDS):
            world.fund(lin, "12.50")
            outcomes = at_once([lambda phone=phone: phone.buy((milk, 1)) for phone in hands])  # type: ignore[misc]
            assert answers(outcomes) == {"sold": 1, "insufficient_funds": DEVICES - 1}
            assert world.balance(lin) == 0
    assert world.left(milk) == 1000 - ROUNDS
    assert world.faults() == []
