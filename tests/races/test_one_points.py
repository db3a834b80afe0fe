"""The same points, and several phones at once: they are spent once, the others are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import update

from store import outbox
from store.db import in_transaction
from store.membership import point_uses, points
from store.membership.point_models import PointAccount
from tests.membership.test_points import rules
from tests.races.crowd import buy_at_once, look_then_act, wanted, without_checks, words
from tests.world import World

ROUNDS, PHONES = 4, 5


def spent_in_rounds(world: World, app: Flask, rounds: int) -> list[int]:
    """How many phones of one member spent all of the member's points, each round."""
    milk = world.item(price="10.00", on_hand=10_000)
    lin = world.member(funds="90000")
    spent = []
    with app.app_context():
        rules(world, 10, worth_points=1, worth_minor=1)
    for _ in range(rounds):
        with app.app_context():
            world.buy(lin, milk)
            outbox.work()
            there = points.balance_of(lin.id).points
        buys = [replace(wanted(world, lin, (milk, 1)), points=there) for _ in range(PHONES)]
        outcome = words(buy_at_once(app, buys))
        assert outcome.keys() <= {"sold", "points_refused"}, outcome
        spent.append(outcome["sold"])
        if outcome["sold"] > 1:
            break
        with app.app_context():
            outbox.work()
    return spent


def test_without_the_guard_points_are_spent_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unguarded(member_id: int, many: int) -> bool:
        taken = update(PointAccount).where(PointAccount.member_id == member_id)
        in_transaction().execute(taken.values(spendable=PointAccount.spendable - many))
        return True

    look_then_act(monkeypatch.setattr)
    monkeypatch.setattr(point_uses, "_take", unguarded)
    without_checks(app, "point_accounts", "ck_point_accounts_not_below")
    spent = spent_in_rounds(world, app, 40)
    assert max(spent) > 1, f"no race was seen, so the test below proves nothing: {spent}"
    assert any("points_below_zero" in fault for fault in world.faults())


def test_points_are_spent_once(world: World, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    look_then_act(monkeypatch.setattr)
    without_checks(app, "point_accounts", "ck_point_accounts_not_below")
    assert spent_in_rounds(world, app, ROUNDS) == [1] * ROUNDS
    assert world.faults() == []
