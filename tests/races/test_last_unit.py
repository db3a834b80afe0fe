"""The last one on the shelf: one buyer gets it, all others are told so, nothing is left behind.

Each race is preceded by the proof that it is one: without the guard more are sold than there are.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from store import stock
from store.db import db
from tests.live import LiveServer, Start
from tests.races.crowd import (
    answers,
    at_once,
    buy_at_once,
    look_then_act,
    phones,
    stock_levels,
    unguarded_take,
    wanted,
    without_checks,
    words,
)
from tests.world import World

ROUNDS, BUYERS = 20, 40
CONTROL_ROUNDS, IN_SHOP = 60, 8


def sockets(server: LiveServer) -> dict[int, int]:
    """How many sockets each worker holds."""
    return {
        pid: sum("socket" in str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir())
        for pid in server.children()
    }


def rows(world: World) -> dict[str, int]:
    tables = ("sales", "sale_lines", "transfers", "movements")
    with world.app.app_context():
        return {
            table: db.session.scalar(text(f"SELECT COUNT(*) FROM {table}")) or 0 for table in tables
        }


def sold_a_round(world: World, app: Flask, rounds: int) -> list[int]:
    """How many of a last unit were sold, each round, to buyers who each have the shop alone."""
    milk = world.item(on_hand=0)
    people = [world.member(funds="10000") for _ in range(IN_SHOP)]
    sold = []
    for _ in range(rounds):
        with app.app_context():
            short = 1 - stock.on_hand(milk.id, world.location)
        world.stock(milk, short)
        outcome = words(buy_at_once(app, [wanted(world, one, (milk, 1)) for one in people]))
        assert outcome.keys() <= {"sold", "out_of_stock"}, outcome
        sold.append(outcome["sold"])
        if outcome["sold"] > 1:
            break
    return sold


def test_without_the_guard_the_last_one_is_sold_more_than_once(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    monkeypatch.setattr(stock_levels, "_take", unguarded_take())
    without_checks(app, "levels", "ck_levels_on_hand")
    sold = sold_a_round(world, app, CONTROL_ROUNDS)
    assert max(sold) > 1, f"no race was seen, so the tests below prove nothing: {sold}"
    assert any("levels_below_zero" in fault for fault in world.faults())


def test_the_guard_alone_is_enough(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a till that reads too early sells the last one once."""
    look_then_act(monkeypatch.setattr)
    without_checks(app, "levels", "ck_levels_on_hand")
    assert sold_a_round(world, app, ROUNDS) == [1] * ROUNDS
    assert world.faults() == []


def test_the_check_behind_it_is_enough_too(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    monkeypatch.setattr(stock_levels, "_take", unguarded_take())
    assert sold_a_round(world, app, ROUNDS) == [1] * ROUNDS
    assert world.faults() == []


def test_the_last_one_is_sold_once_over_two_processes(world: World, live_server: Start) -> None:
    milk = world.item(on_hand=0)
    people = [world.member(funds="1000") for _ in range(BUYERS)]
    server = live_server(WORKERS=2)
    assert len(server.children(3)) >= 3  # Two that serve, and the outbox's.
    alone, before = sockets(server), rows(world)
    with phones(world, server, people) as hands:
        # More than a connection or two of their own to the database.
        grown = [pid for pid, many in sockets(server).items() if many > alone[pid] + 3]
        assert len(grown) == 2, "only one process was asked, so this was no race of processes"
        for number in range(ROUNDS):
            world.stock(milk, 1)
            outcomes = at_once([lambda phone=phone: phone.buy((milk, 1)) for phone in hands])  # type: ignore[misc]
            assert answers(outcomes) == {"sold": 1, "out_of_stock": BUYERS - 1}, number
            for outcome in outcomes:
                if isinstance(outcome, tuple) and outcome[0] == 409:
                    assert outcome[1]["left"] == 0
    after = rows(world)
    assert after == {
        "sales": ROUNDS, "sale_lines": ROUNDS, "transfers": before["transfers"] + ROUNDS,
        "movements": before["movements"] + 2 * ROUNDS,
    }  # fmt: skip
    spent = sum(100_000 - world.balance(member) for member in people)
    assert spent == ROUNDS * milk.price_minor
    assert world.faults() == []
