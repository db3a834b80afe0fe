"""Machines that guess codes: over eight connections and two processes they look at a handful, and
find nothing; and the limits hold when the shop starts anew."""

from __future__ import annotations

import multiprocessing
import random
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from store import create_app
from store.db import db
from store.identity import callers
from store.identity.models import Code, SignIn
from tests.identity.conftest import Browser

VICTIMS = ("anna@shop.example", "nobody@shop.example")
CONNECTIONS = 4


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    # Nobody is there to take the messages on: the codes are known to nobody at all.
    return settings | {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": 9, "MAIL_FROM": "s@shop.example"}


def guess(settings: dict[str, Any], first: int, many: int) -> None:
    """One process with four connections, each from an address of its own."""
    app = create_app(settings)

    def connection(number: int) -> None:
        chance = random.Random(number)
        eve = Browser(app, f"198.51.{number}.7")
        for turn in range(many // CONNECTIONS):
            victim = VICTIMS[turn % len(VICTIMS)]
            page = eve.get("/code")
            if page.status_code != 200 or turn % 5 == 0:
                eve.post("/start", page="/sign-in", identifier=victim)
                page = eve.get("/code")
            token = re.search(r'name="csrf" value="([^"]+)"', page.text)
            code = f"{chance.randrange(10**6):06}"
            eve.csrf = token[1] if token else eve.csrf
            eve.post("/code", page="", code=code)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(connection, range(first, first + CONNECTIONS)))


@pytest.mark.parametrize("many", [pytest.param(10_000, marks=pytest.mark.soak), 64])
def test_ten_thousand_guesses_find_nothing(
    app: Flask, settings: dict[str, Any], people: dict[str, int], many: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if many < 1000:  # So few reach a limit that is as low.
        monkeypatch.setattr(callers, "WRONG_CODES_BY_PERSON_A_DAY", 3)
    spawn = multiprocessing.get_context("fork")
    for run in range(2):  # The second time after a restart.
        halves = [
            spawn.Process(target=guess, args=(settings, 10 * run + 5 * half, many // 4))
            for half in range(2)
        ]
        for half in halves:
            half.start()
        for half in halves:
            half.join(600)
            assert half.exitcode == 0
    with app.app_context():
        looked_at = db.session.scalar(select(func.sum(Code.tries))) or 0
        assert db.session.scalar(select(func.count(SignIn.id))) == 0
    assert 0 < looked_at <= callers.WRONG_CODES_BY_PERSON_A_DAY * len(VICTIMS)
