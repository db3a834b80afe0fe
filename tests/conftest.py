"""Fixtures of every test: a shop on SQLite and on PostgreSQL, its client, its commands, its clock.

A test that asks for `app` (or `database`) runs twice, once on each database, each time on a fresh
copy of a migrated, empty one. `pytest -k sqlite` is the quick round.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import upgrade

from store import clock as shop_clock
from store import create_app
from store.db import db
from tests import postgres
from tests.browser import chromium_path, open_phone, playwright_browsers
from tests.live import live_server
from tests.shops import close_shop, open_shop
from tests.world import World

__all__ = ["live_server", "open_phone", "playwright_browsers"]

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
# Where the workers of one run find what its first process has made for all of them.
SESSION = "ONESHELF_TESTS"
SERVER = "ONESHELF_TESTS_POSTGRES"
NO_SERVER = "ONESHELF_TESTS_NO_POSTGRES"
# These load the machine or watch the clock: pytest-xdist keeps them on one worker, and those that
# need a browser on another.
ALONE = {"races", "crashes", "bench"}
BROWSER = {"journeys"}
# The longest of the others come before them, so that no worker has one left at the end.
LONG = {
    "test_bad_input.py", "test_machine.py", "test_migrations.py", "test_openapi.py",
    "test_real_year.py",
}  # fmt: skip

_stack = contextlib.ExitStack()
_numbers = itertools.count(1)
# Databases of PostgreSQL to drop. A server waits a tenth of a second for connections that are just
# being closed, so it is asked when the next one is made.
_left: list[str] = []


@dataclass(frozen=True)
class Database:
    """An empty, migrated database of one test."""

    kind: str
    url: str


# --- one run -----------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)  # Before pytest says where temporary folders are.
def pytest_configure(config: pytest.Config) -> None:
    if SESSION in os.environ or config.option.collectonly:
        return  # A worker of this run, or nothing will run.
    quick = postgres.quick_folder()
    folder = _stack.enter_context(tempfile.TemporaryDirectory(prefix="oneshelf-tests-", dir=quick))
    os.environ[SESSION] = folder
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", quick)  # Under it is every test's tmp_path.
    try:
        os.environ[SERVER] = str(_stack.enter_context(postgres.running()))
    except postgres.Unavailable as error:
        os.environ[NO_SERVER] = str(error)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _stack.close()


@pytest.hookimpl(tryfirst=True)  # Before pytest-xdist reads the groups.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Both workers begin with a group of theirs; then each takes one test after the other."""
    for item in items:
        parts, needs = {*item.path.parts}, {*getattr(item, "fixturenames", ())}
        if BROWSER & parts or "open_phone" in needs:
            item.add_marker(pytest.mark.xdist_group("browser"))
        elif ALONE & parts or "live_server" in needs:
            item.add_marker(pytest.mark.xdist_group("alone"))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("xdist_group"):
        return 0
    return 1 if item.path.name in LONG else 2


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if NO_SERVER in os.environ:
        reason = os.environ[NO_SERVER].splitlines()[-1]
        _loudly(terminalreporter, f"NOT TESTED ON POSTGRESQL: {reason}")
    if chromium_path() is None:
        _loudly(
            terminalreporter, "NOT TESTED IN A BROWSER: no chromium is installed (.ci/run does)"
        )


def _loudly(reporter: pytest.TerminalReporter, text: str) -> None:
    reporter.write_line(f"!!! {text}", red=True, bold=True)


# --- one test ----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        file = tmp_path / "shop.sqlite3"
        shutil.copyfile(sqlite_template(), file)
        yield Database("sqlite", f"sqlite:///{file}")
        return
    server = _server()
    _postgresql_template(server)
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(_numbers)}"
    while _left:
        postgres.drop(server, _left.pop())
    postgres.create(server, name, "template_shop")
    yield Database("postgresql", postgres.address(server, name))
    _left.append(name)


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> dict[str, Any]:
    """The settings of the test's shop. A test module overrides this fixture to change some."""
    return {
        "DATABASE_URL": database.url,
        "INSTANCE": str(tmp_path / "instance"),
        "SECRET_KEY": "known-to-the-tests-only",
        "SIMULATED_GATEWAY": True,
        "TESTING": True,
    }


@pytest.fixture
def app(settings: dict[str, Any]) -> Iterator[Flask]:
    """The shop. Rooms are called inside `with app.app_context():`, or ask for `context` too."""
    app = open_shop(settings)
    yield app
    close_shop(app)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """Makes the whole test one visit to the rooms. Not for tests that use `client`: a request made
    inside an open context shares its session and its signed-in person."""
    with app.app_context():
        yield


@pytest.fixture
def world(app: Flask) -> World:
    """Makers of members, items and sales, in a shop with one location."""
    return World(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runs commands: `runner.invoke(args=["stock", "level", "MILK"])`."""
    return app.test_cli_runner()


@dataclass
class Clock:
    """The shop's time in the test's hands: it stands still until it is moved."""

    now: datetime

    def set(self, at: datetime) -> None:
        self.now = at
        shop_clock.set_now(at)

    def tick(self, **distance: float) -> None:
        """Move on: `clock.tick(minutes=5)`."""
        self.set(self.now + timedelta(**distance))


@pytest.fixture
def clock() -> Iterator[Clock]:
    held = Clock(datetime(2027, 3, 15, 10, 30, tzinfo=UTC))
    held.set(held.now)
    yield held
    shop_clock.set_now(None)


# --- templates: made once a run, by whoever is first ---------------------------------------------


def sqlite_template() -> Path:
    """A file of SQLite with the newest schema, to be copied."""
    file = Path(os.environ[SESSION], "template.sqlite3")
    with _one_at_a_time("sqlite"):
        if not file.exists():
            new = file.with_suffix(".new")
            _migrate(f"sqlite:///{new}")
            new.rename(file)
    return file


def _postgresql_template(server: Path) -> None:
    made = Path(os.environ[SESSION], "template.postgresql")
    with _one_at_a_time("postgresql"):
        if not made.exists():
            postgres.drop(server, "template_shop")
            postgres.create(server, "template_shop")
            _migrate(postgres.address(server, "template_shop"))
            made.touch()


def _server() -> Path:
    if SERVER in os.environ:
        return Path(os.environ[SERVER])
    message = f"no PostgreSQL: {os.environ.get(NO_SERVER)}"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def _migrate(url: str) -> None:
    app = create_app({"DATABASE_URL": url, "INSTANCE": os.environ[SESSION], "SECRET_KEY": "any"})
    with app.app_context():
        upgrade()
    _close(app)


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextlib.contextmanager
def _one_at_a_time(what: str) -> Iterator[None]:
    with Path(os.environ[SESSION], f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
