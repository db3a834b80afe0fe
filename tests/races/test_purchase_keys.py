"""One key is one sale: tapped twice, sent from eight connections, repeated without an end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from store import ids
from store.db import db
from store.sales.models import Sale
from tests.live import Start
from tests.races.crowd import (
    Phone,
    answers,
    at_once,
    buy_at_once,
    look_then_act,
    phones,
    wanted,
    without_unique,
    words,
)
from tests.world import Somebody, Thing, World

ROUNDS, CONNECTIONS = 20, 8
KEYS, POSTS = 100, 8


def sales_of(world: World, member: Somebody) -> int:
    with world.app.app_context():
        query = select(func.count()).select_from(Sale).where(Sale.member_id == member.id)
        return db.session.scalar(query) or 0


def sold_a_key(world: World, app: Flask, rounds: int) -> list[int]:
    """How many sales one key made, each round, posted eight times at once."""
    lin, milk = world.member(funds="100000"), world.item(on_hand=10_000)
    made = []
    for _ in range(rounds):
        before = sales_of(world, lin)
        asked = wanted(world, lin, (milk, 1))
        outcome = words(buy_at_once(app, [asked] * CONNECTIONS))
        assert outcome.keys() <= {"sold", "again"}, outcome
        made.append(sales_of(world, lin) - before)
        if made[-1] > 1:
            break
    return made


def test_without_the_guard_one_key_is_sold_twice(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    without_unique(app, "sales", "uq_sales_member_id_key")
    made = sold_a_key(world, app, 60)
    assert max(made) > 1, f"no race was seen, so the tests below prove nothing: {made}"
    assert any("keys_sold_twice" in fault for fault in world.faults())


def test_the_guard_alone_is_enough(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_then_act(monkeypatch.setattr)
    assert sold_a_key(world, app, ROUNDS) == [1] * ROUNDS
    assert world.faults() == []


def test_eight_connections_with_one_key_get_one_receipt(world: World, live_server: Start) -> None:
    lin, milk = world.member(funds="100000"), world.item(on_hand=1000)
    server = live_server(WORKERS=2)
    with phones(world, server, [lin] * CONNECTIONS) as hands:
        for _ in range(ROUNDS):
            key = ids.new()
            posts = [lambda phone=phone, key=key: phone.buy((milk, 2), key=key) for phone in hands]
            outcomes: list[Any] = at_once(posts)
            assert answers(outcomes) == {"sold": CONNECTIONS}
            assert len({body["id"] for _, body in outcomes}) == 1
        for phone in hands[:1]:
            assert phone.buy((milk, 3), key=key)[1]["code"] == "key_reused"
    assert sales_of(world, lin) == ROUNDS
    assert world.left(milk) == 1000 - 2 * ROUNDS
    assert world.balance(lin) == 10_000_000 - 2 * ROUNDS * milk.price_minor
    assert world.faults() == []


def sender(
    phone: Phone, posts: list[str], milk: Thing, receipts: list[tuple[str, str]]
) -> Callable[[], None]:
    def send() -> None:
        for key in posts:
            status, body = phone.buy((milk, 1), key=key)
            assert status == 201, body
            receipts.append((key, body["id"]))

    return send


def test_a_hundred_keys_eight_posts_each_are_a_hundred_sales(
    world: World, live_server: Start
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    milk = world.item(on_hand=1000)
    people = [world.member(funds="10000") for _ in range(4)]
    server = live_server(WORKERS=2)
    # Every key is posted by each of its member's eight phones, in an order of its own.
    keys = {member.id: [ids.new() for _ in range(KEYS // len(people))] for member in people}
    chance = random.Random(seed)
    receipts: list[tuple[str, str]] = []
    with phones(world, server, people * POSTS) as hands:
        jobs = [
            sender(phone, chance.sample(mine := keys[member.id], len(mine)), milk, receipts)
            for phone, member in zip(hands, people * POSTS, strict=True)
        ]
        assert at_once(jobs) == [None] * len(jobs)
    assert len(receipts) == KEYS * POSTS
    assert len(set(receipts)) == KEYS
    assert sum(sales_of(world, member) for member in people) == KEYS
    assert world.left(milk) == 1000 - KEYS
    assert world.faults() == []
