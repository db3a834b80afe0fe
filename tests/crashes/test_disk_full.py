"""The disk is full: the shop says that it cannot now, loses nothing, and goes on by itself."""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.conftest import Database
from tests.crashes.load import Load
from tests.live import Start
from tests.races.crowd import Phone
from tests.world import World

HELD = 1_000_000


@pytest.fixture
def load(world: World, live_server: Start) -> Load:
    milk = world.item(price="0.01", on_hand=HELD)
    people = [world.member(funds="10000") for _ in range(4)]
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    return Load(world, live_server(WORKERS=2), milk, people, seed)


def wait_for(load: Load, code: str, many: int) -> None:
    deadline, before = time.monotonic() + 60, load.answers[code]
    while load.answers[code] < before + many:
        assert time.monotonic() < deadline, (code, load.answers)
        time.sleep(0.02)


def test_a_full_disk_is_said_and_survived(load: Load, database: Database) -> None:
    full = _FullDisk(load, database)
    with load.running():
        for _ in range(3):
            wait_for(load, "sold", 20)
            full.begin()
            wait_for(load, "unavailable", 10)
            _can_look_around(load)
            full.end()
    load.settle()
    assert load.answers.keys() <= {"sold", "unavailable"}, load.answers
    load.check(held=HELD)


def _can_look_around(load: Load) -> None:
    """Reading needs no room."""
    phone = Phone(load.server, next(iter(load._tokens.values())))
    assert phone.call("GET", f"/items/{load.thing.code}")[0] == 200
    phone.close()


class _FullDisk:
    """SQLite: the workers may not make any file larger. PostgreSQL: every sale is answered with the
    error of a full disk (SQLSTATE 53100)."""

    def __init__(self, load: Load, database: Database) -> None:
        self.load, self.database = load, database

    def begin(self) -> None:
        if self.database.kind == "sqlite":
            log = Path(self.database.url.removeprefix("sqlite:///") + "-wal")
            self._limit(log.stat().st_size)
            return
        self._execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$",
            "CREATE TRIGGER full_disk BEFORE INSERT ON sales "
            "FOR EACH ROW EXECUTE FUNCTION full_disk()",
        )

    def end(self) -> None:
        if self.database.kind == "sqlite":
            self._limit(resource.RLIM_INFINITY)
            return
        self._execute("DROP TRIGGER full_disk ON sales", "DROP FUNCTION full_disk")

    def _limit(self, size: int) -> None:
        for pid in self.load.server.children():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def _execute(self, *statements: str) -> None:
        engine = create_engine(self.database.url)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()
