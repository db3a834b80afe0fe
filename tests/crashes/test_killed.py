"""Workers and whole servers are killed while shoppers buy: what was acknowledged stands, once."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from sqlalchemy import create_engine, text

from tests.conftest import Database
from tests.crashes.load import Load
from tests.live import Start
from tests.world import World

KILLS, ENDS, SHOPPERS = 10, 2, 6
HELD = 1_000_000


def end_connections(database: Database) -> None:
    """What a shop sees of a database that is restarted: every connection is gone."""
    engine = create_engine(database.url)
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()


@pytest.fixture
def load(world: World, live_server: Start) -> Load:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    milk = world.item(price="0.01", on_hand=HELD)
    people = [world.member(funds="1000000") for _ in range(SHOPPERS)]
    return Load(world, live_server(WORKERS=2), milk, people, seed)


def test_what_was_acknowledged_stands_whatever_is_killed(
    load: Load, live_server: Start, database: Database
) -> None:
    chance, killed = random.Random(load.seed), 0
    with load.running():
        # A slow machine sells less in the same time: it is killed on until enough was sold.
        deadline = time.monotonic() + 120
        for end in range(ENDS):
            while killed < KILLS * (end + 1) // ENDS or (
                end == ENDS - 1 and load.answers["sold"] <= 100 and time.monotonic() < deadline
            ):
                time.sleep(chance.uniform(0.05, 0.5))
                children = load.server.children()
                if children:
                    os.kill(chance.choice(children), signal.SIGKILL)
                    killed += 1
                if database.kind == "postgresql" and killed % 5 == 0:
                    end_connections(database)
            load.server.kill()
            load.server = live_server(WORKERS=2)
        time.sleep(1)
    silent = load.settle()
    print(f"{load.answers} audits {load.audits}, sold without an answer {silent}")
    assert load.answers["sold"] > 100, load.answers
    assert load.answers["none"] > 0, "no shopper has noticed anything: the test is too tame"
    assert load.answers.keys() <= {"sold", "none", "unavailable"} | {
        key for key in load.answers if key.startswith("audit: ")
    }, load.answers
    load.check(held=HELD)


def test_a_worker_killed_every_200_ms_leaves_the_shop_open(load: Load) -> None:
    with load.running():
        for _ in range(10):
            time.sleep(0.2)
            web = load.server.children()
            if web:
                os.kill(min(web), signal.SIGKILL)
        sold = load.answers["sold"]
        deadline = time.monotonic() + 30
        while load.answers["sold"] < sold + 20:
            assert time.monotonic() < deadline, "the shop stays closed"
            time.sleep(0.05)
    load.settle()
    load.check(held=HELD)
