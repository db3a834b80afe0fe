"""Sales of several lines: two lines of one item count together, and two sales that want the same
items in opposite order never wait for each other."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from store import stock
from store.sales import checkout, deciding
from tests.conftest import Database
from tests.live import Start
from tests.races.crowd import (
    answers,
    at_once,
    buy_at_once,
    inside,
    phones,
    stock_levels,
    unguarded_take,
    wanted,
    without_checks,
    words,
)
from tests.world import World

IN_SHOP, ROUNDS = 8, 15


def line_by_line(
    till: deciding.Till, asked: Any, quotes: Any
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """The careless look at the shelf: each line by itself."""
    wants: dict[tuple[int, int], int] = {}
    for line in asked.lines:
        place = (line.item_id, asked.location_id)
        if till.levels[place] < line.quantity:
            raise stock.OutOfStock()
        wants[place] = wants.get(place, 0) + line.quantity
    return wants, {}


def test_line_by_line_more_is_sold_than_is_there(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding.Till, "_refuse_shortage", line_by_line)
    monkeypatch.setattr(stock_levels, "_take", unguarded_take())
    without_checks(app, "levels", "ck_levels_on_hand")
    lin, milk = world.member(funds="1000"), world.item(on_hand=3)
    asked = wanted(world, lin, (milk, 2), (milk, 2))
    assert words(buy_at_once(app, [asked])) == {"sold": 1}
    assert world.left(milk) == -1


def test_two_lines_of_one_item_never_take_more_than_is_there(
    world: World, live_server: Start
) -> None:
    milk = world.item(on_hand=0)
    people = [world.member(funds="1000") for _ in range(IN_SHOP)]
    server = live_server(WORKERS=2)
    with phones(world, server, people) as hands:
        for _ in range(ROUNDS):
            world.stock(milk, 3 - world.left(milk))
            outcomes = at_once(
                [lambda phone=phone: phone.buy((milk, 1), (milk, 1)) for phone in hands]  # type: ignore[misc]
            )
            assert answers(outcomes) == {"sold": 1, "out_of_stock": IN_SHOP - 1}
            assert world.left(milk) == 1
    assert world.faults() == []


def crosswise(world: World, app: Flask, rounds: int) -> int:
    """How many of the buys that ask for two items in opposite order the database ended."""
    milk, bread = world.item(on_hand=100_000), world.item("bread", on_hand=100_000)
    people = [world.member(funds="100000") for _ in range(IN_SHOP)]
    ended = 0
    for _ in range(rounds):
        jobs = []
        for at, member in enumerate(people):
            goods = [(milk, 1), (bread, 1)]
            asked = wanted(world, member, *(goods if at % 2 else reversed(goods)))
            # One try, so that what a repeat would cure is seen.
            once: Any = checkout._decide_and_write.__wrapped__  # type: ignore[attr-defined]
            jobs.append(inside(app, partial(once, [asked])))
        for outcome in at_once(jobs):
            if isinstance(outcome, DBAPIError):
                assert getattr(outcome.orig, "sqlstate", None) == "40P01", outcome
                ended += 1
            else:
                assert isinstance(outcome, list), outcome
        if ended:
            break
    return ended


def test_without_the_order_two_sales_wait_for_each_other(
    world: World, app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.kind == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is no crosswise waiting")

    def as_asked(wants: Any) -> list[dict[str, int]]:
        return [
            {"item": want.item_id, "location": want.location_id, "quantity": want.quantity}
            for want in wants
        ]

    monkeypatch.setattr(stock_levels, "by_place", as_asked)
    assert crosswise(world, app, 40), "no deadlock was seen, so the test below proves nothing"


def test_in_order_no_sale_waits_for_another_crosswise(world: World, app: Flask) -> None:
    assert crosswise(world, app, ROUNDS) == 0
    assert world.faults() == []


def test_opposite_baskets_are_all_answered_quickly(world: World, live_server: Start) -> None:
    milk, bread = world.item(on_hand=1000), world.item("bread", on_hand=1000)
    people = [world.member(funds="10000") for _ in range(16)]
    server = live_server(WORKERS=2)
    with phones(world, server, people) as hands:
        for _ in range(5):
            began = time.monotonic()
            jobs = [
                lambda phone=phone, goods=goods: phone.buy(*goods)
                for phone, goods in zip(
                    hands, [((milk, 1), (bread, 1)), ((bread, 1), (milk, 1))] * 8, strict=True
                )
            ]
            assert answers(at_once(jobs)) == {"sold": 16}
            # Generous for a busy machine; whoever waits crosswise waits longer.
            assert time.monotonic() - began < 15
    assert world.faults() == []
