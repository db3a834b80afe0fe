"""Notices of a provider: believed only with its signature, and only about what was asked for."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from store import clock as shop_clock
from store import ids
from store.db import db
from store.payment import attempts, topups
from store.payment.gateways.simulated import OLDEST_NOTICE_S, Simulated
from tests.conftest import Clock
from tests.world import Somebody, World

KEY = b"known-to-the-tests-only"
GATEWAY = Simulated(KEY, hang_s=0)
TABLES = ("attempts", "transfers", "accounts", "outbox")


def open_top_up(app: Flask, member: Somebody, amount: int = 5000) -> str:
    with app.app_context():
        wanted = attempts.Wanted(member.id, amount, "CNY", ids.new(), "never")
        return topups.top_up(wanted, GATEWAY, most_minor=500_000).id


def notice(top_up_id: str, **changed: Any) -> dict[str, Any]:
    said = {"payment": top_up_id, "amount_minor": 5000, "currency": "CNY", "paid": True,
            "reference": "provider-1"}  # fmt: skip
    return said | changed


def send(
    client: FlaskClient, said: object, *, key: bytes = KEY, at: int | None = None, **headers: str
) -> TestResponse:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    signed = Simulated(key).sign(body, int(shop_clock.timestamp_s()) if at is None else at)
    return client.post("/payments/notices/simulated", data=body, headers={**signed, **headers})


def everything(app: Flask) -> list[Any]:
    """All that a notice could change."""
    with app.app_context():
        return [
            db.session.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all() for table in TABLES
        ]


def test_a_notice_brings_the_money_once(world: World, client: FlaskClient, app: Flask) -> None:
    lin = world.member()
    top_up_id = open_top_up(app, lin)
    for _ in range(5):
        assert send(client, notice(top_up_id)).status_code == 204
    assert world.balance(lin) == 5000
    assert world.faults() == []


def test_a_declined_payment_and_its_money_all_the_same(
    world: World, client: FlaskClient, app: Flask
) -> None:
    """Notices may come in the wrong order: money that did come is never turned away."""
    lin = world.member()
    top_up_id = open_top_up(app, lin)
    assert send(client, notice(top_up_id, paid=False)).status_code == 204
    assert world.balance(lin) == 0
    assert send(client, notice(top_up_id)).status_code == 204
    assert send(client, notice(top_up_id, paid=False)).status_code == 204
    assert world.balance(lin) == 5000
    assert world.faults() == []


FORGED: dict[str, dict[str, Any]] = {
    "another secret": {"key": b"guessed"},
    "no signature": {"Practice-Signature": ""},
    "another signature": {"Practice-Signature": "0" * 64},
    "odd signature": {"Practice-Signature": "ü" * 64},
    "no time": {"Practice-Time": ""},
    "another time": {"Practice-Time": "1"},
    "too old": {"at": -OLDEST_NOTICE_S - 1},
    "from the future": {"at": OLDEST_NOTICE_S + 1},
}


@pytest.mark.parametrize("fault", FORGED)
def test_a_forged_or_stale_notice_leaves_no_trace(
    world: World, client: FlaskClient, app: Flask, clock: Clock, fault: str
) -> None:
    top_up_id = open_top_up(app, world.member())
    options = dict(FORGED[fault])
    if "at" in options:
        options["at"] += int(clock.now.timestamp())
    before = everything(app)
    answer = send(client, notice(top_up_id), **options)
    assert answer.status_code == 400
    assert everything(app) == before
    # The same notice, true: so it was the fault above that was refused.
    assert send(client, notice(top_up_id)).status_code == 204


def test_a_signature_fits_its_own_body_only(world: World, client: FlaskClient, app: Flask) -> None:
    top_up_id = open_top_up(app, world.member(), 4000)
    small = json.dumps(notice(top_up_id, amount_minor=1)).encode()
    signed = GATEWAY.sign(small, int(shop_clock.timestamp_s()))
    before = everything(app)
    for body in (small.replace(b": 1", b": 4000"), small + b" ", b""):
        answer = client.post("/payments/notices/simulated", data=body, headers=signed)
        assert answer.status_code == 400
    assert everything(app) == before


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"amount_minor": 4999}, 409), ({"amount_minor": 50_000}, 409), ({"currency": "JPY"}, 409),
        ({"payment": "ANOTHER"}, 404), ({"payment": ""}, 404), ({"payment": "x" * 10_000}, 404),
        ({"amount_minor": 5000.9}, 400), ({"amount_minor": "5000"}, 400),
        ({"amount_minor": True}, 400), ({"amount_minor": None}, 400), ({"currency": None}, 400),
        ({"payment": 7}, 400), ({"payment": ["a"]}, 400), ({"paid": "yes"}, 400),
        ({"paid": 1}, 400), ({"paid": None}, 400), ({"reference": None}, 400),
    ],
)  # fmt: skip
def test_a_genuine_notice_about_something_else_changes_nothing(
    world: World, client: FlaskClient, app: Flask, changed: dict[str, Any], status: int
) -> None:
    top_up_id = open_top_up(app, world.member())
    before = everything(app)
    assert send(client, notice(top_up_id, **changed)).status_code == status
    assert everything(app) == before


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff\xfe", b'{"payment": "\\u0000"}', b"[" * 5000,
     b'{"paid": NaN}', b'{"paid": true, "paid": false}', b"\x00"],
)  # fmt: skip
def test_a_genuine_signature_over_rubbish_is_refused(client: FlaskClient, body: bytes) -> None:
    assert send(client, body).status_code == 400


def test_a_thousand_notices_repeated_shuffled_and_forged(
    world: World, client: FlaskClient, app: Flask
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    people = [world.member() for _ in range(5)]
    owed = dict.fromkeys((one.id for one in people), 0)
    posts: list[tuple[bool, dict[str, Any]]] = []
    for _ in range(60):
        member, amount = chance.choice(people), chance.randint(1, 9999)
        top_up_id = open_top_up(app, member, amount)
        paid = chance.random() < 0.8
        owed[member.id] += amount * paid
        said = notice(top_up_id, amount_minor=amount, paid=paid)
        posts += [(True, said)] * chance.randint(1, 8)
        posts += [(False, said | {"paid": True})] * chance.randint(0, 2)
    chance.shuffle(posts)
    for genuine, said in posts:
        answer = send(client, said, key=KEY if genuine else b"guessed")
        assert answer.status_code == (204 if genuine else 400)
    assert {one.id: world.balance(one) for one in people} == owed
    assert world.faults() == []


def test_where_no_gateway_is_open_no_notice_is_read(app: Flask, client: FlaskClient) -> None:
    app.config["SIMULATED_GATEWAY"] = False
    assert send(client, notice("x")).status_code == 404
