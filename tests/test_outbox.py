"""The outbox: what must still happen happens, in order, once where it is done in the event's own
transaction, and at least once everywhere else."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete, select, text

from store import clock, outbox
from store.db import connection, db, transaction
from store.outbox import Event, Outbox
from tests.conftest import Clock
from tests.live import ROOT
from tests.races.crowd import at_once, inside
from tests.world import World

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(autouse=True)
def _paper(app: Flask, context: None) -> None:
    """A table for handlers to write on."""
    with transaction() as session:
        session.execute(text("CREATE TABLE done (id INTEGER, subject VARCHAR(40))"))


def done() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(text("SELECT subject FROM done ORDER BY id")))


def write_down(batch: Sequence[Event]) -> None:
    """A handler that works in the events' own transaction."""
    for event in batch:
        if event.body.get("bad"):
            raise ValueError("this one cannot be done")
        connection().execute(
            text("INSERT INTO done VALUES (:id, :subject)"),
            {"id": event.id, "subject": event.subject},
        )


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_handlers", {})
    outbox.handles("note", "memo")(write_down)


def put(*subjects: str, topic: str = "note", **body: Any) -> None:
    with transaction():
        for subject in subjects:
            outbox.put(topic, subject, body)


def rows() -> list[tuple[str, int, str]]:
    db.session.rollback()
    query = select(Outbox.subject, Outbox.failures, Outbox.error).order_by(Outbox.id)
    return [(row[0], row[1], row[2]) for row in db.session.execute(query)]


@pytest.mark.usefixtures("written")
def test_events_are_done_in_their_order_and_leave() -> None:
    put("a", "b", "c")
    assert outbox.pending() == 3
    assert outbox.work() == 3
    assert done() == ["a", "b", "c"]
    assert outbox.pending() == outbox.work() == 0


@pytest.mark.usefixtures("written")
def test_an_event_without_its_cause_never_was() -> None:
    with pytest.raises(ValueError), transaction():
        outbox.put("note", "a")
        raise ValueError
    assert outbox.work() == 0
    assert done() == []


@pytest.mark.usefixtures("written")
def test_what_nobody_handles_waits() -> None:
    put("a", topic="unheard of")
    assert outbox.work() == 0
    assert outbox.pending() == 1


@pytest.mark.usefixtures("written")
def test_one_bad_event_does_not_take_the_others_down(clock: Clock) -> None:
    put("a")
    put("bad", bad=True)
    put("b", "c")
    assert outbox.work() == 3
    assert done() == ["a", "b", "c"]
    assert rows() == [("bad", 1, "ValueError: this one cannot be done")]


@pytest.mark.usefixtures("written")
def test_what_failed_is_tried_again_at_growing_distances(clock: Clock) -> None:
    put("bad", bad=True)
    began, times = clock.now, []
    for failures in range(1, outbox.GIVE_UP_AFTER + 1):
        assert outbox.work() == 0
        assert rows()[0][1] == failures
        times.append(clock.now - began)
        due = db.session.scalar(select(Outbox.next_at))
        if due is not None:
            clock.set(due - timedelta(seconds=1))
            assert outbox.work() == 0 and rows()[0][1] == failures
            clock.set(due)
    waits = [later - earlier for earlier, later in zip(times, times[1:])]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=10) and waits[-1] >= timedelta(hours=2)
    # A dead letter: nobody tries it any more, and the audit says so until a person has looked.
    clock.tick(days=30)
    assert outbox.work() == 0
    assert outbox.pending() == 1
    assert db.session.scalar(select(Outbox.next_at)) is None


@pytest.mark.usefixtures("written")
def test_a_subject_keeps_its_order_even_where_its_first_event_failed(clock: Clock) -> None:
    put("lin", bad=True)
    put("lin", "mei", topic="memo")
    assert outbox.work() == 1
    assert done() == ["mei"]
    with transaction() as session:
        session.execute(text("UPDATE outbox SET body = '{}'"))
    assert outbox.work() == 0
    clock.tick(seconds=11)
    assert outbox.work() == 2
    assert done() == ["lin", "mei", "lin"] or done() == ["lin", "lin", "mei"]
    assert outbox.pending() == 0


@pytest.mark.usefixtures("written")
def test_more_than_a_batch_is_done_in_one_go() -> None:
    with transaction():
        outbox.put_many("note", [str(at) for at in range(outbox.BATCH + 7)], clock.now())
    assert outbox.work() == outbox.BATCH + 7
    assert len(done()) == outbox.BATCH + 7


@pytest.mark.usefixtures("written")
def test_a_message_that_no_database_can_keep_is_still_noted(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "store.outbox")  # No terminal can show it, either.

    def fail(batch: Sequence[Event]) -> None:
        raise ValueError("NUL \x00, half a character \ud800, and " + "x" * 1000)

    monkeypatch.setitem(outbox._handlers, "note", [fail])
    put("a")
    assert outbox.work() == 0
    error = rows()[0][2]
    assert error.startswith("ValueError: NUL") and len(error) == 500


# Many workers

EVENTS, WORKERS = 300, 6


def careless_work() -> int:
    """The careless worker: it looks what is due, does it, and then ends it."""
    due = db.session.execute(select(Outbox.id, Outbox.subject).limit(20)).all()
    db.session.rollback()
    with transaction() as session:
        for row in due:
            session.execute(
                text("INSERT INTO done VALUES (:id, :subject)"),
                {"id": row.id, "subject": row.subject},
            )
        session.execute(delete(Outbox).where(Outbox.id.in_([row.id for row in due])))
    return len(due)


@pytest.mark.usefixtures("written")
def test_careless_workers_do_events_twice(app: Flask) -> None:
    for _ in range(20):
        put(*(str(at) for at in range(60)))

        def work() -> None:
            while careless_work():
                pass

        at_once([inside(app, work)] * WORKERS)
        if max(Counter(done()).values()) > 1:
            return
        with transaction() as session:
            session.execute(text("DELETE FROM done"))
    pytest.fail("no race was seen, so the test below proves nothing")


@pytest.mark.usefixtures("written")
def test_many_workers_do_each_event_once(app: Flask) -> None:
    put(*(str(at) for at in range(EVENTS)))
    put("0", "1", "2", topic="memo")
    outcomes = at_once([inside(app, lambda: sum(iter(outbox.work, 0)))] * WORKERS)
    assert sum(outcomes) == EVENTS + 3, outcomes  # type: ignore[arg-type]
    assert outbox.pending() == 0
    times = Counter(done())
    assert {subject for subject, many in times.items() if many == 2} == {"0", "1", "2"}
    assert len(times) == EVENTS and max(times.values()) == 2


# One after the other, as children of a process that has loaded the shop already.
WORKERS_IN_TURN = """
import os, sys, time
from sqlalchemy import text
from store import create_app, outbox
from store.db import connection

def write_down(batch):
    for event in batch:
        connection().execute(text("INSERT INTO done VALUES (:id, :subject)"),
                             {"id": event.id, "subject": event.subject})
        print("did", event.subject, os.getpid(), flush=True)
        time.sleep(0.01)

outbox._handlers.clear()
outbox.handles("note")(write_down)
outbox.BATCH = 5
app = create_app({"DATABASE_URL": sys.argv[1], "INSTANCE": sys.argv[2], "SECRET_KEY": "any"})
while True:
    child = os.fork()
    if not child:
        with app.app_context():
            outbox.work()
        print("end", flush=True)
        os._exit(0)
    if not os.waitpid(child, 0)[1]:
        break
"""


def test_a_killed_worker_loses_nothing_and_does_nothing_twice(
    app: Flask, settings: dict[str, Any], tmp_path: Path
) -> None:
    """It is killed in the middle of a batch, again and again; another one goes on."""
    put(*(str(at) for at in range(40)))
    command = [sys.executable, "-c", WORKERS_IN_TURN, settings["DATABASE_URL"], str(tmp_path)]
    said: list[str] = []
    deaths = [3, 8, 13, 21]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as workers:
        assert workers.stdout
        for line in workers.stdout:
            said.append(line.strip())
            if deaths and len(said) == deaths[0]:
                os.kill(int(line.split()[2]), signal.SIGKILL)
                deaths.pop(0)
    assert not deaths
    assert said[-1] == "end"
    assert sum("did" in one for one in said) > 40, "no batch was cut, so nothing was shown"
    assert sorted(done(), key=int) == [str(at) for at in range(40)]
    assert outbox.pending() == 0


def test_sales_reach_the_takings_by_the_command(world: World, runner: FlaskCliRunner) -> None:
    world.sale()
    assert runner.invoke(args=["outbox", "pending"]).stdout == "2\n", "a new item and its sale"
    assert runner.invoke(args=["outbox", "work"]).stdout == "2\n"
    assert runner.invoke(args=["outbox", "work"]).stdout == "0\n"
    assert world.faults() == []
