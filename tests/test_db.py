"""The database tool: one transaction, never nested; what follows a commit; what is repeated."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError

from store import db as database_tool
from store import outbox, payment, stock, writers
from store.db import (
    Moment,
    after_commit,
    connection,
    db,
    in_transaction,
    repeatable,
    transaction,
)
from store.stock.models import Location
from tests.conftest import Database
from tests.races.crowd import at_once, inside

pytestmark = pytest.mark.usefixtures("context")


def codes() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Location.code).order_by(Location.code)))


def test_what_a_transaction_did_stands(app: Flask) -> None:
    with transaction():
        stock.add_location("A", "A")
    assert codes() == ["A"]
    assert inside(app, codes)() == ["A"]


def test_what_fails_undoes_all_of_it(app: Flask) -> None:
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error), transaction():
            stock.add_location("A", "A")
            raise error
    assert codes() == []
    with transaction():
        stock.add_location("B", "B")
    assert codes() == ["B"]


def test_openers_do_not_open_inside_openers(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="open already"), transaction():
        stock.add_location("A", "A")
        with transaction():
            pytest.fail("a second one was opened")
    assert codes() == []


def test_joiners_join_and_never_open(app: Flask) -> None:
    at = datetime.now(UTC)
    joiners: tuple[Callable[[], object], ...] = (
        in_transaction,
        lambda: stock.add_location("A", "A"),
        lambda: stock.take([stock.Want(1, 1, 1)], at),
        lambda: stock.put_back([stock.Want(1, 1, 1)], at),
        lambda: stock.receive(1, 1, 1),
        lambda: payment.deposit(1, 1, "CNY", "cash"),
        lambda: payment.refund("x", 1),
        lambda: outbox.put("topic", "subject"),
        lambda: after_commit(print),
    )
    for joiner in joiners:
        with pytest.raises(RuntimeError, match="inside `with transaction"):
            joiner()


def test_what_was_read_before_is_read_again(app: Flask) -> None:
    """A decision is made on what is true inside the transaction, not on what a page had read."""
    with transaction():
        place = stock.add_location("A", "Old name")
    assert place.name == "Old name"

    def rename() -> None:
        with transaction() as session:
            session.get_one(Location, place.id).name = "New name"

    at_once([inside(app, rename)])
    assert place.name == "Old name"
    with transaction() as session:
        assert session.get_one(Location, place.id).name == "New name"


def test_a_connection_that_dies_when_the_answer_is_made_takes_nothing_with_it(
    app: Flask, database: Database
) -> None:
    if database.kind == "sqlite":
        return  # Its connections are files.

    def visit() -> str:
        mine = db.session.scalar(text("SELECT pg_backend_pid()"))
        with psycopg.connect(**db.engine.dialect.create_connect_args(db.engine.url)[1]) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
        return "answered"

    assert inside(app, visit)() == "answered"
    assert inside(app, codes)() == []


def test_after_the_commit_and_only_then(app: Flask) -> None:
    told: list[tuple[str, list[str]]] = []

    def tell(what: str) -> None:
        told.append((what, inside(app, codes)()))

    with transaction():
        stock.add_location("A", "A")
        after_commit(tell, "first")
        after_commit(tell, "second")
        assert told == []
    assert told == [("first", ["A"]), ("second", ["A"])]
    with pytest.raises(ValueError), transaction():
        after_commit(tell, "never")
        raise ValueError
    with transaction():
        stock.add_location("B", "B")
    assert len(told) == 2


def test_what_fails_after_the_commit_fails_alone(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def fail() -> None:
        raise OSError("the printer is out of paper")

    with transaction():
        stock.add_location("A", "A")
        after_commit(fail)
        after_commit(told.append, "still told")
    assert codes() == ["A"]
    assert told == ["still told"]
    assert "out of paper" in caplog.text


# What is repeated


def driver_error(state: str) -> DBAPIError:
    error: Any = type("Failed", (psycopg.OperationalError,), {"sqlstate": state})("failed")
    return OperationalError("SELECT 1", None, error)


def lost_connection() -> DBAPIError:
    lost: Any = psycopg.OperationalError("server closed the connection unexpectedly")
    return OperationalError("SELECT 1", None, lost, connection_invalidated=True)


def sqlite_error(message: str) -> DBAPIError:
    error: Any = sqlite3.OperationalError(message)
    return OperationalError("SELECT 1", None, error)


PASSING = [
    *(driver_error(state) for state in ("40001", "40P01", "55P03", "57P01", "57P03", "53300")),
    driver_error("25006"), driver_error("08P01"), lost_connection(),
    sqlite_error("database is locked"), sqlite_error("database table is locked"),
]  # fmt: skip
LASTING = [
    *(driver_error(state) for state in ("53100", "57014", "23505", "23514", "22P02")),
    sqlite_error("database or disk is full"), sqlite_error("disk I/O error"),
    sqlite_error("no such table: sales"),
    sqlite_error("attempt to write a readonly database"),
    IntegrityError("INSERT", None, sqlite3.IntegrityError("UNIQUE constraint failed")),
]  # fmt: skip


def tries_of(errors: list[BaseException]) -> tuple[int, BaseException | None]:
    """How often an opener was tried that fails with these errors in turn, and what came out."""
    left, tries = list(errors), 0

    @repeatable
    def opener() -> str:
        nonlocal tries
        tries += 1
        with transaction():
            stock.add_location(f"PLACE-{tries}", "A")
            if left:
                raise left.pop(0)
        return "done"

    try:
        assert opener() == "done"
    except BaseException as error:
        return tries, error
    return tries, None


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_what_passes_is_repeated_as_a_whole(app: Flask, error: DBAPIError) -> None:
    assert tries_of([error, error]) == (3, None)
    assert codes() == ["PLACE-3"]


@pytest.mark.parametrize(
    "error", [*LASTING, ValueError("no"), RuntimeError("no"), KeyboardInterrupt()], ids=str
)
def test_what_does_not_pass_is_not_repeated(app: Flask, error: BaseException) -> None:
    assert tries_of([error]) == (1, error)
    assert codes() == []


def test_repeating_has_an_end(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_tool, "_BUDGET_S", 0.3)
    error = driver_error("40001")
    tries, raised = tries_of([error] * 1000)
    assert raised is error
    assert 2 < tries < 50


# SQLite


@pytest.fixture
def sqlite(database: Database) -> None:
    if database.kind != "sqlite":
        pytest.skip("about SQLite only")


@pytest.mark.usefixtures("sqlite")
def test_every_connection_is_safe(app: Flask) -> None:
    """Also the tenth one, opened while nine others are in use."""
    opened = [db.engine.connect() for _ in range(10)]
    for one in opened:
        pragmas = {
            name: one.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
        assert pragmas == {
            "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000,
        }  # fmt: skip
    for one in opened:
        one.close()


def read_then_write(app: Flask, *, immediate: bool) -> list[BaseException | None]:
    """Two who read first and then write, each after the other one has read."""
    both_have_read = threading.Barrier(2, timeout=30)

    def work(number: int) -> None:
        with app.app_context(), db.engine.connect() as own:
            if immediate:
                own = own.execution_options(writes=True)
            own.execute(text("SELECT COUNT(*) FROM locations")).scalar()
            if not immediate:
                both_have_read.wait()  # BEGIN IMMEDIATE lets nobody read for writing beside it.
            own.execute(
                text(
                    "INSERT INTO locations (code, name, kind, address, created_at)"
                    f" VALUES ('PLACE-{number}', '', 'shop', '', 0)"
                )
            )
            own.commit()

    return at_once([lambda: work(1), lambda: work(2)])


@pytest.mark.usefixtures("sqlite")
def test_a_deferred_begin_fails_where_two_read_and_then_write(app: Flask) -> None:
    """The negative control: this is why writers begin with BEGIN IMMEDIATE."""
    outcomes = read_then_write(app, immediate=False)
    failed = [one for one in outcomes if one is not None]
    assert len(failed) == 1 and "database is locked" in str(failed[0])


@pytest.mark.usefixtures("sqlite")
def test_with_begin_immediate_both_write(app: Flask) -> None:
    assert read_then_write(app, immediate=True) == [None, None]
    assert codes() == ["PLACE-1", "PLACE-2"]


@pytest.mark.usefixtures("sqlite")
def test_threads_that_write_stand_in_line(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody stands there for ever: who waits too long is told so."""
    monkeypatch.setattr(writers, "_PATIENCE_S", 0.2)

    def write() -> None:
        with transaction():
            stock.add_location("B", "B")

    with transaction():
        stock.add_location("A", "A")
        outcomes = at_once([inside(app, write)])
    assert isinstance(outcomes[0], TimeoutError)
    assert at_once([inside(app, write)]) == [None]
    assert codes() == ["A", "B"]


def test_many_threads_write_and_none_is_turned_away(app: Flask) -> None:
    def write() -> None:
        for _ in range(10):
            with transaction() as session:
                session.execute(text("UPDATE locations SET address = address || 'x'"))

    with transaction():
        stock.add_location("A", "A")
    assert at_once([inside(app, write)] * 8) == [None] * 8
    assert connection().execute(select(Location.address)).scalar_one() == "x" * 80


# Moments

MOMENTS = st.datetimes(
    datetime(1900, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)
)  # fmt: skip


@hypothesis_settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=MOMENTS, second=MOMENTS)
def test_a_moment_comes_back_exactly_and_in_order(
    app: Flask, first: datetime, second: datetime
) -> None:
    kind = Moment()
    dialect = db.engine.dialect
    kept = [kind.process_bind_param(at, dialect) for at in (first, second)]
    assert [kind.process_result_value(one, dialect) for one in kept] == [first, second]
    assert None not in kept and (kept[0] < kept[1]) == (first < second)  # type: ignore[operator]
    other = first.astimezone(datetime.now().astimezone().tzinfo) if first.year > 1901 else first
    assert kind.process_bind_param(other, dialect) == kept[0]
